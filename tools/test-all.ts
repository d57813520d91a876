// `pnpm test [STEP...]`: runs every suite of steps.ts, or those named, and ends with `N passed, N failed`.
import { readFileSync, rmSync } from "node:fs";
import { run } from "./run.ts";
import { type Step, steps, vitestReport } from "./steps.ts";
import { format, fromExit, fromLine, fromVitest, sum, type Tally } from "./tally.ts";

const names = process.argv.slice(2);
const unknown = names.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`no step ${unknown.join(", ")}; there are ${steps.map((step) => step.name).join(", ")}`);
  process.exitCode = 2;
} else {
  await main(steps.filter((step) => names.length === 0 || names.includes(step.name)));
}

async function main(chosen: readonly Step[]): Promise<void> {
  const tallies: Tally[] = [];
  const summary: string[] = [];
  for (const [i, step] of chosen.entries()) {
    console.log(`\n== ${i + 1}/${chosen.length} ${step.name}`);
    const start = performance.now();
    const tally = await runStep(step);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    tallies.push(tally);
    summary.push(`${step.name.padEnd(16)} ${seconds.padStart(6)} s  ${format(tally)}`);
  }
  const total = sum(tallies);
  process.exitCode = total.failed > 0 ? 1 : 0;
  console.log(`\n${summary.join("\n")}\n${format(total)}`);
}

async function runStep(step: Step): Promise<Tally> {
  const result = await run(step.argv, step.env === undefined ? {} : { env: step.env });
  if (step.count === "exit") return fromExit(result.code);
  if (step.count === "line") return fromLine(result.stdout, result.code);
  const report = takeReport();
  return fromVitest(report, result.code);
}

/** The JSON report that vitest left, removed after reading; undefined if it wrote none. */
function takeReport(): string | undefined {
  try {
    return readFileSync(vitestReport, "utf8");
  } catch {
    return undefined;
  } finally {
    rmSync(vitestReport, { force: true });
  }
}
