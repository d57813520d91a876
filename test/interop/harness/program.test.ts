import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Program } from "./program.ts";

const LIMIT_MS = 20_000;
/** Waits for a signal that never comes by itself. */
const STAY = "setInterval(() => {}, 1000);";
let folder: string;
let program: Program | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rtmfp-program-"));
});
afterEach(async () => {
  await program?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function run(code: string, stop?: NodeJS.Signals): Program {
  program = new Program("fake", [process.execPath, "-e", code], join(folder, "log"), folder, stop);
  return program;
}

describe("a watched program", () => {
  it("is ready when its pattern appears, on whichever stream, and gives what the pattern captured", async () => {
    const fake = run(`console.error("listening on port 4711"); ${STAY}`);
    const match = await fake.waitFor("port (?<port>\\d+)$", LIMIT_MS);
    expect(match.groups?.["port"]).toBe("4711");
  });

  it("waits until a pattern has matched as often as asked", async () => {
    const fake = run(`console.log("got 1"); setImmediate(() => console.log("got 2\\ngot 3")); ${STAY}`);
    const match = await fake.waitFor("^got (\\d)$", LIMIT_MS, { times: 3 });
    expect(match[1]).toBe("3");
  });

  it("fails when the program ends first, and says how and what it printed", async () => {
    const fake = run(`console.log("no licence"); process.exit(3);`);
    await expect(fake.waitFor("ready", LIMIT_MS)).rejects.toThrow(
      "fake exited with 3 before it printed /ready/; it printed: no licence",
    );
  });

  it("quotes the line that names an error rather than what follows it", async () => {
    const fake = run(`console.log("Error: no room\\n  at once"); process.exitCode = 1`);
    await expect(fake.waitFor("ready", LIMIT_MS)).rejects.toThrow("it printed: Error: no room");
  });

  it("fails at once when the pattern of failure appears", async () => {
    const fake = run(`console.log("gave up: busy"); ${STAY}`);
    await expect(fake.waitFor("ready", LIMIT_MS, { failed: "^gave up.*" })).rejects.toThrow("fake said: gave up: busy");
  });

  it("fails at the time limit", async () => {
    const fake = run(STAY);
    await expect(fake.waitFor("ready", 50)).rejects.toThrow("fake: waited 0.05 s for /ready/; it printed nothing");
  });

  it("reports a program that cannot be started", async () => {
    program = new Program("fake", [join(folder, "none")], join(folder, "log"), folder);
    await expect(program.waitFor("ready", LIMIT_MS)).rejects.toThrow("fake did not start: spawn");
  });

  it("tells how a program ended by itself", async () => {
    expect((await run("process.exit(0)").waitForEnd(LIMIT_MS)).code).toBe(0);
    expect((await run("process.exit(7)").waitForEnd(LIMIT_MS)).code).toBe(7);
  });

  it("stops with the signal that the program wants", async () => {
    const fake = run(`process.on("SIGINT", () => process.exit(5)); console.log("up"); ${STAY}`, "SIGINT");
    await fake.waitFor("up", LIMIT_MS);
    await fake.stop();
    expect((await fake.ended).code).toBe(5);
  });

  it("keeps a log that begins with the command and ends with the way it ended", async () => {
    const fake = run(`console.log("hello")`);
    await fake.ended;
    const lines = readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
    expect(lines[0]).toBe(`$ ${process.execPath} -e 'console.log("hello")'`);
    expect(lines.slice(1)).toEqual(["hello", "[exited with 0]"]);
  });
});
