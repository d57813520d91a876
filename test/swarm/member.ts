/** One member of a swarm: a NetConnection, a NetGroup and a NetStream on a simulated host. */
import { NetConnection, NetGroup, NetStream } from "rtmfp-client";
import { type CryptoProvider, defaultProvider } from "rtmfp-core/crypto";
import { type GroupStats, groupAddressOf, type Multicast } from "rtmfp-core/group";
import { toHex } from "rtmfp-core/proto";
import type { SimWorld } from "rtmfp-core/testing";
import { Delivery, type Published, type Share, type Silence, WINDOW_MS } from "./delivery.ts";
import type { Access, Home } from "./network.ts";
import type { RingMember } from "./ring.ts";
import { isKey, numberOf } from "./source.ts";

/** What the members of a swarm share. */
export interface SwarmContext {
  readonly world: SimWorld;
  readonly url: string;
  readonly groupspec: string;
  /** Undefined for real cryptography. */
  readonly crypto: CryptoProvider | undefined;
  readonly published: Published;
  /** A tag of the stream has come for the first time; ms after it was published. */
  arrived(delayMs: number): void;
}

/** What there is to say of a viewer at the end. */
export interface MemberReport {
  readonly access: Access;
  readonly isUp: boolean;
  readonly startedAt: number;
  readonly leftAt: number | undefined;
  /** Why it could not join or play, for people. */
  readonly failure: string | undefined;
  readonly firstKeyAt: number | undefined;
  /** Up to a window before it left, or the end. */
  readonly share: Share;
  /** When what is missing from its share was published. */
  readonly missing: readonly number[];
  readonly silences: readonly Silence[];
  /** Of the bodies of tags that came; of datagrams sent. */
  readonly bytes: number;
  readonly bytesOut: number;
  readonly neighbours: number;
  readonly groupStats: Readonly<GroupStats> | undefined;
  readonly multicastStats: Multicast["stats"] | undefined;
}

/** The stream's name in its group. */
export const STREAM = "stream";

/** See the file's head. */
export class Member implements RingMember {
  readonly home: Home;
  readonly nc: NetConnection;
  /** Group addresses of those it is connected to. */
  readonly neighbours = new Set<string>();
  stream: NetStream | undefined;
  #group: NetGroup | undefined;
  #multicast: Multicast | undefined;
  /** Its book as a viewer; undefined before it plays. */
  delivery: Delivery | undefined;
  /** Virtual times in ms: when it began to connect, was in the group, and left, by a close or without a word. */
  readonly startedAt: number;
  leftAt: number | undefined;
  /** Why it is none, for people. */
  failure: string | undefined;
  #address = "";
  readonly #context: SwarmContext;

  constructor(context: SwarmContext, home: Home) {
    const { world } = context;
    this.#context = context;
    this.home = home;
    this.startedAt = world.now;
    const { host } = home;
    this.nc = new NetConnection({
      carrier: () => host.open([{ port: 0 }]),
      clock: {
        now: () => world.now,
        // The timers of who has vanished stand still.
        after: (ms, run) => world.after(ms, () => void (host.isFrozen || run())),
      },
      random: (length) => host.random(length),
      ...(context.crypto === undefined ? {} : { crypto: context.crypto }),
    });
  }

  /** Its place in the ring. */
  get address(): string {
    return this.#address;
  }

  get access(): Access {
    return this.home.access;
  }

  get isUp(): boolean {
    return this.leftAt === undefined && this.#address !== "" && this.failure === undefined;
  }

  /** Bytes of datagrams sent; 0 once it has closed. */
  get bytesOut(): number {
    return this.nc.connected ? this.nc.core.endpoint.stats.bytesOut : 0;
  }

  /** Of its streams so far; undefined before it is in the group. */
  get multicastStats(): Multicast["stats"] | undefined {
    return this.#multicast?.stats;
  }

  /** Everything about it, at the end. */
  report(now: number): MemberReport {
    const { access, isUp, startedAt, leftAt, failure, delivery, bytesOut } = this;
    const until = (leftAt ?? now) - WINDOW_MS;
    delivery?.end(leftAt ?? now);
    return {
      access,
      isUp,
      startedAt,
      leftAt,
      failure,
      firstKeyAt: delivery?.firstKeyAt,
      share: delivery?.share(until, WINDOW_MS) ?? { due: 0, got: 0 },
      missing: delivery?.missingTimes(until, WINDOW_MS) ?? [],
      silences: delivery?.silences ?? [],
      bytes: delivery?.bytes ?? 0,
      bytesOut,
      neighbours: this.neighbours.size,
      groupStats: this.#group === undefined ? undefined : { ...this.#group.stats },
      multicastStats: this.#multicast === undefined ? undefined : { ...this.#multicast.stats },
    };
  }

  /** Joins, and plays the stream until it ends. */
  async view(): Promise<void> {
    try {
      const stream = await this.#join();
      const delivery = new Delivery(this.#context.published, this.startedAt);
      this.delivery = delivery;
      await stream.play(STREAM);
      for await (const tag of stream) {
        const number = numberOf(tag);
        if (number === undefined) continue;
        const delay = delivery.take(number, tag.data.length, isKey(tag), this.#context.world.now);
        if (delay !== undefined) this.#context.arrived(delay);
      }
    } catch (error) {
      if (this.leftAt === undefined) this.failure = String(error);
    }
  }

  /** Joins, and publishes the stream. */
  async publish(): Promise<NetStream> {
    const stream = await this.#join();
    await stream.publish(STREAM);
    return stream;
  }

  /** Leaves in good order. */
  async close(): Promise<void> {
    this.leftAt = this.#context.world.now;
    await this.nc.close();
  }

  /** Is gone without a word: nothing of it runs on, and nothing reaches it. */
  vanish(): void {
    const { host } = this.home;
    this.leftAt = this.#context.world.now;
    host.link.set({ loss: 1 });
    host.freeze(Number.POSITIVE_INFINITY);
  }

  async #join(): Promise<NetStream> {
    const { url, groupspec } = this.#context;
    await this.nc.connect(url);
    this.#address = toHex(groupAddressOf(this.nc.nearID, (bytes) => defaultProvider().sha256(bytes)));
    this.#group = new NetGroup(this.nc, groupspec);
    this.#group.on("status", (event) => {
      if (event.code === "NetGroup.Neighbor.Connect") this.neighbours.add(event.neighbor);
      else if (event.code === "NetGroup.Neighbor.Disconnect") this.neighbours.delete(event.neighbor);
    });
    this.#multicast = this.nc.core.groups.join(groupspec, NOBODY).multicast;
    this.stream = new NetStream(this.nc, groupspec);
    return this.stream;
  }
}

/** Joins without wanting to be told of anything: for a look at the counters. */
const NOBODY = { joined: () => {}, failed: () => {}, ended: () => {} };
