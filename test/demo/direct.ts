/** A server, a publisher and three viewers, as processes, stream a real FLV to each other, peer to peer. */
import { statSync } from "node:fs";
import { digestFlv, type FlvDigest } from "./digest.ts";
import { type Command, ROOT } from "./process.ts";
import { MAX_SERVER_SHARE, SAMPLE, START_MS, STOP_MS, TRANSFER_MS, VIEWERS } from "./settings.ts";
import type { Stage } from "./stage.ts";
import { watchFiles } from "./watch.ts";

/** Throws on the first thing that is not as it should be. */
export async function directDemo(stage: Stage, folder: string): Promise<void> {
  const original = digestFlv(`${ROOT}${SAMPLE}`);
  const server = stage.start("server", "rtmfp-server", ["--host", "127.0.0.1", "--port", "0", "--http", "off"]);
  const url = `${String(((await server.take("listening", START_MS))["urls"] as unknown[])[0])}/demo`;
  const wait = ["--p2p", "--wait", String(VIEWERS)];
  const publisher = stage.start("publisher", "rtmfp-client", ["publish", url, "cam", SAMPLE, ...wait]);
  const { peerId } = await publisher.take("publishing", START_MS);
  const files = Array.from({ length: VIEWERS }, (_, i) => `${folder}/viewer-${i + 1}.flv`);
  const viewers = files.map((file, i) =>
    stage.start(`viewer ${i + 1}`, "rtmfp-client", ["play", url, "cam", "--peer", String(peerId), "-o", file]),
  );
  for (const viewer of viewers) await viewer.take("playing", START_MS);
  const introduced = await serverStats(server);
  console.log(
    `\nThe publisher is ${String(peerId).slice(0, 12)}…; all viewers play from it. Bytes in each viewer's file:`,
  );

  const watch = watchFiles(files);
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
  original: FlvDigest,
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
  const digests = files.map((file) => digestFlv(file));
  for (const [i, digest] of digests.entries()) {
    console.log(`  ${digest.sha256}  ${files[i]} (${digest.tags} tags, ${digest.bytes} bytes)`);
  }
  const socketBytes = after.bytes - introduced.bytes;
  const delivered = digests.reduce((sum, digest) => sum + digest.bytes, 0);
  console.log(`Bytes at the server's socket after the introductions: ${socketBytes}, media delivered: ${delivered}`);
  const expected = (original.bytes * STOP_MS) / original.durationMs;
  for (let i = 0; i < files.length; i++) {
    if (digests[i]?.sha256 !== original.sha256) throw new Error(`${files[i]} differs from ${SAMPLE}`);
    const growth = (atResume[i] ?? 0) - (atStop[i] ?? 0);
    if (growth < expected / 2) throw new Error(`${files[i]} grew by ${growth} bytes only while the server was stopped`);
  }
  if (codes.some((code) => code !== 0)) throw new Error(`exit codes ${codes.join(", ")}, expected 0 from all`);
  if (socketBytes > delivered * MAX_SERVER_SHARE) {
    throw new Error(
      `the server saw ${after.mediaMessages} media messages and ${socketBytes} bytes, more than introductions need`,
    );
  }
  const mediaBytes = after.mediaMessages === 0 ? 0 : socketBytes;
  console.log(
    `demo: PASS viewers=${files.length} tags=${original.tags} bytes=${original.bytes} serverMediaBytes=${mediaBytes}`,
  );
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

function sizes(files: readonly string[]): number[] {
  return files.map((file) => statSync(file).size);
}
