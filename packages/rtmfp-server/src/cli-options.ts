/** The command line of rtmfp-server. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { defaultProvider } from "rtmfp-core/crypto";
import { hostOf, isPublicHost } from "./bindings.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";
import { packageVersion } from "./version.ts";

/** What was asked for. */
export interface CliOptions {
  readonly host?: readonly string[];
  readonly port: number;
  readonly public?: string;
  /** "any", or the name of a file. */
  readonly keys: string;
  readonly authKeys?: string;
  readonly introduceOnly?: boolean;
  readonly identity?: string;
  readonly json?: boolean;
  readonly logLevel: LogLevel;
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
    .argument("[command]", "serve, which is also the default", parseServe, "serve")
    .option("--host <addr>", "IP address to listen on, repeatable (default: all IPv4 and IPv6)", collectHosts)
    .option("--port <number>", "UDP port", parsePort, 1935)
    .option("--public <host[:port]>", "how clients find this server, for the URLs it shows", parsePublic)
    .option("--http <off>", "there is no HTTP side yet", parseHttp, "off")
    .option("--keys <any|file>", "developer keys to take: any, or one per line of a file", "any")
    .option(
      "--auth-keys <file>",
      "ask clients for tokens by these secrets, one per line; rtmfp-server token makes them",
    )
    .option("--introduce-only", "refuse publish and play")
    .option("--identity <file>", "keep the server's identity in this file; made if missing")
    .option("--json", "events on stdout, one JSON object per line")
    .addOption(new Option("--log-level <level>", "how much to tell").choices(LOG_LEVELS).default("info"))
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
  throw new InvalidArgumentError("The only command is serve.");
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

function parseHttp(text: string): string {
  if (text === "off") return text;
  throw new InvalidArgumentError("There is no HTTP side yet: leave it out, or say off.");
}

/** Exit code for wrong usage. */
export const USAGE_EXIT = 2;
