import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/run.ts";

describe("docs/scenarios.md", () => {
  const rows = [...readFileSync(`${root}docs/scenarios.md`, "utf8").matchAll(/^\| (.+?) \| ([a-z-]+) \| (.+?) \|$/gm)];

  it("names tests that exist, each in its file", () => {
    const missing = rows.filter(([, , file, sentence]) => {
      const text = readFileSync(`${root}packages/rtmfp-core/test/sim/${file}.sim.test.ts`, "utf8");
      return !text.includes(`"${sentence}"`);
    });
    expect(missing.map(([row]) => row)).toEqual([]);
    expect(rows.length).toBeGreaterThan(40);
  });

  it("names each test of the scenarios' own files", () => {
    const named = new Set(rows.map(([, , file, sentence]) => `${file} ${sentence}`));
    for (const file of new Set(rows.map((row) => row[2] as string))) {
      if (!file.startsWith("scenarios-")) continue;
      const text = readFileSync(`${root}packages/rtmfp-core/test/sim/${file}.sim.test.ts`, "utf8");
      const sentences = [...text.matchAll(/\bit\(\s*(?:\.\.\.rfc\([^)]*\),\s*)?"([^"]+)"/g)].map((match) => match[1]);
      expect(sentences.length).toBeGreaterThan(0);
      expect(sentences.filter((sentence) => !named.has(`${file} ${sentence}`)).map((s) => `${file}: ${s}`)).toEqual([]);
    }
  });
});
