/** `rtmfp-server health`: asks a server on this host how it is, as containers and monitors do. */
import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { fileReason } from "../file-reason.ts";
import { type CliOptions, parseCommandLine, parseHttpText, USAGE_EXIT } from "./command-line.ts";
import { settle, TOKEN_VARIABLE } from "./settings.ts";

/** What the command line says. */
interface HealthOptions {
  readonly asProcess?: number;
  readonly config?: string;
  readonly http?: string;
}

/** Tells in one line how the server is. `argv` is what follows `health`; gives the exit code: 0 if it serves. */
export async function healthCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const program = new Command("rtmfp-server health")
    .description(`Asks a server on this host how it is; ${TOKEN_VARIABLE} has its token, if it needs one.`)
    .option("--as-process <pid>", "find it by the options of this process, on Linux", parsePid)
    .option("--config <file>", "find it, and its token, by its configuration")
    .option("--http <[host:]port>", "where its HTTP side is (default: 127.0.0.1:8935)", parseHttpText)
    .helpOption("--help", "show this help")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`rtmfp-server health: ${text.replace(/^error: /, "").trim()}; see --help\n`),
    });
  try {
    program.parse(argv as string[], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : USAGE_EXIT;
  }
  try {
    process.stdout.write(`${await ask(program.opts<HealthOptions>(), env)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`rtmfp-server: ${(error as Error).message}\n`);
    return 1;
  }
}

function parsePid(text: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected the number of a process.");
}

/** What a healthy server says of itself. Throws Error, in one line. */
async function ask({ asProcess, ...own }: HealthOptions, env: Readonly<Record<string, string | undefined>>) {
  const { http, httpToken } = settle(asProcess === undefined ? own : { ...optionsOf(asProcess), ...own }, env);
  if (http === "off") return "HTTP is off: there is nothing to ask";
  const url = `http://${reachable(http.host)}:${http.port}/api/health`;
  const headers: Record<string, string> = httpToken === undefined ? {} : { authorization: `Bearer ${httpToken}` };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => {
    throw new Error(`no answer from ${url}: look whether the server runs, and with that --http`);
  });
  const body = (await answer.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
  if (answer.status === 401) throw new Error(`${url} needs another token: give ${TOKEN_VARIABLE}, or --config`);
  if (!answer.ok)
    throw new Error(`${url} answers ${answer.status}, ${body["status"] ?? body["error"] ?? "no server of ours"}`);
  return `${body["status"]}: ${body["clients"]} clients, ${body["sessions"]} sessions, for ${body["uptimeSeconds"]} s`;
}

/** The options that a server was started with. */
function optionsOf(pid: number): CliOptions {
  let line: readonly string[];
  try {
    line = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch (error) {
    throw new Error(`the options of process ${pid} cannot be read: ${fileReason(error, "read")}`);
  }
  const at = line.findIndex((word) => /(^|[/\\])rtmfp-server(\.js)?$/.test(word));
  const options = at < 0 ? undefined : parseCommandLine(["", ...line.slice(at)]);
  if (typeof options !== "object") throw new Error(`process ${pid} is no rtmfp-server`);
  return options;
}

/** An address to ask at, where the server listens at all. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

const TIMEOUT_MS = 5_000;
