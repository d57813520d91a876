/** `pnpm demo`: a server, a publisher and three viewers, as processes, stream a real FLV to each other, peer to peer. */
import { mkdirSync, rmSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { digestFlv } from "./digest.ts";
import { Command, ROOT } from "./process.ts";
import { DELAY_MS, LOSS, MAX_SERVER_SHARE, SAMPLE, START_MS, STOP_MS, TRANSFER_MS, VIEWERS } from "./settings.ts";
import { watchFiles } from "./watch.ts";

const { values } = parseArgs({
  options: { clean: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
if (values.help) {
  console.log("usage: demo [--clean]   --clean: without the 40 ms and 2 % loss that every leg has otherwise");
  process.exit(0);
}

const running: Command[] = [];
let links = 0;
try {
  await demo();
} catch (error) {
  console.log(`demo: FAIL ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  for (const command of running) if (command.running) command.signal("SIGKILL");
}

async function demo(): Promise<void> {
  rmSync(`${ROOT}demo-out`, { recursive: true, force: true });
  mkdirSync(`${ROOT}demo-out`);
  const original = digestFlv(`${ROOT}${SAMPLE}`);
  console.log(
    values.clean ? "Clean network." : `Every leg: ${DELAY_MS} ms and ${LOSS * 100} % loss, inside each process.`,
  );

  const server = start("server", "rtmfp-server", ["--host", "127.0.0.1", "--port", "0", "--http", "off"]);
  const url = `${String(((await server.take("listening", START_MS))["urls"] as unknown[])[0])}/demo`;
  const wait = ["--p2p", "--wait", String(VIEWERS)];
  const publisher = start("publisher", "rtmfp-client", ["publish", url, "cam", SAMPLE, ...wait]);
  const { peerId } = await publisher.take("publishing", START_MS);
  const files = Array.from({ length: VIEWERS }, (_, i) => `demo-out/viewer-${i + 1}.flv`);
  const viewers = files.map((file, i) =>
    start(`viewer ${i + 1}`, "rtmfp-client", ["play", url, "cam", "--peer", String(peerId), "-o", file]),
  );
  for (const viewer of viewers) await viewer.take("playing", START_MS);
  const introduced = await serverStats(server);
  console.log(
    `\nThe publisher is ${String(peerId).slice(0, 12)}…; all viewers play from it. Bytes in each viewer's file:`,
  );

  const watch = watchFiles(files.map((file) => `${ROOT}${file}`));
  await watch.reaches(original.bytes / 4, TRANSFER_MS);
  const atStop = sizes(files);
  server.signal("SIGSTOP");
  watch.note(`the server process is stopped for ${STOP_MS / 1000} s`);
  await watch.pass(STOP_MS);
  const atResume = sizes(files);
  server.signal("SIGCONT");
  watch.note("the server process runs again");
  for (const viewer of viewers) await viewer.take("done", TRANSFER_MS);
  watch.stop();

  const codes = await Promise.all([publisher, ...viewers].map((command) => command.exited));
  const after = await serverStats(server);
  server.signal("SIGTERM");
  codes.push(await server.exited);
  report(original, files, atStop, atResume, codes, introduced, after);
}

/** Compares everything and prints the verdict; throws on the first thing that does not agree. */
function report(
  original: ReturnType<typeof digestFlv>,
  files: readonly string[],
  atStop: readonly number[],
  atResume: readonly number[],
  codes: readonly number[],
  introduced: ServerStats,
  after: ServerStats,
): void {
  console.log(
    `\nSHA-256 over the tags:\n  ${original.sha256}  ${SAMPLE} (${original.tags} tags, ${original.bytes} bytes)`,
  );
  const digests = files.map((file) => digestFlv(`${ROOT}${file}`));
  for (const [i, digest] of digests.entries()) {
    console.log(`  ${digest.sha256}  ${files[i]} (${digest.tags} tags, ${digest.bytes} bytes)`);
  }
  const socketBytes = after.bytes - introduced.bytes;
  const delivered = digests.reduce((sum, digest) => sum + digest.bytes, 0);
  console.log(`Bytes at the server's socket after the introductions: ${socketBytes}, media delivered: ${delivered}`);
  for (let i = 0; i < files.length; i++) {
    if (digests[i]?.sha256 !== original.sha256) throw new Error(`${files[i]} differs from ${SAMPLE}`);
    if ((atResume[i] ?? 0) <= (atStop[i] ?? 0))
      throw new Error(`${files[i]} did not grow while the server was stopped`);
  }
  if (codes.some((code) => code !== 0)) throw new Error(`exit codes ${codes.join(", ")}, expected 0 from all`);
  if (after.mediaMessages > 0 || socketBytes > delivered * MAX_SERVER_SHARE) {
    throw new Error(
      `the server saw ${after.mediaMessages} media messages and ${socketBytes} bytes, more than introductions need`,
    );
  }
  console.log(`demo: PASS viewers=${files.length} tags=${original.tags} bytes=${original.bytes} serverMediaBytes=0`);
}

interface ServerStats {
  /** Both directions, at the socket. */
  readonly bytes: number;
  readonly mediaMessages: number;
}

async function serverStats(server: Command): Promise<ServerStats> {
  server.signal("SIGUSR2");
  const stats = await server.take("stats", START_MS);
  return { bytes: Number(stats["bytesIn"]) + Number(stats["bytesOut"]), mediaMessages: Number(stats["mediaMessages"]) };
}

function start(name: string, program: "rtmfp-server" | "rtmfp-client", args: readonly string[]): Command {
  const link = `delay=${DELAY_MS},loss=${LOSS},seed=${++links}`;
  const command = new Command(name, program, [...args, "--json"], values.clean ? {} : { RTMFP_TEST_LINK: link });
  running.push(command);
  return command;
}

function sizes(files: readonly string[]): number[] {
  return files.map((file) => statSync(`${ROOT}${file}`).size);
}
