// `pnpm fuzz --seconds N --seed S`: hostile packets, messages and calls; the last line is `N passed, N failed[, N skipped]`.
import { parseArgs } from "node:util";
import { format } from "../../tools/tally.ts";
import { MemoryCheck } from "./memory.ts";
import { Rounds, TARGETS, type TargetName, targetOf } from "./targets.ts";

// Above the call, because functions reach them only once it has run.
const USAGE = "usage: pnpm fuzz [--seconds N] [--seed S] [--round R] [--target core|server|client]";
const MOST_REPORTED = 10;
/** To run enough rounds for a verdict about memory, so many times the time asked for may pass. */
const MOST_TIMES = 2;

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
  const memory = new MemoryCheck();
  const goesOn = (): boolean =>
    performance.now() < began + seconds * 1_000 * (memory.hasEnough ? 1 : MOST_TIMES) || only !== undefined;
  for (let round = only ?? 0; goesOn(); round++) {
    if (target !== undefined && targetOf(round) !== target && only === undefined) continue;
    const started = performance.now();
    const result = await rounds.run(round);
    const own = spent[targetOf(round)];
    own.rounds++;
    own.ms += performance.now() - started;
    total.rounds++;
    for (const name of ["inputs", "replies", "sessions", "flows"] as const) total[name] += result[name];
    memory.onRound();
    if (result.failure !== undefined && ++failed <= MOST_REPORTED) {
      console.log(`round ${round} (${targetOf(round)}): ${result.failure.stack}`);
      console.log(`  replay: pnpm fuzz --seed ${seed} --round ${round}`);
    }
    if (only !== undefined) break;
  }
  const { outcome, text } = memory.verdict();
  const parts = TARGETS.map((name) => `${name} ${spent[name].rounds} in ${Math.round(spent[name].ms / 1_000)} s`);
  console.log(
    `fuzz: rounds=${total.rounds} (${parts.join(", ")}) inputs=${total.inputs} replies=${total.replies} ` +
      `sessions=${total.sessions} flows=${total.flows} ${text}`,
  );
  if (outcome === "failed") failed++;
  const skipped = outcome === "unjudged" ? 1 : 0;
  console.log(format({ passed: total.rounds + 1 - failed - skipped, failed, skipped }));
  return failed > 0 ? 1 : 0;
}

function natural(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new RangeError(`expected a number for --${name}, got "${text}"`);
  return Number(text);
}
