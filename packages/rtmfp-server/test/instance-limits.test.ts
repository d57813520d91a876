/** What an instance and its clients may have, how long they may be idle, and how a server says goodbye. */
import type { RecvFlow, SendFlow } from "rtmfp-core";
import { type AmfValue, encodeCommand, encodeMessage, encodeMetadata, MessageType } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { ApplicationLimits } from "../src/limits.ts";
import { createServer } from "../src/server.ts";
import { SimServer } from "./support/sim.ts";

async function limited(limits: ApplicationLimits, base: ApplicationLimits = {}) {
  const sim = new SimServer({ limits: base });
  sim.server.application("lobby", () => ({}), limits);
  return sim.listen();
}

describe("limits", () => {
  it(...rfc("O-2"), "refuse clients beyond maxClients of an instance, and let one in when one has left", async () => {
    const sim = await limited({ maxClients: 1 });
    const first = await sim.connect("lobby/one");
    const second = await sim.open();
    expect(await sim.run(second.connect("lobby/one"))).toMatchObject({
      code: "NetConnection.Connect.Rejected",
      description: "The application is full.",
    });
    await sim.connect("lobby/two");
    await first.close();
    await sim.pass(1_000);
    await sim.connect("lobby/one");
  });

  it("count a client once its application has decided, so that two who wait do not both get the last place", async () => {
    const sim = new SimServer();
    let admit: (() => void)[] = [];
    const onConnect = () => new Promise<void>((resolve) => admit.push(resolve));
    sim.server.application("lobby", () => ({ onConnect }), { maxClients: 1 });
    await sim.listen();
    const [one, two] = [await sim.open(), await sim.open()];
    const answers = [one.connect("lobby"), two.connect("lobby")];
    await sim.pass(1_000);
    for (const go of admit) go();
    admit = [];
    const codes = (await sim.run(Promise.all(answers))).map((info) => info["code"]);
    expect(codes).toEqual(["NetConnection.Connect.Success", "NetConnection.Connect.Rejected"]);
  });

  it(...rfc("O-2"), "refuse publishers and players beyond theirs, each with a status of its stream", async () => {
    const sim = await limited({ maxPublishers: 1, maxPlayers: 1 });
    const [one, two] = [await sim.connect("lobby"), await sim.connect("lobby")];
    const published = await sim.run(one.publish("cam"));
    const id = await sim.run(two.createStream());
    two.command(id, "publish", ["other"]);
    expect(await sim.run(two.status("NetStream.Publish.Denied"))).toMatchObject({ level: "error", details: "other" });
    await sim.run(two.play("cam"));
    const third = await sim.run(one.createStream());
    one.command(third, "play", ["cam"]);
    await sim.run(one.status("NetStream.Play.Failed"));
    // Who takes a name over needs no further place.
    two.command(id, "publish", ["cam?priority=0"]);
    await sim.run(two.status("NetStream.Publish.Start"));
    one.command(published, "publish", ["free"]);
    await sim.run(one.status("NetStream.Publish.Denied"));
  });

  it("of a server hold where an application's own say nothing, and change for whoever is connected", async () => {
    const sim = await limited({ maxPublishers: 5 }, { maxStreams: 1, maxPublishers: 0 });
    const [guest, keyed] = [await sim.connect("lobby"), await sim.connect("key")];
    await sim.run(guest.publish("cam"));
    expect((await sim.run(guest.call("createStream"))).args[0]).toMatchObject({
      description: "createStream: a client has at most 1 streams",
    });
    const id = await sim.run(keyed.createStream());
    keyed.command(id, "publish", ["cam"]);
    await sim.run(keyed.status("NetStream.Publish.Denied"));
    sim.server.setLimits({ maxStreams: 2 });
    await sim.run(guest.createStream());
    keyed.command(id, "publish", ["cam"]);
    await sim.run(keyed.status("NetStream.Publish.Start"));
    sim.server.setLimits({ maxStreams: 1 }, "lobby");
    expect((await sim.run(guest.call("createStream"))).name).toBe("_error");
    expect(() => sim.server.setLimits({}, "nowhere")).toThrow('there is no application "nowhere"');
  });

  it("that make no sense are refused in one line that names them", () => {
    for (const [limits, message] of [
      [{ maxClients: -1 }, "limits: maxClients must be an integer of 0 or more, got -1"],
      [{ maxStreams: 257 }, "limits: maxStreams must be from 0 to 256, got 257"],
      [{ idleTimeoutMs: 2 ** 31 }, "limits: idleTimeoutMs must be from 0 to 2147483647 ms, got 2147483648"],
      [{ maxPlayers: "7" }, "limits: maxPlayers must be a number, got 7"],
      [{ maxViewers: 7 }, 'limits: there is no "maxViewers"'],
    ] as [ApplicationLimits, string][]) {
      expect(() => createServer({ limits })).toThrow(message);
      expect(() => createServer().application("lobby", () => ({}), limits)).toThrow(message);
    }
  });
});

