import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { CONFIG_FIELDS, loadConfig } from "../src/cli/config.ts";
import { parseHttp } from "../src/cli/http-option.ts";
import { Reload } from "../src/cli/reload.ts";
import { appOptions, nextCommand, type Settings, serverOptions, settle, TOKEN_VARIABLE } from "../src/cli/settings.ts";
import type { LogEntry } from "../src/log.ts";

const folder: string = mkdtempSync(join(tmpdir(), "rtmfp-config-"));

function write(value: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

/** The message, without the path of the file in front. */
function problem(value: unknown): string {
  const path = write(value);
  try {
    loadConfig(path);
  } catch (error) {
    const { message } = error as Error;
    expect(message).not.toContain("\n");
    expect(message.startsWith(path)).toBe(true);
    return message.slice(path.length);
  }
  return "";
}

/** Every field with something that it may be. */
const GOOD: Readonly<Record<string, unknown>> = {
  host: ["127.0.0.1", "::1"],
  port: 1935,
  public: "rtmfp.example:1936",
  http: "[::1]:8935",
  httpToken: "0123456789abcdef",
  keys: ["one", "two"],
  authKeys: ["secret"],
  introduceOnly: true,
  relaySender: "id",
  redirect: ["192.0.2.1:1935"],
  identity: "identity.json",
  legacyIdentity: false,
  checkPort: "off",
  keepalive: { serverMs: 10_000, peerMs: 5_000 },
  introductionRates: { perAsker: { perSecond: 1.5, burst: 10 }, perTarget: { perSecond: 5, burst: 5 } },
  shutdownNoticeMs: 500,
  limits: { maxClients: 100, maxPriority: -1 },
  apps: {
    live: { maxPublishers: 1, maxPlayers: 10, maxStreams: 8, idleTimeoutMs: 60_000, authKeys: ["of live"] },
    lobby: { authKeys: "off" },
    open: {},
  },
  json: true,
  logLevel: "debug",
  trace: "trace",
};

/** Every field wrong, each in the ways that differ; and what the message says. */
const BAD: readonly (readonly [field: string, value: unknown, says: RegExp])[] = [
  ["host", "localhost", /^: host: expected an IP address of this machine, or a list of them, got "localhost"$/],
  ["host", [], /^: host: expected an IP address/],
  ["host", ["127.0.0.1", 7], /^: host: expected an IP address/],
  ["port", "1935", /^: port: expected a port from 0 to 65535, got "1935"$/],
  ["port", 65_536, /^: port: .*got 65536$/],
  ["port", 1.5, /^: port: /],
  ["public", "a b", /^: public: expected HOST or HOST:PORT, got "a b"$/],
  ["http", "example:80", /^: http: expected PORT, "HOST:PORT" or "off", got "example:80"$/],
  ["http", true, /^: http: /],
  ["httpToken", "too short", /^: httpToken: expected 16 characters or more without spaces$/],
  ["keys", 7, /^: keys: expected "any", "none", a list of keys, or a file, got 7$/],
  ["keys", [""], /^: keys: /],
  ["authKeys", [7], /^: authKeys: expected "off", a list of secrets, or a file of them$/],
  ["introduceOnly", "yes", /^: introduceOnly: expected true or false, got "yes"$/],
  ["relaySender", "name", /^: relaySender: expected "auto", "id" or "object", got "name"$/],
  ["redirect", ["example:1935"], /^: redirect: expected a list of addresses such as "192.0.2.1:1935", got /],
  ["identity", "", /^: identity: expected the path of a file, got ""$/],
  ["legacyIdentity", 1, /^: legacyIdentity: expected true or false, got 1$/],
  ["checkPort", "on", /^: checkPort: expected a port from 0 to 65535, or "off", got "on"$/],
  ["keepalive", 30, /^: keepalive: expected an object, got 30$/],
  ["keepalive", { serverMs: -1 }, /^: keepalive\.serverMs: expected milliseconds, from 0 to 2147483647, got -1$/],
  ["keepalive", { server: 1 }, /^: keepalive\.server: there is no such field$/],
  ["introductionRates", [], /^: introductionRates/],
  ["introductionRates", { perAsker: { perSecond: 1 } }, /^: introductionRates\.perAsker\.burst: it is missing$/],
  [
    "introductionRates",
    { perTarget: { perSecond: -1, burst: 1 } },
    /perTarget\.perSecond: expected a number of 0 or more/,
  ],
  ["shutdownNoticeMs", "1s", /^: shutdownNoticeMs: expected milliseconds/],
  [
    "limits",
    { maxClients: -1 },
    /^: limits\.maxClients: expected a whole number of 0 or more, or null for any number, got -1$/,
  ],
  ["limits", { maxUsers: 1 }, /^: limits\.maxUsers: there is no such field$/],
  ["limits", { maxStreams: 257 }, /^: limits\.maxStreams: expected a whole number from 0 to 256, got 257$/],
  ["limits", { maxPriority: "high" }, /^: limits\.maxPriority: expected a number, or null for none, got "high"$/],
  ["apps", { live: { maxPlayers: 0.5 } }, /^: apps\.live\.maxPlayers: /],
  ["apps", { live: 7 }, /^: apps\.live: expected an object, got 7$/],
  [
    "apps",
    { live: { authKeys: [7] } },
    /^: apps\.live\.authKeys: expected "off", a list of secrets, or a file of them$/,
  ],
  ["apps", { live: { maxUsers: 1 } }, /^: apps\.live\.maxUsers: there is no such field$/],
  ["apps", { "a/b": {} }, /^: apps\.a\/b: expected a name without \//],
  ["json", 1, /^: json: /],
  ["logLevel", "loud", /^: logLevel: expected one of error, warn, info, debug, got "loud"$/],
  ["trace", false, /^: trace: expected the path of a file, got false$/],
];

describe("a configuration file", () => {
  it(...rfc("O-5"), "has the names of the options, each with what it may be", () => {
    expect(Object.keys(GOOD).sort()).toEqual([...CONFIG_FIELDS].sort());
    const config = loadConfig(write(GOOD));
    expect(config).toEqual({ ...GOOD, identity: join(folder, "identity.json"), trace: join(folder, "trace") });
    expect(loadConfig(write({ keys: "any" })).keys).toBe("any");
    expect(loadConfig(write({ keys: "keys.txt", authKeys: "/etc/keys" }))).toEqual({
      keys: join(folder, "keys.txt"),
      authKeys: "/etc/keys",
    });
  });

  it(...rfc("O-5"), "with a field that is wrong is refused in one line that names the field, whichever it is", () => {
    for (const [field, value, says] of BAD) expect(problem({ [field]: value }), field).toMatch(says);
    expect(new Set(BAD.map(([field]) => field))).toEqual(new Set(CONFIG_FIELDS));
  });

  it("is there to start from, and the page on deploying tells of each field", () => {
    const root = new URL("../../..", import.meta.url).pathname;
    expect(loadConfig(`${root}deploy/config.json`)).toMatchObject({
      port: 1935,
      apps: { live: { maxPublishers: 10 } },
    });
    const page = readFileSync(`${root}docs/deploy.md`, "utf8");
    expect(CONFIG_FIELDS.filter((field) => !page.includes(`\`${field}\``))).toEqual([]);
  });

  it(...rfc("O-5"), "may begin with a byte order mark", () => {
    expect(loadConfig(write('\uFEFF{ "port": 7 }'))).toEqual({ port: 7 });
  });

  it(...rfc("O-5"), "says by null that there is no limit, or nobody takes a name over, and nothing else", () => {
    const nulls = { maxClients: null, maxPublishers: null, maxPlayers: null, maxPriority: null };
    const [most, least] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const infinite = { maxClients: most, maxPublishers: most, maxPlayers: most, maxPriority: least };
    expect(loadConfig(write({ limits: nulls, apps: { live: nulls } }))).toEqual({
      limits: infinite,
      apps: { live: infinite },
    });
    const inLimits = (name: string) => problem({ limits: { [name]: null } });
    const says = /^: [\w.]+: expected .*, got null; without the field its default holds$/;
    expect([inLimits("maxStreams"), inLimits("idleTimeoutMs")]).toEqual(Array(2).fill(expect.stringMatching(says)));
    const secret = /^: (httpToken|authKeys): expected /;
    for (const field of CONFIG_FIELDS)
      expect(problem({ [field]: null })).toMatch(field === "httpToken" || field === "authKeys" ? secret : says);
  });

  it(...rfc("O-5", "O-6"), "has keys of tokens for each application, whose files are beside it", () => {
    const { apps = {} } = loadConfig(write({ apps: { a: { authKeys: "keys" }, b: { authKeys: "off" }, c: {} } }));
    expect(appOptions(apps["a"] ?? {})).toEqual({ authKeys: { file: join(folder, "keys") } });
    expect(appOptions(apps["b"] ?? {})).toEqual({ authKeys: "off" });
    expect(appOptions(apps["c"] ?? {})).toEqual({});
    const off = settle({ config: write({ authKeys: "off" }) }, {});
    expect(serverOptions(off)).not.toHaveProperty("authKeys");
  });

  it("may not name an application as every object's own parts are named", () => {
    for (const name of ["__proto__", "constructor", "prototype"])
      expect(problem({ apps: JSON.parse(`{ "${name}": {} }`) })).toMatch(/^: apps: expected names other than /);
  });

  it("with a field that is none is refused, with the name that was meant", () => {
    expect(problem({ prot: 1935 })).toBe(": prot: there is no such field");
    expect(problem({ "introduce-only": true })).toBe(
      ": introduce-only: there is no such field; did you mean introduceOnly?",
    );
  });

  it("that is none, or cannot be read, is refused in one line", () => {
    expect(problem("{\n port: 1\n}")).toMatch(/^ is not JSON: /);
    expect(problem([])).toMatch(/^: the whole file: expected an object, got \[\]$/);
    expect(problem("7")).toMatch(/^: the whole file: expected an object, got 7$/);
    expect(() => loadConfig(join(folder, "none.json"))).toThrow(
      /^the configuration file .* cannot be read: there is no such file; check the path$/,
    );
  });
});

describe("the settings of a run", () => {
  const path = join(folder, "settings.json");
  const cli = { config: path };

  it("are those of the command line, then of the file, then the defaults", () => {
    writeFileSync(
      path,
      JSON.stringify({ port: 7, http: 8, logLevel: "warn", limits: { maxClients: 5 }, keys: ["one"] }),
    );
    expect(settle({}, {})).toMatchObject({
      port: 1935,
      http: { host: "127.0.0.1", port: 8935 },
      isHttpGiven: false,
      logLevel: "info",
      shutdownNoticeMs: 1_000,
    });
    expect(settle(cli, {})).toMatchObject({ port: 7, http: { port: 8 }, isHttpGiven: true, logLevel: "warn" });
    const both = settle({ ...cli, port: 9, http: "off", logLevel: "debug", idleTimeout: 60, keys: "any" }, {});
    expect(both).toMatchObject({
      port: 9,
      http: "off",
      logLevel: "debug",
      limits: { maxClients: 5, idleTimeoutMs: 60_000 },
      keys: "any",
    });
    expect(serverOptions(both)).toMatchObject({ port: 9, keys: "any", limits: { maxClients: 5 } });
    expect(serverOptions(settle({ keys: "list" }, {}))).toEqual({ port: 1935, keys: { file: "list" }, limits: {} });
  });

  it("make the next command to type, with what the server will ask for", () => {
    const next = (settings: Partial<Settings>) =>
      nextCommand({ ...settle({}, {}), ...settings }, "rtmfp://h").replace("rtmfp-client publish rtmfp://h/", "");
    expect(next({})).toBe("live cam FILE.flv");
    expect(next({ introduceOnly: true })).toBe("key cam FILE.flv --p2p");
    expect(next({ keys: "keys.txt", introduceOnly: true })).toBe("KEY cam FILE.flv --p2p");
    expect(next({ keys: "none", apps: { show: {} }, authKeys: "secrets" })).toBe("show cam FILE.flv --token TOKEN");
    expect(next({ apps: { live: { authKeys: "off" } }, authKeys: ["secret"] })).toBe("live cam FILE.flv");
  });

  it("take the token from the environment, where it shows least", () => {
    writeFileSync(path, JSON.stringify({ httpToken: "in the file".replaceAll(" ", "-and-") }));
    expect(settle(cli, {}).httpToken).toBe("in-and-the-and-file");
    expect(settle(cli, { [TOKEN_VARIABLE]: "in-the-environment" }).httpToken).toBe("in-the-environment");
  });

  it("name a place for HTTP by a port, or an address and a port", () => {
    expect(parseHttp("8935")).toEqual({ host: "127.0.0.1", port: 8935 });
    expect(parseHttp("0.0.0.0:0")).toEqual({ host: "0.0.0.0", port: 0 });
    expect(parseHttp("[::]:80")).toEqual({ host: "::", port: 80 });
    expect(parseHttp("off")).toBe("off");
    for (const text of ["", "on", "70000", ":80", "::1:80", "host:80", "127.0.0.1", "127.0.0.1:", "1.5"])
      expect(parseHttp(text), text).toBeUndefined();
  });
});

describe("a reload", () => {
  function scene(first: Partial<Settings>) {
    const log: LogEntry[] = [];
    const calls: unknown[] = [];
    let next: Settings | Error = settingsWith(first);
    const reload = new Reload(
      {
        server: {
          setLimits: (...args) => void calls.push(["limits", ...args]),
          setIntroductionRates: (rates) => void calls.push(["rates", rates]),
          setKeys: (keys) => void calls.push(["keys", keys]),
          setAuthKeys: (...args) => void calls.push(["auth keys", ...args]),
        },
        log: (entry) => void log.push(entry),
        settle: () => {
          if (next instanceof Error) throw next;
          return next;
        },
        define: (...args) => void calls.push(["define", ...args]),
        setLogLevel: (level) => void calls.push(["level", level]),
      },
      settingsWith(first),
    );
    const run = (settings: Partial<Settings> | Error): string[] => {
      next = settings instanceof Error ? settings : settingsWith(settings);
      calls.length = 0;
      log.length = 0;
      reload.run();
      return log.map(({ level, fields }) => `${level} ${fields["message"]}`);
    };
    return { reload, calls, run };
  }

  function settingsWith(settings: Partial<Settings>): Settings {
    return { ...settle({}, {}), ...settings };
  }

  it(...rfc("O-5"), "takes over limits, rates, applications, the token and the level of the log", () => {
    const { reload, calls, run } = scene({ apps: { old: { maxClients: 1 } } });
    const apps = { old: { maxClients: 2 }, fresh: { maxPlayers: 3 } };
    const settings: Partial<Settings> = {
      limits: { maxClients: 9 },
      introductionRates: { perAsker: { perSecond: 1, burst: 1 } },
      apps,
      httpToken: "0123456789abcdef",
      logLevel: "debug",
    };
    expect(run(settings)).toEqual([
      expect.stringMatching(
        /^info read again: (?=.*limits)(?=.*apps)(?=.*introductionRates)(?=.*httpToken)(?=.*logLevel)/,
      ),
    ]);
    expect(calls).toEqual([
      ["limits", { maxClients: 9 }],
      ["rates", settings.introductionRates],
      ["level", "debug"],
      ["limits", { maxClients: 2 }, "old"],
      ["define", "fresh", { maxPlayers: 3 }],
    ]);
    expect(reload.httpToken).toBe("0123456789abcdef");
    expect(run(settings)).toEqual(["info read again, nothing to take over"]);
    expect(run({ apps })).toEqual([expect.stringMatching(/^info read again: /)]);
    expect(reload.httpToken).toBeUndefined();
  });

  it(...rfc("O-5", "O-6"), "takes over developer keys, and the keys of tokens of each application", () => {
    const { calls, run } = scene({ apps: { one: { authKeys: ["a"] }, two: { authKeys: "off" }, same: {} } });
    const later = { keys: "list", authKeys: "file", apps: { one: { authKeys: ["b"] }, two: {}, same: {} } };
    expect(run(later)).toEqual([expect.stringMatching(/^info read again: (?=.*\bkeys)(?=.*authKeys)(?=.*apps)/)]);
    const taken = () => calls.filter((call) => /keys/.test(String((call as unknown[])[0])));
    expect(taken()).toEqual([
      ["keys", { file: "list" }],
      ["auth keys", { file: "file" }],
      ["auth keys", ["b"], "one"],
      ["auth keys", undefined, "two"],
    ]);
    run(later);
    expect(taken()).toEqual([]);
    expect(run({ ...later, authKeys: "off" })).toEqual([
      "warn authKeys: clients need no token any more",
      "info read again: authKeys",
    ]);
    expect(taken()).toEqual([["auth keys", undefined]]);
  });

  it("says what takes a restart, each time, and leaves it as it is", () => {
    const { run } = scene({});
    const expected = ["warn changed, but it takes a restart: port, host", "info read again, nothing to take over"];
    expect(run({ port: 7, host: "127.0.0.1" })).toEqual(expected);
    expect(run({ port: 7, host: "127.0.0.1" })).toEqual(expected);
  });

  it(...rfc("O-5"), "keeps applications that are no longer named, with their limits, and says so each time", () => {
    const { calls, run } = scene({ apps: { gone: { maxClients: 1 }, old: {} } });
    for (const maxClients of [2, 3]) {
      expect(run({ apps: { old: { maxClients } } })).toEqual([
        "warn changed, but it takes a restart: removal of apps.gone",
        "info read again: apps",
      ]);
      expect(calls).toContainEqual(["limits", { maxClients }, "old"]);
      expect(calls).toContainEqual(["limits", { maxClients: 1 }, "gone"]);
    }
    expect(run({})).toEqual([
      "warn changed, but it takes a restart: removal of apps.gone, removal of apps.old",
      "info read again, nothing to take over",
    ]);
  });

  it("of what is wrong changes nothing, and says so", () => {
    const { calls, run } = scene({});
    expect(run(new Error("config.json: port: expected a port"))).toEqual([
      "error config.json: port: expected a port; the settings known last hold",
    ]);
    expect(calls).toEqual([]);
  });
});
