import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { root } from "../../tools/run.ts";
import { CASES } from "../flood/cases.ts";

const rows = readFileSync(`${root}docs/limits.md`, "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| What"))
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()))
  .map(([what = "", , , shownBy = ""]): [string, string] => [what, shownBy]);

it("docs/limits.md has rows", () => {
  expect(rows.length).toBeGreaterThan(40);
});

it.each(rows)("docs/limits.md names tests that exist: %s", (_what, shownBy) => {
  const names = shownBy.split(/[,;] */);
  expect(names.map((name) => [name, isTest(name)])).toEqual(names.map((name) => [name, true]));
});

/** A name of the last column: a file of rtmfp-core, `client FILE`, `server FILE`, `sim FILE`, or `flood CASE` in backticks. */
function isTest(name: string): boolean {
  const flood = /^`flood (\S+)`$/.exec(name)?.[1];
  if (flood !== undefined) return flood in CASES;
  const sim = /^sim ([\w-]+)$/.exec(name)?.[1];
  if (sim !== undefined) return existsSync(`${root}test/sim/${sim}.sim.test.ts`);
  const [, other, file] = /^(?:(client|server) )?(\S+)$/.exec(name) ?? [];
  const stem = `${root}packages/rtmfp-${other ?? "core"}/test/${file}`;
  return ["", ".sim"].some((kind) => existsSync(`${stem}${kind}.test.ts`));
}
