// `pnpm flood [CASE...]`: floods from one process while an established session transfers; last line `N passed, N failed`.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { CASES, type CaseName } from "./cases.ts";
import { caseFaults, caseLine, stormFaults, stormLine } from "./judge.ts";
import { runCase } from "./run-case.ts";
import { runStorm } from "./run-storm.ts";

// Above the call, because functions reach them only once it has run.
const USAGE = "usage: pnpm flood [CASE...] [--seconds 30] [--rate 20000] [--lenient] [--json FILE] [--profiles FOLDER]";
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

function natural(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new RangeError(`expected a number for --${name}, got "${text}"`);
  return Number(text);
}
