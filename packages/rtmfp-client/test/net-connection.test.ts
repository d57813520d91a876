import { type AmfValue, encodeUserControl, namedValues } from "rtmfp-core/tc";
import { describe, expect, vi } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { NetConnection, Responder, type StatusEvent } from "../src/index.ts";
import { closing, connectTo, makeServer } from "./support/connections.ts";

describe("NetConnection.connect", () => {
  it(
    ...rfc("R7425-5.3.1-02", "R7425-5.3.2-03", "R7425-5.3.3-01", "R7425-5.3.3-02", "AMB-66"),
    "sends connect and, after its success, setPeerInfo",
    async () => {
      const server = await makeServer({ onCall: () => true });
      const alice = closing(new NetConnection());
      const events: string[] = [];
      alice.on("status", ({ code }) => events.push(code));
      const event = await alice.connect(server.url, "anna", 7);
      expect(event).toMatchObject({ code: "NetConnection.Connect.Success", level: "status" });
      expect(events).toEqual(["NetConnection.Connect.Success"]);
      await alice.call("sync", null);
      const [connect, peerInfo] = server.clients[0]?.commands ?? [];
      expect(connect).toMatchObject({ name: "connect", transactionId: 1, args: ["anna", 7] });
      expect(namedValues(connect?.commandObject)).toMatchObject({
        app: "app/room",
        tcUrl: server.url,
        fpad: false,
        objectEncoding: 0,
      });
      expect(peerInfo).toMatchObject({ name: "setPeerInfo", transactionId: 0, commandObject: null });
      for (const address of peerInfo?.args ?? []) expect(address).toMatch(/^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):\d+$/);
      expect(server.clients[0]?.flows[0]?.metadata).toEqual(new Uint8Array([0x54, 0x43, 4, 0]));
      expect(server.clients[0]?.flows[0]?.answers).toBeUndefined();
    },
  );

  it(...rfc("R7425-5.3.3-08", "R7425-5.3.3-09"), "speaks AMF3 when both ends agree on it", async () => {
    const server = await makeServer({ onCall: ({ args }) => args[0] });
    const alice = closing(new NetConnection());
    alice.objectEncoding = 3;
    await alice.connect(server.url);
    expect(alice.objectEncoding).toBe(3);
    expect(await alice.call("echo", null, { bytes: new Uint8Array([1, 2]) })).toEqual({
      bytes: new Uint8Array([1, 2]),
    });
  });

  it("rejects with the server's reason", async () => {
    const server = await makeServer({ onConnect: () => "members only" });
    const alice = closing(new NetConnection());
    const events: StatusEvent[] = [];
    alice.on("status", (event) => events.push(event));
    await expect(alice.connect(server.url)).rejects.toMatchObject({
      code: "NetConnection.Connect.Rejected",
      message: "members only",
    });
    expect(events.map(({ code }) => code)).toEqual(["NetConnection.Connect.Rejected"]);
    expect(alice.connected).toBe(false);
  });

  it(...rfc("C-2"), "says in one line that nobody answers, after the time given", async () => {
    const silent = await makeServer();
    const { url } = silent;
    await silent.close();
    const alice = new NetConnection({ timeoutMs: 300 });
    const events: StatusEvent[] = [];
    alice.on("status", (event) => events.push(event));
    const where = new URL(url).host;
    await expect(alice.connect(url)).rejects.toMatchObject({
      code: "NetConnection.Connect.Failed",
      message: `no RTMFP answer from ${where} within 0.3 s`,
    });
    expect(events).toMatchObject([{ code: "NetConnection.Connect.Failed", level: "error" }]);
  });

  it("says what is wrong with a name, a URL or a time", async () => {
    await expect(new NetConnection().connect("rtmfp://no.such.name.invalid/app")).rejects.toMatchObject({
      code: "NetConnection.Connect.Failed",
      message: expect.stringContaining('the host name "no.such.name.invalid" cannot be resolved'),
    });
    await expect(new NetConnection().connect("http://host/")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    for (const timeoutMs of [Number.NaN, -1])
      expect(() => new NetConnection({ timeoutMs })).toThrow(`expected a time of 0 ms or more, got ${timeoutMs}`);
  });

  it("says what is wrong with a limit or an encoding", async () => {
    const nc = new NetConnection();
    for (const count of [Number.NaN, -1, "many"])
      expect(() => {
        nc.maxPeerConnections = count as number;
      }).toThrow(`maxPeerConnections: expected a number of 0 or more, got ${count}`);
    expect(nc.maxPeerConnections).toBe(8);
    nc.objectEncoding = 1 as never;
    await expect(nc.connect(null)).rejects.toMatchObject({
      code: "BAD_ARGUMENT",
      message: "objectEncoding: expected 0 or 3, got 1",
    });
  });

  it("takes only the server whose fingerprint is given", async () => {
    const server = await makeServer();
    const alice = await connectTo(server, { fingerprint: server.endpoint.peerId });
    expect(alice.farID).toBe(server.endpoint.peerId);
    await expect(connectTo(server, { fingerprint: "00".repeat(32), timeoutMs: 300 })).rejects.toMatchObject({
      code: "NetConnection.Connect.Failed",
      message: expect.stringContaining("by a server with that fingerprint"),
    });
  });

  it(...rfc("R7425-5.3-01", "R7425-7-02"), "has another peer ID each time", async () => {
    const server = await makeServer();
    const alice = await connectTo(server);
    const first = alice.nearID;
    await alice.close();
    await alice.connect(server.url);
    expect(alice.nearID).not.toBe(first);
    expect(server.clients.map(({ session }) => session.peerId)).toEqual([first, alice.nearID]);
  });

  it("becomes a legacy client by itself where the server offers neither group 31 nor 16", async () => {
    const old = await makeServer({ identity: { keys: "ephemeral", acceptsAncillaryData: true, groups: [2, 5, 14] } });
    const alice = await connectTo(old);
    expect(old.clients).toHaveLength(1);
    expect(old.clients[0]?.session.security).toMatchObject({ group: 2, legacy: true });
    expect(alice.connected).toBe(true);
    const recent = await makeServer();
    await connectTo(recent);
    expect(recent.clients[0]?.session.security).toMatchObject({ group: 31 });
  });

  it(...rfc("R7425-6.1-04"), "connects without a server for rtmfp: and null", async () => {
    for (const uri of ["rtmfp:", null]) {
      const alone = closing(new NetConnection());
      expect(await alone.connect(uri)).toMatchObject({ code: "NetConnection.Connect.Success" });
      expect(alone.nearID).toMatch(/^[0-9a-f]{64}$/);
      await expect(async () => alone.call("x")).rejects.toMatchObject({ code: "NetConnection.Connect.Closed" });
      expect(alone.core.endpoint.stats).toMatchObject({ datagramsOut: 0 });
    }
  });

  it("ends an attempt by close, or by its signal", async () => {
    const silent = await makeServer();
    await silent.close();
    const alice = new NetConnection();
    const attempt = alice.connect(silent.url);
    await alice.close();
    await expect(attempt).rejects.toMatchObject({ code: "CONNECT_ABORTED" });
    const abort = new AbortController();
    const other = new NetConnection({ signal: abort.signal }).connect(silent.url);
    abort.abort();
    await expect(other).rejects.toMatchObject({ code: "CONNECT_ABORTED" });
  });
});

