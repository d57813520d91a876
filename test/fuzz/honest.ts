/** Clients that do no harm while others do: what they are promised must hold to the end. */
import { type NetConnection, NetStream } from "rtmfp-client";
import type { SimWorld } from "rtmfp-core/testing";
import { HONEST } from "./wild-application.ts";

/** A publisher, a viewer and a caller on one server. */
export class Honest {
  readonly connections: readonly NetConnection[];
  readonly #world: SimWorld;
  readonly #url: string;
  readonly #make: (name: string) => NetConnection;
  readonly #written: number[] = [];
  readonly #read: number[] = [];
  #publication: NetStream | undefined;

  /** `make` makes a connection on a host of that name. */
  constructor(world: SimWorld, url: string, make: (name: string) => NetConnection) {
    this.#world = world;
    this.#url = url;
    this.#make = make;
    this.connections = ["publisher", "viewer"].map(make);
  }

  /** Connects; with `isDirect` the stream goes from peer to peer. */
  async begin(isDirect: boolean): Promise<void> {
    const [publisher, viewer] = this.connections as readonly [NetConnection, NetConnection];
    for (const nc of this.connections) await nc.connect(this.#url, HONEST);
    const stream = new NetStream(publisher, isDirect ? NetStream.DIRECT_CONNECTIONS : NetStream.CONNECT_TO_FMS);
    await stream.publish(STREAM);
    this.#publication = stream;
    const view = new NetStream(viewer, isDirect ? publisher.nearID : NetStream.CONNECT_TO_FMS);
    await view.play(STREAM);
    void this.#collect(view);
  }

  /** Publishes one more tag. */
  write(): void {
    const timestamp = this.#written.length * 20;
    this.#written.push(timestamp);
    this.#publication?.writeTag({ type: "audio", timestamp, data: Uint8Array.of(0x2f, this.#written.length & 0xff) });
  }

  /** Throws unless all tags have come, calls are answered, and a newcomer gets in. */
  async check(): Promise<void> {
    const newcomer = this.#make("newcomer");
    await this.#world.settle(newcomer.connect(this.#url, HONEST), 20_000).catch((error) => {
      throw new Error(`an honest client cannot connect: ${(error as Error).message}`);
    });
    for (const nc of [...this.connections, newcomer]) {
      const answer = await this.#world.settle(nc.call("echo", null, 42), 20_000).catch((error) => {
        throw new Error(`an honest call is not answered: ${(error as Error).message}`);
      });
      if (answer !== 42) throw new Error(`an honest call is answered with ${String(answer)}`);
    }
    await this.#world.settle(newcomer.close(), 20_000);
    await this.#world.runAsync(5_000);
    const [written, read] = [this.#written.join(), this.#read.join()];
    if (written !== read) throw new Error(`an honest viewer got tags ${read} of ${written}`);
  }

  async end(): Promise<void> {
    for (const nc of this.connections) await this.#world.settle(nc.close(), 20_000);
  }

  async #collect(view: NetStream): Promise<void> {
    for await (const tag of view) this.#read.push(tag.timestamp);
  }
}

/** A name that no vocabulary has. */
const STREAM = "of honest people";
