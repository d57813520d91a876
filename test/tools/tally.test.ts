import { describe, expect, it } from "vitest";
import { format, fromExit, fromLine, fromVitest, sum } from "../../tools/tally.ts";

describe("tally", () => {
  it("adds up suites and mentions skipped tests only when there are any", () => {
    const one = { passed: 3, failed: 0, skipped: 0 };
    expect(format(sum([one, one]))).toBe("6 passed, 0 failed");
    expect(format(sum([one, { passed: 0, failed: 2, skipped: 1 }]))).toBe("3 passed, 2 failed, 1 skipped");
  });

  it("counts a step by its exit code", () => {
    expect(fromExit(0)).toEqual({ passed: 1, failed: 0, skipped: 0 });
    expect(fromExit(2)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("reads the last result line of a step", () => {
    const stdout = "1 passed, 0 failed\nprogress\n12 passed, 1 failed, 2 skipped\n";
    expect(fromLine(stdout, 1)).toEqual({ passed: 12, failed: 1, skipped: 2 });
  });

  it("counts a step without a result line, or with a bad exit code after a good line, as failed", () => {
    expect(fromLine("all is well\n", 0).failed).toBe(1);
    expect(fromLine("3 passed, 0 failed\n", 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });

  it("reads vitest's report, and fails when it is missing, empty or at odds with the exit code", () => {
    const report = (passed: number, failed: number): string =>
      JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: 1, numTodoTests: 1 });
    expect(fromVitest(report(5, 1), 1)).toEqual({ passed: 5, failed: 1, skipped: 2 });
    expect(fromVitest(report(5, 0), 1).failed).toBe(1);
    expect(fromVitest(report(0, 0), 0).failed).toBe(1);
    expect(fromVitest(undefined, 0).failed).toBe(1);
  });
});
