// `pnpm sim --seeds N [--seed S] [--log]`: random walks in virtual time; the last line is `N passed, N failed`.
import { setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { walk } from "./walk.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const usage = "usage: pnpm sim --seeds N [--seed S] [--log]";
  let options: { seeds: number; seed: number; log: boolean };
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        seeds: { type: "string" },
        seed: { type: "string" },
        log: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      console.log(usage);
      return 0;
    }
    const seeds = natural("seeds", values.seeds ?? (values.seed === undefined ? "300" : "1"));
    options = { seeds, seed: natural("seed", values.seed ?? "1"), log: values.log ?? false };
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  let steps = 0;
  let failed = 0;
  for (let seed = options.seed; seed < options.seed + options.seeds; seed++) {
    const result = walk(seed, options.log ? (line) => console.log(line) : undefined);
    steps += result.steps;
    // Native objects are released between turns of the loop, and only there.
    await turn();
    if (result.failure === undefined) continue;
    failed++;
    console.log(`seed ${seed}, step ${result.steps}: ${result.failure.message}`);
    if (options.log) console.log(result.failure.stack);
    else console.log(`  replay with its log: pnpm sim --seed ${seed} --log`);
  }
  console.log(`sim: seeds=${options.seeds} steps=${steps} failures=${failed}`);
  console.log(`${options.seeds - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function natural(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new RangeError(`expected a number for --${name}, got "${text}"`);
  return Number(text);
}
