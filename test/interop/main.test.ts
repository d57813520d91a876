import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { type RunResult, root, run, script } from "../../tools/run.ts";
import type { CellResult } from "./harness/matrix.ts";

const folder = mkdtempSync(join(tmpdir(), "rtmfp-matrix-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let runs = 0;
// Each starts up to six processes, one after the other.
vi.setConfig({ testTimeout: 180_000 });

async function interop(args: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
  return run(script("test/interop/main.ts", ...args), { show: false, env: { TMPDIR: folder, ...env } });
}

/** Runs the matrix and reads the JSON that it wrote. */
async function matrix(args: readonly string[], env: Record<string, string> = {}) {
  const file = join(folder, `results-${++runs}.json`);
  const { code, stdout } = await interop([...args, "--json", file], env);
  const json = JSON.parse(readFileSync(file, "utf8")) as { cells: CellResult[] };
  return { code, lines: stdout.trimEnd().split("\n"), cells: json.cells };
}

/** A peer file with one program, which runs a line of JavaScript. */
function peerFile(role: string, code: string, more: Record<string, unknown> = {}): string {
  const path = join(folder, `peer-${++runs}.json`);
  const options = { noHmac: [], noSequence: [] };
  const program = { argv: ["{node}", "-e", code, "{options}"], options, ready: "^ready$", ...more };
  writeFileSync(path, JSON.stringify({ name: "fake", roles: { [role]: program } }));
  return path;
}

describe("the interop matrix", () => {
  it("passes between our own echo programs, one of them in the place of a peer", async () => {
    const { code, lines, cells } = await matrix(["--peer", `${root}test/interop/ours.json`, "--only", "echo-call"]);
    expect(cells).toMatchObject([{ peer: "ours", cell: "echo-call", result: "passed" }]);
    expect(lines.at(-1)).toBe("1 passed, 0 failed, 0 skipped");
    expect(code).toBe(0);
  });

  it("says unavailable, never passed, when the folder of the programs is not set or holds none", async () => {
    const unset = await matrix([], { RTMFP_CPP_DIR: "" });
    expect(unset.cells.length).toBeGreaterThan(10);
    expect(new Set(unset.cells.map(({ result }) => result))).toEqual(new Set(["unavailable"]));
    expect(unset.lines.at(-1)).toBe(`0 passed, 0 failed, ${unset.cells.length} skipped`);
    expect(unset.code).toBe(0);
    const empty = await matrix(["--only", "echo-call"], { RTMFP_CPP_DIR: folder });
    expect(empty.cells).toMatchObject([{ result: "unavailable", detail: `there is no program ${folder}/echoserver` }]);
  });

  it("fails, exits with 1 and keeps the logs of both sides when a peer does not do its part", async () => {
    const peer = peerFile("echoClient", `console.log("ready"); console.log("message 1 abandoned")`, {
      failed: "^message \\d+ abandoned$",
    });
    const { code, lines, cells } = await matrix(["--peer", peer, "--only", "echo-serve"]);
    expect(cells).toMatchObject([{ result: "failed", detail: "fake echoClient said: message 1 abandoned" }]);
    expect(lines.at(-1)).toBe("0 passed, 1 failed, 0 skipped");
    expect(code).toBe(1);
    const logs = cells[0]?.logs ?? "";
    expect(lines[0]).toContain(`logs in ${logs}`);
    expect(readdirSync(logs).sort()).toEqual(["01-ours-echoServer.log", "02-fake-echoClient.log"]);
    expect(readFileSync(join(logs, "02-fake-echoClient.log"), "utf8")).toContain("message 1 abandoned");
    rmSync(logs, { recursive: true });
  });

  it("fails when a peer is ready and then exits with an error", async () => {
    const peer = peerFile("echoClient", `console.log("ready"); process.exitCode = 3`);
    const { code, cells } = await matrix(["--peer", peer, "--only", "echo-serve"]);
    expect(cells).toMatchObject([{ result: "failed", detail: "fake echoClient exited with 3: ready" }]);
    expect(code).toBe(1);
    rmSync(cells[0]?.logs ?? "", { recursive: true });
  });

  it("fails when a player with a wrong fingerprint is let in", async () => {
    const ignoresPins = JSON.parse(readFileSync(`${root}test/interop/ours.json`, "utf8"));
    for (const role of ["publisher", "player"]) ignoresPins.roles[role].options.pin = [];
    const path = join(folder, "ignores-pins.json");
    writeFileSync(path, JSON.stringify(ignoresPins));
    const { code, cells } = await matrix(["--peer", path, "--only", "pin-ours"]);
    expect(cells).toMatchObject([{ detail: "their player was let in with a wrong fingerprint" }]);
    expect(code).toBe(1);
    rmSync(cells[0]?.logs ?? "", { recursive: true });
  });

  it("skips a cell for which the peer has no program, and keeps no folder", async () => {
    const before = temporaryFolders();
    const { code, cells } = await matrix(["--peer", peerFile("player", ""), "--only", "echo-serve"]);
    expect(cells).toMatchObject([{ result: "unavailable", detail: "fake has no echoClient" }]);
    expect(code).toBe(0);
    expect(temporaryFolders()).toEqual(before);
  });

  it("refuses an unknown cell and a faulty peer file in one line, with exit code 2", async () => {
    const unknown = await interop(["--only", "no-such"]);
    expect(unknown).toMatchObject({
      code: 2,
      output: expect.stringMatching(/^interop: there is no cell no-such; .*\n$/),
    });
    const faulty = await interop(["--peer", join(folder, "none.json")]);
    expect(faulty).toMatchObject({ code: 2, output: expect.stringMatching(/^interop: .*none\.json: ENOENT.*\n$/) });
    expect(existsSync(join(folder, "none.json"))).toBe(false);
  });
});

function temporaryFolders(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith("rtmfp-interop-echo-serve-"));
}