describe("a connection", () => {
  it("calls the server's methods, with a promise or a Responder", async () => {
    const server = await makeServer({
      onCall: ({ name, args }) => {
        if (name === "add") return (args[0] as number) + (args[1] as number);
        throw new Error(`no ${name} today`);
      },
    });
    const alice = await connectTo(server);
    expect(await alice.call("add", null, 2, 3)).toBe(5);
    await expect(alice.call("sing", null)).rejects.toMatchObject({
      code: "NetConnection.Call.Failed",
      message: "no sing today",
    });
    const answers: AmfValue[] = [];
    await alice.call("add", new Responder((value) => answers.push(value)), 1, 1);
    const failures: AmfValue[] = [];
    await alice.call(
      "sing",
      new Responder(
        () => {},
        (error) => failures.push(error),
      ),
    );
    expect(answers).toEqual([2]);
    expect(failures.map((error) => namedValues(error)?.["code"])).toEqual(["NetConnection.Call.Failed"]);
  });

  it("gives up a call by its Responder's time or signal, and takes a late answer for nothing", async () => {
    const waiting: (() => void)[] = [];
    const server = await makeServer({
      onCall: ({ name, transactionId }, client) => {
        if (name === "later") waiting.push(() => server.send(client, "_result", transactionId, "late"));
        else return true;
        return undefined;
      },
    });
    const alice = await connectTo(server);
    const abort = new AbortController();
    const told: unknown[] = [];
    const onStatus = (error: AmfValue): unknown => told.push(namedValues(error)?.["code"]);
    const calls = [
      alice.call("later", new Responder(null, null, { timeoutMs: 50 })),
      alice.call("later", new Responder(null, null, { signal: abort.signal })),
      alice.call("later", new Responder(null, null, { signal: AbortSignal.abort() })),
    ].map((call) => call.catch((error) => [error.code, error.message]));
    const silent = alice.call("later", new Responder((value) => told.push(value), onStatus, { timeoutMs: 50 }));
    abort.abort();
    const failed = (why: string): string[] => ["NetConnection.Call.Failed", why];
    expect(await Promise.all(calls)).toEqual([
      failed('the server did not answer "later" within 0.05 s'),
      failed('the call of "later" was aborted'),
      failed('the call of "later" was aborted'),
    ]);
    expect(await silent).toBeUndefined();
    await expect.poll(() => waiting.length).toBe(4);
    for (const answer of waiting) answer();
    expect(await alice.call("sync")).toBe(true);
    expect(told).toEqual(["NetConnection.Call.Failed"]);
    expect(() => new Responder(null, null, { timeoutMs: -1 })).toThrow(
      "timeoutMs: expected a time of 0 ms or more, got -1",
    );
  });

  it("lets the server call what client has at the moment of the call", async () => {
    const server = await makeServer({
      onCall: ({ args }, client) => {
        server.send(client, String(args[0]), 0);
        return true;
      },
    });
    const alice = await connectTo(server);
    const calls: string[] = [];
    const client: Record<string, unknown> = { first: () => calls.push("first"), third: "no function" };
    alice.expose({ second: () => calls.push("exposed before") });
    alice.client = client;
    expect(alice.client).toBe(client);
    client["second"] = () => calls.push("second");
    for (const name of ["first", "second", "third", "constructor"]) await alice.call("call", null, name);
    delete client["first"];
    await alice.call("call", null, "first");
    expect(calls).toEqual(["first", "second"]);
  });

  it("tells every listener, though one of them throws", async () => {
    const alice = closing(new NetConnection());
    const told: string[] = [];
    const oops = new Error("a mistake in a listener");
    alice.on("status", () => {
      throw oops;
    });
    alice.on("status", ({ code }) => told.push(code));
    const later = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => {});
    alice.tellStatus({ code: "NetConnection.Connect.NetworkChange", level: "status" });
    const [[surface] = []] = later.mock.calls;
    later.mockRestore();
    expect(told).toEqual(["NetConnection.Connect.NetworkChange"]);
    expect(surface).toThrow(oops);
  });

  it("lets the server call what is exposed, and nothing that is inherited", async () => {
    const answers = new Map<number, unknown>();
    const server = await makeServer({
      onCall: (_command, client) => {
        server.send(client, "greet", 11, "world");
        server.send(client, "toString", 12);
        server.send(client, "fail", 13);
        return true;
      },
    });
    const alice = await connectTo(server);
    const errors: unknown[] = [];
    alice.on("asyncError", (error) => errors.push(error));
    alice.expose({
      greet: async (name: string) => `hello ${name}`,
      fail: () => {
        throw new Error("a secret");
      },
    });
    await alice.call("go", null);
    await expect
      .poll(() => {
        for (const { name, transactionId, args } of server.clients[0]?.commands ?? [])
          if (transactionId > 10) answers.set(transactionId, [name, namedValues(args[0])?.["description"] ?? args[0]]);
        return Object.fromEntries(answers);
      })
      .toEqual({
        11: ["_result", "hello world"],
        12: ["_error", "Method not found (toString)."],
        13: ["_error", '"fail" failed'],
      });
    expect(errors).toHaveLength(2);
  });

  it(
    ...rfc("R7425-5.3.4-05", "R7425-5.3.4-06", "R7425-5.3.4-08", "AMB-75"),
    "follows the server's keepalive periods on stream 0, within limits",
    async () => {
      const server = await makeServer({
        onCall: ({ args }, { tree }) => {
          const asked = { event: "setKeepalive", serverMs: Number(args[0]), peerMs: 20_000 } as const;
          tree.control.write(encodeUserControl(asked));
          tree.openFlow(1).write(encodeUserControl({ ...asked, serverMs: 60_000 }));
          return true;
        },
      });
      const alice = await connectTo(server);
      for (const [asked, kept] of [
        [1, 5_000],
        [700_000, 600_000],
        [0, 5_000],
      ] as const) {
        await alice.call("go", null, asked);
        expect(alice.core.session?.keepaliveMs).toBe(kept);
      }
    },
  );

  it(...rfc("R7425-5.3.4-03", "R7425-5.3.4-08"), "goes by the server's latest keepalive periods", async () => {
    const server = await makeServer({
      onCall: ({ args }, { tree }) => {
        tree.control.write(encodeUserControl({ event: "setKeepalive", serverMs: Number(args[0]), peerMs: 9_000 }));
        return true;
      },
    });
    const alice = await connectTo(server);
    for (const periodMs of [20_000, 40_000, 15_000]) {
      await alice.call("go", null, periodMs);
      expect(alice.core.session?.keepaliveMs).toBe(periodMs);
    }
  });

  it("ends at both ends in good order when it is closed", async () => {
    const server = await makeServer();
    const alice = await connectTo(server);
    const events: string[] = [];
    alice.on("status", ({ code }) => events.push(code));
    await alice.close();
    expect(events).toEqual(["NetConnection.Connect.Closed"]);
    expect(server.clients[0]?.tree.end).toBe("closed");
    expect(alice.connected).toBe(false);
  });

  it(...rfc("R7425-5.3-02"), "ends when the server ends it, and pending calls fail", async () => {
    const server = await makeServer({
      onCall: (_command, client) => {
        client.tree.abort();
        return undefined;
      },
    });
    const alice = await connectTo(server);
    const closed = new Promise<void>((resolve) => {
      alice.on("status", ({ code }) => {
        if (code === "NetConnection.Connect.Closed") resolve();
      });
    });
    await expect(alice.call("go", null)).rejects.toMatchObject({ code: "NetConnection.Call.Failed" });
    await closed;
    expect(alice.connected).toBe(false);
  });
});
