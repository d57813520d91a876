import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openUdpCarrier } from "rtmfp-core";
import { afterEach, describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { RunningCommand } from "./support/command.ts";
import { TestClient } from "./support/test-client.ts";

const running = new Set<RunningCommand>();

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, name?: string): RunningCommand {
  const command = new RunningCommand(args, env, name);
  running.add(command);
  void command.ended.then(() => running.delete(command));
  return command;
}

function serve(...args: string[]): RunningCommand {
  return run(["--host", "127.0.0.1", "--port", "0", "--json", ...args]);
}

async function addressOf(command: RunningCommand): Promise<string> {
  const { urls } = (await command.event("listening")) as { urls: string[] };
  return String(urls[0]).replace("rtmfp://", "");
}

async function connect(address: string, app: string): Promise<{ client: TestClient; code: unknown }> {
  const client = await TestClient.open(await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]), address);
  return { client, code: (await client.connect(app))["code"] };
}

/** The messages of the log about the configuration, so far. */
function configMessages(command: RunningCommand): unknown[] {
  return command.events.filter(({ event }) => event === "config").map(({ message }) => message);
}

afterEach(async () => {
  for (const command of running) command.signal("SIGKILL");
  await Promise.all([...running].map(({ ended }) => ended));
});

/** Puts another file in the place of this one, so that nobody reads half of it. */
function replace(path: string, config: unknown): void {
  writeFileSync(`${path}.new`, JSON.stringify(config));
  renameSync(`${path}.new`, path);
}

const folder = (): string => mkdtempSync(join(tmpdir(), "rtmfp-operation-"));
const ACCEPTED = "NetConnection.Connect.Success";

