import { type NetConnection, type NetConnectionOptions, NetStream } from "rtmfp-client";
import { type SimHost, SimWorld } from "rtmfp-core/testing";
import { type Application, createServer, Reject, type Server } from "rtmfp-server";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { makeClient, URL } from "./support.ts";

/** A world with one server that can be started again at its address. */
class Scene {
  readonly world: SimWorld;
  readonly #host: SimHost;
  server: Server | undefined;
  app: Application | undefined;
  /** Arguments of each connect. */
  readonly connects: unknown[][] = [];
  refuses = false;

  constructor(seed: number) {
    this.world = new SimWorld(seed);
    this.#host = this.world.host("server", { addresses: ["198.51.100.1"], link: { latencyMs: 10 } });
    this.world.name("server.test", ["198.51.100.1"]);
  }

  async start(): Promise<void> {
    const server = createServer({
      carrier: () => this.#host.open([{ port: 1935 }]),
      random: (length) => this.#host.random(length),
    });
    server.application("app", (app) => {
      this.app = app;
      return {
        onConnect: (_client, ...args) => {
          this.connects.push(args);
          if (this.refuses) throw new Reject("not again");
        },
      };
    });
    await this.world.settle(server.listen(), 1_000);
    this.server = server;
  }

  async stop(): Promise<void> {
    await this.world.settle(this.server?.close() ?? Promise.resolve(), 10_000);
  }

  /** A connected client and its events, each with the time in ms. */
  async client(
    name: string,
    options: NetConnectionOptions,
  ): Promise<{ nc: NetConnection; events: [string, number][] }> {
    const { nc } = makeClient(this.world, name, undefined, { timeoutMs: 5_000, ...options });
    const events: [string, number][] = [];
    nc.on("status", ({ code }) => events.push([code.replace("NetConnection.Connect.", ""), this.world.now]));
    await this.world.settle(nc.connect(URL, name, 7), 10_000);
    return { nc, events };
  }

  async end(...clients: NetConnection[]): Promise<void> {
    await this.world.settle(Promise.all(clients.map((nc) => nc.close())), 30_000);
    await this.stop();
  }
}

function codes(events: readonly [string, number][]): string[] {
  return events.map(([code]) => code);
}

