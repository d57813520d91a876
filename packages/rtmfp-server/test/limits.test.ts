/** The server's caps: each is reached, and what is beyond it fails as docs/limits.md says. */
import { encodeCommand } from "rtmfp-core/tc";
import { describe, expect, it } from "vitest";
import { Application } from "../src/application.ts";
import { Client, type ClientLink, MAX_WAITING_CALLS } from "../src/client.ts";
import { Counters, MAX_RECENT } from "../src/counters.ts";
import { developerKeyApplication, MAX_WATCHED } from "../src/developer-key.ts";
import { MAX_STREAMS } from "../src/limits.ts";
import { MAX_DATA_FRAME_BYTES, MAX_DATA_FRAMES, MAX_DATA_FRAMES_BYTES } from "../src/live-stream.ts";
import { TokenBuckets } from "../src/token-buckets.ts";
import { SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

/** A server whose application "lobby" hands over each client as it connects. */
async function lobby(admitted: Promise<void> = Promise.resolve(), onConnect: (client: Client) => void = () => {}) {
  const sim = new SimServer();
  const clients: Client[] = [];
  sim.server.application("lobby", () => ({
    onConnect(client) {
      clients.push(client);
      onConnect(client);
      return admitted;
    },
  }));
  await sim.listen();
  return { sim, clients };
}

const LARGE = "x".repeat(100_000);

describe("one client", () => {
  it("has one connection: the control flow of a second one is rejected, and the first goes on", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    const second = client.trees.open(0);
    const commandObject = { app: "key", tcUrl: "rtmfp://test/key" };
    second.control.write(encodeCommand({ name: "connect", transactionId: 1, commandObject, args: [] }));
    expect(await sim.run(second.whenEnded)).toBe("rejected");
    expect(sim.server.stats).toMatchObject({ sessions: 1, clients: 1 });
    expect((await sim.run(client.call("createStream"))).name).toBe("_result");
  });

  it(`has at most ${MAX_STREAMS} streams at a time`, async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    const answers = await sim.run(
      Promise.all(Array.from({ length: MAX_STREAMS + 1 }, () => client.call("createStream"))),
    );
    expect(answers.filter(({ name }) => name === "_result").length).toBe(MAX_STREAMS);
    expect(answers.at(-1)).toMatchObject({
      name: "_error",
      args: [{ code: "NetConnection.Call.Failed", description: "createStream: a client has at most 256 streams" }],
    });
    await sim.run(client.call("deleteStream", answers[0]?.args[0] as number));
    expect((await sim.run(client.call("createStream"))).name).toBe("_result");
  });

  it("publishes and plays names of at most 1,024 characters", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    await sim.run(client.publish("n".repeat(1_024)));
    const id = await sim.run(client.createStream());
    client.command(id, "publish", ["n".repeat(1_025), "live"]);
    await sim.run(client.status("NetStream.Publish.BadName"));
    client.command(id, "play", ["n".repeat(1_025)]);
    await sim.run(client.status("NetStream.Play.Failed"));
    expect(client.codes).not.toContain("NetStream.Play.Start");
  });

  it("is in an application and instance whose names are cut at 1,024 characters", async () => {
    const sim = await new SimServer().listen();
    await sim.connect(`${"a".repeat(1_500)}/${"b".repeat(1_500)}`);
    expect(sim.logged("connect").map(({ app }) => app)).toEqual([`${"a".repeat(1_024)}/${"b".repeat(1_024)}`]);
  });

  it("that takes nothing has at most 1 MiB of replies, calls and relays waiting for it; the rest is counted", async () => {
    const { sim, clients } = await lobby();
    const client = await sim.connect("lobby");
    const [seen] = clients as [Client];
    seen.expose({ large: () => LARGE });
    const lift = sim.world.block([sim.host], sim.hosts);
    for (let i = 0; i < 15; i++) client.command(0, "large", [], 100 + i);
    await sim.pass(1_000);
    const replies = Math.floor(2 ** 20 / LARGE.length);
    expect(sim.server.stats.droppedMessages).toBe(15 - replies);
    seen.send("onNews", LARGE);
    await expect(seen.call("onAsk", LARGE)).rejects.toMatchObject({ code: "FLOW_BUFFER_FULL" });
    expect(sim.server.stats.droppedMessages).toBe(17 - replies);
    lift.lift();
    await sim.pass(60_000);
    expect(client.commands("_result").filter(({ transactionId }) => transactionId >= 100).length).toBe(replies);
    seen.send("onNews", LARGE);
    await sim.run(client.commandNamed("onNews"));
    expect(sim.server.stats.droppedMessages).toBe(17 - replies);
  });

  it(`has at most ${MAX_WAITING_CALLS} calls waiting for its reply`, async () => {
    const { sim, clients } = await lobby();
    const client = await sim.connect("lobby");
    const [seen] = clients as [Client];
    const calls = Array.from({ length: MAX_WAITING_CALLS }, (_, i) => seen.call("onAsk", i));
    await expect(seen.call("onAsk", "one more")).rejects.toMatchObject({
      code: "NetConnection.Call.Failed",
      message: "onAsk: too many calls wait for a reply",
    });
    await sim.run(client.commandNamed("onAsk"));
    const [asked] = client.commands("onAsk");
    client.command(0, "_result", ["here"], asked?.transactionId);
    expect(await sim.run(calls[0] as Promise<unknown>)).toBe("here");
    const settled = Promise.allSettled([...calls, seen.call("onAsk", "one more")]);
    await sim.run(client.first(() => client.commands("onAsk")[MAX_WAITING_CALLS]));
    await sim.run(client.close());
    const outcomes = await sim.run(settled);
    expect(outcomes.filter(({ status }) => status === "rejected").length).toBe(MAX_WAITING_CALLS);
  });

  it("that is not accepted yet has at most 256 messages held for it", async () => {
    let admit = (): void => {};
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const errors: unknown[] = [];
    const { sim } = await lobby(admitted, (client) => {
      for (let i = 0; i < 256; i++) client.send("onNews", i);
      try {
        client.send("onNews", 256);
      } catch (error) {
        errors.push(error);
      }
    });
    const client = await sim.open();
    const connecting = client.connect("lobby");
    await sim.pass(1_000);
    expect(errors).toMatchObject([{ code: "FLOW_BUFFER_FULL" }]);
    admit();
    await sim.run(connecting);
    await sim.pass(5_000);
    expect(client.commands("onNews").map(({ args }) => args[0])).toEqual(Array.from({ length: 256 }, (_, i) => i));
  });

  it(`watches at most ${MAX_WATCHED} others`, () => {
    const app = new Application("key", "", { now: () => 0, end: async () => {} });
    const handlers = developerKeyApplication()(app);
    const connect = (farID: string): Client => {
      const client = new Client({ app, farID, command: () => {} } as Partial<ClientLink> as ClientLink);
      void handlers.onConnect?.(client);
      return client;
    };
    const watcher = connect("watcher");
    const others = Array.from({ length: MAX_WATCHED + 1 }, (_, i) => connect(`peer ${i}`));
    const watch = (id: string | undefined) => watcher.exposed("watch")?.(id);
    for (const { farID } of others.slice(0, -1)) watch(farID);
    expect(() => watch(others.at(-1)?.farID)).toThrow("a client watches at most 1024 others");
    expect(() => watch(others[0]?.farID)).not.toThrow();
    handlers.onDisconnect?.(others[0] as Client);
    expect(() => watch(others.at(-1)?.farID)).not.toThrow();
  });
});

