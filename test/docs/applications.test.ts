import { readFileSync } from "node:fs";
import { createServer } from "rtmfp-server";
import { describe, expect, it } from "vitest";
import { root } from "../../tools/run.ts";

const page = readFileSync(`${root}docs/applications.md`, "utf8");

/** Names of the members of an interface, by its source. */
function members(file: string, name: string): string[] {
  const source = readFileSync(`${root}packages/rtmfp-server/src/${file}`, "utf8");
  const body = new RegExp(`export interface ${name} \\{\\n([^]*?)\\n\\}\\n`).exec(source)?.[1] ?? "";
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\?/gm)].map(([, member]) => member as string);
}

/** Words in backticks of the first column of the table under a heading. */
function firstColumn(heading: string): string[] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const rows =
    section
      .split("\n## ")[0]
      ?.split("\n")
      .filter((line) => line.startsWith("| ")) ?? [];
  return rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)/g)].map(([, word]) => word as string));
}

describe("docs/applications.md", () => {
  it("lists every handler that an application may have", () => {
    const handlers = members("application.ts", "ApplicationHandlers");
    expect(handlers.length).toBeGreaterThan(10);
    const listed = firstColumn("What happens when");
    expect(handlers.filter((name) => !listed.includes(name))).toEqual([]);
  });

  it("lists every limit, with names that the server takes", () => {
    const limits = members("limits.ts", "ApplicationLimits");
    expect(firstColumn("Limits").sort()).toEqual(limits.sort());
    for (const name of limits) expect(() => createServer({ limits: { [name]: 0 } })).not.toThrow();
  });
});
