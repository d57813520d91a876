import { describe, expect, it } from "vitest";
import { lastLines, vitestFailures } from "../../tools/failures.ts";
import { root } from "../../tools/run.ts";

const failed = (fullName: string, message = "AssertionError: expected 1 to be 2\n\n    at a.test.ts:3:1"): object => ({
  fullName,
  status: "failed",
  failureMessages: [message],
});
const report = (...assertionResults: object[]): string =>
  JSON.stringify({ testResults: [{ name: `${root}test/a.test.ts`, status: "failed", message: "", assertionResults }] });

describe("what failed, told again at a log's end", () => {
  it("names file, title and message of each failed test, and none that passed", () => {
    const all = report({ fullName: "sum adds", status: "passed", failureMessages: [] }, failed("sum of nothing"));
    expect(vitestFailures(all)).toEqual([
      "test/a.test.ts > sum of nothing\n  AssertionError: expected 1 to be 2\n      at a.test.ts:3:1",
    ]);
  });

  it("names a file that did not load with its message", () => {
    const all = JSON.stringify({
      testResults: [{ name: `${root}b.test.ts`, status: "failed", message: "Cannot find x", assertionResults: [] }],
    });
    expect(vitestFailures(all)).toEqual(["b.test.ts\n  Cannot find x"]);
  });

  it("counts those beyond ten, and shortens long messages", () => {
    const many = vitestFailures(report(...Array.from({ length: 12 }, (_, i) => failed(`case ${i}`))));
    expect([many.length, many.at(-1)]).toEqual([11, "and 2 more"]);
    const long = vitestFailures(report(failed("long", "line\n".repeat(100))));
    expect(long[0]?.split("\n")).toHaveLength(26);
  });

  it("keeps the last lines of any other step, without colours and blank lines", () => {
    const output = `${"first\n".repeat(30)}\n\u001b[31mred\u001b[39m\n\n`;
    const kept = lastLines(output).split("\n");
    expect([kept.length, kept.at(-1)]).toEqual([25, "red"]);
  });

  it("finds nothing in a report without failures", () => {
    expect(vitestFailures("{}")).toEqual([]);
    expect(vitestFailures(JSON.stringify({ testResults: [{ name: "c", status: "passed" }] }))).toEqual([]);
  });
});
