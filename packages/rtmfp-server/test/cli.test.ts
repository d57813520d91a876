import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openUdpCarrier } from "rtmfp-core";
import { afterEach, describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { RunningCommand } from "./support/command.ts";
import { TestClient } from "./support/test-client.ts";

const running = new Set<RunningCommand>();

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const command = new RunningCommand(args, env);
  running.add(command);
  void command.ended.then(() => running.delete(command));
  return command;
}

function serve(...args: string[]): RunningCommand {
  return run(["--host", "127.0.0.1", "--port", "0", "--http", "off", "--json", ...args]);
}

async function connect(command: RunningCommand, app: string): Promise<{ client: TestClient; code: unknown }> {
  const { urls } = (await command.event("listening")) as { urls: string[] };
  const address = String(urls[0]).replace("rtmfp://", "");
  const client = await TestClient.open(await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]), address);
  return { client, code: (await client.connect(app))["code"] };
}

afterEach(async () => {
  for (const command of running) command.signal("SIGKILL");
  await Promise.all([...running].map(({ ended }) => ended));
});

const folder = (): string => mkdtempSync(join(tmpdir(), "rtmfp-server-"));

describe("rtmfp-server", () => {
  it("says its version and its cryptography, and helps", async () => {
    const [node, noble, help] = await Promise.all([
      run(["--version"]).ended,
      run(["--version"], { RTMFP_CRYPTO: "noble" }).ended,
      run(["--help"]).ended,
    ]);
    expect(node).toMatchObject({ code: 0, err: "" });
    expect(node.out).toMatch(/^\d+\.\d+\.\d+ \(cryptography: node.*\)\n$/);
    expect(noble.out).toMatch(/\(cryptography: noble\)\n$/);
    expect(help.code).toBe(0);
    for (const option of [
      "--host",
      "--public",
      "--http",
      "--keys",
      "--introduce-only",
      "--identity",
      "--config",
      "serve, token or health",
    ])
      expect(help.out).toContain(option);
  });

  it("answers wrong usage with one line and exit code 2", async () => {
    const lines: readonly (readonly [string[], RegExp])[] = [
      [["--port", "70000"], /--port.*Expected a port from 0 to 65535/],
      [["--http", "on"], /--http.*Expected PORT, HOST:PORT/],
      [["--check-port", "x"], /--check-port.*Expected a port/],
      [["--idle-timeout", "-1"], /--idle-timeout.*Expected seconds/],
      [["--host", "nope"], /--host.*Expected an IP address/],
      [["--host", "127.0.0.1", "--host", "localhost"], /'localhost'.*Expected an IP address/],
      [["--public", "a b"], /--public.*Expected HOST or HOST:PORT/],
      [["--log-level", "loud"], /--log-level.*error, warn, info, debug/],
      [["--frobnicate"], /unknown option '--frobnicate'/],
      [["publish"], /The commands are serve, token and health/],
      [["serve", "more"], /too many arguments/],
    ];
    const outcomes = await Promise.all(lines.map(([args]) => run(args).ended));
    for (const [i, [, pattern]] of lines.entries()) {
      expect(outcomes[i]?.code).toBe(2);
      expect(outcomes[i]?.out).toBe("");
      expect(outcomes[i]?.err).toMatch(pattern);
      expect(outcomes[i]?.err).toMatch(/^rtmfp-server: [^\n]+[^.]; see --help\n$/);
    }
  }, 60_000);

  it("answers what fails with one line that says what to do, and exit code 1", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const junk = join(folder(), "identity");
    writeFileSync(junk, "not an identity");
    const outcomes = await Promise.all([
      run(["--host", "127.0.0.1", "--port", String(socket.address().port)]).ended,
      serve("--keys", "/nowhere/keys").ended,
      serve("--identity", junk).ended,
      serve("--identity", "/nowhere/identity").ended,
      serve("--trace", "/nowhere/trace").ended,
    ]);
    socket.close();
    const patterns = [/port is in use/, /key file/, /not JSON/, /identity file.*make it/, /trace file.*make it/];
    for (const [i, pattern] of patterns.entries()) {
      expect(outcomes[i]).toMatchObject({ code: 1, out: "" });
      expect(outcomes[i]?.err).toMatch(pattern);
      expect(outcomes[i]?.err).toMatch(/^rtmfp-server: [^\n]+\n$/);
    }
  }, 60_000);

  it("tells once where it listens, and stops cleanly at SIGINT and SIGTERM", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const command = serve();
      const listening = await command.event("listening");
      expect(listening["ts"]).toBeTypeOf("number");
      expect(listening["fingerprint"]).toMatch(/^[0-9a-f]{64}$/);
      expect(listening["urls"]).toEqual([expect.stringMatching(/^rtmfp:\/\/127\.0\.0\.1:\d+$/)]);
      command.signal(signal);
      expect((await command.ended).code).toBe(0);
      expect(command.events.map(({ event }) => event)).toEqual(["listening", "stats"]);
    }
  });

  it("goes on when nobody reads its log", async () => {
    const command = serve();
    const { client } = await connect(command, "key");
    command.closeOutput();
    await client.close();
    const { urls } = (await command.event("listening")) as { urls: string[] };
    for (let i = 0; i < 3; i++) {
      const next = await TestClient.open(
        await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]),
        String(urls[0]).replace("rtmfp://", ""),
      );
      expect((await next.connect("key"))["code"]).toBe("NetConnection.Connect.Success");
      await next.close();
    }
    command.signal("SIGTERM");
    expect(await command.ended).toMatchObject({ code: 0, err: "" });
  });

  it("speaks to people on stderr, and tells them the next command", async () => {
    const command = run(["serve", "--host", "127.0.0.1", "--port", "0", "--http", "off"]);
    await command.stderr(/serving rtmfp:\/\/127\.0\.0\.1:\d+; next: rtmfp-client publish rtmfp:.*\n/);
    command.signal("SIGTERM");
    const { code, out, err } = await command.ended;
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toMatch(/relayed 0 media messages/);
  });

  it("listens on every host named, and shows the public one first", async () => {
    const command = run([
      "--host",
      "127.0.0.1",
      "--host",
      "127.0.0.2",
      "--port",
      "0",
      "--http",
      "off",
      "--json",
      "--public",
      "rtmfp.example",
    ]);
    const { urls } = (await command.event("listening")) as { urls: string[] };
    expect(urls[0]).toMatch(/^rtmfp:\/\/rtmfp\.example:\d+$/);
    expect(urls[1]).toMatch(/^rtmfp:\/\/127\.0\.0\.1:\d+$/);
    expect(urls[2]).toMatch(/^rtmfp:\/\/127\.0\.0\.2:\d+$/);
  });

  it("logs what happens, and tells its counts at SIGUSR2", async () => {
    const command = serve();
    const { client, code } = await connect(command, "key");
    expect(code).toBe("NetConnection.Connect.Success");
    const id = await client.publish("cam");
    client.media(id, "video", 0, new Uint8Array(1_000));
    await client.call("createStream");
    expect(await command.event("publish")).toMatchObject({ level: "info", stream: "cam", outcome: "started" });
    command.signal("SIGUSR2");
    expect(await command.event("stats")).toMatchObject({ clients: 1, mediaMessages: 1, mediaBytes: 1_000 });
    await client.close();
    expect(await command.event("disconnect")).toMatchObject({ client: `${client.peerId.slice(0, 8)}…` });
  });

  it(...rfc("C-1"), "takes the keys of a file, and reads it again when it changes, dropping nobody", async () => {
    const keys = join(folder(), "keys");
    writeFileSync(keys, "# keys of ours\none  for Alice\n");
    const command = serve("--keys", keys);
    const one = await connect(command, "one");
    expect(one.code).toBe("NetConnection.Connect.Success");
    const two = await connect(command, "two");
    expect(two.code).toBe("NetConnection.Connect.Failed");
    writeFileSync(keys, "two\n");
    const again = await connect(command, "two");
    expect(again.code).toBe("NetConnection.Connect.Success");
    const late = await connect(command, "one");
    expect(late.code).toBe("NetConnection.Connect.Failed");
    expect((await one.client.call("createStream")).args).toEqual([1]);
    await Promise.all([one, two, again, late].map(({ client }) => client.close()));
  });

  it("keeps its fingerprint in a file that only its owner can read", async () => {
    const identity = join(folder(), "identity");
    const first = serve("--identity", identity);
    const { fingerprint } = await first.event("listening");
    expect(statSync(identity).mode & 0o777).toBe(0o600);
    first.signal("SIGTERM");
    await first.ended;
    expect((await serve("--identity", identity).event("listening"))["fingerprint"]).toBe(fingerprint);
  });

  it("serves over a bad network when the environment asks for one", async () => {
    const command = run(["--host", "127.0.0.1", "--port", "0", "--http", "off", "--json"], {
      RTMFP_TEST_LINK: "delay=5,seed=3",
    });
    const { client, code } = await connect(command, "key");
    expect(code).toBe("NetConnection.Connect.Success");
    expect((await client.call("createStream")).args).toEqual([1]);
    await client.close();
    const bad = await run(["--port", "0"], { RTMFP_TEST_LINK: "slow" }).ended;
    expect(bad).toMatchObject({ code: 1, out: "" });
    expect(bad.err).toMatch(/^rtmfp-server: expected a link such as [^\n]+\n$/);
  });

  it("writes a trace with the secrets of its sessions", async () => {
    const trace = join(folder(), "trace");
    const command = serve("--trace", trace);
    const { client } = await connect(command, "key");
    await client.close();
    command.signal("SIGTERM");
    expect((await command.ended).code).toBe(0);
    expect(command.events.find(({ event }) => event === "trace")?.["message"]).toMatch(/secrets/);
    expect(statSync(trace).mode & 0o777).toBe(0o600);
    const types = readFileSync(trace, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { type?: string }).type);
    expect(new Set(types)).toEqual(new Set([undefined, "packet", "session"]));
  });
});
