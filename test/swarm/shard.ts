/** A part of a swarm: some of the viewers, and in the first part the server and the publisher. */
import { type ForeignDatagram, Prng, SimWorld } from "rtmfp-core/testing";
import { createServer } from "rtmfp-server";
import type { Published } from "./delivery.ts";
import { Histogram } from "./histogram.ts";
import { Member, type MemberReport, type SwarmContext } from "./member.ts";
import { type Access, LEAST_DOWN_MS, MEMBER_UP_BITS, makeHome, PUBLISHER_UP_BITS } from "./network.ts";
import type { SwarmOptions } from "./options.ts";
import type { Crossing } from "./parts.ts";
import { createPlainProvider } from "./plain-crypto.ts";
import type { SourceTag } from "./source.ts";

/** A member as the ring sees it. */
export interface RingEntry {
  readonly address: string;
  readonly neighbours: ReadonlySet<string>;
  readonly access: Access;
}

/** What a part looks like at some time. */
export interface Snapshot {
  /** Viewers that are up, and those of them that have had a key frame. */
  readonly up: number;
  readonly playing: number;
  /** Members, the publisher included, that have had time to find their place. */
  readonly settled: readonly RingEntry[];
  readonly datagrams: number;
  readonly traffic: Traffic;
}

/** What has moved since the start; a difference of two tells how it went between them. */
export interface Traffic {
  /** Bytes of datagrams that the publisher sent. */
  readonly publisherBytes: number;
  /** Fragments that came to viewers for the first time, and again. */
  readonly fragments: number;
  readonly duplicates: number;
  /** Tags that came to viewers, and the sum of their end-to-end delays, ms. */
  readonly tags: number;
  readonly delaysMs: number;
}

/** What a part has to say at the end. */
export interface ShardReport {
  readonly viewers: readonly MemberReport[];
  /** Of end-to-end delays, see {@link Histogram}. */
  readonly delays: Uint32Array;
  readonly publisherBytes: number;
  readonly allBytes: number;
  readonly datagrams: number;
}

/** See the file's head. Times are ms of virtual time. */
export class Shard {
  readonly #options: SwarmOptions;
  readonly #world: SimWorld;
  readonly #stream: readonly SourceTag[];
  readonly #context: SwarmContext;
  readonly #delays = new Histogram();
  #tags = 0;
  #delaysMs = 0;
  /** By number. */
  readonly #viewers = new Map<number, Member>();
  #publisher: Member | undefined;
  #publisherBytes = 0;
  #failure: unknown;

  /** Part `index` of all; `stream` is what is published, `send` gets what its members send to others. */
  constructor(options: SwarmOptions, index: number, stream: readonly SourceTag[], send: (crossing: Crossing) => void) {
    this.#options = options;
    this.#world = new SimWorld(`swarm ${options.seed} part ${index}`, {
      prefix: prefixOf(index),
      beyond: (datagram) => send({ datagram, at: this.#world.now }),
    });
    this.#stream = stream;
    this.#context = {
      world: this.#world,
      url: `rtmfp://${SERVER_NAME}/swarm`,
      groupspec: GROUPSPEC,
      crypto: options.crypto === "real" ? undefined : createPlainProvider(),
      published: publishedTimes(this.#stream),
      arrived: (ms) => {
        this.#delays.add(ms);
        this.#tags++;
        this.#delaysMs += ms;
      },
    };
    this.#world.name(SERVER_NAME, [SERVER_ADDRESS]);
    if (index === 0) this.#startServer();
    this.#planViewers(index, partsOf(options));
  }

