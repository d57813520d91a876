/** The rtmfp-server command. */
import { LinkCarrier, letHeapGrow, openTrace, openUdpCarrier, parseLink, RtmfpError, type Trace } from "rtmfp-core";
import { defaultProvider } from "rtmfp-core/crypto";
import { bindingsFor } from "./bindings.ts";
import { type CliOptions, parseCommandLine } from "./cli/command-line.ts";
import type { AppConfig } from "./cli/config.ts";
import { healthCommand } from "./cli/health.ts";
import { Reload } from "./cli/reload.ts";
import { appOptions, nextCommand, type Settings, serverOptions, settle } from "./cli/settings.ts";
import { tokenCommand } from "./cli/token.ts";
import type { ServerStats } from "./counters.ts";
import { developerKeyApplication } from "./developer-key.ts";
import { fileReason } from "./file-reason.ts";
import type { HttpSide } from "./http/index.ts";
import { loadIdentity } from "./identity-file.ts";
import type { LogEntry, Logger } from "./log.ts";
import { Reporter } from "./reporter.ts";
import { createServer, type Server } from "./server.ts";
import type { Listening, ServerOptions } from "./server-options.ts";

/** Runs until a signal; resolves with the exit code. `argv` is as in `process.argv`. */
export async function main(argv: readonly string[]): Promise<number> {
  guardOutput();
  letHeapGrow();
  const [command] = argv.slice(2);
  if (command === "token") return tokenCommand(argv.slice(3));
  if (command === "health") return healthCommand(argv.slice(3), process.env);
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

async function serve(cli: CliOptions): Promise<number> {
  const settings = settle(cli, process.env);
  const reporter = new Reporter(settings.json ?? false, settings.logLevel);
  const log = (entry: LogEntry): void => reporter.log(entry);
  const trace = settings.trace === undefined ? undefined : await startTrace(settings.trace, reporter);
  const server = makeServer(settings, log, trace);
  const factory = developerKeyApplication(settings.relaySender);
  const define = (name: string, own: AppConfig): void => void server.application(name, factory, appOptions(own));
  for (const [name, own] of Object.entries(settings.apps ?? {})) define(name, own);
  const reload = new Reload(
    {
      server,
      log,
      settle: () => settle(cli, process.env),
      define,
      setLogLevel: (level) => {
        reporter.level = level;
      },
    },
    settings,
  );
  const stopped = untilStopped();
  const removers = [
    onSignal("SIGUSR2", () => reportStats(reporter, server)),
    onSignal("SIGHUP", () => reload.run()),
    ...(cli.config === undefined ? [] : [reload.watch(cli.config)]),
  ];
  try {
    const listening = await server.listen();
    const http = await openHttp(settings, server, listening, log, reload);
    tellReady(settings, reporter, listening, http?.url);
    await stopped;
    await server.close({ noticeMs: settings.shutdownNoticeMs });
    await http?.close();
    reportStats(reporter, server);
  } finally {
    for (const remove of removers) remove();
    await server.close();
    await trace?.close();
  }
  return 0;
}

function tellReady(settings: Settings, reporter: Reporter, listening: Listening, http: string | undefined): void {
  const { url, urls, fingerprint } = listening;
  // Without an identity of its own the server has another one after every start: nobody can pin it.
  const who = settings.identity === undefined ? "" : ` with fingerprint ${fingerprint}`;
  const where = http === undefined ? "" : `, and HTTP at ${http}/api/health`;
  const line = `serving ${url}${who}${where}; next: ${nextCommand(settings, url)}`;
  reporter.event("listening", { urls, fingerprint, ...(http === undefined ? {} : { http }) }, line);
}

function makeServer(settings: Settings, log: Logger, trace: Trace | undefined): Server {
  const { identity } = settings;
  return createServer({
    ...serverOptions(settings),
    log,
    ...(identity === undefined ? {} : { identity: loadIdentity(identity, defaultProvider()) }),
    ...(trace === undefined ? {} : { trace: trace.hooks }),
    ...impairedCarrier(settings),
  });
}

/** A port that nobody asked for, and that is taken, is no reason not to serve. */
async function openHttp(
  { http, isHttpGiven }: Settings,
  server: Server,
  listening: Listening,
  log: Logger,
  reload: Reload,
): Promise<HttpSide | undefined> {
  if (http === "off") return undefined;
  const { serveHttp } = await import("./http/index.ts");
  try {
    return await serveHttp(server, listening, { ...http, log, token: () => reload.httpToken });
  } catch (error) {
    if (isHttpGiven || !(error instanceof RtmfpError) || error.code !== "LISTEN_FAILED") throw error;
    log({ level: "warn", event: "http", fields: { message: `${error.message}; going on without` } });
    return undefined;
  }
}

/** The environment can ask for a bad network inside this process, as the demo does: see {@link parseLink}. */
function impairedCarrier({ host, port }: Settings): Pick<ServerOptions, "carrier"> {
  const text = process.env["RTMFP_TEST_LINK"];
  if (text === undefined || text === "") return {};
  const link = parseLink(text);
  const hosts = typeof host === "string" ? [host] : host;
  return { carrier: async () => new LinkCarrier(await openUdpCarrier(bindingsFor(hosts, port)), link) };
}

async function startTrace(path: string, reporter: Reporter): Promise<Trace> {
  const warn = (message: string): void => reporter.log({ level: "warn", event: "trace", fields: { message } });
  try {
    const trace = await openTrace(path, { onWarning: warn });
    warn(`${path} will hold the secrets of every session; give it to nobody who may not read the traffic`);
    return trace;
  } catch (error) {
    throw new Error(`the trace file ${path} cannot be written: ${fileReason(error, "write")}`);
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

/** Windows has neither of these. */
function onSignal(name: "SIGUSR2" | "SIGHUP", run: () => void): () => void {
  if (process.platform === "win32") return () => {};
  process.on(name, run);
  return () => void process.off(name, run);
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
