/** What the command was asked for: the command line over the configuration file over the defaults. */
import { DEFAULT_PORT } from "rtmfp-core/tc";
import type { AuthKeys } from "../access.ts";
import { DEFAULT_HTTP_PORT } from "../http/address.ts";
import type { ApplicationOptions } from "../limits.ts";
import type { ServerOptions } from "../server-options.ts";
import type { CliOptions } from "./command-line.ts";
import { type AppConfig, type Config, loadConfig } from "./config.ts";
import { type HttpPlace, parseHttp } from "./http-option.ts";

/** All settings of one run; see {@link Config} for those that are not named here. */
export interface Settings extends Omit<Config, "http"> {
  readonly port: number;
  readonly http: HttpPlace;
  /** Somebody said where the HTTP side is to be. */
  readonly isHttpGiven: boolean;
  readonly shutdownNoticeMs: number;
  readonly logLevel: NonNullable<Config["logLevel"]>;
}

/** Reads the configuration file, if one is named, and puts all together. Throws Error, in one line. */
export function settle(cli: CliOptions, env: Readonly<Record<string, string | undefined>>): Settings {
  const { config: path, idleTimeout, http, debug: _debug, ...given } = cli;
  const config = path === undefined ? {} : loadConfig(path);
  const token = env[TOKEN_VARIABLE];
  const limits = { ...config.limits, ...(idleTimeout === undefined ? {} : { idleTimeoutMs: idleTimeout * 1_000 }) };
  const place = http ?? config.http;
  return {
    ...config,
    ...(token === undefined || token === "" ? {} : { httpToken: token }),
    ...given,
    limits,
    port: given.port ?? config.port ?? DEFAULT_PORT,
    http: (place === undefined ? undefined : parseHttp(String(place))) ?? {
      host: "127.0.0.1",
      port: DEFAULT_HTTP_PORT,
    },
    isHttpGiven: place !== undefined,
    shutdownNoticeMs: config.shutdownNoticeMs ?? SHUTDOWN_NOTICE_MS,
    logLevel: given.logLevel ?? config.logLevel ?? "info",
  };
}

/** The settings that the server itself takes as they are. */
export function serverOptions(settings: Settings): ServerOptions {
  const { keys = "any", authKeys, ...rest } = settings;
  const { host, port, introduceOnly, relaySender, redirect, legacyIdentity, checkPort } = rest;
  const options = {
    host,
    port,
    public: rest.public,
    introduceOnly,
    relaySender,
    redirect,
    legacyIdentity,
    checkPort,
    keepalive: rest.keepalive,
    introductionRates: rest.introductionRates,
    limits: rest.limits,
    keys: typeof keys === "string" && keys !== "any" && keys !== "none" ? { file: keys } : keys,
    authKeys: keysIn(authKeys),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ServerOptions;
}

/** What the server takes of one application in the file. */
export function appOptions({ authKeys, ...limits }: AppConfig): ApplicationOptions {
  const keys = authKeys === "off" ? authKeys : keysIn(authKeys);
  return keys === undefined ? limits : { ...limits, authKeys: keys };
}

/** What to type next; its reader fills in the words in capitals. */
export function nextCommand(
  { keys = "any", apps = {}, authKeys = "off", introduceOnly }: Settings,
  url: string,
): string {
  const named = introduceOnly === true ? "key" : "live";
  const path = keys === "any" ? named : (Object.keys(apps)[0] ?? "KEY");
  const token = (apps[path]?.authKeys ?? authKeys) === "off" ? "" : " --token TOKEN";
  return `rtmfp-client publish ${url}/${path} cam FILE.flv${introduceOnly === true ? " --p2p" : ""}${token}`;
}

/** A text names a file, unless it is "off". */
function keysIn(authKeys: Config["authKeys"]): AuthKeys | undefined {
  if (authKeys === "off") return undefined;
  return typeof authKeys === "string" ? { file: authKeys } : authKeys;
}

/** Where a token is looked for, so that it shows neither in the list of processes nor in a file. */
export const TOKEN_VARIABLE = "RTMFP_HTTP_TOKEN";
/** How long clients are given to leave by themselves. */
const SHUTDOWN_NOTICE_MS = 1_000;
