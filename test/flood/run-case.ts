/** Runs one case in three processes and measures it. */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Address } from "rtmfp-core";
import type { AttackReport } from "./attacker.ts";
import { CASES, type CaseName, type FloodCase } from "./cases.ts";
import type { PingReport } from "./honest-pings.ts";
import { Remote } from "./remote.ts";
import type { Snapshot } from "./victim.ts";

/** What a case showed. */
export interface CaseResult {
  readonly name: CaseName;
  /** Datagrams per second that were asked of the attacker, those that it sent, and how many it sent altogether. */
  readonly asked: number;
  readonly rate: number;
  readonly sent: number;
  /** Sessions that the attacker opened to send from within, and the packets that came when their session had ended. */
  readonly sessions: number;
  readonly late: number;
  /** User data per second at the receiver before the flood, during it and once it was back after it; bytes. */
  readonly goodputBefore: number;
  readonly goodput: number;
  readonly goodputAfter: number;
  /** 99th percentile of the round trips of pings during the flood, ms, lost ones being the worst; how many were lost. */
  readonly pingMs: number;
  readonly undisturbedPingMs: number;
  readonly lost: number;
  readonly pings: number;
  /** Share of a processor that the server took during the flood. */
  readonly cpu: number;
  /**
   * Resident memory, bytes: before the flood, the most during it, after it while the attacker's sessions are still there,
   * and when it had settled after they had gone.
   */
  readonly memoryBefore: number;
  readonly memoryPeak: number;
  readonly memoryHeld: number;
  readonly memoryAfter: number;
  /** How much the counters of the case rose. */
  readonly counters: Readonly<Record<string, number>>;
  /** Sessions other than the established ones that were there at the end. */
  readonly sessionsLeft: number;
  /** The established session lived through it. */
  readonly survived: boolean;
}

/** Rejects if one of the processes crashes. Writes a profile of the server during the flood to a folder, if one is given. */
export async function runCase(
  name: CaseName,
  seconds: number,
  usualRate: number,
  profiles?: string,
): Promise<CaseResult> {
  const { counters, sessions: opened, target, rate = usualRate, settleMs = SETTLE_MS } = CASES[name] as FloodCase;
  const calmMs = Math.min(seconds * 500, UNDISTURBED_MS);
  const server = new Remote(target === "rtmfp-server" ? "app-server" : "server");
  const honest = new Remote(target === "rtmfp-server" ? "app-honest" : "honest");
  const attacker = new Remote("attacker");
  try {
    const address = await server.call<Address>("address");
    await honest.call("start", address);
    const { sessions: own } = await server.call<Snapshot>("snapshot");
    await attacker.call("prepare", { name, address, rate });
    await wait(WARM_UP_MS);
    const memoryBefore = await steadyMemory(server);
    await honest.call("begin");
    const before = await server.call<Snapshot>("snapshot");
    await wait(calmMs);
    const calmEnd = await server.call<Snapshot>("snapshot");
    const calm = await honest.call<PingReport>("pings");
    await server.call("watch");
    await honest.call("begin");
    if (profiles !== undefined) await server.call("profile");
    const start = await server.call<Snapshot>("snapshot");
    const report = await attacker.call<AttackReport>("run", { seconds, rate });
    const end = await server.call<Snapshot>("snapshot");
    const memoryPeak = await server.call<number>("peak");
    const pings = await honest.call<PingReport>("pings");
    if (profiles !== undefined) await server.call("profileTo", join(profiles, `flood-${name}.cpuprofile`));
    const memoryHeld = await server.call<number>("memory");
    await attacker.call("end");
    await wait(PAUSE_MS);
    const goodputBefore = perSecond(before, calmEnd);
    const goodputAfter = await recovered(server, calmMs, goodputBefore * RECOVERED);
    const memoryAfter = await settledMemory(server, memoryBefore, own, settleMs);
    const { sessions } = await server.call<Snapshot>("snapshot");
    const survived = await honest.call<boolean>("isOpen");
    const rose = (counter: string): number => (end.counters[counter] ?? 0) - (start.counters[counter] ?? 0);
    return {
      name,
      asked: rate,
      rate: (report.sent * 1_000) / report.ms,
      sent: report.sent,
      sessions: report.sessions,
      late: rose("unknownSession"),
      goodputBefore,
      goodput: perSecond(start, end),
      goodputAfter,
      pingMs: percentile99(pings.times),
      undisturbedPingMs: percentile99(calm.times),
      lost: pings.lost,
      pings: pings.times.length,
      cpu: (end.cpuMs - start.cpuMs) / (end.at - start.at),
      memoryBefore,
      memoryPeak,
      memoryHeld,
      memoryAfter,
      counters: Object.fromEntries(
        [...counters, ...(opened === "kept" ? ["sessionsAbused"] : [])].map((each) => [each, rose(each)]),
      ),
      sessionsLeft: sessions - (survived ? own : 0),
      survived,
    };
  } finally {
    for (const process of [attacker, honest, server]) process.stop();
  }
}

function perSecond(from: Snapshot, to: Snapshot): number {
  return ((to.received - from.received) * 1_000) / (to.at - from.at);
}

/** User data per second once it is `enough`, or the most that was seen: a busy machine must not look like lasting harm. */
async function recovered(server: Remote, calmMs: number, enough: number): Promise<number> {
  let most = 0;
  let from = await server.call<Snapshot>("snapshot");
  for (let i = 0; i < RECOVERY_TRIES && most < enough; i++) {
    await wait(calmMs);
    const to = await server.call<Snapshot>("snapshot");
    most = Math.max(most, perSecond(from, to));
    from = to;
  }
  return most;
}

/** Memory after the collections that a process needs until it has given back what its start took. */
async function steadyMemory(server: Remote): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await server.call<number>("memory");
    await wait(300);
  }
  return server.call<number>("memory");
}

/** Memory once it is back and the attacker's sessions are gone, or what it is when the time is up. */
async function settledMemory(server: Remote, before: number, own: number, settleMs: number): Promise<number> {
  const until = performance.now() + settleMs;
  for (;;) {
    const now = await server.call<number>("memory");
    const { sessions } = await server.call<Snapshot>("snapshot");
    if ((now <= before * MEMORY_TARGET && sessions <= own) || performance.now() > until) return now;
    await wait(1_000);
  }
}

function percentile99(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY;
}

/** Memory may be so much of what it was before. */
export const MEMORY_TARGET = 1.1;
/** Goodput after a flood must be this part of what it was before. */
export const RECOVERED = 0.8;
const RECOVERY_TRIES = 4;
const WARM_UP_MS = 3_000;
/** Goodput is measured for so long before the flood, and after it, at most. */
const UNDISTURBED_MS = 5_000;
/** For retransmissions after a flood. */
const PAUSE_MS = 1_000;
/** Time for a session whose end was lost to end by keepalive. */
const SETTLE_MS = 60_000;
