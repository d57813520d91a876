import { getEventListeners } from "node:events";
import { type NetConnection, NetStream, type StatusEvent } from "rtmfp-client";
import { PeerEndpoint } from "rtmfp-core";
import {
  CLIENT_IDENTITY,
  createFlashProfile,
  createIdentity,
  defaultProvider,
  SERVER_IDENTITY,
} from "rtmfp-core/crypto";
import { SimWorld } from "rtmfp-core/testing";
import { type Client, createServer, Reject } from "rtmfp-server";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { makeClient, startServer, URL } from "./support.ts";

/** The codes that a connection tells, without what is common to them. */
function codesOf(nc: NetConnection): string[] {
  const codes: string[] = [];
  nc.on("status", ({ code }) => codes.push(code.replace("NetConnection.", "")));
  return codes;
}

async function endAll(world: SimWorld, ...all: { close(): Promise<unknown> }[]): Promise<void> {
  await world.settle(Promise.all(all.map((each) => each.close())), 200_000);
}

describe("a NetConnection without a server", () => {
  it(...rfc("F-2", "R7425-6.1-04"), "succeeds at once for rtmfp: and for null, and sends nothing", async () => {
    const world = new SimWorld(1);
    const sent = world.capture();
    for (const [name, uri] of [
      ["a", "rtmfp:"],
      ["b", null],
    ] as const) {
      const { nc } = makeClient(world, name);
      const codes = codesOf(nc);
      expect(await nc.connect(uri)).toEqual({ code: "NetConnection.Connect.Success", level: "status" });
      expect(world.now).toBe(0);
      expect([nc.connected, nc.uri, nc.protocol, nc.farID]).toEqual([true, uri, "rtmfp", ""]);
      expect(nc.nearID).toMatch(/^[0-9a-f]{64}$/);
      await world.runAsync(0);
      await world.settle(nc.close(), 5_000);
      expect(codes).toEqual(["Connect.Success", "Connect.Closed"]);
      world.run(0);
    }
    expect(sent.records).toEqual([]);
  });

  it(...rfc("F-2"), "plays from a peer at a known address, and from none that is not the one named", async () => {
    const world = new SimWorld(2);
    const [alice, bob, carol] = ["alice", "bob", "carol"].map(
      (name) => makeClient(world, name, undefined, { timeoutMs: 5_000 }).nc,
    );
    await Promise.all([alice?.connect("rtmfp:"), bob?.connect(null), carol?.connect("rtmfp:")]);
    const cam = new NetStream(alice as NetConnection, NetStream.DIRECT_CONNECTIONS);
    await cam.publish("cam");
    const addresses = alice?.nearAddresses ?? [];
    expect(addresses).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\.\d+:\d+$/)]);
    const view = new NetStream(bob as NetConnection, alice?.nearID, { addresses });
    await world.settle(view.play("cam"), 5_000);
    cam.writeTag({ type: "audio", timestamp: 5, data: Uint8Array.of(0x2f, 1) });
    const first = await world.settle(view[Symbol.asyncIterator]().next(), 5_000);
    expect(first.value).toEqual({ type: "audio", timestamp: 5, data: Uint8Array.of(0x2f, 1) });
    const wrong = new NetStream(bob as NetConnection, carol?.nearID, { addresses });
    const line = `no answer from peer ${carol?.nearID.slice(0, 12)}… within 5 s: nobody with that id is at ${addresses[0]}, or no path leads there`;
    await expect(world.settle(wrong.play("cam"), 20_000)).rejects.toMatchObject({
      code: "NetStream.Connect.Failed",
      message: line,
    });
    const lost = new NetStream(bob as NetConnection, carol?.nearID);
    await expect(lost.play("cam")).rejects.toThrow(/cannot be found without a server: say where it is/);
    await endAll(world, alice as NetConnection, bob as NetConnection, carol as NetConnection);
  });
});

