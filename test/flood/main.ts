// `pnpm flood [CASE...]`: floods from one process while an established session transfers; last line `N passed, N failed`.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { CASES, type CaseName } from "./cases.ts";
import { type CaseResult, MEMORY_TARGET, runCase } from "./run-case.ts";
import { runStorm, STORM_SECONDS, type StormResult } from "./run-storm.ts";

// Above the call, because functions reach them only once it has run.
const USAGE = "usage: pnpm flood [CASE...] [--seconds 30] [--rate 20000] [--lenient] [--json FILE] [--profiles FOLDER]";
const GOODPUT_TARGET = 0.5;
const PING_TARGET_MS = 50;
/** Of a process on a busy machine. Sixty thousand packets that leave a kilobyte each would be more. */
const LENIENT_MEMORY_TARGET = 1.3;
const NAMES = [...Object.keys(CASES), "storm"];

interface Settings {
  readonly names: readonly string[];
  readonly seconds: number;
  readonly rate: number;
  readonly lenient: boolean;
  readonly json: string | undefined;
  /** Where to write what the server's processor did during each flood. */
  readonly profiles: string | undefined;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let settings: Settings;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "30" },
        rate: { type: "string", default: "20000" },
        lenient: { type: "boolean", default: false },
        json: { type: "string" },
        profiles: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      console.log(`${USAGE}\ncases: ${NAMES.join(", ")}`);
      return 0;
    }
    const unknown = positionals.filter((name) => !NAMES.includes(name));
    if (unknown.length > 0) throw new RangeError(`no case ${unknown.join(", ")}; there are ${NAMES.join(", ")}`);
    settings = {
      names: positionals.length > 0 ? positionals : NAMES,
      seconds: natural("seconds", values.seconds),
      rate: natural("rate", values.rate),
      lenient: values.lenient,
      json: values.json,
      profiles: values.profiles,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (settings.profiles !== undefined) mkdirSync(settings.profiles, { recursive: true });
  return flood(settings);
}

async function flood({ names, seconds, rate, lenient, json, profiles }: Settings): Promise<number> {
  console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}`);
  const results: object[] = [];
  let failed = 0;
  for (const name of names) {
    let faults: string[];
    try {
      if (name === "storm") {
        const result = await runStorm();
        results.push(result);
        faults = stormFaults(result, lenient);
        console.log(stormLine(result));
      } else {
        const result = await runCase(name as CaseName, seconds, rate, profiles);
        results.push(result);
        faults = caseFaults(result, lenient);
        console.log(caseLine(result));
      }
    } catch (error) {
      faults = [(error as Error).message];
    }
    for (const fault of faults) console.log(`  ${name}: ${fault}`);
    if (faults.length > 0) failed++;
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ seconds, rate, results }, undefined, 2)}\n`);
  console.log(`${names.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** What is wrong. With `lenient`, nothing that depends on how fast the machine is just now. */
function caseFaults(result: CaseResult, lenient: boolean): string[] {
  const faults: string[] = [];
  if (!result.survived) faults.push("the established session ended");
  for (const [name, value] of Object.entries(result.counters)) if (value <= 0) faults.push(`${name} did not rise`);
  if (result.memoryAfter > result.memoryBefore * (lenient ? LENIENT_MEMORY_TARGET : MEMORY_TARGET)) {
    const [before, after] = [result.memoryBefore, result.memoryAfter].map((bytes) => Math.round(bytes / 2 ** 20));
    faults.push(`memory stays at ${after} MiB, ${before} MiB before`);
  }
  if (lenient) return faults;
  if (result.disturbed < result.undisturbed * GOODPUT_TARGET) faults.push("goodput fell below half");
  if (result.pingMs > PING_TARGET_MS) faults.push(`pings took more than ${PING_TARGET_MS} ms`);
  return faults;
}

function caseLine(result: CaseResult): string {
  const counters = Object.entries(result.counters).map(([name, value]) => `${name} ${value}`);
  return (
    `${result.name.padEnd(18)} ${Math.round(result.rate).toString().padStart(6)}/s  goodput ` +
    `${(result.disturbed / 1e6).toFixed(1)} of ${(result.undisturbed / 1e6).toFixed(1)} MB/s ` +
    `(${Math.round((100 * result.disturbed) / result.undisturbed)} %)  ping p99 ${result.pingMs.toFixed(1)} ms ` +
    `(calm ${result.undisturbedPingMs.toFixed(1)}, lost ${result.lost}/${result.pings})  ` +
    `memory ${(result.memoryAfter / result.memoryBefore).toFixed(2)}  CPU ${Math.round(100 * result.cpu)} %  ${counters.join(", ")}`
  );
}

function stormFaults(result: StormResult, lenient: boolean): string[] {
  const faults: string[] = [];
  if (result.opened < result.clients) faults.push(`${result.clients - result.opened} clients did not connect`);
  if (!lenient && result.seconds > STORM_SECONDS) faults.push(`took more than ${STORM_SECONDS} s`);
  return faults;
}

function stormLine(result: StormResult): string {
  return `storm              ${result.opened} of ${result.clients} clients open after ${result.seconds.toFixed(1)} s, slowest ${(result.slowestMs / 1_000).toFixed(1)} s`;
}

function natural(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new RangeError(`expected a number for --${name}, got "${text}"`);
  return Number(text);
}
