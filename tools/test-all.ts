// `pnpm test [STEP...]`: runs every suite of steps.ts, or those named, and ends with `N passed, N failed`.
import { readFileSync, rmSync } from "node:fs";
import { lastLines, vitestFailures } from "./failures.ts";
import { type RunResult, run } from "./run.ts";
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
  const failures: string[] = [];
  for (const [i, step] of chosen.entries()) {
    console.log(`\n== ${i + 1}/${chosen.length} ${step.name}`);
    const start = performance.now();
    const { tally, failed } = await runStep(step);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    tallies.push(tally);
    failures.push(...failed.map((text) => `-- failed in ${step.name}: ${text}`));
    summary.push(`${step.name.padEnd(16)} ${seconds.padStart(6)} s  ${format(tally)}`);
  }
  const total = sum(tallies);
  process.exitCode = total.failed > 0 ? 1 : 0;
  // Once more at the end: a log is often kept, or looked at, from its end alone.
  if (failures.length > 0) console.log(`\n${failures.join("\n")}`);
  console.log(`\n${summary.join("\n")}\n${format(total)}`);
}

/** A step's numbers, and what is to be told of its failures. */
interface Outcome {
  readonly tally: Tally;
  readonly failed: readonly string[];
}

async function runStep(step: Step): Promise<Outcome> {
  const result = await run(step.argv, step.env === undefined ? {} : { env: step.env });
  const report = step.count === "vitest" ? takeReport() : undefined;
  const tally = count(step, result, report);
  if (tally.failed === 0) return { tally, failed: [] };
  const named = report === undefined ? [] : vitestFailures(report);
  return { tally, failed: named.length > 0 ? named : [`its last lines\n${lastLines(result.output)}`] };
}

function count(step: Step, result: RunResult, report: string | undefined): Tally {
  if (step.count === "exit") return fromExit(result.code);
  if (step.count === "line") return fromLine(result.stdout, result.code);
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
