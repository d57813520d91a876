import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { applicationPath } from "../src/application-path.ts";
import { bindingsFor, isPublicHost, urlsOf } from "../src/bindings.ts";
import { KeyFile, parseKeys } from "../src/key-list.ts";
import { Reporter } from "../src/reporter.ts";
import { createServer } from "../src/server.ts";
import { TokenBuckets } from "../src/token-buckets.ts";

describe("a list of keys", () => {
  it(...rfc("C-1"), "has one key per line, with comments", () => {
    expect([...parseKeys("# all\r\n\r\n  one # Alice\ntwo\tBob and Carol\n#three\n")]).toEqual(["one", "two"]);
  });

  it("holds what it knew while its file cannot be read, and says so once", () => {
    const path = join(mkdtempSync(join(tmpdir(), "rtmfp-keys-")), "keys");
    writeFileSync(path, "one\n");
    const troubles: string[] = [];
    const keys = new KeyFile(path, (message) => void troubles.push(message));
    expect([keys.allows("one"), keys.allows("two")]).toEqual([true, false]);
    rmSync(path);
    expect([keys.allows("one"), keys.allows("two")]).toEqual([true, false]);
    expect(troubles).toEqual([expect.stringContaining("the keys known last hold")]);
    writeFileSync(path, "two\n");
    expect([keys.allows("one"), keys.allows("two")]).toEqual([false, true]);
    expect(() => new KeyFile("/nowhere/keys")).toThrow(/key file/);
  });
});

describe("the application of a connect", () => {
  it(...rfc("F-1"), "is the path of app, or of tcUrl, without its query", () => {
    expect(applicationPath({ app: "lobby/room1?token=1" })).toEqual({ name: "lobby", instance: "room1" });
    expect(applicationPath({ app: "/key/" })).toEqual({ name: "key", instance: "" });
    expect(applicationPath({ tcUrl: "rtmfp://host:1936/a/b/c?d" })).toEqual({ name: "a", instance: "b/c" });
    expect(applicationPath({ tcUrl: "http://host/a" })).toEqual({ name: "", instance: "" });
    expect(applicationPath({ app: 7 })).toEqual({ name: "", instance: "" });
  });
});

describe("where a server listens", () => {
  it("is all IPv4 addresses at least, or what was named", () => {
    expect(bindingsFor(undefined, 1935)[0]).toEqual({ host: "0.0.0.0", port: 1935 });
    expect(bindingsFor(["[::1]", "10.0.0.1"], 7)).toEqual([
      { host: "::1", port: 7 },
      { host: "10.0.0.1", port: 7 },
    ]);
    expect(() => bindingsFor(["localhost"], 7)).toThrow(/expected an IP address/);
  });

  it("is shown as URLs, the public one first, none twice", () => {
    const sockets = [
      { host: "0.0.0.0", port: 1935 },
      { host: "::", port: 1936 },
    ];
    expect(urlsOf(undefined, sockets, [{ host: "10.0.0.1", port: 1935 }])).toEqual([
      "rtmfp://127.0.0.1:1935",
      "rtmfp://[::1]:1936",
      "rtmfp://10.0.0.1:1935",
    ]);
    const one = [{ host: "10.0.0.1", port: 1935 }];
    expect(urlsOf("a.example", one, one)).toEqual(["rtmfp://a.example:1935", "rtmfp://10.0.0.1:1935"]);
    expect(urlsOf("a.example:2000", one, one)[0]).toBe("rtmfp://a.example:2000");
    expect(urlsOf("2001:db8::1", one, one)[0]).toBe("rtmfp://[2001:db8::1]:1935");
    expect(urlsOf("[2001:db8::1]:2000", one, one)[0]).toBe("rtmfp://[2001:db8::1]:2000");
    const good = ["a.example", "a:1", "1.2.3.4", "::1", "[::1]", "[::1]:5"];
    expect(good.filter(isPublicHost)).toEqual(good);
    expect(["", "a b", "a:0", "a:70000", "[zz]", "a/b"].filter(isPublicHost)).toEqual([]);
  });
});