describe("a server in operation", () => {
  it("serves HTTP where it is told, and says so", async () => {
    const command = serve("--http", "0");
    const { http } = (await command.event("listening")) as { http: string };
    expect(http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const { client } = await connect(await addressOf(command), "key");
    const { items } = (await (await fetch(`${http}/api/clients`)).json()) as { items: { id: string }[] };
    expect(items.map(({ id }) => id)).toEqual([client.peerId]);
    await client.close();
    command.signal("SIGTERM");
    expect((await command.ended).code).toBe(0);
    await expect(fetch(`${http}/api/health`)).rejects.toThrow();
  }, 60_000);

  it("ends with one line when the port for HTTP is taken or needs a token", async () => {
    const tcp = createTcpServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = tcp.address() as { port: number };
    const [busy, open, short] = await Promise.all([
      serve("--http", String(port)).ended,
      serve("--http", "0.0.0.0:0").ended,
      run(["--host", "127.0.0.1", "--port", "0", "--http", "0.0.0.0:0"], { RTMFP_HTTP_TOKEN: "short" }).ended,
    ]);
    tcp.close();
    for (const [outcome, pattern] of [
      [busy, /TCP 127\.0\.0\.1:\d+: the port is in use; choose another with --http/],
      [open, /needs a token: RTMFP_HTTP_TOKEN=\$\(openssl rand -hex 32\) rtmfp-server/],
      [short, /at least 16 characters/],
    ] as const) {
      expect(outcome).toMatchObject({ code: 1, out: "" });
      expect(outcome.err).toMatch(pattern);
      expect(outcome.err).toMatch(/^rtmfp-server: [^\n]+\n$/);
    }
  }, 60_000);

  it("asks for the token of the environment beyond loopback", async () => {
    const token = "0123456789abcdef";
    const command = run(["--host", "127.0.0.1", "--port", "0", "--json", "--http", "0.0.0.0:0"], {
      RTMFP_HTTP_TOKEN: token,
    });
    const { http } = (await command.event("listening")) as { http: string };
    const url = `${http.replace("0.0.0.0", "127.0.0.1")}/metrics`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  }, 60_000);

  it(
    ...rfc("O-5"),
    "is configured by a file, and a wrong one ends it with one line",
    async () => {
      const path = join(folder(), "config.json");
      writeFileSync(path, JSON.stringify({ host: "127.0.0.1", port: "none" }));
      const wrong = await run(["--config", path]).ended;
      expect(wrong).toMatchObject({ code: 1, out: "" });
      expect(wrong.err).toMatch(/^rtmfp-server: \S+config\.json: port: expected a port from 0 to 65535, got "none"\n$/);
      const config = { host: "127.0.0.1", port: 0, http: "off", json: true, keys: "none", apps: { live: {} } };
      writeFileSync(path, JSON.stringify(config));
      const address = await addressOf(run(["--config", path]));
      expect((await connect(address, "live")).code).toBe(ACCEPTED);
      expect((await connect(address, "other")).code).toBe("NetConnection.Connect.InvalidApp");
    },
    60_000,
  );

  it(
    ...rfc("O-5"),
    "reads its configuration again at SIGHUP, and when it changes, and disconnects nobody",
    async () => {
      const path = join(folder(), "config.json");
      const base = { host: "127.0.0.1", port: 0, http: "off", json: true };
      replace(path, { ...base, limits: { maxClients: 1 } });
      const command = run(["--config", path]);
      const address = await addressOf(command);
      const first = await connect(address, "key");
      expect(first.code).toBe(ACCEPTED);
      expect((await connect(address, "key")).code).toBe("NetConnection.Connect.Rejected");
      // What the watcher of the file has seen, the signal finds no longer new, and the other way round: both say so.
      replace(path, { ...base, limits: { maxClients: 2 } });
      command.signal("SIGHUP");
      await command.event("config");
      expect(configMessages(command)[0]).toMatch(/read again: limits/);
      const second = await connect(address, "key");
      expect(second.code).toBe(ACCEPTED);
      expect((await connect(address, "key")).code).toBe("NetConnection.Connect.Rejected");
      replace(path, { ...base, port: "oops" });
      await command.until(() => configMessages(command).some((message) => String(message).includes("known last hold")));
      replace(path, { ...base, port: 7 });
      await command.until(() => configMessages(command).some((message) => String(message).includes("a restart: port")));
      expect((await connect(address, "key")).code).toBe(ACCEPTED);
      for (const { client } of [first, second]) expect((await client.call("createStream")).name).toBe("_result");
    },
    60_000,
  );

  it(
    ...rfc("F-17", "O-6"),
    "gives notice at SIGTERM, then closes; a second signal ends it at once",
    async () => {
      const command = serve("--http", "off");
      const { client } = await connect(await addressOf(command), "key");
      command.signal("SIGTERM");
      await client.status("NetConnection.Shutdown.Notify");
      await client.status("NetConnection.Connect.AppShutdown");
      expect((await command.ended).code).toBe(0);
      const path = join(folder(), "config.json");
      writeFileSync(path, JSON.stringify({ shutdownNoticeMs: 600_000 }));
      const patient = serve("--http", "off", "--config", path);
      const other = await connect(await addressOf(patient), "key");
      patient.signal("SIGINT");
      await other.client.status("NetConnection.Shutdown.Notify");
      patient.signal("SIGINT");
      expect((await patient.ended).code).toBe(0);
      await other.client.close();
    },
    60_000,
  );

  it(
    ...rfc("F-17"),
    "closes clients that do nothing, after the time that is set",
    async () => {
      const command = serve("--http", "off", "--idle-timeout", "1");
      const { client } = await connect(await addressOf(command), "key");
      await client.status("NetConnection.Connect.IdleTimeout");
      expect(await command.event("disconnect")).toMatchObject({ client: `${client.peerId.slice(0, 8)}…` });
      await client.close();
    },
    60_000,
  );

  it(
    ...rfc("O-1"),
    "restarts under its clients with the identity and port that they know",
    async () => {
      const identity = join(folder(), "identity");
      const first = serve("--http", "off", "--identity", identity);
      const address = await addressOf(first);
      const { fingerprint } = await first.event("listening");
      const { client } = await connect(address, "key");
      first.signal("SIGKILL");
      await first.ended;
      const [, port] = address.split(":") as [string, string];
      const again = run(["--host", "127.0.0.1", "--port", port, "--http", "off", "--json", "--identity", identity]);
      expect((await again.event("listening"))["fingerprint"]).toBe(fingerprint);
      const returned = await connect(address, "key");
      expect(returned.code).toBe(ACCEPTED);
      expect(returned.client.session.peerId).toBe(fingerprint);
      await Promise.all([client.close(), returned.client.close()]);
      const text = await run(["--host", "127.0.0.1", "--port", "0", "--http", "off", "--identity", identity]).stderr(
        /next:/,
      );
      expect(text).toContain(`with fingerprint ${fingerprint}; next:`);
      expect(readFileSync(identity, "utf8").length).toBeGreaterThan(100);
    },
    60_000,
  );

  it(
    ...rfc("C-4"),
    "refuses publish and play where it only introduces",
    async () => {
      const command = serve("--http", "off", "--introduce-only");
      const { client } = await connect(await addressOf(command), "key");
      for (const [method, code] of [
        ["publish", "NetStream.Publish.Denied"],
        ["play", "NetStream.Play.Failed"],
      ] as const) {
        client.command(await client.createStream(), method, ["cam"]);
        await client.status(code);
      }
      await client.close();
    },
    60_000,
  );

  it(
    ...rfc("C-9"),
    "tells rtmfp-client check what this network allows, in words and as JSON",
    async () => {
      const address = await addressOf(serve("--http", "off"));
      const [words, json, none] = await Promise.all([
        run(["check", `rtmfp://${address}`], {}, "rtmfp-client").ended,
        run(["check", `rtmfp://${address}/check`, "--json"], {}, "rtmfp-client").ended,
        run(["check", `rtmfp://${address}/other`, "--timeout", "5"], {}, "rtmfp-client").ended,
      ]);
      expect(words).toMatchObject({ code: 0, err: "" });
      expect(words.out).toMatch(
        /^the server sees you at 127\.0\.0\.1:\d+, on its own host\npackets from another port of the server: let in\n/,
      );
      expect(words.out).toMatch(/\nverdict: peers can reach you directly\n$/);
      const [line, ...more] = json.out.trimEnd().split("\n");
      expect(more).toEqual([]);
      expect(JSON.parse(line as string)).toMatchObject({
        event: "check",
        publicAddress: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        receiveSameAddressDifferentPortAllowed: true,
        verdict: "peers can reach you directly",
      });
      expect(none).toMatchObject({ code: 1, out: "" });
      expect(none.err).toMatch(/^rtmfp-client: [^\n]+\/other tells no results: it has no connectivity check\n$/);
    },
    60_000,
  );
});
