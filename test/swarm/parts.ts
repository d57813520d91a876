/** The parts of a swarm that one thread simulates, a step of virtual time after another, and what they send each other. */
import type { ForeignDatagram } from "rtmfp-core/testing";
import type { SwarmOptions } from "./options.ts";
import { Parcel, unpack } from "./parcel.ts";
import { partOf, partsOf, Shard, type ShardReport, type Snapshot } from "./shard.ts";
import { makeStream } from "./source.ts";

/** A datagram on its way between parts. */
export interface Crossing {
  readonly datagram: ForeignDatagram;
  /** When it came to the middle of the internet, ms of virtual time. */
  readonly at: number;
}

/** What they look like at some time. */
export interface Look {
  readonly parts: readonly Snapshot[];
  /** Of the thread. */
  readonly heapBytes: number;
}

/**
 * Each part is run for a step before the next one is: what a few members need stays in the processor's caches, what a
 * thousand need does not. That changes nothing, as no datagram arrives in the step in which it is sent, nor in the next.
 */
export class Parts {
  readonly #shards: ReadonlyMap<number, Shard>;
  /** By part, what comes to it; from own parts in this step, and in the one before. */
  #incoming = new Map<number, Crossing[]>();
  #own = new Map<number, Crossing[]>();
  /** By thread. */
  readonly #parcels: readonly Parcel[];

  /** Those of thread `index` of so many. */
  constructor(options: SwarmOptions, index: number) {
    const { threads } = options;
    const count = partsOf(options);
    this.#parcels = Array.from({ length: threads }, () => new Parcel());
    const own = Array.from({ length: count }, (_, part) => part).filter((part) => part % threads === index);
    const stream = makeStream(options.kbps, options.seconds);
    const send = (crossing: Crossing): void => this.#send(crossing);
    this.#shards = new Map(own.map((part) => [part, new Shard(options, part, stream, send)]));
  }

  /** Lets everything happen until a time, a step from the last. Rejects if the server or the publisher cannot even start. */
  async runTo(at: number): Promise<void> {
    const incoming = this.#incoming;
    this.#incoming = this.#own;
    this.#own = new Map();
    for (const [part, shard] of this.#shards) {
      for (const { datagram, at } of (incoming.get(part) ?? []).sort(inOrder)) shard.receive(datagram, at);
      await shard.runTo(at);
    }
  }

  /** What was sent in the last step to the parts of other threads; a parcel for each, its own stays empty. */
  parcels(): Uint8Array[] {
    return this.#parcels.map((parcel) => parcel.take());
  }

  /** What another thread's parts sent in the step before the last. */
  receive(parcel: Uint8Array): void {
    for (const crossing of unpack(parcel)) add(this.#incoming, crossing);
  }

  look(): Look {
    const parts = [...this.#shards.values()].map((shard) => shard.look());
    return { parts, heapBytes: process.memoryUsage().heapUsed };
  }

  reports(): ShardReport[] {
    return [...this.#shards.values()].map((shard) => shard.report());
  }

  #send(crossing: Crossing): void {
    const part = partOf(crossing.datagram.to.host);
    if (this.#shards.has(part)) add(this.#own, crossing);
    else this.#parcels[part % this.#parcels.length]?.add(crossing);
  }
}

function add(to: Map<number, Crossing[]>, crossing: Crossing): void {
  const part = partOf(crossing.datagram.to.host);
  const known = to.get(part);
  if (known === undefined) to.set(part, [crossing]);
  else known.push(crossing);
}

function inOrder(a: Crossing, b: Crossing): number {
  if (a.at !== b.at) return a.at - b.at;
  return a.datagram.from.host < b.datagram.from.host ? -1 : 1;
}