describe("a client that reconnects", () => {
  it("comes back, with the same arguments and another ID, once its server has started again", async () => {
    const scene = new Scene(1);
    await scene.start();
    const { nc, events } = await scene.client("alice", { reconnect: true });
    const first = nc.nearID;
    await scene.stop();
    await scene.world.runAsync(12_000);
    expect(nc.connected).toBe(false);
    await scene.start();
    await scene.world.runAsync(20_000);
    expect(nc.connected).toBe(true);
    expect(nc.nearID).not.toBe(first);
    expect(scene.connects).toEqual([
      ["alice", 7],
      ["alice", 7],
    ]);
    const told = codes(events);
    expect(told.slice(0, 3)).toEqual(["Success", "AppShutdown", "Closed"]);
    expect(new Set(told.slice(3, -1))).toEqual(new Set(["Failed"]));
    expect(told.at(-1)).toBe("Success");
    await scene.end(nc);
  });

  it("notices a server that vanished without a word, says so, and comes back to the new one", async () => {
    const scene = new Scene(2);
    await scene.start();
    const { nc, events } = await scene.client("alice", { reconnect: { firstMs: 500 } });
    let why: string | undefined;
    nc.on("status", (event) => {
      if (event.code === "NetConnection.Connect.Closed") why = event.description;
    });
    const cut = scene.world.filter(() => "drop");
    await scene.stop();
    cut();
    await scene.start();
    await scene.world.runAsync(200_000);
    expect(codes(events)).toEqual(["Success", "Closed", "Success"]);
    expect(why).toBe("the server connection ended because the server fell silent");
    await scene.end(nc);
  });

  it("leaves no call, stream or reader waiting for a server that vanished", async () => {
    const scene = new Scene(7);
    const { world } = scene;
    await scene.start();
    const { nc } = await scene.client("alice", { reconnect: true });
    const [cam, view] = [new NetStream(nc), new NetStream(nc)];
    await world.settle(Promise.all([cam.publish("cam"), view.play("other")]), 5_000);
    const cut = world.filter(() => "drop");
    const call = nc.call("anything").catch((error) => [error.code, error.message]);
    const play = new NetStream(nc).play("late").catch((error) => [error.code, error.message]);
    const fed = cam.feed([{ type: "audio", timestamp: 0, data: Uint8Array.of(0x2f) }]);
    const read = view[Symbol.asyncIterator]().next();
    await scene.stop();
    cut();
    await scene.start();
    await world.runAsync(200_000);
    const why = "the server connection ended because the server fell silent";
    expect(await Promise.all([call, play, fed, read])).toEqual([
      ["NetConnection.Call.Failed", `${why} before "anything" was answered`],
      ["NetStream.Failed", 'the server did not answer "createStream" within 5 s'],
      { tags: 1, bytes: 1, delivered: 0, abandoned: 1 },
      { done: true, value: undefined },
    ]);
    expect([cam.isPublishing, view.info.isLive, nc.connected]).toEqual([false, false, true]);
    expect(await world.settle(cam.publish("cam"), 5_000)).toMatchObject({ code: "NetStream.Publish.Start" });
    await scene.end(nc);
  });

  it("waits a random part of a time that doubles, so that not all come at once", async () => {
    const scene = new Scene(3);
    await scene.start();
    const reconnect = { firstMs: 4_000, mostMs: 10_000, attempts: 3 };
    const clients = await Promise.all(
      ["a", "b", "c"].map((name) => scene.client(name, { reconnect, timeoutMs: 1_000 })),
    );
    await scene.stop();
    await scene.world.runAsync(200_000);
    const firsts = clients.map(({ events }) => {
      expect(codes(events)).toEqual(["Success", "AppShutdown", "Closed", "Failed", "Failed", "Failed"]);
      const [closed, ...failed] = events.slice(2).map(([, at]) => at) as [number, ...number[]];
      const waits = failed.map((at, i) => at - 1_000 - (failed[i - 1] ?? closed));
      for (const [i, most] of [4_000, 8_000, 10_000].entries()) {
        expect(waits[i]).toBeGreaterThanOrEqual(most / 2 - 1);
        expect(waits[i]).toBeLessThanOrEqual(most + 1);
      }
      return Math.round(waits[0] as number);
    });
    expect(new Set(firsts).size).toBe(3);
  });

  it("leaves a server that announces its end by Shutdown.Notify, and finds the next one", async () => {
    const scene = new Scene(4);
    await scene.start();
    const { nc, events } = await scene.client("alice", { reconnect: true });
    const other = await scene.client("bob", {});
    const notice = { code: "NetConnection.Shutdown.Notify", level: "status", description: "please clean up" };
    scene.app?.broadcastMsg("onStatus", notice);
    await scene.world.runAsync(5_000);
    expect(codes(events)).toEqual(["Success", "NetConnection.Shutdown.Notify", "Closed", "Success"]);
    expect(codes(other.events)).toEqual(["Success", "NetConnection.Shutdown.Notify"]);
    await scene.end(nc, other.nc);
  });

  it(...rfc("O-6"), "comes back after a long notice, during which its server takes no clients", async () => {
    const scene = new Scene(8);
    await scene.start();
    const { nc, events } = await scene.client("alice", { reconnect: true });
    const other = makeClient(scene.world, "bob");
    await scene.world.settle(other.nc.connect(URL), 10_000);
    const { server } = scene;
    const closing = server?.close({ noticeMs: 60_000 }) ?? Promise.resolve();
    await scene.world.runAsync(30_000);
    // Bob, who stays, keeps the server from ending early.
    expect(nc.connected).toBe(false);
    expect(events.map(([code]) => code)).toContain("AppShutdown");
    await scene.world.settle(closing, 60_000);
    await scene.start();
    await scene.world.runUntilAsync(() => nc.connected, 120_000);
    expect(scene.connects.at(-1)).toEqual(["alice", 7]);
    await scene.end(nc, other.nc);
  });

  it("gives up when the server refuses it, when it is closed, and when its signal is aborted", async () => {
    const scene = new Scene(5);
    await scene.start();
    const abort = new AbortController();
    const refused = await scene.client("refused", { reconnect: true });
    const closed = await scene.client("closed", { reconnect: { firstMs: 20_000 } });
    const aborted = await scene.client("aborted", { reconnect: { firstMs: 20_000 }, signal: abort.signal });
    await scene.stop();
    scene.refuses = true;
    await scene.start();
    await scene.world.runAsync(5_000);
    await scene.world.settle(closed.nc.close(), 1_000);
    abort.abort();
    await scene.world.runAsync(100_000);
    expect(codes(refused.events)).toEqual(["Success", "AppShutdown", "Closed", "Rejected"]);
    for (const { events } of [closed, aborted]) expect(codes(events)).toEqual(["Success", "AppShutdown", "Closed"]);
    expect(scene.connects).toHaveLength(4);
    await scene.end();
  });

  it("ends for good by close, whatever it is doing: told of the end, ending, or failing to come back", async () => {
    for (const [seed, code] of ["Closed", "Shutdown.Notify", "Failed"].entries()) {
      const scene = new Scene(20 + seed);
      const { world } = scene;
      await scene.start();
      const { nc, events } = await scene.client("alice", { reconnect: { firstMs: 100 }, timeoutMs: 1_000 });
      let closing: Promise<number> | undefined;
      nc.on("status", (event) => {
        if (!event.code.endsWith(code) || closing !== undefined) return;
        // One turn after the notice the connection is on its way to end; the others close in the listener itself.
        const turn = code === "Shutdown.Notify" ? Promise.resolve() : undefined;
        const close = (): Promise<number> => nc.close().then(() => events.length);
        closing = turn === undefined ? close() : turn.then(close);
      });
      if (code === "Shutdown.Notify")
        scene.app?.broadcastMsg("onStatus", { code: `NetConnection.${code}`, level: "status" });
      else await scene.stop();
      await world.runUntilAsync(() => closing !== undefined, 20_000);
      if (code === "Closed") await scene.start();
      const told = await world.settle(closing as unknown as Promise<number>, 5_000);
      expect(nc.connected).toBe(false);
      await world.runAsync(60_000);
      expect(events.length).toBe(told);
      expect(codes(events).filter((each) => each === "Success")).toHaveLength(1);
      if (code === "Failed") await scene.start();
      expect(await world.settle(nc.connect(URL, "anew"), 10_000)).toMatchObject({
        code: "NetConnection.Connect.Success",
      });
      await scene.end(nc);
    }
  });

  it(...rfc("F-3"), "does not repeat the first attempt, which connect tells of", async () => {
    const scene = new Scene(6);
    scene.refuses = true;
    await scene.start();
    const { nc } = makeClient(scene.world, "alice", undefined, { reconnect: true });
    const refusal = expect(nc.connect(URL)).rejects.toMatchObject({
      code: "NetConnection.Connect.Rejected",
      info: { application: "not again" },
    });
    await scene.world.runAsync(60_000);
    await refusal;
    expect(scene.connects).toHaveLength(1);
    await scene.end();
  });
});
