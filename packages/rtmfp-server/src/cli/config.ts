/** The configuration file: JSON, with the names of the options. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseAddressText } from "rtmfp-core";
import * as v from "valibot";
import { hostOf, isPublicHost } from "../bindings.ts";
import type { KeepaliveTimes } from "../connection-host.ts";
import type { RelaySender } from "../developer-key.ts";
import { fileReason } from "../file-reason.ts";
import { type ApplicationLimits, MAX_STREAMS } from "../limits.ts";
import { LOG_LEVELS, type LogLevel } from "../log.ts";
import type { IntroductionRates } from "../rendezvous.ts";
import { parseHttp } from "./http-option.ts";

/** What a configuration file may say; see {@link ServerOptions} and the command's help. Times are in ms. */
export interface Config {
  readonly host?: string | readonly string[];
  readonly port?: number;
  readonly public?: string;
  /** A port on 127.0.0.1, `HOST:PORT` or "off". */
  readonly http?: string | number;
  readonly httpToken?: string;
  /** "any", "none", a list, or a file. */
  readonly keys?: string | readonly string[];
  /** "off", a list, or a file. */
  readonly authKeys?: string | readonly string[];
  readonly introduceOnly?: boolean;
  readonly relaySender?: RelaySender;
  readonly redirect?: readonly string[];
  readonly identity?: string;
  readonly legacyIdentity?: boolean;
  readonly checkPort?: number | "off";
  readonly keepalive?: Partial<KeepaliveTimes>;
  readonly introductionRates?: IntroductionRates;
  readonly shutdownNoticeMs?: number;
  /** Of every application instance, where its own say nothing. */
  readonly limits?: ApplicationLimits;
  /** Applications beside the developer keys, which do the same as these, by name. */
  readonly apps?: Readonly<Record<string, AppConfig>>;
  readonly json?: boolean;
  readonly logLevel?: LogLevel;
  readonly trace?: string;
}

/** What a configuration file may say of one application. */
export interface AppConfig extends ApplicationLimits {
  /** "off", a list, or a file; instead of {@link Config.authKeys}. */
  readonly authKeys?: string | readonly string[];
}

/** Names that no application in the file may have. */
const RESERVED: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);
/** What a timer can wait for. */
const MAX_MS = 2 ** 31 - 1;

/** What a field may be, in a message's words. */
function field<T>(test: (value: unknown) => boolean, expected: string) {
  return v.custom<T>(test, `expected ${expected}`);
}

/** No array, which the library takes for an object. */
const isObject = field<object>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "an object",
);

function object<T extends v.ObjectEntries>(fields: T) {
  return v.pipe(isObject, v.strictObject(fields));
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isMs = (value: unknown): boolean => isCount(value) && (value as number) <= MAX_MS;
const isPort = (value: unknown): boolean => isCount(value) && (value as number) <= 65_535;
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isText);

const count = field<number>(isCount, "a whole number of 0 or more");
const ms = field<number>(isMs, `milliseconds, from 0 to ${MAX_MS}`);
const flag = field<boolean>((value) => typeof value === "boolean", "true or false");
const file = field<string>(isText, "the path of a file");
const secrets = field<string | readonly string[]>(
  (value) => isText(value) || isTextList(value),
  '"off", a list of secrets, or a file of them',
);

/** A number, or null for the infinite one that the library knows and JSON cannot write. */
function orNull(test: (value: unknown) => boolean, infinite: number, expected: string) {
  return v.pipe(
    field<number | null>((value) => value === null || test(value), expected),
    v.transform((value) => value ?? infinite),
  );
}

const maximum = orNull(isCount, Number.POSITIVE_INFINITY, "a whole number of 0 or more, or null for any number");

const rate = object({
  perSecond: field<number>((value) => typeof value === "number" && value >= 0, "a number of 0 or more"),
  burst: count,
});

const limitEntries = {
  maxClients: v.exactOptional(maximum),
  maxPublishers: v.exactOptional(maximum),
  maxPlayers: v.exactOptional(maximum),
  maxStreams: v.exactOptional(
    field<number>(
      (value) => isCount(value) && (value as number) <= MAX_STREAMS,
      `a whole number from 0 to ${MAX_STREAMS}`,
    ),
  ),
  // By -Infinity nobody may take a name over.
  maxPriority: v.exactOptional(
    orNull((value) => typeof value === "number", Number.NEGATIVE_INFINITY, "a number, or null for none"),
  ),
  idleTimeoutMs: v.exactOptional(ms),
};

const app = object({
  ...limitEntries,
  authKeys: v.exactOptional(secrets),
});

