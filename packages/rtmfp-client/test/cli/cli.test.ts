import { readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeFlv, encodeFlv, encodeFlvHeader } from "rtmfp-core/flv";
import { describe, expect, vi } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { main } from "../../src/cli.ts";
import { NetStream } from "../../src/index.ts";
import { command, commandWith } from "../support/command.ts";
import { connectTo, expectSame, makeServer, SAMPLE, TAGS } from "../support/connections.ts";
import { makeFolder } from "../support/folder.ts";
import { type RunHere, runHere } from "../support/run-here.ts";

const folder = await makeFolder();

/** A groupspec with streams, and one of which a server tells the members. */
const STREAMS = "G:0101020e6e00";
const BY_SERVER = "G:0101010c020e6e00";

/** The exit code and what people read, which is one line. */
function outcome({ code, stdout, lines }: RunHere): [number, string] {
  expect([stdout, lines]).toEqual(["", [expect.any(String)]]);
  return [code, lines[0]?.replace("rtmfp-client: ", "") ?? ""];
}

describe("rtmfp-client", () => {
  it("says in one line what failed and what to do, with exit code 1", async () => {
    const server = await makeServer();
    const { url } = server;
    const silent = await makeServer();
    await silent.close();
    const cut = join(folder, "cut.flv");
    await writeFile(cut, await readFile(SAMPLE));
    await truncate(cut, 50_000);
    const precious = join(folder, "precious.flv");
    await writeFile(precious, "a recording");
    const empty = join(folder, "empty.flv");
    await writeFile(empty, encodeFlvHeader());
    await new NetStream(await connectTo(server)).publish("taken");
    const nobody = "01".repeat(32);
    const where = new URL(silent.url).host;
    const cases: [string[], string | RegExp][] = [
      [
        ["publish", url, "cam", join(folder, "no.flv")],
        `cannot read "${join(folder, "no.flv")}": there is no such file; check the path`,
      ],
      [["publish", url, "cam", cut], /^cannot read ".*cut\.flv": the FLV stream is cut off at byte 50000, /],
      [["publish", url, "taken", SAMPLE], `"taken" is being published at ${url} already: choose another name`],
      [
        ["play", "rtmfp://no.such.name.invalid/x", "cam"],
        'the host name "no.such.name.invalid" cannot be resolved: check its spelling and the network',
      ],
      [["play", silent.url, "cam", "--timeout", "3"], `no RTMFP answer from ${where} within 3 s`],
      [
        ["play", url, "cam", "--peer", nobody, "--timeout", "3"],
        /^no answer from peer 010101010101… within 3 s: nobody with that id is connected to the server, /,
      ],
      [
        ["play", url, "cam", "--wait", "0.5"],
        `nobody publishes "cam" at ${url} (waited 0.5 s): start the publisher first, or wait longer with --wait`,
      ],
      [
        ["play", url, "cam", "--wait", "0.5", "-o", precious],
        `nobody publishes "cam" at ${url} (waited 0.5 s): start the publisher first, or wait longer with --wait`,
      ],
      [["publish", url, "cam", empty], `"${empty}" has no tags: there is nothing to publish; choose another file`],
      [
        ["call", url, "x", "--identity", join(folder, "no", "id")],
        `cannot write the identity file "${join(folder, "no", "id")}": its folder does not exist; make it, or check the path`,
      ],
      [["play", url, "missing"], /^nobody publishes "missing" at .*: check the name, or start the publisher$/],
    ];
    for (const [args, line] of cases) {
      const [code, told] = outcome(await runHere(...args));
      expect(told).toMatch(typeof line === "string" ? new RegExp(`^${literally(line)}$`) : line);
      expect(code).toBe(1);
    }
    expect(await readFile(precious, "utf8")).toBe("a recording");
  }, 60_000);

  it(...rfc("G-1"), "tells who is in a group, or that the server does not let it in", async () => {
    const { url } = await makeServer();
    const alone = await runHere("group", url, "info", "--group", STREAMS, "--wait", "0.5");
    expect([alone.code, alone.lines]).toEqual([0, []]);
    const lines = alone.stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("members     1, this one included");
    expect(lines[1]).toBe("neighbours  0");
    expect(lines.at(-1)).toBe("streams     none");
    const json = await runHere("group", url, "info", "--group", STREAMS, "--wait", "0.5", "--json");
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ event: "group", members: 1, neighbors: [], streams: [] });
    expect(await runHere("group", url, "info", "--group", BY_SERVER)).toEqual({
      code: 1,
      stdout: "",
      lines: ["rtmfp-client: the server does not let this client into the group"],
    });
    const refused = await runHere("publish", url, "cam", SAMPLE, "--group", BY_SERVER);
    expect(outcome(refused)).toEqual([1, "the server does not let this client into the group"]);
  });

  it("takes wrong usage with exit code 2", async () => {
    const url = "rtmfp://127.0.0.1:1/app";
    const cases: [string[], RegExp][] = [
      [["play", "http://127.0.0.1/", "cam"], /is not an rtmfp URI: it does not begin with rtmfp:$/],
      [["play", "rtmfp:", "cam"], /names no server/],
      [
        ["play", url, "cam", "--wait", "3000000"],
        /Expected a number of seconds above 0 and up to 2147483; see --help$/,
      ],
      [["play", url, "cam", "--timeout", "2147484"], /up to 2147483; see/],
      [["play", url, "cam", "--duration", "Infinity"], /up to 2147483; see/],
      [["play", url], /missing required argument 'stream'/],
      [["play", url, "cam", "--peer", "12"], /Expected 64 hex digits; see --help$/],
      [["publish", url, "cam", SAMPLE, "--wait", "2"], /it needs --p2p or --group$/],
      [
        ["play", url, "cam", "--group", "G:zz"],
        /"G:zz" is not a groupspec: after G: come pairs of hex digits; see --help$/,
      ],
      [["play", url, "cam", "--group", "G:020e6e"], /its end marker 00 is missing; see --help$/],
      [["play", url, "cam", "--group", "G:020e6e00"], /This group has no streams: multicast is not enabled/],
      [["play", url, "cam", "--group", STREAMS, "--peer", "01".repeat(32)], /--group and --peer are two ways/],
      [["publish", url, "cam", SAMPLE, "--group", STREAMS, "--p2p"], /--group and --p2p are two ways/],
      [["group", url, "info"], /required option '--group <spec>' not specified/],
      [["group", url, "post", "--group", STREAMS], /Allowed choices are info/],
      [["call", url, "m", "nojson"], /the argument nojson is not JSON/],
      [["frobnicate"], /unknown command 'frobnicate'/],
    ];
    for (const [args, line] of cases) {
      const told = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
      const code = await main(["node", "rtmfp-client", ...args]);
      const text = told.mock.calls.map(([chunk]) => String(chunk)).join("");
      told.mockRestore();
      expect(text.trimEnd()).toMatch(line);
      expect(text.split("\n")).toHaveLength(2);
      expect(code).toBe(2);
    }
  });

  it("names version and cryptography, and itself on --help", async () => {
    const version = command("--version");
    const noble = commandWith({ RTMFP_CRYPTO: "noble" }, "--version");
    const help = command("play", "--help");
    expect([await version.exit, await noble.exit, await help.exit]).toEqual([0, 0, 0]);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+ \(cryptography: node.*\)\n$/);
    expect(noble.stdout).toContain("(cryptography: noble)");
    expect(help.stdout).toContain("--duration");
  }, 60_000);

  it("publishes to peers and plays from them, through loss and delay", async () => {
    const server = await makeServer();
    const output = join(folder, "p2p.flv");
    const link = { RTMFP_TEST_LINK: "delay=5,loss=0.05,seed=3" };
    const short = join(folder, "short.flv");
    const bytes = await readFile(SAMPLE);
    const size = 13 + TAGS.slice(0, 120).reduce((sum, tag) => sum + 15 + tag.data.length, 0);
    await writeFile(short, bytes.subarray(0, size));
    const publisher = commandWith(link, "publish", server.url, "cam", short, "--p2p", "--wait", "1", "--json");
    const { peerId, stream } = await publisher.event("publishing");
    expect(stream).toBe("cam");
    const player = commandWith(link, "play", server.url, "cam", "--peer", String(peerId), "-o", output, "--json");
    expect([await player.exit, await publisher.exit]).toEqual([0, 0]);
    expectSame(decodeFlv(await readFile(output)), TAGS.slice(0, 120));
    const figures = { stream: "cam", tags: 120, bytes: size - 13 - 120 * 15 };
    expect(player.events.map(({ event }) => event)).toEqual(["playing", "done"]);
    expect(await player.event("done")).toMatchObject({ ...figures, fileBytes: size });
    expect(await publisher.event("done")).toMatchObject({ ...figures, delivered: 120, abandoned: 0 });
    expect(server.mediaMessages).toBe(0);
  }, 60_000);

  it("gives up what is late with --drop-late, and says how much, but for metadata and configuration", async () => {
    const server = await makeServer();
    const file = join(folder, "late.flv");
    await writeFile(file, encodeFlv(TAGS.slice(0, 60)));
    const slow = { RTMFP_TEST_LINK: "delay=1400" };
    const publisher = commandWith(slow, "publish", server.url, "late", file, "--drop-late", "--json");
    expect(await publisher.exit).toBe(0);
    expect(await publisher.event("done")).toMatchObject({ tags: 60, delivered: 3, abandoned: 57 });
  }, 60_000);

  it("plays from the server to stdout as FLV, events on stderr, for the time asked", async () => {
    const server = await makeServer();
    const cam = new NetStream(await connectTo(server));
    await cam.publish("cam");
    const player = command("play", server.url, "cam", "-o", "-", "--json", "--duration", "0.5");
    const feeding = cam.feed(forever());
    expect([await player.exit, player.stderr]).toEqual([0, expect.stringContaining("done")]);
    await cam.close();
    await feeding;
    const tags = decodeFlv(Buffer.from(player.stdout, "latin1"));
    expect(tags.length).toBeGreaterThan(5);
    const events = player.stderr.trim().split("\n");
    expect(events.map((line) => JSON.parse(line).event)).toEqual(["playing", "done"]);
  }, 60_000);

  it("ends in good order, and is content, when the reader of its stdout has had enough", async () => {
    const server = await makeServer();
    const cam = new NetStream(await connectTo(server));
    await cam.publish("cam");
    const media = command("play", server.url, "cam", "-o", "-", "--log-level", "error");
    const feeding = cam.feed(forever());
    media.child.stdout.once("data", () => media.child.stdout.destroy());
    expect(await media.exit).toBe(0);
    const other = command("play", server.url, "cam", "--json");
    other.child.stdout.destroy();
    expect(await other.exit).toBe(0);
    expect([media.stderr, other.stderr]).toEqual([expect.stringMatching(/^playing cam .*\n$/), ""]);
    expect(server.clients.map(({ tree }) => tree.end)).toEqual([undefined, "closed", "closed"]);
    await cam.close();
    await feeding;
  }, 60_000);

  it("ends in good order by signals, with 130 and 143", async () => {
    const server = await makeServer();
    const runs = [
      command("publish", server.url, "one", SAMPLE, "--loop", "--json"),
      command("publish", server.url, "two", SAMPLE, "--p2p", "--wait", "1", "--json"),
    ];
    await Promise.all(runs.map((run) => run.event("publishing")));
    runs[0]?.child.kill("SIGINT");
    runs[1]?.child.kill("SIGTERM");
    expect(await Promise.all(runs.map((run) => run.exit))).toEqual([130, 143]);
    expect(runs.map((run) => run.stderr)).toEqual(["", ""]);
    expect(server.clients.map(({ tree }) => tree.end)).toEqual(["closed", "closed"]);
  }, 60_000);

  it("ends in good order by a signal, or with its server, while standard input is quiet", async () => {
    const server = await makeServer();
    const runs = [
      command("publish", server.url, "one", "-", "--json"),
      command("publish", server.url, "two", "-", "--group", STREAMS, "--json"),
      command("publish", server.url, "three", "-", "--json"),
    ];
    for (const { child } of runs) child.stdin.write(encodeFlv(TAGS.slice(0, 20)));
    await Promise.all(runs.map((run) => run.event("publishing")));
    runs[0]?.child.kill("SIGINT");
    runs[1]?.child.kill("SIGTERM");
    expect(await Promise.all(runs.slice(0, 2).map((run) => run.exit))).toEqual([130, 143]);
    await server.close();
    expect(await runs[2]?.exit).toBe(1);
    expect(runs.map((run) => run.stderr)).toEqual(["", "", expect.stringMatching(/, before the last tag was sent\n$/)]);
  }, 60_000);

  it("ends at once by a second signal, however slow the way to the server is", async () => {
    const server = await makeServer();
    const slow = { RTMFP_TEST_LINK: "delay=1400" };
    const publisher = commandWith(slow, "publish", server.url, "cam", SAMPLE, "--loop", "--json", "--timeout", "60");
    await publisher.event("publishing");
    publisher.child.kill("SIGINT");
    publisher.child.kill("SIGTERM");
    // Two signals that are there at one time come in either order.
    expect([130, 143]).toContain(await publisher.exit);
    expect(publisher.stderr).toBe("");
    expect(server.clients.map(({ tree }) => tree.end)).toEqual([undefined]);
  }, 60_000);

  it("calls a method: the reply is JSON on stdout, an error one line", async () => {
    const server = await makeServer({
      onCall: ({ name, args }) => {
        if (name === "echo") return [...args];
        throw new Error(`no ${name} here`);
      },
    });
    const echo = command("call", server.url, "echo", '{"a":[1,null]}', '"x"');
    expect([await echo.exit, echo.stdout, echo.stderr]).toEqual([0, '[{"a":[1,null]},"x"]\n', ""]);
    expect(outcome(await runHere("call", server.url, "other"))).toEqual([1, "no other here"]);
  }, 60_000);

  it(
    ...rfc("R7425-5.3-01"),
    "keeps an identity in a file of its owner, or makes a legacy one",
    async () => {
      const server = await makeServer({ onCall: () => true });
      const file = join(folder, "identity.json");
      for (const identity of [file, file, "legacy"])
        expect(await command("call", server.url, "x", "--identity", identity).exit).toBe(0);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const [first, second, legacy] = server.clients.map(({ session }) => session);
      expect(second?.peerId).toBe(first?.peerId);
      expect(legacy?.security).toMatchObject({ group: 2, legacy: true });
    },
    60_000,
  );

  it("writes a trace that says what it holds", async () => {
    const server = await makeServer({ onCall: () => true });
    const file = join(folder, "trace.jsonl");
    const run = command("call", server.url, "x", "--trace", file);
    expect(await run.exit).toBe(0);
    expect(run.stderr).toContain("will hold the secrets");
    const lines = (await readFile(file, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.find(({ type }) => type === "session")).toMatchObject({
      dhSecret: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(lines.filter(({ type }) => type === "packet").length).toBeGreaterThan(5);
  }, 60_000);
});

/** One small tag every 20 ms. */
function* forever(): Generator<{ type: "audio"; timestamp: number; data: Uint8Array }> {
  for (let timestamp = 0; ; timestamp += 20) yield { type: "audio", timestamp, data: new Uint8Array([0x2f, 1]) };
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
