/** The rtmfp-server command. */
import { defaultProvider } from "rtmfp-core/crypto";
import { type CliOptions, parseCommandLine } from "./cli-options.ts";
import type { ServerStats } from "./counters.ts";
import { loadIdentity } from "./identity-file.ts";
import { Reporter } from "./reporter.ts";
import { createServer, type Server } from "./server.ts";

/** Runs until a signal; resolves with the exit code. `argv` is as in `process.argv`. */
export async function main(argv: readonly string[]): Promise<number> {
  const options = parseCommandLine(argv);
  if (typeof options === "number") return options;
  try {
    return await serve(options);
  } catch (error) {
    const line = error instanceof Error ? error.message : String(error);
    process.stderr.write(`rtmfp-server: ${line}\n`);
    if (options.debug === true && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return 1;
  }
}

async function serve(options: CliOptions): Promise<number> {
  const reporter = new Reporter(options.json ?? false, options.logLevel);
  const { host, port, introduceOnly, keys, identity } = options;
  const server = createServer({
    port,
    keys: keys === "any" ? "any" : { file: keys },
    introduceOnly: introduceOnly ?? false,
    log: (entry) => reporter.log(entry),
    ...(host === undefined ? {} : { host }),
    ...(options.public === undefined ? {} : { public: options.public }),
    ...(identity === undefined ? {} : { identity: loadIdentity(identity, defaultProvider()) }),
  });
  const stopped = untilStopped();
  const removeStats = onStatsSignal(() => reportStats(reporter, server));
  const { url, urls, fingerprint } = await server.listen();
  const next = introduceOnly === true ? `${url}/key cam FILE.flv --p2p` : `${url}/live cam FILE.flv`;
  reporter.event("listening", { urls, fingerprint }, `serving ${url}; next: rtmfp-client publish ${next}`);
  await stopped;
  await server.close();
  removeStats();
  reportStats(reporter, server);
  return 0;
}

/** Resolves at the first SIGINT or SIGTERM; the second ends the process at once. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (): void => {
      if (stopping) process.exit(0);
      stopping = true;
      resolve();
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
}

/** Windows has no SIGUSR2. */
function onStatsSignal(run: () => void): () => void {
  if (process.platform === "win32") return () => {};
  process.on("SIGUSR2", run);
  return () => void process.off("SIGUSR2", run);
}

function reportStats(reporter: Reporter, server: Server): void {
  const stats = server.stats;
  reporter.event("stats", stats, describe(stats));
}

function describe(stats: ServerStats): string {
  const { datagramsIn, bytesIn, datagramsOut, bytesOut, mediaMessages, mediaBytes, introductions } = stats;
  return [
    `received ${datagramsIn} datagrams, ${bytesIn} bytes`,
    `sent ${datagramsOut} datagrams, ${bytesOut} bytes`,
    `relayed ${mediaMessages} media messages, ${mediaBytes} bytes`,
    `introduced ${introductions.introduced} times`,
  ].join("; ");
}