const entries = {
  host: v.exactOptional(
    field<string | readonly string[]>(
      (value) =>
        [value].flat().length > 0 && [value].flat().every((each) => isText(each) && hostOf(each) !== undefined),
      "an IP address of this machine, or a list of them",
    ),
  ),
  port: v.exactOptional(field<number>(isPort, "a port from 0 to 65535")),
  public: v.exactOptional(field<string>((value) => isText(value) && isPublicHost(value), "HOST or HOST:PORT")),
  http: v.exactOptional(
    field<string | number>(
      (value) => isPort(value) || (isText(value) && parseHttp(value) !== undefined),
      'PORT, "HOST:PORT" or "off"',
    ),
  ),
  httpToken: v.exactOptional(
    field<string>(
      (value) => isText(value) && value.length >= 16 && !/\s/.test(value),
      "16 characters or more without spaces",
    ),
  ),
  keys: v.exactOptional(
    field<string | readonly string[]>(
      (value) => isText(value) || isTextList(value),
      '"any", "none", a list of keys, or a file',
    ),
  ),
  authKeys: v.exactOptional(secrets),
  introduceOnly: v.exactOptional(flag),
  relaySender: v.exactOptional(
    field<"auto" | "id" | "object">(
      (value) => ["auto", "id", "object"].includes(value as string),
      '"auto", "id" or "object"',
    ),
  ),
  redirect: v.exactOptional(
    field<readonly string[]>(
      (value) => isTextList(value) && (value as string[]).every((text) => parseAddressText(text) !== undefined),
      'a list of addresses such as "192.0.2.1:1935"',
    ),
  ),
  identity: v.exactOptional(file),
  legacyIdentity: v.exactOptional(flag),
  checkPort: v.exactOptional(
    field<number | "off">((value) => value === "off" || isPort(value), 'a port from 0 to 65535, or "off"'),
  ),
  keepalive: v.exactOptional(object({ serverMs: v.exactOptional(ms), peerMs: v.exactOptional(ms) })),
  introductionRates: v.exactOptional(object({ perAsker: v.exactOptional(rate), perTarget: v.exactOptional(rate) })),
  shutdownNoticeMs: v.exactOptional(ms),
  limits: v.exactOptional(object(limitEntries)),
  apps: v.exactOptional(
    v.pipe(
      isObject,
      // The library leaves these out without a word.
      field<object>(
        (value) => !Object.keys(value as object).some((name) => RESERVED.has(name)),
        `names other than ${[...RESERVED].join(", ")}`,
      ),
      v.record(
        field<string>((value) => isText(value) && !value.includes("/"), "a name without /"),
        app,
      ),
    ),
  ),
  json: v.exactOptional(flag),
  logLevel: v.exactOptional(
    field<LogLevel>((value) => LOG_LEVELS.includes(value as LogLevel), `one of ${LOG_LEVELS.join(", ")}`),
  ),
  trace: v.exactOptional(file),
};
const schema: v.GenericSchema<unknown, Config> = object(entries);

/** Names of all fields. */
export const CONFIG_FIELDS: readonly string[] = Object.keys(entries);

/**
 * Reads a configuration file. Paths in it are relative to its folder. Throws Error, in one line that names file and field.
 */
export function loadConfig(path: string): Config {
  let text: string;
  try {
    // Editors of Windows begin a file with U+FEFF.
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new Error(`the configuration file ${path} cannot be read: ${fileReason(error, "read")}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${(error as Error).message.replace(/\s+/g, " ")}`);
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw new Error(`${path}: ${describe(result.issues[0])}`);
  return withPaths(result.output, dirname(path));
}

/** The file's own folder is where its relative paths begin. */
function withPaths(config: Config, folder: string): Config {
  const at = (name: string): string => resolve(folder, name);
  const { keys, apps, identity, trace, ...rest } = config;
  const withSecrets = <T extends AppConfig>(own: T): T =>
    typeof own.authKeys === "string" && own.authKeys !== "off" ? { ...own, authKeys: at(own.authKeys) } : own;
  return {
    ...withSecrets(rest),
    ...(keys === undefined ? {} : { keys: typeof keys === "string" && !KEY_WORDS.has(keys) ? at(keys) : keys }),
    ...(apps === undefined
      ? {}
      : { apps: Object.fromEntries(Object.entries(apps).map(([name, own]) => [name, withSecrets(own)])) }),
    ...(identity === undefined ? {} : { identity: at(identity) }),
    ...(trace === undefined ? {} : { trace: at(trace) }),
  };
}

function describe(issue: v.BaseIssue<unknown>): string {
  const name = v.getDotPath(issue) ?? "the whole file";
  if (issue.type === "strict_object" && issue.expected === "never")
    return `${name}: there is no such field${hint(name)}`;
  if (issue.type === "strict_object") return `${name}: it is missing`;
  const { message, input } = issue;
  if (SECRETS.has(name.slice(name.lastIndexOf(".") + 1))) return `${name}: ${message}`;
  return `${name}: ${message}, got ${shorten(input)}${input === null ? "; without the field its default holds" : ""}`;
}

function hint(name: string): string {
  const camel = name.replace(/^-+/, "").replace(/-+([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return camel !== name && CONFIG_FIELDS.includes(camel) ? `; did you mean ${camel}?` : "";
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

const MAX_SHOWN = 60;
const KEY_WORDS: ReadonlySet<string> = new Set(["any", "none"]);
/** Their values stay out of messages. */
const SECRETS: ReadonlySet<string> = new Set(["httpToken", "authKeys"]);
