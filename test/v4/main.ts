// `pnpm sim:v4 [CASE...] [--minutes N] [--seed S]`: the video call of V-4 in virtual time; `--real SECONDS` over sockets.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Seen } from "../support/watch.ts";
import { faults, growth, V4_CASES, type V4Case } from "./cases.ts";
import { runReal } from "./real.ts";
import { runVirtual } from "./virtual.ts";

const NAMES = V4_CASES.map(({ name }) => name).join("|");
const USAGE = `usage: pnpm sim:v4 [${NAMES}]... [--minutes 90] [--seed 1] [--real SECONDS]`;
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parse>;
  try {
    options = parse(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  let failed = 0;
  for (const which of options.cases) {
    const wrong = await run(which, options);
    for (const fault of wrong) console.log(`  FAILED: ${fault}`);
    if (wrong.length > 0) failed++;
  }
  console.log(`${options.cases.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function run(which: V4Case, { real, minutes, seed }: ReturnType<typeof parse>): Promise<string[]> {
  const seconds = real ?? minutes * 60;
  const startedAt = performance.now();
  console.log(`${which.name}: ${which.what}, ${real === undefined ? `${minutes} virtual minutes` : `${real} s, real`}`);
  if (real !== undefined) {
    const seen = await runReal(which, seconds, seed);
    console.log(describe(seen, seconds));
    return faults(which, seen, seconds);
  }
  const { seen, heap } = await runVirtual(which, seconds, seed, garbageCollector());
  const grown = growth(heap);
  const took = `${Math.round((performance.now() - startedAt) / 1_000)} s of wall time`;
  console.log(`${describe(seen, seconds)}\n  heap ${kib(grown)} KiB more at the end than at the beginning; ${took}`);
  return faults(which, seen, seconds, grown);
}

function describe(seen: Seen, seconds: number): string {
  const ms = (value: number): string => `${Math.round(value)} ms`;
  return [
    `  longest gap ${ms(seen.longestGapMs)}, of sound ${ms(seen.longestSoundGapMs)}, at the start ${ms(seen.startGapMs)}`,
    `  delay ${ms(seen.meanDelayMs)}, at worst ${ms(seen.worstDelayMs)}, slope ${seen.delaySlope.toFixed(2)} ms a minute`,
    `  ${seen.brokenGroups} groups broken of ${Math.ceil(seconds / 2)}, ${seen.missingSounds} sounds missing of ${seen.sounds}`,
  ].join("\n");
}

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      minutes: { type: "string", default: "90" },
      seed: { type: "string", default: "1" },
      real: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  for (const name of positionals)
    if (!V4_CASES.some((each) => each.name === name)) throw new RangeError(`unknown case "${name}"`);
  return {
    help: values.help,
    minutes: natural("minutes", values.minutes),
    seed: natural("seed", values.seed),
    real: values.real === undefined ? undefined : natural("real", values.real),
    cases: V4_CASES.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
  };
}

function natural(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new RangeError(`expected a number above 0 for --${name}, got "${text}"`);
  return Number(text);
}

/** Node's own, without a flag on the command line. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(0);
}
