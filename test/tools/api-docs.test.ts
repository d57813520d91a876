import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { collectApi } from "../../tools/api-docs/collect.ts";
import { missing } from "../../tools/api-docs/rules.ts";
import { root } from "../../tools/run.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** What the check says of a module, as `name: what`. */
function check(code: string, layer = "node"): string[] {
  const folder = mkdtempSync(join(tmpdir(), "rtmfp-api-docs-"));
  folders.push(folder);
  const file = `packages/rtmfp-core/src/${layer}/a.ts`;
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  cpSync(join(root, "tsconfig.base.json"), join(folder, "tsconfig.base.json"));
  writeFileSync(join(folder, "packages/rtmfp-core/tsconfig.json"), TSCONFIG);
  writeFileSync(join(folder, file), code);
  return collectApi(folder, "packages/rtmfp-core", [`src/${layer}/a.ts`]).flatMap((item) =>
    missing(item).map((what) => `${item.name}: ${what}`),
  );
}

const TSCONFIG = '{ "extends": "../../tsconfig.base.json", "compilerOptions": { "types": [] }, "include": ["src"] }';

it("names the file and the line of what it finds", () => {
  const folder = mkdtempSync(join(tmpdir(), "rtmfp-api-docs-"));
  folders.push(folder);
  mkdirSync(join(folder, "p/src"), { recursive: true });
  writeFileSync(join(folder, "p/tsconfig.json"), '{ "include": ["src"] }');
  writeFileSync(join(folder, "p/src/a.ts"), 'export { b as c } from "./b.ts";\n');
  writeFileSync(join(folder, "p/src/b.ts"), "/** Fine. */\nexport const a = 1;\n\nexport const b = 1;\n");
  const [item, ...others] = collectApi(folder, "p", ["src/a.ts"]);
  expect(others).toEqual([]);
  expect([item?.file, item?.line, item?.name]).toEqual(["p/src/b.ts", 4, "b"]);
});

it.each<readonly [string, string, string[]]>([
  ["an export", "export const x: string = '';", ["x: no comment"]],
  [
    "each public member, and no private one",
    "/** A. */\nexport class A { b = ''; c(): void {} #d = 1; private e = 2; constructor(f: string) { f; } }",
    ["A.b: no comment", "A.c: no comment", "A.constructor: no comment"],
  ],
  ["fields of options", "/** A. */\nexport interface A { b: string }", ["A.b: no comment"]],
  [
    "fields of types written in place",
    '/** Has `b`. */\nexport type A = { type: "x"; b: string } | { type: "y"; c: string };',
    ["A.c: no comment"],
  ],
  ["constants in place", "/** `a` is one. */\nexport const X = { a: 1, b: 2 } as const;", ["X.b: no comment"]],
])("asks for a comment on %s", (_what, code, expected) => {
  expect(check(code)).toEqual(expected);
});

it("takes the comment of the interface's member for that of the class", () => {
  const code =
    "/** A. */\nexport interface A {\n/** B. */\nb(): void }\n/** C. */\nexport class C implements A { b(): void {} }";
  expect(check(code)).toEqual([]);
});

it.each<readonly [string, string, string[]]>([
  ["time", "/** Waits. */\nexport function f(delay: number): void { delay; }", ["f: delay: no unit of time"]],
  ["size", "/** Has room. */\nexport const windowSize = 3;", ["windowSize: windowSize: no unit of size"]],
  ["rate", "/** As fast. */\nexport const rate: number = 3;", ["rate: rate: no unit of rate"]],
])("asks for a unit of %s", (_what, code, expected) => {
  expect(check(code)).toEqual(expected);
});

it("finds the unit in the name, in the comment, or in that of the whole", () => {
  const member = "/** Waits. */\nexport const delayMs = 3;\n/** 5 ms. */\nexport const delay: number = 5;\n";
  expect(check(`${member}/** A. Times are ms. */\nexport interface A {\n/** B. */\ntimeout: number }`)).toEqual([]);
});

it("asks for the default of an option that may be left out", () => {
  const fields = "/** B. */\nb?: string;\n/** C. Default none. */\nc?: string;";
  expect(check(`/** A. */\nexport interface AOptions {\n${fields} }`)).toEqual(["AOptions.b: no default"]);
  expect(check("/** F. */\nexport function f(a = ''): void { a; }")).toEqual(["f: a: no default"]);
});

it("asks who owns bytes that come out, or that may be kept", () => {
  const code = (doc: string): string => `/** ${doc} */\nexport function f(a: Uint8Array): Uint8Array { return a; }`;
  expect(check(code("F."))).toEqual(["f: no owner of the bytes"]);
  expect(check(code("A copy of `a`."))).toEqual([]);
  expect(check("/** Sum. */\nexport function f(a: Uint8Array): number { return a.length; }")).toEqual([]);
});

it("asks for what is thrown, here or in a function of the file, unless it is caught", () => {
  const g = "function g(): void { throw new Error(); }\n";
  expect(check(`${g}/** F. */\nexport function f(): void { g(); }`)).toEqual(["f: throws, but does not say so"]);
  expect(check(`${g}/** F. Throws Error. */\nexport function f(): void { g(); }`)).toEqual([]);
  expect(check(`${g}/** F. */\nexport function f(): void { try { g(); } catch {} }`)).toEqual([]);
});

it("asks the layers of the protocol for a section, in the comment or at the file's head", () => {
  const code = "/** X. */\nexport const x: string = '';";
  expect(check(code)).toEqual([]);
  for (const layer of ["proto", "crypto", "tc"]) expect(check(code, layer)).toEqual(["x: no section"]);
  expect(check("/** X (§2.1). */\nexport const x: string = '';", "proto")).toEqual([]);
  expect(check(`/** All of §2. */\n\n${code}`, "proto")).toEqual([]);
});
