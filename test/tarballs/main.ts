// The tarballs as a stranger meets them: installed with npm alone in an empty folder outside the repository, where the
// commands run, the examples type-check as strict TypeScript and, compiled, do what they promise.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "../../tools/pack.ts";
import { root, run } from "../../tools/run.ts";
import { type Running, start } from "./background.ts";
import { dockerfileCommands } from "./dockerfile.ts";

const TWO_MINUTES_MS = 120_000;
const folder: string = mkdtempSync(join(tmpdir(), "rtmfp-tarballs-"));
let passed = 0;
let failed = 0;

try {
  const tarballs = await pack(join(folder, "tarballs"));
  const project = join(folder, "project");
  await check("npm installs the three packages", () => install(project, tarballs));
  await check("npx rtmfp-server --version", () => version(project, "rtmfp-server"));
  await check("npx rtmfp-client --version", () => version(project, "rtmfp-client"));
  await check("rtmfp-server/http loads", () => httpEntry(project));
  await check("the examples, and the programs on docs/applications.md, type-check as strict TypeScript", () =>
    compile(project),
  );
  await check("01-raw-flow delivers its message", () => rawFlow(project));
  await check("02-p2p-stream plays the sample peer to peer", () => peerToPeer(project));
  await check("03-server listens", () => server(project));
  await check("the Dockerfile's server starts, and its health check knows its token", () => container(project));
} catch (error) {
  failed += 1;
  console.error((error as Error).message);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function check(what: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}\n${(error as Error).message}`);
  }
}

/** An empty project with the tarballs and, for the type check, the compiler that the repository pins. */
async function install(project: string, tarballs: readonly string[]): Promise<void> {
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const compiler = ["typescript", "@types/node"].map((name) => `${name}@${devDependencies[name]}`);
  await succeed(["npm", "install", "--no-audit", "--no-fund", ...tarballs, ...compiler], project);
}

async function version(project: string, command: string): Promise<void> {
  const stdout = await succeed(["npx", "--no-install", command, "--version"], project);
  const { version: expected } = JSON.parse(readFileSync(`${root}packages/${command}/package.json`, "utf8")) as {
    version: string;
  };
  if (!stdout.includes(expected)) throw new Error(`printed ${JSON.stringify(stdout)}, which lacks ${expected}`);
}

async function httpEntry(project: string): Promise<void> {
  const code = 'const { serveHttp } = await import("rtmfp-server/http"); console.log(typeof serveHttp);';
  const stdout = await succeed([process.execPath, "--input-type=module", "-e", code], project);
  if (stdout.trim() !== "function") throw new Error(`serveHttp is ${stdout.trim()}`);
}

async function compile(project: string): Promise<void> {
  cpSync(`${root}examples`, join(project, "examples"), { recursive: true });
  for (const [i, program] of programsOn("docs/applications.md").entries())
    writeFileSync(join(project, `examples/page-${i}.ts`), program);
  const compilerOptions = {
    target: "ES2023",
    module: "NodeNext",
    types: ["node"],
    strict: true,
    noUncheckedIndexedAccess: true,
    rootDir: "examples",
    outDir: "out",
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["examples"] }));
  await succeed(["npx", "--no-install", "tsc", "-p", "."], project);
  // The examples name fixed ports, as a reader expects; here they must not meet whatever else runs on this machine.
  for (const name of readdirSync(join(project, "out"))) {
    const file = join(project, "out", name);
    writeFileSync(file, readFileSync(file, "utf8").replace("port: 1935", 'port: 0, host: "127.0.0.1"'));
  }
}

/** Blocks of TypeScript that stand by themselves. */
function programsOn(page: string): string[] {
  const blocks = [...readFileSync(`${root}${page}`, "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)];
  const programs = blocks.map(([, code = ""]) => code).filter((code) => code.startsWith("import "));
  if (programs.length < 2) throw new Error(`${page} has lost its programs`);
  return programs;
}

async function rawFlow(project: string): Promise<void> {
  const lines = (await succeed([process.execPath, "out/01-raw-flow.js"], project)).trim().split("\n").sort();
  if (lines.join() !== "delivered,hi") throw new Error(`printed ${lines.join()}, expected delivered and hi`);
}

async function peerToPeer(project: string): Promise<void> {
  const args = ["node_modules/rtmfp-server/bin/rtmfp-server.js", "serve", "--host", "127.0.0.1", "--port", "0"];
  const rendezvous = start([process.execPath, ...args, "--http", "off", "--json"], project);
  try {
    const { urls } = JSON.parse(await rendezvous.line(/"event":"listening"/)) as { urls: string[] };
    const file = join(project, "out/02-p2p-stream.js");
    const port = new URL((urls[0] ?? "").replace(/^rtmfp:/, "http:")).port;
    const source = readFileSync(file, "utf8");
    writeFileSync(file, source.replace("rtmfp://127.0.0.1/", `rtmfp://127.0.0.1:${port}/`));
    cpSync(`${root}test/fixtures/sample-h264-aac.flv`, join(project, "cam.flv"));
    const stdout = await succeed([process.execPath, "out/02-p2p-stream.js"], project);
    for (const type of ["audio", "video"]) {
      if (!new RegExp(`^${type} \\d+ \\d+$`, "m").test(stdout)) throw new Error(`no ${type} tag was played`);
    }
  } finally {
    await rendezvous.stop();
  }
}

async function server(project: string): Promise<void> {
  const lobby: Running = start([process.execPath, "out/03-server.js"], project);
  try {
    await lobby.line(/^rtmfp:\/\//);
  } finally {
    await lobby.stop();
  }
}

/** What the container runs, with another place for its data and any free ports. */
async function container(project: string): Promise<void> {
  const data = join(project, "data");
  mkdirSync(data);
  const { entrypoint, cmd, healthcheck } = dockerfileCommands(readFileSync(`${root}Dockerfile`, "utf8"));
  const node = (argv: readonly string[]): string[] => [process.execPath, ...argv.slice(1)];
  writeFileSync(join(data, "config.json"), JSON.stringify({ port: 0, httpToken: "0123456789abcdef" }));
  const own = cmd.map((word) => word.replace("/data", data));
  const more = ["--config", join(data, "config.json"), "--http", "0", "--json"];
  const rendezvous = start([...node(entrypoint), ...own, ...more], project);
  try {
    const { http } = JSON.parse(await rendezvous.line(/"event":"listening"/)) as { http: string };
    const question = healthcheck.map((word, i) => (healthcheck[i - 1] === "--as-process" ? `${rendezvous.pid}` : word));
    const answer = await succeed([...node(question), "--http", new URL(http).host], project);
    if (!answer.startsWith("ok: ")) throw new Error(`the health check printed ${answer}`);
    if (!readdirSync(data).includes("identity")) throw new Error("no identity was kept");
  } finally {
    await rendezvous.stop();
  }
}

async function succeed(argv: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, output } = await run(argv, { cwd, show: false, timeoutMs: TWO_MINUTES_MS });
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}:\n${output}`);
  return stdout;
}
