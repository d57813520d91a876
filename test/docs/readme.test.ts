import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/run.ts";

describe("README.md", () => {
  const readme = readFileSync(`${root}README.md`, "utf8");

  it.each(["01-raw-flow.ts", "02-p2p-stream.ts", "03-server.ts"])("shows examples/%s verbatim", (name) => {
    const shown = block(`### examples/${name}\n`);
    expect(shown).toContain("import {");
    if (existsSync(`${root}examples/${name}`)) expect(shown).toBe(readFileSync(`${root}examples/${name}`, "utf8"));
  });

  it("opens with lines of the peer-to-peer example, ten of them", () => {
    const example = code(block("### examples/02-p2p-stream.ts\n"));
    const opening = code(block(""));
    expect(opening).toHaveLength(10);
    expect(opening.filter((line) => !example.includes(line))).toEqual([]);
  });

  /** The first TypeScript block behind a heading. */
  function block(heading: string): string {
    const text = readme.slice(readme.indexOf(heading));
    return /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  }

  /** Its lines without comments and empty lines. */
  function code(text: string): string[] {
    const lines = text.split("\n").map((line) => line.replace(/\s*\/\/ .*$/, ""));
    return lines.filter((line) => line !== "");
  }
});
