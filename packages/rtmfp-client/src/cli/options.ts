/** Options that all commands share, and how arguments are read. */
import { isIP } from "node:net";
import { type Command, InvalidArgumentError, Option } from "commander";
import { GroupspecError, parseGroupspec } from "rtmfp-core/group";
import { parseRtmfpUri, type ServerUri } from "rtmfp-core/tc";
import { MAX_TIMEOUT_MS } from "../options.ts";
import { LOG_LEVELS, type LogLevel } from "./reporter.ts";
import { UsageError } from "./usage-error.ts";

export interface CommonOptions {
  readonly json?: boolean;
  readonly logLevel: LogLevel;
  readonly trace?: string;
  readonly debug?: boolean;
  /** Seconds. */
  readonly timeout: number;
  readonly fingerprint?: string;
  readonly token?: string;
  readonly user?: string;
  /** A file, or "legacy". */
  readonly identity?: string;
}

/** Adds the shared options to a command. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--json", "events on stdout, one JSON object per line")
    .addOption(new Option("--log-level <level>", "how much to tell").choices(LOG_LEVELS).default("info"))
    .option("--trace <file>", "write decrypted packets and session secrets to a file")
    .option("--debug", "show stack traces")
    .option("--timeout <seconds>", "how long to try to connect", parseSeconds, 10)
    .option("--fingerprint <hex>", "the server must have this identity", parseId)
    .option("--token <hex>", "lets us in at a server that asks for one", parseId)
    .option("--user <name>", "whom the token is for, unless it is for the application")
    .option("--identity <file|legacy>", "keep our identity in a file, made if missing; or make one for old servers")
    .helpOption("--help", "show this help");
}

/** Adds the shared options to a command for channels, and those that say which group a channel is, and where to record it. */
export function withChannelOptions(command: Command): Command {
  return withCommonOptions(command)
    .option("--group-name <name>", "name of the group (default: bittube.vanderbilt.edu/{channel})", parseName)
    .option("--group <spec>", "groupspec of the group, as others give it", parseStreamGroup)
    .option("--record <file>", "write what passes to this FLV file too; {channel} and {time} in its name are replaced");
}

/** The address of a server. Throws UsageError, in one line. */
export function parseUrl(text: string): ServerUri {
  let uri: ReturnType<typeof parseRtmfpUri>;
  try {
    uri = parseRtmfpUri(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (uri.kind === "serverless") throw new UsageError(`"${text}" names no server: give rtmfp://host/app`);
  return uri;
}

/** A time that a timer can wait for. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && seconds > 0 && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError(`Expected a number of seconds above 0 and up to ${MAX_SECONDS}.`);
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (/^[0-9]+$/.test(text) && count >= 1) return count;
  throw new InvalidArgumentError("Expected a whole number of 1 or more.");
}

/** The name of a stream or method. */
export function parseName(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("A name has a character or more.");
}

/** A peer ID or fingerprint. */
export function parseId(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError("Expected 64 hex digits.");
}

/** A groupspec. */
export function parseGroup(text: string): string {
  try {
    parseGroupspec(text);
    return text;
  } catch (error) {
    if (error instanceof GroupspecError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** The groupspec of a group with streams. */
export function parseStreamGroup(text: string): string {
  if (parseGroupspec(parseGroup(text)).multicastEnabled) return text;
  throw new InvalidArgumentError("This group has no streams: multicast is not enabled in its groupspec.");
}

/** An address to serve HTTP on: `PORT`, which means 127.0.0.1, or `HOST:PORT`, an IPv6 address in brackets. */
export function parseHttp(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?([0-9]{1,5})$/.exec(text);
  const named = match?.[1] ?? "127.0.0.1";
  const host = named === "localhost" ? "127.0.0.1" : named.replace(/^\[|\]$/g, "");
  const port = Number(match?.[2]);
  if (match !== null && port <= MAX_PORT && isIP(host) !== 0) return { host, port };
  throw new InvalidArgumentError("Expected a port, or an IP address and a port as in 0.0.0.0:8080 or [::]:8080.");
}

const MAX_PORT = 65_535;
const MAX_SECONDS: number = Math.floor(MAX_TIMEOUT_MS / 1000);
