// `pnpm fuzz --seconds N --seed S`: hostile packets and calls; the last line is `N passed, N failed`.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { makePairs, type Pair } from "./pairs.ts";
import { fuzzRound } from "./round.ts";

// Above the call, because functions reach them only once it has run.
const WARM_UP_ROUNDS = 20;
const MOST_REPORTED = 10;
/** Profiles, compiled code and the test's own records stay; endpoints of earlier rounds must not. */
const ALLOWED_GROWTH_BYTES = 16 * 1024 * 1024;

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  let seconds: number;
  let seed: string;
  let only: number | undefined;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { seconds: { type: "string" }, seed: { type: "string" }, round: { type: "string" } },
    });
    seconds = natural("seconds", values.seconds ?? "20");
    seed = values.seed ?? "1";
    only = values.round === undefined ? undefined : natural("round", values.round);
  } catch (error) {
    console.error(`${(error as Error).message}\nusage: pnpm fuzz --seconds N --seed S [--round R]`);
    return 2;
  }
  return fuzz(seconds, seed, only);
}

function fuzz(seconds: number, seed: string, only: number | undefined): number {
  const pairs = makePairs(seed);
  const until = performance.now() + seconds * 1_000;
  const total = { inputs: 0, replies: 0, sessions: 0, flows: 0 };
  let rounds = 0;
  let failed = 0;
  let baseline = 0;
  for (let round = only ?? 0; only === undefined ? performance.now() < until : round === only; round++) {
    const pair = pairs[round % pairs.length] as Pair;
    const result = fuzzRound(seed, round, pair);
    rounds++;
    total.inputs += result.inputs;
    total.replies += result.replies;
    total.sessions += result.sessions;
    total.flows += result.flows;
    if (round === WARM_UP_ROUNDS) baseline = heapBytes();
    if (result.failure === undefined) continue;
    failed++;
    if (failed > MOST_REPORTED) continue;
    console.log(`round ${round} (${pair.name}): ${result.failure.stack}`);
    console.log(`  replay: pnpm fuzz --seed ${seed} --round ${round}`);
  }
  const grown = baseline === 0 ? 0 : heapBytes() - baseline;
  const leaks = grown > ALLOWED_GROWTH_BYTES;
  if (leaks) console.log(`the heap grew by ${Math.round(grown / 1024)} KiB over ${rounds} rounds`);
  console.log(
    `fuzz: rounds=${rounds} inputs=${total.inputs} replies=${total.replies} sessions=${total.sessions} ` +
      `flows=${total.flows} heap growth=${Math.round(grown / 1024)} KiB`,
  );
  console.log(`${rounds - failed + (leaks ? 0 : 1)} passed, ${failed + (leaks ? 1 : 0)} failed`);
  return failed > 0 || leaks ? 1 : 0;
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

function natural(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new RangeError(`expected a number for --${name}, got "${text}"`);
  return Number(text);
}
