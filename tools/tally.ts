/** How many tests passed, failed and were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The sum of several tallies. */
export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/** `N passed, N failed`, with `, N skipped` when there are any. */
export function format(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : "";
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

/** A step that is one test: it passed if its exit code is 0. */
export function fromExit(code: number): Tally {
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/** The numbers in the last line of the form that {@link format} prints; a step without one counts as failed. */
export function fromLine(stdout: string, code: number): Tally {
  const lines = [...stdout.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\r?$/gm)];
  const last = lines.at(-1);
  if (last === undefined) return NOTHING_COUNTED;
  return agreeing({ passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) }, code);
}

/** The numbers in vitest's JSON report; a report that is missing or empty counts as failed. */
export function fromVitest(report: string | undefined, code: number): Tally {
  if (report === undefined) return NOTHING_COUNTED;
  const json = JSON.parse(report) as Record<string, number | undefined>;
  const passed = json["numPassedTests"] ?? 0;
  const failed = json["numFailedTests"] ?? 0;
  const skipped = (json["numPendingTests"] ?? 0) + (json["numTodoTests"] ?? 0);
  return passed + failed === 0 ? NOTHING_COUNTED : agreeing({ passed, failed, skipped }, code);
}

/** A step that failed without a failed test of its own (a file that does not load, a crash) counts as one. */
function agreeing(tally: Tally, code: number): Tally {
  return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

const NOTHING_COUNTED: Tally = { passed: 0, failed: 1, skipped: 0 };
