import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NetConnection, NetStream } from "rtmfp-client";
import { type Client, createServer, Reject, type Server } from "rtmfp-server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runHere } from "../../packages/rtmfp-client/test/support/run-here.ts";

const SAMPLE = fileURLToPath(new URL("../fixtures/sample-h264-aac.flv", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "rtmfp-client-"));
const servers: Server[] = [];
const clients = new Set<Client>();
let port = 0;
let introducer = "";
let fingerprint = "";

/** Expects exit code and the last line on stderr, before which come only lines of the command's progress. */
async function expectFailure(code: number, line: string | RegExp, ...args: string[]): Promise<void> {
  const told = await runHere(...args);
  const last = told.lines.at(-1)?.replace(/^rtmfp-client: /, "") ?? "";
  if (typeof line === "string") expect(last).toBe(line);
  else expect(last).toMatch(line);
  expect([told.code, told.stdout]).toEqual([code, ""]);
  expect(told.lines.slice(0, -1).filter((other) => !/^(publishing|playing) /.test(other))).toEqual([]);
}

const url = (path: string, host = "127.0.0.1"): string => `rtmfp://${host}:${port}/${path}`;

beforeAll(async () => {
  const server = createServer({ host: "127.0.0.1", port: 0 });
  server.application("open", () => ({
    onConnect(client) {
      clients.add(client);
      client.expose({ add: (a, b) => Number(a) + Number(b), never: () => new Promise(() => {}) });
    },
  }));
  server.application("moved", () => ({
    onConnect() {
      throw Reject.redirect("rtmfp://elsewhere.example/open");
    },
  }));
  server.application("members", () => ({
    onConnect() {
      throw new Reject("members only");
    },
  }));
  const listening = await server.listen();
  ({ fingerprint } = listening);
  port = listening.addresses[0]?.port ?? 0;
  const other = createServer({ host: "127.0.0.1", port: 0, introduceOnly: true });
  introducer = `${(await other.listen()).url}/key`;
  servers.push(server, other);
});

afterEach(() => clients.clear());

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