describe("an idle client", () => {
  it(...rfc("F-17"), "gets IdleTimeout and is closed; one that calls, publishes or plays is not", async () => {
    const sim = await limited({ idleTimeoutMs: 60_000 });
    const [idle, busy, player] = [await sim.connect("lobby"), await sim.connect("lobby"), await sim.connect("lobby")];
    await sim.run(player.play("cam"));
    for (let i = 0; i < 5; i++) {
      await sim.pass(20_000);
      busy.send("FCSubscribe", "cam");
    }
    expect(idle.codes).toEqual(["NetConnection.Connect.IdleTimeout"]);
    expect([idle, busy, player].map(({ tree }) => tree?.end)).toEqual(["closed", undefined, undefined]);
    await sim.pass(70_000);
    expect(busy.tree?.end).toBe("closed");
    expect(player.tree?.end).toBeUndefined();
  });

  it(...rfc("F-17"), "has its whole time", async () => {
    const sim = await limited({ idleTimeoutMs: 60_000 });
    const idle = await sim.connect("lobby");
    await sim.pass(59_000);
    expect(idle.tree?.end).toBeUndefined();
    await sim.pass(10_000);
    expect(idle.tree?.end).toBe("closed");
  });
});

describe("a path that no application has", () => {
  it(
    ...rfc("F-17", "C-1"),
    "is InvalidApp where there is no application behind keys, and Failed for an unknown key",
    async () => {
      for (const [keys, code] of [
        ["none", "NetConnection.Connect.InvalidApp"],
        [["good"], "NetConnection.Connect.Failed"],
        ["any", "NetConnection.Connect.Success"],
      ] as const) {
        const sim = new SimServer({ keys });
        sim.server.application("lobby", () => ({}));
        await sim.listen();
        const client = await sim.open();
        expect((await sim.run(client.connect("bad/room")))["code"]).toBe(code);
        await sim.connect("lobby");
      }
    },
  );
});

describe("a server that will shut down", () => {
  it(...rfc("O-6"), "says so by Shutdown.Notify, takes no new clients, and ends when all have left", async () => {
    const sim = await new SimServer().listen();
    const [polite, late] = [await sim.connect(), await sim.open()];
    const closing = sim.server.close({ noticeMs: 300_000 });
    expect(await sim.run(polite.status("NetConnection.Shutdown.Notify"))).toMatchObject({ level: "status" });
    expect((await sim.run(late.connect("key")))["code"]).toBe("NetConnection.Connect.AppShutdown");
    expect((await sim.run(polite.call("createStream"))).name).toBe("_result");
    const from = sim.world.now;
    void polite.tree?.close();
    await sim.run(closing);
    expect(sim.world.now - from).toBeLessThan(15_000);
    expect(polite.codes).toEqual(["NetConnection.Shutdown.Notify"]);
  });

  it(
    ...rfc("O-6", "F-17"),
    "disconnects by AppShutdown who is left when the time is up, or at once when asked again",
    async () => {
      for (const again of [false, true]) {
        const sim = await new SimServer().listen();
        const client = await sim.connect();
        const from = sim.world.now;
        const closing = sim.server.close({ noticeMs: 60_000 });
        await sim.pass(1_000);
        if (again) void sim.server.close();
        await sim.run(closing, 100_000);
        expect(sim.world.now - from < 10_000).toBe(again);
        await sim.pass(1_000);
        expect(client.codes).toEqual(["NetConnection.Shutdown.Notify", "NetConnection.Connect.AppShutdown"]);
        expect(sim.server.stats).toMatchObject({ sessions: 0, clients: 0 });
      }
    },
  );
});

