import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Each snippet breaks one rule of biome.jsonc: the file it stands in, its one bad line, and the diagnostic expected. */
const violations: readonly (readonly [file: string, code: string, category: string])[] = [
  // Sans-IO: no global of the host in the four pure layers.
  ...["proto", "tc", "group", "flv"].flatMap((layer) => [
    ...[
      "Date.now()",
      "performance.now()",
      "setTimeout",
      "setInterval",
      "setImmediate",
      "queueMicrotask",
      "process.env",
      "Buffer.alloc(1)",
      "console.log",
      "crypto.subtle",
      "globalThis.Date",
    ].map((use, i) => global(layer, `global-${i}`, use)),
    [core(layer, "random"), "export const x = Math.random();", "plugin"] as const,
    bad(layer, "dgram", "node:dgram"),
    bad(layer, "node-crypto", "node:crypto"),
    bad(layer, "bare", "commander"),
    bad(layer, "to-root", "../index.ts"),
    bad(layer, "to-node", "../node/udp.ts"),
    bad(`${layer}/deeper`, "to-node", "../../node/udp.ts"),
    bad(layer, "to-testing", "../testing/net.ts"),
  ]),
  // The arrows inside rtmfp-core.
  ...["crypto", "tc", "group", "flv"].map((to) => bad("proto", `to-${to}`, `../${to}/a.ts`)),
  ...["tc", "group", "flv", "node", "testing"].map((to) => bad("crypto", `to-${to}`, `../${to}/a.ts`)),
  ...["crypto", "group", "flv"].map((to) => bad("tc", `to-${to}`, `../${to}/a.ts`)),
  ...["crypto", "tc"].map((to) => bad("group", `to-${to}`, `../${to}/a.ts`)),
  ...["proto", "crypto", "tc", "group"].map((to) => bad("flv", `to-${to}`, `../${to}/a.ts`)),
  bad("crypto", "node-crypto", "node:crypto"),
  bad("crypto", "fs", "node:fs"),
  imports(core("crypto", "node"), "node:fs"),
  bad("testing", "to-node", "../node/udp.ts"),
  bad("testing", "dgram", "node:dgram"),
  bad("testing", "up", "rtmfp-client"),
  bad("node", "up", "rtmfp-client"),
  bad("node", "further-up", "rtmfp-server"),
  imports("packages/rtmfp-core/src/main.ts", "rtmfp-client"),
  // The arrows between packages, and no way past their exports.
  imports("packages/rtmfp-client/src/up.ts", "rtmfp-server"),
  imports("packages/rtmfp-client/src/up-by-path.ts", "../../rtmfp-server/src/index.ts"),
  imports("packages/rtmfp-client/src/deep.ts", "../../rtmfp-core/src/proto/vlu.ts"),
  imports("packages/rtmfp-client/src/deep-by-name.ts", "rtmfp-core/src/proto/vlu.ts"),
  imports("packages/rtmfp-client/src/main.ts", "./bittube/index.ts"),
  imports("packages/rtmfp-client/src/bittube/up.ts", "rtmfp-server"),
  imports("packages/rtmfp-server/src/deep.ts", "../../rtmfp-core/src/proto/vlu.ts"),
  imports("packages/rtmfp-server/src/deep-client.ts", "rtmfp-client/dist/index.js"),
  // Everywhere.
  ["test/floating.ts", "async function f() {}\nf();", "lint/nursery/noFloatingPromises"],
  ["test/skipped.test.ts", 'describe.skip("a", () => {});', "lint/suspicious/noSkippedTests"],
  ["test/focused.test.ts", 'it.only("a", () => {});', "lint/suspicious/noFocusedTests"],
  ["test/misused.ts", "async function f() {}\nif (f()) throw 1;", "lint/nursery/noMisusedPromises"],
  ["packages/rtmfp-core/src/node/cycle-a.ts", cycle("b"), "lint/suspicious/noImportCycles"],
  ["packages/rtmfp-core/src/node/cycle-b.ts", cycle("a"), "lint/suspicious/noImportCycles"],
];

/** What the same rules must let through. */
const allowed: readonly (readonly [file: string, specifier: string])[] = [
  [core("proto", "ok"), "./vlu.ts"],
  [core("proto/chunks", "ok"), "../vlu.ts"],
  [core("crypto", "ok-proto"), "../proto/vlu.ts"],
  [core("crypto", "ok-noble"), "@noble/ciphers/aes.js"],
  [core("crypto/groups", "ok"), "../../proto/vlu.ts"],
  [core("tc", "ok"), "../proto/vlu.ts"],
  [core("group", "ok"), "../proto/vlu.ts"],
  [core("group", "ok-flv"), "../flv/tag-info.ts"],
  [core("flv", "ok"), "./tag.ts"],
  [core("node", "ok-dgram"), "node:dgram"],
  [core("node", "ok-crypto"), "../crypto/a.ts"],
  [core("testing", "ok"), "../crypto/a.ts"],
  ["packages/rtmfp-core/src/ok.ts", "./node/udp.ts"],
  ["packages/rtmfp-client/src/ok.ts", "rtmfp-core/tc"],
  ["packages/rtmfp-client/src/cli/watch.ts", "../bittube/index.ts"],
  ["packages/rtmfp-server/src/ok.ts", "rtmfp-client"],
];

let folder: string;
let found: Map<string, Set<string>>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rtmfp-lint-"));
  cpSync(join(root, "biome.jsonc"), join(folder, "biome.jsonc"));
  cpSync(join(root, "tools/biome"), join(folder, "tools/biome"), { recursive: true });
  for (const [file, code] of violations) put(file, code);
  for (const [file, specifier] of allowed) put(file, importing(specifier));
  found = lint();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("biome.jsonc", () => {
  it.each(violations)("%s: %j breaks %s", (file, _code, category) => {
    expect([...(found.get(file) ?? [])]).toContain(category);
  });

  it.each(allowed)("%s may import %s", (file) => {
    expect([...(found.get(file) ?? [])]).toEqual([]);
  });

  it("lets crypto/node.ts import node:crypto", () => {
    put(core("crypto", "node"), importing("node:crypto"));
    expect(lint().get(core("crypto", "node"))).toBeUndefined();
  });
});

const root: string = fileURLToPath(new URL("../..", import.meta.url));

function core(layer: string, name: string): string {
  return `packages/rtmfp-core/src/${layer}/${name}.ts`;
}

function importing(specifier: string): string {
  return `import { used } from "${specifier}";\nexport const x = used;`;
}

function imports(file: string, specifier: string): readonly [string, string, string] {
  return [file, importing(specifier), "lint/style/noRestrictedImports"];
}

function bad(layer: string, name: string, specifier: string): readonly [string, string, string] {
  return imports(core(layer, name), specifier);
}

function global(layer: string, name: string, use: string): readonly [string, string, string] {
  return [core(layer, name), `export const x = ${use};`, "lint/style/noRestrictedGlobals"];
}

function cycle(other: string): string {
  return `import * as other from "./cycle-${other}.ts";\nexport const x = other;`;
}

function put(file: string, code: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), `${code}\n`);
}

/** Biome's diagnostics by file, from its own process with the real configuration. */
function lint(): Map<string, Set<string>> {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none", "."];
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  const report = JSON.parse(run.stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  const byFile = new Map<string, Set<string>>();
  for (const { category, location } of report.diagnostics) {
    const categories = byFile.get(location.path) ?? new Set();
    byFile.set(location.path, categories.add(category));
  }
  return byFile;
}