describe("rtmfp-client says in one line what failed", () => {
  it("when the server refuses, or sends its clients elsewhere", async () => {
    await expectFailure(1, "Connection failed: members only", "call", url("members"), "x");
    const elsewhere = 'the server sends its clients to "rtmfp://elsewhere.example/open": try that URL';
    await expectFailure(1, elsewhere, "call", url("moved"), "x");
    const pin = `no RTMFP answer from 127.0.0.1:${port} within 0.5 s by a server with that fingerprint`;
    await expectFailure(1, pin, "call", url("open"), "x", "--timeout", "0.5", "--fingerprint", "01".repeat(32));
    await expectFailure(1, /^This server only introduces peers/, "publish", introducer, "cam", SAMPLE);
    await expectFailure(1, /^This server only introduces peers/, "play", introducer, "cam");
  });

  it("when a name is taken, or not one that the server takes", async () => {
    const long = "a".repeat(1_025);
    const rule = "The name of a stream has 1 to 1024 characters";
    const refusal = `${url("open")} refuses the name "${long}": ${rule}; choose another name`;
    await expectFailure(1, refusal, "publish", url("open"), long, SAMPLE);
    await expectFailure(1, `${rule}.`, "play", url("open"), long);
  });

  it("when a call fails, or is not answered in time", async () => {
    await expectFailure(1, "Method not found (nothing).", "call", url("open"), "nothing");
    // It is the time for the connection, too.
    const late = 'the server did not answer "never" within 2 s';
    await expectFailure(1, late, "call", url("open"), "never", "--timeout", "2");
    expect(await runHere("call", url("open"), "add", "2", "3", "--fingerprint", fingerprint)).toEqual({
      code: 0,
      stdout: "5\n",
      lines: [],
    });
  });

  it("when the connection ends under a publisher, and under a player", async () => {
    const leave = async (): Promise<void> => {
      await expect.poll(() => clients.size).toBe(1);
      const [client] = clients;
      await expect.poll(() => client?.app.streams.streams.size).toBe(1);
      await client?.close();
    };
    const publishing = expectFailure(
      1,
      "the server connection ended, before the last tag was sent",
      ...["publish", url("open"), "cam", SAMPLE, "--loop"],
    );
    await Promise.all([publishing, leave()]);
    clients.clear();
    const playing = expectFailure(
      1,
      'the server connection ended; received 0 tags of "cam" before',
      "play",
      url("open"),
      "cam",
    );
    await Promise.all([playing, leave()]);
  });

  it("why the server has ended the connection, where it says so", async () => {
    const playing = expectFailure(
      1,
      'the server ended the connection (Enough for today); received 0 tags of "cam" before',
      ...["play", url("open"), "cam"],
    );
    await expect.poll(() => [...clients].map((client) => client.app.streams.streams.size)).toEqual([1]);
    await [...clients][0]?.end("NetConnection.Connect.Rejected", "Enough for today.");
    await playing;
  });

  it("when the server takes the stream from its publisher", async () => {
    const connection = new NetConnection();
    await connection.connect(url("open"));
    await new NetStream(connection).publish("cam");
    const [publisher] = clients;
    const playing = expectFailure(
      1,
      'the server has ended the publisher\'s stream; received 0 tags of "cam" before: ask whoever runs the server',
      ...["play", url("open"), "cam"],
    );
    await expect.poll(() => publisher?.app.streams.streams.get("cam")?.subscriptions.size).toBe(1);
    await publisher?.close();
    await playing;
    await connection.close();
  });

  it("when a file cannot be read or written", async () => {
    const text = join(folder, "text.flv");
    writeFileSync(text, "no tags");
    await expectFailure(1, /^cannot read ".*text\.flv": /, "publish", url("open"), "cam", text);
    await expectFailure(
      1,
      /^cannot read ".*": it is a folder; name a file in it$/,
      "publish",
      url("open"),
      "cam",
      folder,
    );
    await expectFailure(1, /^the identity file ".*text\.flv"/, "call", url("open"), "x", "--identity", text);
    await expectFailure(
      1,
      /^cannot write the trace ".*"/,
      "call",
      url("open"),
      "x",
      "--trace",
      join(folder, "no", "t"),
    );
  });
});

describe("rtmfp-client", () => {
  it("reaches an IPv4 server by its IPv4-mapped IPv6 address", async () => {
    const told = await runHere("call", url("open", "[::ffff:127.0.0.1]"), "add", "1", "1");
    expect(told).toEqual({ code: 0, stdout: "2\n", lines: [] });
  });

  it("takes wrong usage with exit code 2 before it connects", async () => {
    for (const [args, line] of [
      [["publish", url("open"), "cam"], /^missing required argument 'file'; see --help$/],
      [["play", url("open"), "cam", "--timeout", "0"], /Expected a number of seconds above 0/],
      [["play", "rtmfp://127.0.0.1:99999/", "cam"], /is not an rtmfp URI: port 99999 is not a number from 1 to 65535$/],
      [["play", "rtmfp://[::ffff:1.2.3]/", "cam"], /is not an rtmfp URI: .* is not an IPv6 address$/],
      [["call", url("open"), "x", "--frobnicate"], /^unknown option '--frobnicate'; see --help$/],
      [["publish", url("open"), "cam", "-", "--loop"], /^--loop needs a file/],
      [
        ["publish", url("open"), "", SAMPLE],
        /'' is invalid for argument 'stream'\. A name has a character or more; see/,
      ],
      [["play", url("open"), ""], /A name has a character or more; see --help$/],
      [["call", url("open"), ""], /'' is invalid for argument 'method'/],
    ] as const)
      await expectFailure(2, line, ...args);
  });
});
