/** The process under attack: an endpoint with default limits, whose application takes every flow. */
import { writeFileSync } from "node:fs";
import { Session as Inspector } from "node:inspector/promises";
import { type Address, type EndpointStats, type RecvFlow, type Session, UdpEndpoint } from "rtmfp-core";
import { BULK, HELD } from "./names.ts";
import { serve } from "./remote.ts";

/** What the server tells of itself. */
export interface Snapshot {
  /** User data of the bulk flow so far, bytes. */
  readonly received: number;
  /** Of this process, ms. */
  readonly at: number;
  /** User and system time so far, ms. */
  readonly cpuMs: number;
  /** Open sessions. */
  readonly sessions: number;
  /** The endpoint's counters, and those of all sessions, also of those that have ended, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

const inspector = new Inspector();
const endpoint = await UdpEndpoint.open({ host: "127.0.0.1" });
const ended: Record<string, number> = {};
let received = 0;
let peak = 0;
let watch: NodeJS.Timeout | undefined;
endpoint.onFlow = take;
endpoint.onSession = (session) => {
  session.onClose = () => addStats(ended, session);
};

serve({
  address: (): Address => endpoint.address,
  snapshot: (): Snapshot => {
    const { user, system } = process.cpuUsage();
    return {
      received,
      at: performance.now(),
      cpuMs: (user + system) / 1_000,
      sessions: endpoint.sessions.size,
      counters: counters(),
    };
  },
  /** Starts to look where this process spends its time. */
  profile: async (): Promise<void> => {
    inspector.connect();
    await inspector.post("Profiler.enable");
    await inspector.post("Profiler.start");
  },
  /** Writes what it saw, as `node --cpu-prof` does. */
  profileTo: async (file: string): Promise<void> => {
    const { profile } = await inspector.post("Profiler.stop");
    inspector.disconnect();
    writeFileSync(file, JSON.stringify(profile));
  },
  /** Starts to look at resident memory. */
  watch: (): void => {
    peak = process.memoryUsage.rss();
    watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, WATCH_MS);
  },
  /** The most it was since then, before any collection that nobody asked for; bytes. */
  peak: (): number => {
    clearInterval(watch);
    return Math.max(peak, process.memoryUsage.rss());
  },
  /** Resident memory after a collection, bytes. */
  memory: (): number => {
    globalThis.gc?.();
    globalThis.gc?.();
    return process.memoryUsage.rss();
  },
});

function take(flow: RecvFlow): void {
  const { name } = flow;
  if (name === HELD) {
    flow.accept();
    flow.pause();
  } else if (name === BULK) {
    flow.onMessage = (message) => {
      received += message.length;
    };
  } else flow.onMessage = () => {};
}

function counters(): Record<string, number> {
  const sum: Record<string, number> = { ...ended };
  for (const session of endpoint.sessions) addStats(sum, session);
  for (const [name, value] of Object.entries(endpoint.stats as EndpointStats)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

function addStats(sum: Record<string, number>, session: Session): void {
  for (const [name, value] of Object.entries(session.stats)) {
    if (typeof value === "number") sum[name] = (sum[name] ?? 0) + value;
  }
}

const WATCH_MS = 100;
