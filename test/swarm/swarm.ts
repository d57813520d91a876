/** One run: a server, a publisher and viewers that come, go and are killed, in virtual time. */
import { Prng, SimWorld } from "rtmfp-core/testing";
import { createServer, type Server } from "rtmfp-server";
import { Histogram } from "./histogram.ts";
import { Member, type SwarmContext } from "./member.ts";
import { canMeet, MEMBER_UP_BITS, makeHome, PUBLISHER_UP_BITS } from "./network.ts";
import type { SwarmOptions } from "./options.ts";
import { createPlainProvider } from "./plain-crypto.ts";
import { inspectRing, type RingState } from "./ring.ts";
import { makeStream, type SourceTag } from "./source.ts";

/** Everything that was seen, for the figures. */
export interface SwarmRun {
  readonly options: SwarmOptions;
  readonly publisher: Member;
  /** Every viewer that ever came. */
  readonly viewers: readonly Member[];
  /** End-to-end delays of all tags of all viewers. */
  readonly delays: Histogram;
  /** The ring, once a second. */
  readonly rings: readonly { readonly at: number; readonly state: RingState }[];
  /** Viewers that lived on after the kill. */
  readonly survivors: readonly Member[];
  /** From when on the swarm is in full swing, virtual ms: figures of rates begin there. */
  readonly steadyFrom: number;
  /** Bytes that the publisher sent since, and bytes of tags published since. */
  readonly publisherBytes: number;
  readonly streamBytes: number;
  /** Bytes of all datagrams of everybody, the server too, in the whole run. */
  readonly allBytes: number;
  readonly datagrams: number;
  readonly lost: number;
  readonly published: { readonly at: readonly number[] };
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakHeapBytes: number;
}

/** Runs it. `tell` gets a line now and then. Rejects if the server or the publisher cannot even start. */
export async function runSwarm(options: SwarmOptions, tell: (line: string) => void = () => {}): Promise<SwarmRun> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const run = new Swarm(options, tell);
  await run.start();
  await run.play();
  const { user, system } = process.cpuUsage(cpu);
  return run.end((performance.now() - startedAt) / 1000, (user + system) / 1e6);
}

class Swarm {
  readonly #options: SwarmOptions;
  readonly #tell: (line: string) => void;
  readonly #world: SimWorld;
  readonly #prng: Prng;
  readonly #server: Server;
  readonly #stream: SourceTag[];
  readonly #published: { readonly at: number[]; readonly total: number };
  readonly #context: SwarmContext;
  readonly #delays = new Histogram();
  readonly #publisher: Member;
  readonly #viewers: Member[] = [];
  readonly #rings: { at: number; state: RingState }[] = [];
  readonly #steadyFrom: number;
  #survivors: Member[] = [];
  #atSteady = { sent: 0, tag: 0 };
  #peakHeap = 0;

