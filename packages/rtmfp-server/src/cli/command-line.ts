/** The command line of rtmfp-server. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { defaultProvider } from "rtmfp-core/crypto";
import { hostOf, isPublicHost } from "../bindings.ts";
import { LOG_LEVELS, type LogLevel } from "../log.ts";
import { packageVersion } from "../version.ts";
import { parseHttp } from "./http-option.ts";

/** What the command line says; what it does not say is missing. */
export interface CliOptions {
  readonly host?: readonly string[];
  readonly port?: number;
  readonly public?: string;
  /** `[HOST:]PORT` or "off". */
  readonly http?: string;
  /** "any", "none", or the name of a file. */
  readonly keys?: string;
  /** Name of a file. */
  readonly authKeys?: string;
  readonly introduceOnly?: boolean;
  readonly identity?: string;
  readonly checkPort?: number | "off";
  /** Seconds. */
  readonly idleTimeout?: number;
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: LogLevel;
  readonly trace?: string;
  readonly debug?: boolean;
}

/** The options, or the exit code of a command line that asks for nothing more; then all has been said. */
export function parseCommandLine(argv: readonly string[]): CliOptions | number {
  let code: number | undefined;
  let options: CliOptions | undefined;
  const program = makeProgram().action((_command: string, parsed: CliOptions) => {
    options = parsed;
  });
  try {
    program.parse(argv as string[]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    code = error.exitCode === 0 ? 0 : USAGE_EXIT;
  }
  return options ?? code ?? USAGE_EXIT;
}

function makeProgram(): Command {
  return new Command("rtmfp-server")
    .description("Introduces RTMFP peers to each other and relays live streams.")
    .argument("[command]", "serve, token or health; each but the first has a --help of its own", parseServe, "serve")
    .option("--host <addr>", "IP address to listen on, repeatable (default: all IPv4 and IPv6)", collectHosts)
    .option("--port <number>", "UDP port (default: 1935)", parsePort)
    .option("--public <host[:port]>", "how clients find this server, if it is behind a NAT", parsePublic)
    .option("--http <[host:]port|off>", "REST and metrics (default: 127.0.0.1:8935)", parseHttpText)
    .option("--keys <any|none|file>", "developer keys to take: any (default), or one per line of a file")
    .option(
      "--auth-keys <file|off>",
      "ask clients for tokens by these secrets, one per line; rtmfp-server token makes them; or off",
    )
    .option("--introduce-only", "refuse publish and play")
    .option("--idle-timeout <seconds>", "close clients that do nothing for so long (default: never)", parseSeconds)
    .option("--identity <file>", "keep the server's identity in this file; made if missing")
    .option(
      "--check-port <port|off>",
      "look at clients' NATs from this UDP port and the next (default: any)",
      parseCheckPort,
    )
    .option("--config <file>", "JSON with the names of the options; the command line comes first")
    .option("--json", "events on stdout, one JSON object per line")
    .addOption(new Option("--log-level <level>", "how much to tell (default: info)").choices(LOG_LEVELS))
    .option("--trace <file>", "write decrypted packets and session secrets to a file")
    .option("--debug", "show stack traces")
    .version(`${packageVersion()} (cryptography: ${defaultProvider().name})`, "--version")
    .helpOption("--help", "show this help")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(`rtmfp-server: ${text.replace(/^error: /, "").replace(/\.?\s*$/, "")}; see --help\n`),
    });
}

function parseServe(command: string): string {
  if (command === "serve") return command;
  throw new InvalidArgumentError("The commands are serve, token and health.");
}

function collectHosts(text: string, before: readonly string[] = []): readonly string[] {
  if (hostOf(text) !== undefined) return [...before, text];
  throw new InvalidArgumentError("Expected an IP address of this machine, such as 127.0.0.1 or ::1.");
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a port from 0 to 65535.");
}

function parsePublic(text: string): string {
  if (isPublicHost(text)) return text;
  throw new InvalidArgumentError("Expected HOST or HOST:PORT.");
}

/** A place for the HTTP side, as it was said. Throws InvalidArgumentError. */
export function parseHttpText(text: string): string {
  if (parseHttp(text) !== undefined) return text;
  throw new InvalidArgumentError("Expected PORT, HOST:PORT with an IP address of this machine, or off.");
}

function parseCheckPort(text: string): number | "off" {
  return text === "off" ? text : parsePort(text);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && seconds >= 0 && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError(`Expected seconds from 0 to ${MAX_SECONDS}.`);
}

/** What a timer can wait for. */
const MAX_SECONDS: number = Math.floor((2 ** 31 - 1) / 1_000);
/** Exit code for wrong usage. */
export const USAGE_EXIT = 2;
