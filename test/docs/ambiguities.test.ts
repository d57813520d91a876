import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { requirements } from "../../tools/requirements.ts";
import { scanTests } from "../../tools/rfc-scan.ts";
import { root } from "../../tools/run.ts";

describe("docs/ambiguities.md", () => {
  const text = readFileSync(`${root}docs/ambiguities.md`, "utf8");
  const shown = new Set(scanTests().shown.flatMap(({ ids }) => ids));

  it("has one line for each choice, and a test shows each", () => {
    const choices = requirements().filter(({ level }) => level === "CHOICE");
    expect([...text.matchAll(/^\| (AMB-\d+) \| \S/gm)].map((match) => match[1])).toEqual(choices.map(({ id }) => id));
    expect(choices.filter(({ id }) => !shown.has(id))).toEqual([]);
  });

  it("names every SHOULD and MAY that no test shows", () => {
    const unshown = requirements().filter(({ id, level }) => /^(SHOULD|MAY)$/.test(level) && !shown.has(id));
    expect(unshown.filter(({ id }) => !text.includes(id))).toEqual([]);
  });

  it("names only rows that exist", () => {
    const known = new Set(requirements().map(({ id }) => id));
    expect([...text.matchAll(/\bR(?:7016|7425)-[\w.]+-\d+/g)].filter(([id]) => !known.has(id))).toEqual([]);
  });
});