describe("one stream", () => {
  it(`has at most ${MAX_DATA_FRAMES} data frames; further names are neither kept nor passed on`, async () => {
    const sim = await new SimServer().listen();
    const [publisher, viewer] = [await sim.connect(), await sim.connect()];
    const id = await sim.run(publisher.publish("cam"));
    await sim.run(viewer.play("cam"));
    for (let i = 0; i <= MAX_DATA_FRAMES; i++) publisher.data(id, "@setDataFrame", [`on${i}`, i]);
    publisher.data(id, "@setDataFrame", ["on0", "again"]);
    const names = Array.from({ length: MAX_DATA_FRAMES }, (_, i) => `on${i}`);
    await sim.pass(1_000);
    expect(handlersOf(viewer)).toEqual([...names, "on0"]);
    const late = await sim.connect();
    await sim.run(late.play("cam"));
    await sim.pass(1_000);
    expect(handlersOf(late)).toEqual(names);
  });

  it("keeps data frames of 64 KiB each and 256 KiB together; larger ones and further ones are passed on alone", async () => {
    const sim = await new SimServer().listen();
    const [publisher, viewer] = [await sim.connect(), await sim.connect()];
    const id = await sim.run(publisher.publish("cam"));
    await sim.run(viewer.play("cam"));
    const send = async (name: string, length: number): Promise<void> => {
      publisher.data(id, "@setDataFrame", [name, "x".repeat(length)]);
      await sim.pass(2_000);
    };
    await send("on0", 10);
    await send("on0", MAX_DATA_FRAME_BYTES);
    const most = MAX_DATA_FRAMES_BYTES / MAX_DATA_FRAME_BYTES;
    // Each has a few bytes beside the string.
    const large = MAX_DATA_FRAME_BYTES - 100;
    for (let i = 1; i <= most + 1; i++) await send(`on${i}`, large);
    publisher.data(id, "@clearDataFrame", ["on1"]);
    await send("on9", large);
    const sent = Array.from({ length: most + 1 }, (_, i) => `on${i + 1}`);
    expect(handlersOf(viewer)).toEqual(["on0", "on0", ...sent, "on9"]);
    const late = await sim.connect();
    await sim.run(late.play("cam"));
    await sim.pass(2_000);
    expect(handlersOf(late)).toEqual([...sent.slice(1, most), "on9"]);
  });
});

