// `pnpm fuzz --seconds N --seed S`: hostile packets, messages and calls; the last line is `N passed, N failed`.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Rounds, TARGETS, type TargetName, targetOf } from "./targets.ts";

// Above the call, because functions reach them only once it has run.
const USAGE = "usage: pnpm fuzz [--seconds N] [--seed S] [--round R] [--target core|server|client]";
/** By then every target has run all that it is made of several times. */
const WARM_UP_ROUNDS = 60;
const MOST_REPORTED = 10;
/**
 * More than twice what sound runs show: 3.2 MiB after 460 rounds at most, compiled code and what the collector frees late.
 * Worlds, endpoints and sessions of earlier rounds must not stay: 60 KiB of each of 150 rounds are more than this.
 */
const ALLOWED_GROWTH_BYTES = 8 * 1024 * 1024;

/** What to run. */
interface Settings {
  readonly seconds: number;
  readonly seed: string;
  readonly round: number | undefined;
  readonly target: TargetName | undefined;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let settings: Settings | undefined;
  try {
    settings = settingsOf(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (settings !== undefined) return fuzz(settings);
  console.log(USAGE);
  return 0;
}

/** Undefined if only help is asked for. */
function settingsOf(argv: readonly string[]): Settings | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: "string", default: "20" },
      seed: { type: "string", default: "1" },
      round: { type: "string" },
      target: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const target = TARGETS.find((name) => name === values.target);
  if (values.target !== undefined && target === undefined)
    throw new RangeError(`expected a --target of ${TARGETS.join(", ")}, got "${values.target}"`);
  const round = values.round === undefined ? undefined : natural("round", values.round);
  return { seconds: natural("seconds", values.seconds), seed: values.seed, round, target };
}

async function fuzz({ seconds, seed, round: only, target }: Settings): Promise<number> {
  const rounds = new Rounds(seed);
  const began = performance.now();
  const total = { rounds: 0, inputs: 0, replies: 0, sessions: 0, flows: 0 };
  const spent: Record<TargetName, { rounds: number; ms: number }> = {
    core: { rounds: 0, ms: 0 },
    server: { rounds: 0, ms: 0 },
    client: { rounds: 0, ms: 0 },
  };
  let failed = 0;
  let baseline = 0;
  for (let round = only ?? 0; performance.now() < began + seconds * 1_000 || only !== undefined; round++) {
    if (target !== undefined && targetOf(round) !== target && only === undefined) continue;
    const started = performance.now();
    const result = await rounds.run(round);
    const own = spent[targetOf(round)];
    own.rounds++;
    own.ms += performance.now() - started;
    total.rounds++;
    for (const name of ["inputs", "replies", "sessions", "flows"] as const) total[name] += result[name];
    if (total.rounds === WARM_UP_ROUNDS) baseline = heapBytes();
    if (result.failure !== undefined && ++failed <= MOST_REPORTED) {
      console.log(`round ${round} (${targetOf(round)}): ${result.failure.stack}`);
      console.log(`  replay: pnpm fuzz --seed ${seed} --round ${round}`);
    }
    if (only !== undefined) break;
  }
  const grown = baseline === 0 ? 0 : heapBytes() - baseline;
  const leaks = grown > ALLOWED_GROWTH_BYTES;
  if (leaks) console.log(`the heap grew by ${Math.round(grown / 1024)} KiB over ${total.rounds} rounds`);
  const parts = TARGETS.map((name) => `${name} ${spent[name].rounds} in ${Math.round(spent[name].ms / 1_000)} s`);
  console.log(
    `fuzz: rounds=${total.rounds} (${parts.join(", ")}) inputs=${total.inputs} replies=${total.replies} ` +
      `sessions=${total.sessions} flows=${total.flows} heap growth=${Math.round(grown / 1024)} KiB`,
  );
  console.log(`${total.rounds - failed + (leaks ? 0 : 1)} passed, ${failed + (leaks ? 1 : 0)} failed`);
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