describe("a rate", () => {
  it(...rfc("AMB-20"), "lets a burst through, then so many per second, for each name", () => {
    const rate = new TokenBuckets({ perSecond: 10, burst: 3 }, 2);
    const allowed = (now: number, name: string): number => [1, 2, 3, 4, 5].filter(() => rate.allow(now, name)).length;
    expect([allowed(0, "a"), allowed(0, "b"), allowed(0, "a")]).toEqual([3, 3, 0]);
    expect(allowed(200, "a")).toBe(2);
    // A third name takes the place of the first.
    expect([allowed(200, "c"), allowed(200, "a")]).toEqual([3, 3]);
  });
});

describe("a reporter", () => {
  it("writes JSON to stdout, or lines to stderr, from the level asked for", () => {
    for (const json of [true, false]) {
      const out: string[] = [];
      const err: string[] = [];
      const output = {
        out: (line: string) => void out.push(line),
        err: (line: string) => void err.push(line),
        now: () => 0,
      };
      const reporter = new Reporter(json, "info", output);
      reporter.event("listening", { urls: ["x"] }, "serving x");
      reporter.log({ level: "info", event: "connect", fields: { client: "a", outcome: "accepted" } });
      reporter.log({ level: "debug", event: "introduction", fields: {} });
      reporter.log({ level: "warn", event: "keys", fields: { message: "gone" } });
      if (json) {
        expect(err).toEqual([]);
        expect(out.map((line) => JSON.parse(line))).toEqual([
          { event: "listening", ts: 0, urls: ["x"] },
          { event: "connect", ts: 0, level: "info", client: "a", outcome: "accepted" },
          { event: "keys", ts: 0, level: "warn", message: "gone" },
        ]);
      } else {
        expect(out).toEqual([]);
        expect(err).toEqual(["serving x", "00:00:00 connect client=a outcome=accepted", "00:00:00 warn: keys gone"]);
      }
    }
  });

  it("quotes what has spaces, so that programs can read the lines too", () => {
    const err: string[] = [];
    const reporter = new Reporter(false, "info", { out: () => {}, err: (line) => void err.push(line), now: () => 0 });
    reporter.log({ level: "info", event: "introduction", fields: { next: 'say "hi"', requests: 1 } });
    expect(err).toEqual(['00:00:00 introduction next="say \\"hi\\"" requests=1']);
  });

  it("keeps what clients say to one line, and from the terminal", () => {
    const err: string[] = [];
    const reporter = new Reporter(false, "info", { out: () => {}, err: (line) => void err.push(line), now: () => 0 });
    reporter.log({ level: "info", event: "play", fields: { stream: "a\n00:00:00 keys \u001b[2J\u202eé" } });
    reporter.log({ level: "error", event: "application", fields: { message: "a\rb" } });
    expect(err).toEqual([
      '00:00:00 play stream="a\\\\u{a}00:00:00 keys \\\\u{1b}[2J\\\\u{202e}é"',
      "00:00:00 error: application a\\u{d}b",
    ]);
  });
});

describe("a server", () => {
  it("refuses settings that make no sense, in one line", async () => {
    expect(() => createServer({ public: "a b" })).toThrow(/expected a public HOST/);
    expect(() => createServer({ keys: { file: "/nowhere/keys" } })).toThrow(/key file/);
    const server = createServer({ host: "127.0.0.1", port: 0 });
    server.application("lobby", () => ({}));
    expect(() => server.application("lobby", () => ({}))).toThrow(/defined already/);
    expect(() => server.application("a/b", () => ({}))).toThrow(/expected an application's name/);
    await expect(createServer({ port: 70_000 }).listen()).rejects.toThrow(/expected a port/);
    await server.listen();
    await expect(server.listen()).rejects.toThrow(/listens once/);
    await server.close();
    await server.close();
  });
});