describe("a client that does not leave", () => {
  it(...rfc("O-2"), "when it is told to go loses its stream at once, and is cut off 5 s later", async () => {
    const sim = await limited({});
    const [rude, viewer] = [await sim.open(), await sim.connect("lobby")];
    const { session } = rude;
    // Flows of its own, which it never closes.
    let far: RecvFlow | undefined;
    session.onFlow = (flow) => {
      far ??= flow;
      flow.accept({ order: "sequence" });
    };
    const control = session.openFlow(encodeMetadata(0, "sequence"));
    const send = (flow: SendFlow, name: string, commandObject: AmfValue, args: readonly AmfValue[] = []) =>
      flow.write(encodeCommand({ name, transactionId: 1, commandObject, args }));
    send(control, "connect", { app: "lobby" });
    send(control, "createStream", null);
    await sim.pass(500);
    const media = session.openFlow(encodeMetadata(1, "sequence"), far === undefined ? {} : { answers: far });
    send(media, "publish", null, ["cam"]);
    await sim.run(viewer.play("cam"));
    const publish = async (timestamp: number) => {
      if (media.isOpen) media.write(encodeMessage(MessageType.audio, timestamp, Uint8Array.of(0x2f, 1)));
      await sim.pass(100);
    };
    await publish(1);
    const victim = sim.server.clients.find(({ farID }) => farID === rude.peerId);
    const end = victim?.end("NetConnection.Connect.Rejected", "Kicked.");
    expect(sim.server.clients.map(({ farID }) => farID)).toEqual([viewer.peerId]);
    for (let i = 2; i < 48; i++) {
      await publish(i);
      send(control, "createStream", null);
    }
    expect(session.isOpen).toBe(true);
    for (let i = 48; i < 60; i++) await publish(i);
    expect(session.isOpen).toBe(false);
    await end;
    expect(viewer.timeline).toEqual(["audio 1"]);
    expect(viewer.codes).toContain("NetStream.Play.UnpublishNotify");
    expect(sim.server.stats).toMatchObject({ clients: 1, sessions: 1 });
  });

  it(...rfc("O-2"), "when it is refused is cut off 5 s later, and one that never connects after a minute", async () => {
    const sim = await limited({ maxClients: 0 });
    const [refused, silent, lingering] = [await sim.open(), await sim.open(), await sim.open()];
    // It closes its connection, and keeps its session.
    await sim.run(lingering.connect("lobby"));
    await sim.pass(1_000);
    expect([lingering.tree?.end, lingering.session.isOpen]).toEqual(["closed", true]);
    refused.session.onFlow = (flow) => flow.accept({ order: "sequence" });
    const control = refused.session.openFlow(encodeMetadata(0, "sequence"));
    control.write(encodeCommand({ name: "connect", transactionId: 1, commandObject: { app: "lobby" }, args: [] }));
    await sim.pass(4_000);
    expect(refused.session.isOpen).toBe(true);
    await sim.pass(3_000);
    expect(refused.session.isOpen).toBe(false);
    expect(lingering.session.isOpen).toBe(false);
    await sim.pass(48_000);
    expect(silent.session.isOpen).toBe(true);
    await sim.pass(5_000);
    expect(silent.session.isOpen).toBe(false);
    expect(sim.server.stats.sessions).toBe(0);
  });

  it(...rfc("O-2"), "its session for a minute after its connection, may connect in it again", async () => {
    const sim = await limited({});
    const client = await sim.connect("lobby");
    await sim.pass(50_000);
    await sim.run(client.tree?.close() ?? Promise.reject(new Error("no connection")));
    await sim.pass(50_000);
    expect((await sim.run(client.connect("lobby")))["code"]).toBe("NetConnection.Connect.Success");
    await sim.pass(120_000);
    expect(sim.server.stats.clients).toBe(1);
  });
});
