// `pnpm sim swarm`: a group of many members with a live stream, in virtual time; --help says the rest.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { run as runProgram, tool } from "../../tools/run.ts";
import { figuresOf } from "./figures.ts";
import { parseOptions, type SwarmOptions, USAGE } from "./options.ts";
import { describe, toJson } from "./print.ts";
import { runSwarm } from "./swarm.ts";
import { faults } from "./targets.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: SwarmOptions | undefined;
  try {
    options = parseOptions(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE.split("\n")[0]}`);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  // Threads run JavaScript alone, and what is compiled runs faster.
  const start = options.threads === 1 ? runSwarm : await compiled();
  if (start === undefined) return 1;
  const run = await start(options, options.verbose ? (line) => console.error(line) : undefined);
  const figures = figuresOf(run);
  console.log(describe(figures));
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, toJson(figures));
  }
  const wrong = faults(figures);
  for (const fault of wrong) console.log(`  FAILED: ${fault}`);
  console.log(wrong.length === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed");
  return wrong.length === 0 ? 0 : 1;
}

async function compiled(): Promise<typeof runSwarm | undefined> {
  const build = await runProgram(tool("typescript/bin/tsc", "-b", "test/swarm"), { show: false });
  if (build.code === 0)
    return ((await import(`${import.meta.dirname}/dist/swarm.js`)) as { runSwarm: typeof runSwarm }).runSwarm;
  console.error(`the packages do not compile:\n${build.output.trimEnd()}`);
  return undefined;
}
