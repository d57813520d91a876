/** Takes what has changed in the configuration file while the server runs, and disconnects nobody. */
import { type Stats, unwatchFile, watchFile } from "node:fs";
import type { Logger, LogLevel } from "../log.ts";
import type { Server } from "../server.ts";
import type { AppConfig } from "./config.ts";
import { appOptions, type Settings, serverOptions } from "./settings.ts";

/** What a reload needs. */
export interface ReloadHost {
  readonly server: Pick<Server, "setKeys" | "setAuthKeys" | "setLimits" | "setIntroductionRates">;
  readonly log: Logger;
  /** Puts all settings together anew. Throws Error, in one line. */
  settle(): Settings;
  /** Defines an application that the configuration names. */
  define(name: string, own: AppConfig): void;
  setLogLevel(level: LogLevel): void;
}

/** See the file's head. */
export class Reload {
  readonly #host: ReloadHost;
  #settings: Settings;
  readonly #defined: Set<string>;

  /** `settings` are those that the server runs with. */
  constructor(host: ReloadHost, settings: Settings) {
    this.#host = host;
    this.#settings = settings;
    this.#defined = new Set(Object.keys(settings.apps ?? {}));
  }

  /** The bearer token of the moment. */
  get httpToken(): string | undefined {
    return this.#settings.httpToken;
  }

  /** Reads all again. What is wrong is logged, and nothing changes; what takes a restart is logged, and stays. */
  run(): void {
    let settings: Settings;
    let gone: readonly string[];
    try {
      settings = this.#host.settle();
      // Applications stay until the server ends, with the limits they had.
      gone = Object.keys(this.#settings.apps ?? {}).filter((name) => !Object.hasOwn(settings.apps ?? {}, name));
      if (gone.length > 0) settings = { ...settings, apps: { ...this.#settings.apps, ...settings.apps } };
      this.#takeKeys(settings);
    } catch (error) {
      this.#tell("error", `${(error as Error).message}; the settings known last hold`);
      return;
    }
    const changed = namesOf(settings, this.#settings).filter((name) => differ(settings[name], this.#settings[name]));
    const late = [...changed.filter((name) => !RELOADABLE.has(name)), ...gone.map((name) => `removal of apps.${name}`)];
    const taken = changed.filter((name) => RELOADABLE.has(name));
    this.#take(settings);
    if (late.length > 0) this.#tell("warn", `changed, but it takes a restart: ${late.join(", ")}`);
    this.#tell("info", taken.length === 0 ? "read again, nothing to take over" : `read again: ${taken.join(", ")}`);
  }

  /** Runs whenever the file has changed, until the function returned is called. */
  watch(path: string): () => void {
    // Two writes may have the same time where a file system's clock is coarse.
    const onChange = (now: Stats, before: Stats): void => {
      if (now.mtimeMs !== before.mtimeMs || now.size !== before.size || now.ino !== before.ino) this.run();
    };
    watchFile(path, { interval: WATCH_MS, persistent: false }, onChange);
    return () => unwatchFile(path, onChange);
  }

  /** Throws Error, in one line, for a file that cannot be read. */
  #takeKeys(settings: Settings): void {
    const { server } = this.#host;
    const before = this.#settings;
    const { keys, authKeys } = serverOptions(settings);
    if (differ(settings.keys, before.keys)) server.setKeys(keys);
    if (differ(settings.authKeys, before.authKeys)) {
      server.setAuthKeys(authKeys);
      if (authKeys === undefined) this.#tell("warn", "authKeys: clients need no token any more");
    }
    for (const [name, own] of Object.entries(settings.apps ?? {})) {
      const isOther = this.#defined.has(name) && differ(own.authKeys, before.apps?.[name]?.authKeys);
      if (isOther) server.setAuthKeys(appOptions(own).authKeys, name);
    }
  }

  #take(settings: Settings): void {
    const { server } = this.#host;
    const { limits = {}, apps = {}, introductionRates, logLevel } = settings;
    // What is not taken over stays as it was, so that it is told of again at the next time.
    const kept = Object.entries(this.#settings).filter(([name]) => !RELOADABLE.has(name));
    const fresh = Object.entries(settings).filter(([name]) => RELOADABLE.has(name));
    this.#settings = Object.fromEntries([...kept, ...fresh]) as unknown as Settings;
    server.setLimits(limits);
    server.setIntroductionRates(introductionRates);
    this.#host.setLogLevel(logLevel);
    for (const [name, own] of Object.entries(apps)) {
      const { authKeys: _keys, ...limits } = own;
      if (this.#defined.has(name)) server.setLimits(limits, name);
      else this.#host.define(name, own);
      this.#defined.add(name);
    }
  }

  #tell(level: LogLevel, message: string): void {
    this.#host.log({ level, event: "config", fields: { message } });
  }
}

function namesOf(...all: readonly Settings[]): readonly (keyof Settings)[] {
  return [...new Set(all.flatMap((settings) => Object.keys(settings)))] as (keyof Settings)[];
}

function differ(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

const RELOADABLE: ReadonlySet<string> = new Set([
  "limits",
  "apps",
  "keys",
  "authKeys",
  "introductionRates",
  "httpToken",
  "logLevel",
]);
/** How often the file's time is looked at. */
const WATCH_MS = 1_000;
