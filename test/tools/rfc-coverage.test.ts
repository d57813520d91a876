import { describe, expect, it } from "vitest";
import { features, requirements } from "../../tools/requirements.ts";
import { report, unknownIds } from "../../tools/rfc-report.ts";
import { scan, scanTests } from "../../tools/rfc-scan.ts";

describe("coverage:rfc", () => {
  it("finds ids and sentence over several lines and in any quotes", () => {
    const source = `
      it(...rfc("R7016-2-01", "V2-86"), "reads \\"it\\"", () => {});
      it(
        ...rfc(
          "AMB-01",
        ),
        \`n is \${n}\`,
        () => {},
      );`;
    expect(scan("a.test.ts", source)).toEqual({
      shown: [
        { file: "a.test.ts", sentence: 'reads "it"', ids: ["R7016-2-01", "V2-86"] },
        { file: "a.test.ts", sentence: `n is $\{n}`, ids: ["AMB-01"] },
      ],
      problems: [],
    });
  });

  it("passes over comments and reports what it cannot read", () => {
    const source = '// it(...rfc("R7016-2-01"), "old", f)\nit(...rfc(id), "sentence", f)';
    const { shown, problems } = scan("a.test.ts", source);
    expect(shown).toEqual([]);
    expect(problems).toEqual(["a.test.ts:2: write the ids of rfc(…) and the sentence after it as literals"]);
  });

  it.each([
    'it.skip(...rfc("R7016-2-01"), "s", f)',
    'it.todo("s")',
    "describe.skip(name, f)",
    "describe.skipIf(slow)(name, f)",
    "describe.sequential.runIf(fast)(name, f)",
    "describe(name, { skip: true }, f)",
    "it.only(name, f)",
    "test.fails(name, f)",
  ])("does not take %j, with which tests may not run", (line) => {
    const problem = "a.test.ts:2: a test that does not run shows nothing: delete it, or let it run";
    expect(scan("a.test.ts", `\n${line}`).problems).toEqual([problem]);
    expect(scan("a.test.ts", `\n// ${line}`).problems).toEqual([]);
  });

  it("takes tests that run", () => {
    const source = 'it.each([1])("only %i", f);\ndescribe("skip", f);\ncontext.skipped = edit.only;';
    expect(scan("a.test.ts", source).problems).toEqual([]);
  });

  it("names an id that no list has", () => {
    const shown = [{ file: "a.test.ts", sentence: "s", ids: ["R7016-2-01", "R7016-2-99"] }];
    expect(unknownIds(shown, new Set(["R7016-2-01"]))).toEqual(["a.test.ts: no row R7016-2-99"]);
  });

  it("lists the tests of a row and counts rows per level", () => {
    const rows = [
      { id: "R7016-2-01", level: "MUST", role: "any", title: "a | b" },
      { id: "R7425-5-01", level: "MUST", role: "any", title: "c" },
    ];
    const text = report(rows, [{ id: "F-1", title: "d" }], [{ file: "a.test.ts", sentence: "s", ids: ["R7016-2-01"] }]);
    expect(text).toContain("| R7016-2-01 | MUST | any | a \\| b | s (a.test.ts) |");
    expect(text).toContain("| R7425-5-01 | MUST | any | c |  |");
    expect(text).toContain("| MUST | 2 | 1 |");
    expect(text).toContain("| FEATURE | 1 | 0 |");
  });

  it("has 602 rows of both RFCs, each id once in all lists", () => {
    const ids = [...requirements(), ...features()].map((row) => row.id);
    expect(ids.filter((id) => /^R(7016|7425)-/.test(id))).toHaveLength(602);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("knows every id that the tests name", () => {
    const known = new Set([...requirements(), ...features()].map((row) => row.id));
    const { shown, problems } = scanTests();
    expect([...problems, ...unknownIds(shown, known)]).toEqual([]);
  });
});
