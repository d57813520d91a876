/** The rtmfp-server command. */
import { LinkCarrier, openTrace, openUdpCarrier, parseLink, type Trace } from "rtmfp-core";
import { defaultProvider } from "rtmfp-core/crypto";
import { bindingsFor } from "./bindings.ts";
import { type CliOptions, parseCommandLine } from "./cli-options.ts";
import { tokenCommand } from "./cli-token.ts";
import type { ServerStats } from "./counters.ts";
import { fileReason } from "./file-reason.ts";
import { loadIdentity } from "./identity-file.ts";
import { Reporter } from "./reporter.ts";
import { createServer, type Server, type ServerOptions } from "./server.ts";

/** Runs until a signal; resolves with the exit code. `argv` is as in `process.argv`. */
export async function main(argv: readonly string[]): Promise<number> {
  guardOutput();
  const [command] = argv.slice(2);
  if (command === "token") return tokenCommand(argv.slice(3));
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

/** A server goes on without its log when the log's reader has gone. */
function guardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

async function serve(options: CliOptions): Promise<number> {
  const reporter = new Reporter(options.json ?? false, options.logLevel);
  const trace = options.trace === undefined ? undefined : await startTrace(options.trace, reporter);
  const server = makeServer(options, reporter, trace);
  const stopped = untilStopped();
  const removeStats = onStatsSignal(() => reportStats(reporter, server));
  try {
    const { url, urls, fingerprint } = await server.listen();
    const path = options.introduceOnly === true ? "/key cam FILE.flv --p2p" : "/live cam FILE.flv";
    reporter.event("listening", { urls, fingerprint }, `serving ${url}; next: rtmfp-client publish ${url}${path}`);
    await stopped;
    await server.close();
    reportStats(reporter, server);
  } finally {
    removeStats();
    await trace?.close();
  }
  return 0;
}

function makeServer(options: CliOptions, reporter: Reporter, trace: Trace | undefined): Server {
  const { host, port, introduceOnly, keys, authKeys, identity } = options;
  return createServer({
    port,
    keys: keys === "any" ? "any" : { file: keys },
    introduceOnly: introduceOnly ?? false,
    log: (entry) => reporter.log(entry),
    ...(host === undefined ? {} : { host }),
    ...(authKeys === undefined ? {} : { authKeys: { file: authKeys } }),
    ...(options.public === undefined ? {} : { public: options.public }),
    ...(identity === undefined ? {} : { identity: loadIdentity(identity, defaultProvider()) }),
    ...(trace === undefined ? {} : { trace: trace.hooks }),
    ...impairedCarrier(options),
  });
}

/** The environment can ask for a bad network inside this process, as the demo does: see {@link parseLink}. */
function impairedCarrier({ host, port }: CliOptions): Pick<ServerOptions, "carrier"> {
  const text = process.env["RTMFP_TEST_LINK"];
  if (text === undefined || text === "") return {};
  const link = parseLink(text);
  return { carrier: async () => new LinkCarrier(await openUdpCarrier(bindingsFor(host, port)), link) };
}

async function startTrace(path: string, reporter: Reporter): Promise<Trace> {
  const warn = (message: string): void => reporter.log({ level: "warn", event: "trace", fields: { message } });
  try {
    const trace = await openTrace(path, { onWarning: warn });
    warn(`${path} will hold the secrets of every session; give it to nobody who may not read the traffic`);
    return trace;
  } catch (error) {
    throw new Error(`the trace file ${path} cannot be written: ${fileReason(error)}`);
  }
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