  constructor(options: SwarmOptions, tell: (line: string) => void) {
    const { seed, kbps, seconds, joinSeconds, crypto } = options;
    this.#options = options;
    this.#tell = tell;
    this.#world = new SimWorld(`swarm ${seed}`);
    this.#prng = new Prng(`swarm ${seed} choices`);
    this.#stream = makeStream(kbps, seconds);
    this.#published = { at: [], total: this.#stream.length };
    this.#steadyFrom = 1000 * Math.min(joinSeconds + 5, seconds / 2);
    const provider = crypto === "real" ? undefined : createPlainProvider();
    this.#context = {
      world: this.#world,
      url: `rtmfp://${SERVER_NAME}/swarm`,
      groupspec: GROUPSPEC,
      crypto: provider,
      published: this.#published,
      arrived: (ms) => this.#delays.add(ms),
    };
    const host = this.#world.host("server", { addresses: [SERVER_ADDRESS], link: { latencyMs: 5 } });
    this.#world.name(SERVER_NAME, [SERVER_ADDRESS]);
    this.#server = createServer({
      carrier: () => host.open([{ port: 1935 }]),
      random: (length) => host.random(length),
      ...(provider === undefined ? {} : { crypto: provider }),
    });
    const home = makeHome(this.#world, this.#prng, "publisher", options.loss, PUBLISHER_UP_BITS);
    this.#publisher = new Member(this.#context, home);
  }

  /** The server listens, and the publisher is on air. */
  async start(): Promise<void> {
    const world = this.#world;
    await world.settle(this.#server.listen(), 1_000);
    const stream = await world.settle(this.#publisher.publish(), 10_000);
    const onAirAt = world.now;
    const next = (at: number): void => {
      const due = this.#stream[at];
      if (due === undefined) return;
      world.at(onAirAt + due.at, () => {
        this.#published.at.push(world.now);
        stream.writeTag(due.tag);
        next(at + 1);
      });
    };
    next(0);
  }

  /** Everything that happens, until the end. */
  async play(): Promise<void> {
    const { members, churn, seconds, joinSeconds, kill, killAt } = this.#options;
    const world = this.#world;
    const prng = this.#prng;
    const at = (second: number, run: () => void): void => void world.at(second * 1000, run);
    for (let i = 0; i < members; i++) at(prng.next() * joinSeconds, () => this.#come());
    const leaving = Math.round((churn * members * (seconds - joinSeconds)) / 60);
    for (let i = 0; i < leaving; i++) {
      at(joinSeconds + prng.next() * (seconds - joinSeconds), () => this.#leave(i % 2 === 0));
      at(joinSeconds + prng.next() * (seconds - joinSeconds), () => this.#come());
    }
    if (kill > 0) at(killAt, () => this.#kill(kill));
    world.at(this.#steadyFrom, () => {
      this.#atSteady = { sent: this.#publisher.bytesOut, tag: this.#published.at.length };
    });
    let wall = performance.now();
    for (let second = Math.ceil(world.now / 1000); second <= seconds; second++) {
      await world.runUntilAsync(() => false, second * 1000 - world.now);
      this.#sample(second, performance.now() - wall);
      wall = performance.now();
    }
  }

  end(wallSeconds: number, cpuSeconds: number): SwarmRun {
    const { stats } = this.#world;
    for (const { delivery, leftAt } of this.#viewers) delivery?.end(leftAt ?? this.#world.now);
    return {
      options: this.#options,
      publisher: this.#publisher,
      viewers: this.#viewers,
      delays: this.#delays,
      rings: this.#rings,
      survivors: this.#survivors,
      steadyFrom: this.#steadyFrom,
      publisherBytes: this.#publisher.bytesOut - this.#atSteady.sent,
      streamBytes: this.#stream
        .slice(this.#atSteady.tag, this.#published.at.length)
        .reduce((sum, { tag }) => sum + tag.data.length, 0),
      allBytes: stats.bytesSent,
      datagrams: stats.sent,
      lost: stats.dropped.loss + stats.dropped.queue,
      published: this.#published,
      wallSeconds,
      cpuSeconds,
      peakHeapBytes: this.#peakHeap,
    };
  }

  #come(): void {
    const name = `member ${this.#viewers.length}`;
    const home = makeHome(this.#world, this.#prng, name, this.#options.loss, MEMBER_UP_BITS);
    const member = new Member(this.#context, home);
    this.#viewers.push(member);
    void member.view();
  }

  #leave(inOrder: boolean): void {
    const up = this.#viewers.filter(({ isUp }) => isUp);
    const member = up[this.#prng.int(up.length)];
    if (inOrder) void member?.close();
    else member?.vanish();
  }

  #kill(share: number): void {
    const up = this.#viewers.filter(({ isUp }) => isUp);
    const count = Math.round(share * up.length);
    for (let i = 0; i < count; i++) up.splice(this.#prng.int(up.length), 1)[0]?.vanish();
    this.#survivors = up;
  }

  #sample(second: number, wallMs: number): void {
    const { now } = this.#world;
    // Who has just come is not expected to know its place yet.
    const settled = [this.#publisher, ...this.#viewers].filter(
      ({ isUp, startedAt }) => isUp && now - startedAt > SETTLED_MS,
    );
    const state = inspectRing(settled, (a, b) => canMeet(a.access, b.access));
    this.#rings.push({ at: now, state });
    const { heapUsed } = process.memoryUsage();
    this.#peakHeap = Math.max(this.#peakHeap, heapUsed);
    const up = this.#viewers.filter(({ isUp }) => isUp);
    const playing = up.filter(({ delivery }) => delivery?.firstKeyAt !== undefined).length;
    this.#tell(
      `${second} s: ${up.length} up, ${playing} play, ring ${state.right}/${state.members}, pieces ${state.pieces}, ` +
        `${this.#world.stats.sent} datagrams, ${(wallMs / 1000).toFixed(1)} s of wall time, ${Math.round(heapUsed / 2 ** 20)} MiB`,
    );
  }
}

const SERVER_NAME = "server.test";
const SERVER_ADDRESS = "198.51.100.1";
/** Version 2, multicast, server channel, name "swarm". */
const GROUPSPEC = "G:027f020101010c060e737761726d00";
/** Time that a newcomer has to find its place in the ring; ms. */
const SETTLED_MS = 10_000;
