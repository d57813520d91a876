/** One run: a server, a publisher and viewers that come, go and are killed, in virtual time, by one thread or several. */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { Histogram } from "./histogram.ts";
import type { MemberReport } from "./member.ts";
import { canMeet } from "./network.ts";
import { STEP_MS, type SwarmOptions } from "./options.ts";
import { type Look, Parts } from "./parts.ts";
import { inspectRing, type RingState } from "./ring.ts";
import { publishedTimes, type ShardReport, steadyFrom, type Traffic } from "./shard.ts";
import { makeStream } from "./source.ts";

/** Everything that was seen, for the figures. Times are ms of virtual time. */
export interface SwarmRun {
  readonly options: SwarmOptions;
  /** Every viewer that ever came. */
  readonly viewers: readonly MemberReport[];
  /** End-to-end delays of all tags of all viewers. */
  readonly delays: Histogram;
  /** The ring, once a second. */
  readonly rings: readonly { readonly at: number; readonly state: RingState }[];
  /** From {@link steadyFrom} on: bytes that the publisher sent, and bytes of tags published. */
  readonly publisherBytes: number;
  readonly streamBytes: number;
  /** Bytes of all datagrams of everybody, the server too, in the whole run. */
  readonly allBytes: number;
  readonly datagrams: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakHeapBytes: number;
}

/**
 * Runs it. `tell` gets a line for each second. More than one thread needs this file compiled. Rejects if the server or the
 * publisher cannot even start.
 */
export async function runSwarm(options: SwarmOptions, tell: (line: string) => void = () => {}): Promise<SwarmRun> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const watch = new Watch(options.kbps, tell);
  const reports = await (options.threads === 1 ? runHere(options, watch) : runThreads(options, watch));
  const delays = new Histogram();
  for (const report of reports) delays.addAll(report.delays);
  const { user, system } = process.cpuUsage(cpu);
  return {
    options,
    delays,
    viewers: reports.flatMap(({ viewers }) => viewers),
    rings: watch.rings,
    publisherBytes: sum(reports.map(({ publisherBytes }) => publisherBytes)),
    streamBytes: steadyBytes(options),
    allBytes: sum(reports.map(({ allBytes }) => allBytes)),
    datagrams: sum(reports.map(({ datagrams }) => datagrams)),
    wallSeconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakHeapBytes: watch.peakHeapBytes,
  };
}

async function runHere(options: SwarmOptions, watch: Watch): Promise<ShardReport[]> {
  const parts = new Parts(options, 0);
  for (let now = STEP_MS; now <= options.seconds * 1000; now += STEP_MS) {
    await parts.runTo(now);
    if (now % 1000 === 0) watch.see(now / 1000, [parts.look()]);
  }
  return parts.reports();
}

async function runThreads(options: SwarmOptions, watch: Watch): Promise<ShardReport[]> {
  const { threads } = options;
  const ports: (MessagePort | undefined)[][] = Array.from({ length: threads }, () => new Array(threads));
  for (let a = 0; a < threads; a++) {
    for (let b = a + 1; b < threads; b++) {
      const { port1, port2 } = new MessageChannel();
      (ports[a] as MessagePort[])[b] = port1;
      (ports[b] as MessagePort[])[a] = port2;
    }
  }
  const looks: Look[][] = Array.from({ length: threads }, () => []);
  let second = 0;
  const onLook = (index: number, seen: Look): void => {
    looks[index]?.push(seen);
    if (looks.some(({ length }) => length === 0)) return;
    watch.see(
      ++second,
      looks.map((waiting) => waiting.shift() as Look),
    );
  };
  const workers: Worker[] = [];
  const runs = ports.map(
    (own, index) =>
      new Promise<ShardReport[]>((resolve, reject) => {
        const transferList = own.filter((port) => port !== undefined);
        const workerData = { options, index, ports: own };
        const worker = new Worker(WORKER, { workerData, transferList, execArgv: [], resourceLimits: MEMORY });
        workers.push(worker);
        worker.on("error", reject);
        worker.on("message", (message: { look: Look } | { reports: ShardReport[] }) => {
          if ("look" in message) onLook(index, message.look);
          else resolve(message.reports);
        });
      }),
  );
  try {
    return (await Promise.all(runs)).flat();
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** What was seen in the course of a run. */
class Watch {
  readonly rings: { readonly at: number; readonly state: RingState }[] = [];
  peakHeapBytes = 0;
  readonly #tell: (line: string) => void;
  readonly #bytesPerSecond: number;
  #wall: number = performance.now();
  #before: Traffic = { publisherBytes: 0, fragments: 0, duplicates: 0, tags: 0, delaysMs: 0 };

  /** `kbps` is the rate of the stream. */
  constructor(kbps: number, tell: (line: string) => void) {
    this.#bytesPerSecond = kbps * 125;
    this.#tell = tell;
  }

  /** All parts at the end of a second. */
  see(second: number, looks: readonly Look[]): void {
    const parts = looks.flatMap((look) => look.parts);
    const state = inspectRing(
      parts.flatMap(({ settled }) => settled),
      (a, b) => canMeet(a.access, b.access),
    );
    this.rings.push({ at: second * 1000, state });
    const heapBytes = sum(looks.map((look) => look.heapBytes));
    this.peakHeapBytes = Math.max(this.peakHeapBytes, heapBytes);
    const wall = performance.now();
    const [up, playing, datagrams] = (["up", "playing", "datagrams"] as const).map((field) =>
      sum(parts.map((part) => part[field])),
    );
    this.#tell(
      `${second} s: ${up} up, ${playing} play, ring ${state.right}/${state.members}, pieces ${state.pieces}, ` +
        `${this.#course(parts.map(({ traffic }) => traffic))}, ` +
        `${datagrams} datagrams, ${((wall - this.#wall) / 1000).toFixed(1)} s of wall time, ${Math.round(heapBytes / 2 ** 20)} MiB`,
    );
    this.#wall = wall;
  }

  /** How the stream went since the last look. */
  #course(traffic: readonly Traffic[]): string {
    const total = (field: keyof Traffic): number => sum(traffic.map((part) => part[field]));
    const now: Traffic = {
      publisherBytes: total("publisherBytes"),
      fragments: total("fragments"),
      duplicates: total("duplicates"),
      tags: total("tags"),
      delaysMs: total("delaysMs"),
    };
    const gained = (field: keyof Traffic): number => now[field] - this.#before[field];
    const upload = gained("publisherBytes") / this.#bytesPerSecond;
    const duplicates = gained("duplicates") / Math.max(1, gained("fragments") + gained("duplicates"));
    const delay = gained("delaysMs") / Math.max(1, gained("tags")) / 1000;
    this.#before = now;
    return `upload ${upload.toFixed(2)}, duplicates ${(100 * duplicates).toFixed(1)} %, delay ${delay.toFixed(2)} s`;
  }
}

function steadyBytes(options: SwarmOptions): number {
  const stream = makeStream(options.kbps, options.seconds);
  const { at } = publishedTimes(stream);
  const isIn = (ms: number): boolean => ms >= steadyFrom(options) && ms < options.seconds * 1000;
  return sum(stream.map(({ tag }, number) => (isIn(at[number] as number) ? tag.data.length : 0)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const WORKER: URL = new URL("./worker.js", import.meta.url);
/** The collector of new objects costs less the more of them it may leave. */
const MEMORY = { maxYoungGenerationSizeMb: 768, maxOldGenerationSizeMb: 8_192 } as const;