/** Names of the data frames that a client got. */
function handlersOf(client: TestClient): string[] {
  return client.timeline.filter((name) => /^on\d+$/.test(name));
}

describe("a server", () => {
  it("remembers the rates of 16,384 names; beyond that, the one first seen begins anew", () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    for (let i = 0; i < 16_384; i++) expect(buckets.allow(0, `name ${i}`)).toBe(true);
    expect(buckets.allow(0, "name 0")).toBe(false);
    expect(buckets.allow(0, "one more")).toBe(true);
    expect(buckets.allow(0, "name 1")).toBe(false);
    expect(buckets.allow(0, "name 0")).toBe(true);
  });

  it(`remembers the bytes since the last ${MAX_RECENT} introductions`, () => {
    const counters = new Counters();
    const traffic = (bytes: number) => ({ datagramsIn: bytes, bytesIn: bytes, datagramsOut: bytes, bytesOut: bytes });
    for (let i = 0; i <= MAX_RECENT; i++) counters.introduction("introduced", `asker ${i}`, "target", traffic(i));
    const { introduced, recent } = counters.snapshot(traffic(1_000), 0, 0).introductions;
    expect(introduced).toBe(MAX_RECENT + 1);
    expect(recent.map(({ asker }) => asker)).toEqual(Array.from({ length: MAX_RECENT }, (_, i) => `asker ${i + 1}`));
    expect(recent[0]).toMatchObject({ bytesInSince: 999, bytesOutSince: 999 });
  });

  it("closes in good order for half a second; who has not answered by then is cut off", async () => {
    const sim = await new SimServer().listen();
    const [polite, silent] = [await sim.connect(), await sim.connect()];
    sim.world.block([sim.hosts[1] as (typeof sim.hosts)[number]], [sim.host]);
    const from = sim.world.now;
    await sim.run(sim.server.close());
    expect(sim.world.now - from).toBeGreaterThanOrEqual(500);
    expect(sim.world.now - from).toBeLessThan(600);
    await sim.pass(1_000);
    for (const client of [polite, silent]) expect(client.codes).toContain("NetConnection.Connect.AppShutdown");
    expect(polite.tree?.end).toBe("closed");
    expect(silent.session.isOpen).toBe(false);
  });
});
