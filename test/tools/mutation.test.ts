import { describe, expect, it } from "vitest";
import { applyFault, failedIn, filesNaming, namePattern, passedIn, verdictOf } from "../../tools/mutation.ts";
import { features, requirements } from "../../tools/requirements.ts";
import { scanTests } from "../../tools/rfc-scan.ts";
import { readSource } from "../../tools/source-files.ts";
import type { Fault } from "../mutations/fault.ts";
import { FAULTS } from "../mutations/index.ts";

const FAULT: Fault = {
  file: "a.ts",
  line: "if (a < b) return;",
  becomes: "if (a <= b) return;",
  rows: ["R7016-2.1-01"],
};

/** A report as vitest writes it. */
function report(...tests: [title: string, status: string][]): string {
  const success = tests.every(([, status]) => status === "passed");
  const assertionResults = tests.map(([title, status]) => ({ title, status }));
  const numPassedTests = tests.filter(([, status]) => status === "passed").length;
  return JSON.stringify({
    success,
    numPassedTests,
    testResults: [{ name: "a.test.ts", status: "failed", assertionResults }],
  });
}

describe("a fault", () => {
  it("takes the place of its line, which must stand there once", () => {
    expect(applyFault("{\n  if (a < b) return;\n}\n", FAULT)).toBe("{\n  if (a <= b) return;\n}\n");
    expect(() => applyFault("if (a < b) return\n", FAULT)).toThrow("a.ts: expected this line exactly once, found it 0");
    expect(() => applyFault("if (a < b) return;\n if (a < b) return;", FAULT)).toThrow("found it 2 times");
  });

  it("is killed only by a failure of a test that names its rows", () => {
    const { rows } = FAULT;
    expect(verdictOf(report(["x [R7016-2.1-01]", "failed"]), rows)).toBe("killed");
    expect(verdictOf(report(["x [V1-01 R7016-2.1-01 V1-02]", "failed"], ["y", "passed"]), rows)).toBe("killed");
    expect(verdictOf(report(["x [R7016-2.1-01]", "passed"]), rows)).toBe("survived");
    expect(verdictOf(report(["x [R7016-2.1-011]", "failed"]), rows)).toBe("unnamed");
    expect(verdictOf(report(["x [R7016-2x1-01]", "failed"]), rows)).toBe("unnamed");
    expect(verdictOf(undefined, rows)).toBe("unnamed");
    expect(passedIn(report(["x", "passed"], ["y", "failed"]))).toBe(1);
    expect(failedIn(report(["x", "passed"], ["y", "failed"]))).toEqual(["a.test.ts: y"]);
    expect(failedIn(report())).toEqual(["a.test.ts"]);
    expect(new RegExp(namePattern(["A-1", "B-2"])).test("sentence [B-2 C-3]")).toBe(true);
  });

  it("is looked for in the files of vitest that name its rows and start no processes", () => {
    const shown = [
      { file: "b.test.ts", sentence: "s", ids: ["R7016-2.1-01"] },
      { file: "a.test.ts", sentence: "s", ids: ["R7016-2.1-01", "V1-01"] },
      { file: "test/channel/d.test.ts", sentence: "s", ids: ["R7016-2.1-01"] },
      { file: "support.ts", sentence: "s", ids: ["R7016-2.1-01"] },
      { file: "c.test.ts", sentence: "s", ids: ["V1-01"] },
    ];
    expect(filesNaming(FAULT.rows, shown)).toEqual(["a.test.ts", "b.test.ts"]);
  });
});

describe("the faults of test/mutations", () => {
  it("are at least 60, in the packages, each in a line that stands there once", () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(60);
    for (const fault of FAULTS) {
      expect(fault.file).toMatch(/^packages\/rtmfp-(core|client|server)\/src\//);
      expect(fault.becomes).not.toBe(fault.line);
      applyFault(readSource(fault.file), fault);
    }
  });

  it("each break rows that exist and that tests name", () => {
    const known = new Set([...requirements(), ...features()].map(({ id }) => id));
    const { shown } = scanTests();
    for (const { line, rows } of FAULTS) {
      expect([line, rows.filter((row) => !known.has(row) || filesNaming([row], shown).length === 0)]).toEqual([
        line,
        [],
      ]);
    }
  });
});