describe("a NetConnection to a server", () => {
  it("is closed when close is called, however far connect is, and may connect anew", async () => {
    const world = new SimWorld(12);
    const server = await startServer(world);
    server.application("app", () => ({}));
    const { nc } = makeClient(world, "alice");
    const outcomes = new Set<string>();
    for (let ms = 0; ms <= 300; ms += 7) {
      const attempt = nc.connect(URL).then(
        ({ code }) => code,
        ({ code }) => code,
      );
      await world.runAsync(ms);
      await world.settle(nc.close(), 5_000);
      outcomes.add(await world.settle(attempt, 1));
      expect([nc.connected, nc.nearID]).toEqual([false, ""]);
    }
    expect([...outcomes].sort()).toEqual(["CONNECT_ABORTED", "NetConnection.Connect.Success"]);
    await world.runAsync(60_000);
    expect(server.stats.clients).toBe(0);
    await endAll(world, server);
  });

  it("sends peers no Buffer Probe where it is told so", async () => {
    const world = new SimWorld(13);
    const server = await startServer(world);
    const [alice, bob] = [{ bufferProbe: false }, {}].map(
      (options, i) => makeClient(world, `peer ${i}`, undefined, options).nc,
    );
    if (alice === undefined || bob === undefined) throw new Error("two peers were made");
    await world.settle(Promise.all([alice.connect(URL), bob.connect(URL)]), 5_000);
    await new NetStream(alice, NetStream.DIRECT_CONNECTIONS).publish("cam");
    await world.settle(new NetStream(bob, alice.nearID).play("cam"), 5_000);
    const probes = [alice, bob].map(({ core }) =>
      [...core.endpoint.sessions].map((session) => [session === core.session, session.inner.bufferProbe]),
    );
    expect(probes[0]).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(probes[1]).toEqual([
      [true, true],
      [false, true],
    ]);
    await endAll(world, alice, bob, server);
  });

  it(...rfc("C-2"), "gives up after 90 s, as Adobe's does, and after the time given", async () => {
    for (const [timeoutMs, ms] of [
      [undefined, 90_000],
      [3_000, 3_000],
    ] as const) {
      const world = new SimWorld(3);
      world.name("server.test", ["198.51.100.9"]);
      const { nc } = makeClient(world, "alice", undefined, timeoutMs === undefined ? {} : { timeoutMs });
      await expect(world.settle(nc.connect(URL), 100_000)).rejects.toMatchObject({
        code: "NetConnection.Connect.Failed",
        info: { code: "NetConnection.Connect.Failed", level: "error" },
        message: `no RTMFP answer from server.test:1935 within ${ms / 1000} s`,
      });
      expect(Math.abs(world.now - ms)).toBeLessThan(100);
    }
  });

  it(
    ...rfc("C-3", "F-8"),
    "has an ID, nonces and addresses that mirror the server's, and none before and after",
    async () => {
      const world = new SimWorld(4);
      let client: Client | undefined;
      const server = await startServer(world);
      server.application("app", () => ({
        onConnect(asker) {
          client = asker;
        },
      }));
      const { nc } = makeClient(world, "alice");
      const none = ["", "", "", "", [], null, false];
      const state = (): unknown[] => [
        nc.nearID,
        nc.farID,
        nc.nearNonce,
        nc.farNonce,
        nc.nearAddresses,
        nc.uri,
        nc.connected,
      ];
      expect(state()).toEqual(none);
      await world.settle(nc.connect(URL), 5_000);
      expect(nc.nearID).toMatch(/^[0-9a-f]{64}$/);
      const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
      expect([client?.farID, client?.nearID]).toEqual([nc.nearID, nc.farID]);
      expect([hex(client?.farNonce), hex(client?.nearNonce)]).toEqual([nc.nearNonce, nc.farNonce]);
      expect(nc.nearNonce).not.toBe(nc.farNonce);
      expect(nc.nearAddresses).toHaveLength(1);
      expect([nc.usingTLS, nc.connectedProxyType, nc.proxyType, nc.protocol]).toEqual([false, "none", "none", "rtmfp"]);
      await endAll(world, nc, server);
      expect(state()).toEqual([...none.slice(0, 5), URL, false]);
    },
  );

  it(
    ...rfc("F-3", "F-7"),
    "tells of its success before the server's first call, even if both come in one packet",
    async () => {
      const world = new SimWorld(5);
      const server = await startServer(world);
      server.application("app", () => ({
        onConnect(client) {
          client.send("welcome", 1);
          client.send("missing");
          client.send("onStatus", { code: "No.Such.Code", level: "status" });
        },
      }));
      const { nc } = makeClient(world, "alice");
      const told: unknown[] = [];
      nc.on("status", ({ code }) => told.push(code));
      nc.on("asyncError", (error) => told.push((error as Error).message));
      nc.client = { welcome: (n: number) => told.push(["welcome", n, nc.connected]) };
      await world.settle(nc.connect(URL), 5_000);
      await world.runAsync(1_000);
      expect(told).toEqual([
        "NetConnection.Connect.Success",
        ["welcome", 1, true],
        'the server called "missing", which is not exposed',
        "the server sent a status event that is none, or that nobody knows",
      ]);
      await endAll(world, nc, server);
    },
  );

  it(...rfc("F-4"), "is told of a redirect by the application, and decides itself whether to follow", async () => {
    const world = new SimWorld(6);
    const server = await startServer(world);
    server.application("app", () => ({
      onConnect: (_client, ...args) => {
        if (args[0] !== "followed") throw Reject.redirect("rtmfp://server.test/other");
      },
    }));
    server.application("other", () => ({}));
    const { nc } = makeClient(world, "alice");
    const codes = codesOf(nc);
    let refusal: StatusEvent | undefined;
    nc.on("status", (event) => {
      if (event.code === "NetConnection.Connect.Rejected") refusal = event;
    });
    const error = await world.settle(nc.connect(URL), 5_000).catch((reason) => reason);
    expect(error).toMatchObject({ code: "NetConnection.Connect.Rejected", message: "Connection failed" });
    const ex = { code: 302, redirect: "rtmfp://server.test/other" };
    expect(error.info).toMatchObject({ ex });
    expect(refusal).toMatchObject({ level: "error", description: "Connection failed", ex });
    expect([nc.connected, codes]).toEqual([false, ["Connect.Rejected"]]);
    await world.settle(nc.connect(error.info.ex.redirect), 5_000);
    expect([nc.connected, nc.uri]).toEqual([true, "rtmfp://server.test/other"]);
    await endAll(world, nc, server);
  });

  it(...rfc("F-5"), "follows a redirect of the transport without noticing", async () => {
    const world = new SimWorld(7);
    const front = world.host("front", { addresses: ["198.51.100.1"], link: { latencyMs: 10 } });
    world.name("server.test", ["198.51.100.1"]);
    const back = world.host("back", { addresses: ["198.51.100.2"], link: { latencyMs: 10 } });
    const server = createServer({ carrier: () => back.open([{ port: 19_350 }]), random: (n) => back.random(n) });
    await world.settle(server.listen(), 1_000);
    const random = (length: number): Uint8Array => front.random(length);
    // It answers hellos for nobody but itself, and no URI selects it.
    const profile = createFlashProfile({ identity: { ...SERVER_IDENTITY, acceptsAncillaryData: false }, random });
    const balancer = new PeerEndpoint(front.open([{ port: 1935 }]), { profile, random });
    balancer.onIntroduction = (introduction) => introduction.redirect([{ host: "198.51.100.2", port: 19_350 }]);
    const { nc } = makeClient(world, "alice");
    const codes = codesOf(nc);
    await world.settle(nc.connect(URL), 5_000);
    expect([nc.uri, nc.core.session?.address, codes]).toEqual([
      URL,
      { host: "198.51.100.2", port: 19_350 },
      ["Connect.Success"],
    ]);
    expect(balancer.sessions.size).toBe(0);
    await endAll(world, nc, server, balancer);
  });

  it("takes a legacy identity where the server asks for one, and no other that it was given", async () => {
    const world = new SimWorld(8);
    const connects: [string, unknown][] = [];
    const server = await startServer(world, { legacyIdentity: true });
    server.application("app", () => ({
      onConnect(client, ...args) {
        connects.push([client.farID, args[0]]);
        client.send("count");
      },
    }));
    const { nc } = makeClient(world, "alice");
    const codes = codesOf(nc);
    let calls = 0;
    nc.client = { count: () => calls++ };
    await world.settle(nc.connect(URL, "hello"), 5_000);
    await world.runAsync(1_000);
    expect(nc.core.session?.security).toMatchObject({ group: 2, legacy: true });
    expect(connects.map(([, arg]) => arg)).toEqual(["hello", "hello"]);
    expect(connects[1]?.[0]).toBe(nc.nearID);
    expect([codes, calls, server.stats.clients]).toEqual([["Connect.Success"], 1, 1]);
    const own = makeClient(world, "bob", undefined, { identity: createIdentity(defaultProvider(), CLIENT_IDENTITY) });
    await world.settle(own.nc.connect(URL), 5_000);
    expect(own.nc.core.session?.security).toMatchObject({ group: 31 });
    expect(connects).toHaveLength(3);
    await endAll(world, nc, own.nc, server);
  });

  it(...rfc("C-6"), "ends streams with peers when it ends, whoever ended it", async () => {
    for (const who of ["client", "server"] as const) {
      const world = new SimWorld(9);
      const server = await startServer(world);
      const [alice, bob] = [makeClient(world, "alice").nc, makeClient(world, "bob").nc];
      await world.settle(Promise.all([alice.connect(URL), bob.connect(URL)]), 5_000);
      const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
      await cam.publish("cam");
      const view = new NetStream(bob, alice.nearID);
      await world.settle(view.play("cam"), 5_000);
      const codes = codesOf(bob);
      await world.settle(who === "client" ? alice.close() : server.close(), 30_000);
      await world.runAsync(20_000);
      expect(cam.isPublishing).toBe(false);
      expect((await world.settle(view[Symbol.asyncIterator]().next(), 5_000)).done).toBe(true);
      expect(codes).toContain("NetStream.Connect.Closed");
      expect(codes).toEqual(
        who === "client"
          ? ["NetStream.Connect.Closed"]
          : expect.arrayContaining(["Connect.AppShutdown", "Connect.Closed"]),
      );
      await endAll(world, bob, alice, server);
    }
  });

  it("leaves nothing behind: no timer, no session, no listener of its signal, however it ends", async () => {
    const world = new SimWorld(10);
    const server = await startServer(world);
    server.application("app", () => ({
      onConnect: (_client, ...args) => {
        if (args[0] === "no") throw new Reject("no");
        return args[0] === "never" ? new Promise(() => {}) : undefined;
      },
    }));
    const abort = new AbortController();
    const timers = new Set<object>();
    const clock = {
      now: () => world.now,
      after: (ms: number, run: () => void) => {
        const timer = {};
        timers.add(timer);
        const cancel = world.after(ms, () => {
          timers.delete(timer);
          run();
        });
        return () => {
          timers.delete(timer);
          cancel();
        };
      },
    };
    const { nc } = makeClient(world, "alice", undefined, { clock, signal: abort.signal, timeoutMs: 4_000 });
    const left = (): unknown => [timers.size, getEventListeners(abort.signal, "abort").length, server.stats.clients];
    for (let round = 0; round < 3; round++) {
      await world.settle(nc.connect(URL), 5_000);
      const [cam, view] = [
        new NetStream(nc, null, { signal: abort.signal }),
        new NetStream(nc, null, { signal: abort.signal }),
      ];
      await world.settle(cam.publish("cam"), 5_000);
      await world.settle(view.play("cam"), 5_000);
      await world.settle(view.close(), 5_000);
      await world.settle(nc.close(), 5_000);
      await world.settle(
        expect(nc.connect(URL, "no")).rejects.toMatchObject({ code: "NetConnection.Connect.Rejected" }),
        5_000,
      );
      await world.settle(
        expect(nc.connect(URL, "never")).rejects.toThrow(/did not answer the connect command within 4 s$/),
        5_000,
      );
      const given = nc.connect(URL, "never").catch((error) => error.code);
      await world.runAsync(1_000);
      await world.settle(nc.close(), 5_000);
      expect([await given, nc.connected]).toEqual(["CONNECT_ABORTED", false]);
      await world.runAsync(20_000);
      expect(left()).toEqual([0, 0, 0]);
    }
    await endAll(world, server);
  });
});
