import {
  GroupSpecifier,
  type NetConnection,
  type NetConnectionOptions,
  NetGroup,
  type StatusEvent,
} from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import { type NatKind, type SimHost, SimWorld } from "rtmfp-core/testing";
import { createServer, type Server } from "rtmfp-server";
import { makeClient, URL } from "./support.ts";

/** One member with all that it has been told: on the NetConnection, and on the NetGroup. */
export interface Member {
  readonly name: string;
  readonly nc: NetConnection;
  readonly host: SimHost;
  readonly group: NetGroup;
  readonly connection: StatusEvent[];
  readonly events: StatusEvent[];
}

/** A groupspec with streams, and members told by the server. */
export function channelSpec(name = "channel", change: (spec: GroupSpecifier) => void = () => {}): string {
  const spec = new GroupSpecifier(name);
  spec.multicastEnabled = true;
  spec.serverChannelEnabled = true;
  change(spec);
  return spec.toString();
}

/** A world with our server, and clients that join groups. */
export class GroupScene {
  readonly world: SimWorld;
  readonly #host: SimHost;
  server!: Server;
  readonly members: Member[] = [];

  constructor(seed: number) {
    this.world = new SimWorld(seed);
    this.#host = this.world.host("server", { addresses: ["198.51.100.1"], link: { latencyMs: 10 } });
    this.world.name("server.test", ["198.51.100.1"]);
  }

  /** Starts the server, or another one in its place, after `prepare`. */
  async start(prepare: (server: Server) => unknown = () => {}): Promise<this> {
    this.server = createServer({
      carrier: () => this.#host.open([{ port: 1935 }]),
      random: (length) => this.#host.random(length),
    });
    prepare(this.server);
    await this.world.settle(this.server.listen(), 1_000);
    return this;
  }

  /** Ends the server without a word to anybody. */
  async kill(): Promise<void> {
    const heal = this.world.filter(({ sender }) => (sender === "server" ? "drop" : undefined));
    await this.world.settle(this.server.close(), 30_000);
    heal();
  }

  /** A connected client, behind a NAT of its own if a kind is given. */
  async connect(
    name: string,
    kind?: NatKind,
    options: NetConnectionOptions = {},
  ): Promise<{ nc: NetConnection; host: SimHost; connection: StatusEvent[] }> {
    const behind = kind === undefined ? undefined : this.world.nat(`${name}-nat`, { kind, link: { latencyMs: 5 } });
    const { nc, host } = makeClient(this.world, name, behind, options);
    const connection: StatusEvent[] = [];
    nc.on("status", (event) => connection.push(event));
    await this.world.settle(nc.connect(URL), 30_000);
    return { nc, host, connection };
  }

  /** A client that has joined, or is about to. */
  async join(name: string, spec: string, kind?: NatKind, options: NetConnectionOptions = {}): Promise<Member> {
    const { nc, host, connection } = await this.connect(name, kind, options);
    const group = new NetGroup(nc, spec);
    const events: StatusEvent[] = [];
    group.on("status", (event) => events.push(event));
    const member = { name, nc, host, group, connection, events };
    this.members.push(member);
    return member;
  }
}

/** Codes, in order. */
export function codes(events: readonly StatusEvent[]): string[] {
  return events.map(({ code }) => code);
}

/** AVC at 10 pictures a second, a key frame every 2 s, AAC in between. */
export function* soundAndPictures(seconds: number): Generator<FlvTag> {
  yield { type: "video", timestamp: 0, data: Uint8Array.of(0x17, 0, 0, 0, 0, 1, 2, 3) };
  yield { type: "audio", timestamp: 0, data: Uint8Array.of(0xaf, 0, 0x12, 0x10) };
  for (let timestamp = 0; timestamp < seconds * 1000; timestamp += 20) {
    if (timestamp % 100 === 0) {
      const isKey = timestamp % 2_000 === 0;
      const data = new Uint8Array(isKey ? 9_000 : 2_000).fill(timestamp % 251);
      data.set([isKey ? 0x17 : 0x27, 1, 0, 0, 0]);
      yield { type: "video", timestamp, data };
    }
    yield { type: "audio", timestamp, data: Uint8Array.of(0xaf, 1, ...new Array(80).fill(timestamp % 251)) };
  }
}
