import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const src: string = fileURLToPath(new URL("../src", import.meta.url));

/** Packages that a file of ours imports at run time, itself or by others of ours; not those that it loads later, if ever. */
function packagesOf(file: string, seen: Set<string> = new Set()): Set<string> {
  const found = new Set<string>();
  if (seen.has(file)) return found;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, what] of text.matchAll(/^(?:import|export)\s(?!type\s)[^;]*?from "([^"]+)"/gm)) {
    const name = what as string;
    if (name.startsWith(".")) for (const inner of packagesOf(resolve(dirname(file), name), seen)) found.add(inner);
    else found.add(name);
  }
  return found;
}

it("the main entry loads our own packages and Node's, nothing else", () => {
  const others = [...packagesOf(`${src}/index.ts`)].filter((name) => !/^(node:|rtmfp-core)/.test(name));
  expect(others).toEqual([]);
  expect([...packagesOf(`${src}/http/index.ts`)]).toEqual(expect.arrayContaining(["hono", "prom-client"]));
});

it("the command loads the HTTP side only when it serves it", () => {
  const packages = [...packagesOf(`${src}/cli.ts`)];
  expect(packages).toEqual(expect.arrayContaining(["commander", "valibot"]));
  expect(packages.filter((name) => /hono|prom-client/.test(name))).toEqual([]);
});