  /** Lets everything happen until a time. Rejects if the server or the publisher cannot even start. */
  async runTo(at: number): Promise<void> {
    await this.#world.runAsync(at - this.#world.now);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A datagram of another part's came to the middle of the internet at `cameAt`, no longer ago than it is on its way from there. */
  receive(datagram: ForeignDatagram, cameAt: number): void {
    this.#world.receive(datagram, cameAt);
  }

  look(): Snapshot {
    const { now } = this.#world;
    const up = this.#up;
    const settled = [...(this.#publisher === undefined ? [] : [this.#publisher]), ...up]
      .filter(({ isUp, startedAt }) => isUp && now - startedAt > SETTLED_MS)
      .map(({ address, neighbours, access }) => ({ address, neighbours, access }));
    return {
      settled,
      up: up.length,
      playing: up.filter(({ delivery }) => delivery?.firstKeyAt !== undefined).length,
      datagrams: this.#world.stats.sent,
      traffic: this.#traffic,
    };
  }

  report(): ShardReport {
    const { stats, now } = this.#world;
    return {
      viewers: [...this.#viewers.values()].map((member) => member.report(now)),
      delays: this.#delays.counts,
      publisherBytes: (this.#publisher?.bytesOut ?? 0) - this.#publisherBytes,
      allBytes: stats.bytesSent,
      datagrams: stats.sent,
    };
  }

  #startServer(): void {
    const { crypto } = this.#context;
    const host = this.#world.host("server", { addresses: [SERVER_ADDRESS], ...SERVER_LINK });
    const server = createServer({
      carrier: () => host.open([{ port: 1935 }]),
      random: (length) => host.random(length),
      ...(crypto === undefined ? {} : { crypto }),
    });
    const start = async (): Promise<void> => {
      await server.listen();
      const prng = new Prng(`swarm ${this.#options.seed} publisher`);
      const home = makeHome(this.#world, prng, "publisher", this.#options.loss, PUBLISHER_UP_BITS);
      const publisher = new Member(this.#context, home);
      this.#publisher = publisher;
      const stream = await publisher.publish();
      const next = (at: number): void => {
        const due = this.#stream[at];
        if (due === undefined) return;
        this.#world.at(ON_AIR_MS + due.at, () => {
          stream.writeTag(due.tag);
          next(at + 1);
        });
      };
      next(0);
    };
    start().catch((error: unknown) => {
      this.#failure = error;
    });
    this.#world.at(steadyFrom(this.#options), () => {
      this.#publisherBytes = this.#publisher?.bytesOut ?? 0;
    });
  }

  /** Who comes, and goes, when. */
  #planViewers(index: number, count: number): void {
    const { seed, members, churn, seconds, joinSeconds, kill, killAt } = this.#options;
    const leaving = Math.round((churn * members * (seconds - joinSeconds)) / 60);
    for (let i = index; i < members + leaving; i += count) {
      const prng = new Prng(`swarm ${seed} member ${i}`);
      const isFirst = i < members;
      const [from, to] = isFirst ? [ON_AIR_MS / 1000, joinSeconds] : [joinSeconds, seconds];
      this.#world.at((from + prng.next() * Math.max(0, to - from)) * 1000, () => {
        const home = makeHome(this.#world, prng, `member ${i}`, this.#options.loss, MEMBER_UP_BITS);
        const member = new Member(this.#context, home);
        this.#viewers.set(i, member);
        void member.view();
      });
      if (isFirst) continue;
      const leaves = new Prng(`swarm ${seed} leave ${i}`);
      const leavesAt = joinSeconds + leaves.next() * (seconds - joinSeconds);
      this.#world.at(leavesAt * 1000, () => {
        const [member] = draw(leaves, this.#up, 1);
        if (i % 2 === 0) void member?.close();
        else member?.vanish();
      });
    }
    if (kill === 0) return;
    const all = Array.from({ length: members + leaving }, (_, i) => i);
    const killed = new Set(draw(new Prng(`swarm ${seed} kill`), all, Math.round(kill * all.length)));
    this.#world.at(killAt * 1000, () => {
      for (const [i, member] of this.#viewers) if (killed.has(i) && member.isUp) member.vanish();
    });
  }

  get #traffic(): Traffic {
    let [fragments, duplicates] = [0, 0];
    for (const { multicastStats } of this.#viewers.values()) {
      fragments += multicastStats?.fragments ?? 0;
      duplicates += multicastStats?.duplicates ?? 0;
    }
    const publisherBytes = this.#publisher?.bytesOut ?? 0;
    return { publisherBytes, fragments, duplicates, tags: this.#tags, delaysMs: this.#delaysMs };
  }

  get #up(): Member[] {
    return [...this.#viewers.values()].filter(({ isUp }) => isUp);
  }
}

/** From when on the swarm is in full swing: figures of rates begin there. */
export function steadyFrom({ joinSeconds, seconds }: SwarmOptions): number {
  return 1000 * Math.min(joinSeconds + 5, seconds / 2);
}

/** When the tags of a stream are published. */
export function publishedTimes(stream: readonly SourceTag[]): Published {
  return { at: stream.map(({ at }) => ON_AIR_MS + at) };
}

/** How many parts there are: few members in each, whatever the threads, so that these do not change the figures. */
export function partsOf({ members }: SwarmOptions): number {
  return Math.ceil(members / PART_MEMBERS);
}

/** Which part has an address. */
export function partOf(host: string): number {
  let part = known.get(host);
  if (part === undefined) {
    const [a, b] = host.split(".", 2).map(Number) as [number, number];
    part = host === SERVER_ADDRESS ? 0 : (a - FIRST_PREFIX) * 256 + b;
    known.set(host, part);
  }
  return part;
}

function prefixOf(part: number): string {
  return `${FIRST_PREFIX + (part >> 8)}.${part & 0xff}`;
}

/** `count` of them, taken out. */
function draw<T>(prng: Prng, from: T[], count: number): T[] {
  return Array.from({ length: Math.min(count, from.length) }, () => from.splice(prng.int(from.length), 1)[0] as T);
}

/** Each datagram asks. */
const known = new Map<string, number>();
/** As many as the caches of a processor hold. */
const PART_MEMBERS = 8;
const FIRST_PREFIX = 20;
const SERVER_NAME = "server.test";
const SERVER_ADDRESS = "198.51.100.1";
const SERVER_LINK = { up: { latencyMs: 0 }, down: { latencyMs: LEAST_DOWN_MS } } as const;
/** Version 2, multicast, server channel, name "swarm". */
const GROUPSPEC = "G:027f020101010c060e737761726d00";
/** When the publisher, which has connected by then, begins. */
const ON_AIR_MS = 2_000;
/** Time that a newcomer has to find its place in the ring. */
const SETTLED_MS = 10_000;
