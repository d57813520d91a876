/** What the results of cases and storm are measured against, and how they are told. */
import { CASES, type FloodCase } from "./cases.ts";
import { type CaseResult, MEMORY_TARGET, RECOVERED } from "./run-case.ts";
import { STORM_SECONDS, type StormResult } from "./run-storm.ts";

/** What is wrong. With `lenient`, nothing that depends on how fast the machine is just now. */
export function caseFaults(result: CaseResult, lenient: boolean): string[] {
  const { name, counters, memoryBefore, memoryPeak, memoryAfter, sent } = result;
  const { counters: named, sessions } = CASES[name] as FloodCase;
  const { sessionsAbused: abused = 0 } = counters;
  const faults: string[] = [];
  if (!result.survived) faults.push("the established session ended");
  for (const each of named) {
    const rose = counters[each] ?? 0;
    const least = each === "sessionsAbused" ? 1 : Math.max(1, Math.min(sent * COUNTED_SHARE, COUNTED_ENOUGH));
    if (rose < least) faults.push(`${each} rose by ${rose}, too little for ${sent} packets`);
  }
  if (sessions === "kept" && abused > 0) faults.push("sessions were ended that should not be");
  if (sessions !== undefined && result.sessions === 0) faults.push("the attacker opened no session");
  if (result.sessionsLeft > 0) faults.push(`${result.sessionsLeft} sessions of the attacker stay`);
  if (memoryAfter > memoryBefore * (lenient ? LENIENT_MEMORY_TARGET : MEMORY_TARGET))
    faults.push(`memory stays at ${mebibytes(memoryAfter)} MiB, ${mebibytes(memoryBefore)} MiB before`);
  if (memoryPeak > memoryBefore + PEAK_TARGET_BYTES)
    faults.push(`memory rose to ${mebibytes(memoryPeak)} MiB, ${mebibytes(memoryBefore)} MiB before`);
  if (lenient) return faults;
  if (result.rate < result.asked * RATE_TARGET) faults.push(`only ${Math.round(result.rate)} packets/s were sent`);
  if (sessions !== undefined && result.late > sent * LATE_TARGET)
    faults.push(`${result.late} of ${sent} packets came after the end of their session`);
  if (sessions === "reopened" && abused < Math.floor(sent / PACKETS_PER_SESSION))
    faults.push("too few sessions were ended");
  if (result.goodput < result.goodputBefore * GOODPUT_TARGET) faults.push("goodput fell below half");
  if (result.goodputAfter < result.goodputBefore * RECOVERED) faults.push("goodput is not back after the flood");
  if (result.pingMs > PING_TARGET_MS) faults.push(`pings took more than ${PING_TARGET_MS} ms`);
  return faults;
}

/** One line for a case. */
export function caseLine(result: CaseResult): string {
  const counters = Object.entries(result.counters).map(([name, value]) => `${name} ${value}`);
  const within = `, ${result.sessions} sessions, ${Math.round((100 * result.late) / result.sent)} % after their end`;
  return (
    `${result.name.padEnd(24)} ${Math.round(result.rate).toString().padStart(6)}/s` +
    `${result.sessions > 0 ? within : ""}  goodput ` +
    `${(result.goodput / 1e6).toFixed(1)} of ${(result.goodputBefore / 1e6).toFixed(1)} MB/s ` +
    `(${Math.round((100 * result.goodput) / result.goodputBefore)} %, ` +
    `after ${Math.round((100 * result.goodputAfter) / result.goodputBefore)} %)  ping p99 ${result.pingMs.toFixed(1)} ms ` +
    `(calm ${result.undisturbedPingMs.toFixed(1)}, lost ${result.lost}/${result.pings})  ` +
    `memory ${mebibytes(result.memoryBefore)}, peak ${mebibytes(result.memoryPeak)}, held ${mebibytes(result.memoryHeld)}, ` +
    `after ${mebibytes(result.memoryAfter)} MiB (${(result.memoryAfter / result.memoryBefore).toFixed(2)})  ` +
    `CPU ${Math.round(100 * result.cpu)} %  ${counters.join(", ")}`
  );
}

/** What is wrong; with `lenient`, however long it took. */
export function stormFaults(result: StormResult, lenient: boolean): string[] {
  const faults: string[] = [];
  if (result.opened < result.clients) faults.push(`${result.clients - result.opened} clients did not connect`);
  if (!lenient && result.seconds > STORM_SECONDS) faults.push(`took more than ${STORM_SECONDS} s`);
  return faults;
}

/** One line for the storm. */
export function stormLine(result: StormResult): string {
  return `${"storm".padEnd(24)} ${result.opened} of ${result.clients} clients open after ${result.seconds.toFixed(1)} s, slowest ${(result.slowestMs / 1_000).toFixed(1)} s`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

/** Of the goodput before the flood. */
const GOODPUT_TARGET = 0.5;
/** Of all packets, those that a counter must have counted at least, and how many are enough: most fall to a rate first. */
const COUNTED_SHARE = 0.01;
const COUNTED_ENOUGH = 1_000;
const PING_TARGET_MS = 50;
/** Of the rate that was asked. */
const RATE_TARGET = 0.95;
/** Of all packets of a flood from within sessions, those that may come to a session that has ended. */
const LATE_TARGET = 0.2;
/** Using up a session's patience takes 10,000 packets that are read; beyond 2,000 a second they are not. */
const PACKETS_PER_SESSION = 200_000;
/** A flood may take so much memory on top while it lasts. */
const PEAK_TARGET_BYTES = 256 * 2 ** 20;
/** Of a process on a busy machine. Sixty thousand packets that leave a kilobyte each would be more. */
const LENIENT_MEMORY_TARGET = 1.3;
