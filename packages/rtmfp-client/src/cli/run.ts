/** What all commands do around their work: connect, tell, end in good order. */
import { LinkCarrier, openTrace, parseLink } from "rtmfp-core";
import { NetConnection } from "../net-connection.ts";
import type { NetConnectionOptions } from "../options.ts";
import { openClientCarrier } from "../server-link.ts";
import { loadIdentity } from "./identity-file.ts";
import type { CommonOptions } from "./options.ts";
import type { Reporter } from "./reporter.ts";
import { Signals } from "./signals.ts";
import { UsageError } from "./usage-error.ts";

/** What a command works with. */
export interface Work {
  readonly connection: NetConnection;
  readonly reporter: Reporter;
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves with the reason, for people, when the connection has ended. */
  readonly ended: Promise<string>;
}

/**
 * Connects, runs `work`, closes, and resolves with the exit code: 0, 1 after a failure told in one line, 2 for wrong usage,
 * 130 or 143 after a signal. `more` are options of the connection that no option of the command says.
 */
export async function run(
  url: string,
  options: CommonOptions,
  reporter: Reporter,
  work: (work: Work) => Promise<void>,
  more: NetConnectionOptions = {},
): Promise<number> {
  const signals = new Signals();
  let release = async (): Promise<void> => {};
  try {
    const { trace, ...settings } = await connectionOptions(options, reporter);
    const connection = new NetConnection({
      ...more,
      ...settings,
      ...(trace === undefined ? {} : { trace: trace.hooks }),
    });
    release = async () => {
      await connection.close();
      await trace?.close();
    };
    connection.on("status", ({ code, description = "" }) => {
      if (code === "NetConnection.Connect.NetworkChange")
        reporter.log("warn", "networkChange", { message: description }, description);
      else reporter.log("debug", "status", { code, description }, `${code} ${description}`);
    });
    const ended = whenEnded(connection);
    const onAbort = (): void => void connection.close();
    signals.signal.addEventListener("abort", onAbort, { once: true });
    await connection.connect(url).catch((error) => {
      throw elsewhere(error) ?? error;
    });
    signals.signal.removeEventListener("abort", onAbort);
    signals.signal.throwIfAborted();
    await work({ connection, reporter, signal: signals.signal, ended });
    return signals.exitCode ?? 0;
  } catch (error) {
    if (signals.exitCode !== undefined) return signals.exitCode;
    return tell(error, reporter, options.debug ?? false);
  } finally {
    await release();
    signals.release();
    // Media that nobody takes from stdout any more would keep the process for ever.
    if (signals.signal.aborted && reporter.stdoutIsTaken && process.stdout.writableLength > 0)
      process.exit(signals.exitCode);
  }
}

/** Tells an error in one line, with its stack for `--debug`; gives the exit code. */
export function tell(error: unknown, reporter: Reporter, debug: boolean): number {
  reporter.failure(error instanceof Error ? error.message : String(error));
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return error instanceof UsageError ? 2 : 1;
}

/** With the server's own reason, if it gave one before. */
function whenEnded(connection: NetConnection): Promise<string> {
  let reason = "";
  return new Promise((resolve) => {
    connection.on("status", ({ code, description = "" }) => {
      if (LAST_WORDS.has(code)) reason = description.replace(/\.$/, "");
      else if (code === "NetConnection.Connect.Closed")
        resolve(reason === "" ? description : `the server ended the connection (${reason})`);
    });
  });
}

/** What a server says before it ends a connection. */
const LAST_WORDS: ReadonlySet<string> = new Set([
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.AppShutdown",
  "NetConnection.Connect.IdleTimeout",
]);

/** Of a refusal that names another server: the caller decides whether to go there. */
function elsewhere(error: { info?: { ex?: unknown } }): Error | undefined {
  const ex = error.info?.ex;
  const url: unknown = typeof ex === "object" && ex !== null && "redirect" in ex ? ex.redirect : undefined;
  if (typeof url !== "string") return undefined;
  return new Error(`the server sends its clients to ${JSON.stringify(url)}: try that URL`);
}

async function connectionOptions(
  options: CommonOptions,
  reporter: Reporter,
): Promise<Omit<NetConnectionOptions, "trace"> & { trace?: Awaited<ReturnType<typeof openTrace>> }> {
  const { identity, fingerprint, token, user } = options;
  if (user !== undefined && token === undefined) throw new UsageError("--user needs the --token that is for it");
  const link = process.env[LINK_VARIABLE];
  const impairment = link === undefined || link === "" ? undefined : parseLink(link);
  return {
    timeoutMs: options.timeout * 1000,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(token === undefined ? {} : { auth: { token, ...(user === undefined ? {} : { user }) } }),
    ...(identity === undefined ? {} : { identity: identity === "legacy" ? identity : loadIdentity(identity) }),
    ...(impairment === undefined
      ? {}
      : { carrier: async () => new LinkCarrier(await openClientCarrier(), impairment) }),
    ...(options.trace === undefined ? {} : { trace: await startTrace(options.trace, reporter) }),
  };
}

async function startTrace(path: string, reporter: Reporter): ReturnType<typeof openTrace> {
  const onWarning = (message: string): void => reporter.log("warn", "trace", { message }, message);
  const trace = await openTrace(path, { onWarning }).catch((error: Error) => {
    throw new Error(`cannot write the trace "${path}": ${error.message}`);
  });
  const note = `trace "${path}" will hold the secrets of this session: share it only with whom you trust`;
  reporter.log("warn", "trace", { message: note }, note);
  return trace;
}

/** A debug aid: `delay=40,loss=0.02,seed=7` delays and loses what this process sends. */
const LINK_VARIABLE = "RTMFP_TEST_LINK";
