import { GopGuard, MAX_GROUP_BYTES } from "rtmfp-core/flv";
import { AmfXml } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { ServerOptions } from "../src/server-options.ts";
import { SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

async function world(options: ServerOptions = {}) {
  const sim = await new SimServer(options).listen();
  return { sim, publisher: await sim.connect(), viewer: await sim.connect() };
}

/** Runs until the client's timeline is as long as that. */
async function see(sim: SimServer, client: TestClient, length: number): Promise<string[]> {
  await sim.world.runUntilAsync(() => client.timeline.length >= length, 20_000);
  await sim.pass(500);
  return client.timeline;
}

const AVC_HEADER = [0x17, 0, 0, 0, 0, 1];
const AVC_KEY = [0x17, 1, 0, 0, 0, 2];
const AVC_DELTA = [0x27, 1, 0, 0, 0, 3];
const AAC_HEADER = [0xaf, 0, 0x12, 0x10];
const AAC_FRAME = [0xaf, 1, 9];

describe("publish", () => {
  it(...rfc("F-9"), "of a name that is taken gets BadName, and disturbs nobody", async () => {
    const { sim, publisher, viewer } = await world();
    await sim.run(publisher.publish("cam"));
    const id = await sim.run(viewer.createStream());
    viewer.command(id, "publish", ["cam", "live"]);
    const info = await sim.run(viewer.status("NetStream.Publish.BadName"));
    expect(info).toMatchObject({ level: "error", details: "cam" });
    expect(publisher.codes).toEqual(["NetStream.Publish.Start"]);
    viewer.command(id, "publish", [""]);
    await sim.pass(500);
    expect(viewer.codes).toEqual(["NetStream.Publish.BadName", "NetStream.Publish.BadName"]);
  });

  it(...rfc("F-9"), "of a name is free again when its publisher stops, deletes the stream, or is gone", async () => {
    const { sim, publisher, viewer } = await world();
    const id = await sim.run(publisher.publish("cam"));
    publisher.command(id, "closeStream", []);
    await sim.run(publisher.status("NetStream.Unpublish.Success"));
    const other = await sim.run(viewer.publish("cam"));
    viewer.send("deleteStream", other);
    await sim.pass(500);
    publisher.command(id, "publish", ["cam"]);
    await sim.pass(500);
    await publisher.close();
    await sim.pass(500);
    const third = await sim.connect();
    await sim.run(third.publish("cam"));
    expect(sim.logged("publish").map(({ outcome }) => outcome)).toEqual(Array(4).fill("started"));
  });

  it("is private to one application instance", async () => {
    const sim = await new SimServer().listen();
    const [one, two] = [await sim.connect("key/one"), await sim.connect("key/two")];
    await sim.run(one.publish("cam"));
    await sim.run(two.publish("cam"));
  });

  it(...rfc("C-4"), "and play are refused by a server that only introduces", async () => {
    const { sim, publisher } = await world({ introduceOnly: true });
    const id = await sim.run(publisher.createStream());
    publisher.command(id, "publish", ["cam"]);
    publisher.command(id, "play", ["cam"]);
    await sim.run(publisher.status("NetStream.Publish.Denied"));
    await sim.run(publisher.status("NetStream.Play.Failed"));
    publisher.media(id, "video", 0, AVC_KEY);
    await sim.pass(500);
    expect(sim.server.stats.mediaMessages).toBe(0);
  });
});

describe("play", () => {
  it(
    ...rfc("F-9", "AMB-74"),
    "tells StreamBegin, Reset and Start, then of each publisher that comes and goes",
    async () => {
      const { sim, publisher, viewer } = await world();
      const playing = await sim.run(viewer.play("cam"));
      const id = await sim.run(publisher.publish("cam"));
      publisher.media(id, "video", 40, AVC_KEY);
      await see(sim, viewer, 1);
      publisher.command(id, "closeStream", []);
      await sim.run(viewer.status("NetStream.Play.UnpublishNotify"));
      expect(viewer.got[3]).toEqual({
        kind: "control",
        streamId: playing,
        control: { event: "streamBegin", streamId: playing },
      });
      expect(viewer.codes).toEqual([
        "NetStream.Play.Reset",
        "NetStream.Play.Start",
        "NetStream.Play.PublishNotify",
        "NetStream.Play.UnpublishNotify",
      ]);
      const kinds = viewer.got.slice(4).map((got) => got.kind);
      expect(kinds).toEqual(["command", "command", "command", "video", "command"]);
      const again = await sim.run(publisher.publish("cam"));
      publisher.media(again, "video", 0, AVC_KEY);
      expect(await see(sim, viewer, 2)).toEqual(["video 40", "video 0"]);
    },
  );

  it(...rfc("F-9"), "says of a stream's end whether its publisher wanted it", async () => {
    type End = (publisher: TestClient, id: number, sim: SimServer, viewer: TestClient) => unknown;
    const ends: [string | undefined, End][] = [
      [undefined, (publisher, id) => publisher.command(id, "closeStream", [])],
      [undefined, (publisher, id) => publisher.send("deleteStream", id)],
      [undefined, (publisher) => publisher.tree?.close()],
      [undefined, (publisher) => publisher.tree?.abort()],
      [undefined, (publisher) => publisher.session.close()],
      ["removed", (publisher, _id, sim) => sim.server.clients.find(({ farID }) => farID === publisher.peerId)?.close()],
      ["removed", (_publisher, _id, _sim, viewer) => viewer.send("releaseStream", "cam")],
      ["lost", (_publisher, _id, sim) => sim.hosts[0]?.freeze(10 * 60_000)],
    ];
    for (const [reason, end] of ends) {
      const { sim, publisher, viewer } = await world();
      await sim.run(viewer.play("cam"));
      void end(publisher, await sim.run(publisher.publish("cam")), sim, viewer);
      const notice = await sim.run(viewer.status("NetStream.Play.UnpublishNotify"), 5 * 60_000);
      expect(notice["reason"], String(end)).toBe(reason);
    }
  });

  it(...rfc("F-9"), "of a recording finds no stream; of a live stream it waits", async () => {
    const { sim, viewer } = await world();
    const id = await sim.run(viewer.createStream());
    viewer.command(id, "play", ["cam", 0]);
    expect((await sim.run(viewer.status("NetStream.Play.StreamNotFound")))["level"]).toBe("error");
    viewer.command(id, "play", ["cam", -1, -1, false]);
    await sim.run(viewer.status("NetStream.Play.Start"));
    expect(viewer.codes).toEqual(["NetStream.Play.StreamNotFound", "NetStream.Play.Start"]);
  });

  it("relays the very bytes, in order per kind, with counts", async () => {
    const { sim, publisher, viewer } = await world();
    await sim.run(viewer.play("cam"));
    const id = await sim.run(publisher.publish("cam"));
    publisher.media(id, "video", 0, AVC_HEADER);
    publisher.media(id, "audio", 0, AAC_HEADER);
    for (let i = 1; i <= 20; i++) {
      publisher.media(id, "video", i * 40, [...(i === 1 ? AVC_KEY : AVC_DELTA), i]);
      publisher.media(id, "audio", i * 40, [...AAC_FRAME, i]);
    }
    await see(sim, viewer, 42);
    for (const kind of ["audio", "video"] as const) {
      const got = viewer.got.flatMap((each) => (each.kind === kind ? [each.message] : []));
      expect(got.map(({ timestamp }) => timestamp)).toEqual([0, ...Array.from({ length: 20 }, (_, i) => 40 * (i + 1))]);
      expect(got.slice(1).map(({ payload }) => payload.at(-1))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    }
    expect(sim.server.stats).toMatchObject({ mediaMessages: 42, mediaBytes: 6 + 4 + 20 * (7 + 4) });
  });

  it(...rfc("F-10", "R7425-5.2-05"), "gets data in order with the media, however lossy the way", async () => {
    const { sim, publisher } = await world();
    const viewer = await sim.open({ down: { loss: 0.25, latencyMs: 20, jitterMs: 30 } });
    await sim.run(viewer.connect("key"));
    await sim.run(viewer.play("cam"), 60_000);
    const id = await sim.run(publisher.publish("cam"));
    const expected: string[] = [];
    for (let i = 0; i < 30; i++) {
      publisher.media(id, "video", i, i === 0 ? AVC_KEY : AVC_DELTA);
      await sim.pass(20);
      publisher.data(id, `note${i}`, [i], i);
      await sim.pass(20);
      expected.push(`video ${i}`, `note${i}`);
    }
    await sim.world.runUntilAsync(() => viewer.timeline.length >= 60, 120_000);
    expect(viewer.timeline).toEqual(expected);
  });

  it(
    ...rfc("F-10"),
    "that begins late gets metadata, decoder configuration, and the pictures since the last key frame",
    async () => {
      const { sim, publisher, viewer } = await world();
      const id = await sim.run(publisher.publish("cam"));
      publisher.data(id, "@setDataFrame", ["onMetaData", { width: 320 }]);
      publisher.data(id, "@setDataFrame", ["onOther", 1]);
      publisher.data(id, "@setDataFrame", ["onGone", 1]);
      publisher.data(id, "@clearDataFrame", ["onGone"]);
      publisher.media(id, "video", 0, AVC_HEADER);
      publisher.media(id, "video", 0, AVC_KEY);
      publisher.media(id, "video", 40, AVC_DELTA);
      publisher.media(id, "video", 80, AVC_KEY);
      publisher.media(id, "video", 120, AVC_DELTA);
      await sim.pass(500);
      publisher.data(id, "live", []);
      await sim.pass(500);
      await sim.run(viewer.play("cam"));
      expect(await see(sim, viewer, 6)).toEqual(["onMetaData", "onOther", "video 80", "video 80", "video 120", "live"]);
      const [header] = viewer.got.flatMap((each) => (each.kind === "video" ? [each.message.payload] : []));
      expect([...(header ?? [])]).toEqual(AVC_HEADER);
      const [metadata] = viewer.got.flatMap((each) => (each.kind === "data" ? [each.data.args[0]] : []));
      expect(metadata).toMatchObject({ width: 320 });
      expect(viewer.codes.at(-1)).toBe("NetStream.Play.PublishNotify");
    },
  );

  it("that begins late waits for a key frame when too much has come since the last one", async () => {
    const { sim, publisher, viewer } = await world();
    const id = await sim.run(publisher.publish("cam"));
    publisher.media(id, "video", 0, AVC_KEY);
    for (let i = 1; i <= 12; i++) {
      publisher.media(id, "video", i, [...AVC_DELTA, ...new Uint8Array(MAX_GROUP_BYTES / 12)]);
      await sim.pass(200);
    }
    await sim.run(viewer.play("cam"));
    publisher.media(id, "video", 20, AVC_DELTA);
    publisher.media(id, "audio", 20, AAC_FRAME);
    publisher.media(id, "video", 21, AVC_KEY);
    publisher.media(id, "video", 22, AVC_DELTA);
    const seen = await see(sim, viewer, 3);
    expect([...seen].sort()).toEqual(["audio 20", "video 21", "video 22"]);
  });

  it("passes @setDataFrame on without its name, byte for byte, and turns AMF3 data into AMF0 for those who read that", async () => {
    const sim = await new SimServer().listen();
    const publisher = await sim.connect("key", [], { objectEncoding: 3 });
    const [old, young] = [await sim.connect("key"), await sim.connect("key", [], { objectEncoding: 3 })];
    await sim.run(old.play("cam"));
    await sim.run(young.play("cam"));
    const id = await sim.run(publisher.publish("cam"));
    publisher.data(id, "@setDataFrame", ["onMetaData", { width: 320, note: new AmfXml("<a/>") }], 5);
    for (const [client, type] of [
      [old, 18],
      [young, 15],
    ] as const) {
      expect(await see(sim, client, 1)).toEqual(["onMetaData"]);
      const got = client.got.find((each) => each.kind === "data");
      expect(got).toMatchObject({ type, data: { args: [{ width: 320, note: new AmfXml("<a/>") }] } });
    }
  });

  it("pauses, and leaves out sound or pictures, and goes on with a key frame", async () => {
    const { sim, publisher, viewer } = await world();
    const playing = await sim.run(viewer.play("cam"));
    const id = await sim.run(publisher.publish("cam"));
    let time = 0;
    const step = async (...kinds: ("key" | "delta" | "audio")[]): Promise<void> => {
      for (const kind of kinds) {
        if (kind === "audio") publisher.media(id, "audio", ++time, AAC_FRAME);
        else publisher.media(id, "video", ++time, kind === "key" ? AVC_KEY : AVC_DELTA);
      }
      await sim.pass(500);
    };
    const tell = async (name: string, ...args: (boolean | number)[]): Promise<void> => {
      viewer.command(playing, name, args);
      await sim.pass(500);
    };
    await step("key", "audio"); // 1 2
    await tell("pause", true, 0);
    await step("delta", "audio"); // 3 4
    await tell("pause", false, 0);
    await step("delta", "audio", "key"); // 5 6 7
    await tell("receiveVideo", false);
    await step("delta", "audio"); // 8 9
    await tell("receiveVideo", true);
    await tell("receiveAudio", false);
    await step("delta", "audio", "key", "delta"); // 10 11 12 13
    const times = viewer.timeline.map((entry) => Number(entry.split(" ")[1])).sort((a, b) => a - b);
    expect(times).toEqual([1, 2, 6, 7, 9, 12, 13]);
    expect(viewer.codes.slice(-2)).toEqual(["NetStream.Pause.Notify", "NetStream.Unpause.Notify"]);
  });

  it("by a slow client misses whole groups of pictures, and never fills the server's memory", async () => {
    const { sim, publisher } = await world();
    const slow = await sim.open({ down: { bitsPerSecond: 800_000, queueBytes: 40_000 } });
    await sim.run(slow.connect("key"));
    await sim.run(slow.play("cam"));
    const id = await sim.run(publisher.publish("cam"));
    for (let i = 0; i < 300; i++) {
      const isKey = i % 25 === 0;
      publisher.media(id, "video", i * 40, [...(isKey ? AVC_KEY : AVC_DELTA), ...new Uint8Array(12_000)]);
      publisher.media(id, "audio", i * 40, AAC_FRAME);
      publisher.data(id, "tick", [i], i * 40);
      await sim.pass(40);
    }
    await sim.pass(180_000);
    const { droppedMessages } = sim.server.stats;
    expect(droppedMessages).toBeGreaterThan(100);
    // What was under way when its group was given up may come behind the gap.
    const guard = new GopGuard();
    const video = slow.got.flatMap((got) => {
      if (got.kind !== "video") return [];
      const { timestamp, payload } = got.message;
      return guard.passes({ type: "video", timestamp, data: payload }, slow, got.missing) ? [got.message] : [];
    });
    expect(video.length).toBeGreaterThan(25);
    expect(video.length).toBeLessThan(250);
    let expectedTime = 0;
    for (const { timestamp, payload } of video) {
      if (payload[0] === 0x17) expectedTime = timestamp;
      expect(timestamp).toBe(expectedTime);
      expectedTime += 40;
    }
    expect(slow.timeline.filter((entry) => entry === "tick").length).toBe(300);
  });

  it(
    ...rfc("R7425-5.3.5.3-04", "R7425-5.3.5.3-05"),
    "ends when the client rejects a flow of the stream, until it plays again",
    async () => {
      const { sim, publisher, viewer } = await world();
      const playing = await sim.run(viewer.play("cam"));
      const id = await sim.run(publisher.publish("cam"));
      publisher.media(id, "video", 1, AVC_KEY);
      await see(sim, viewer, 1);
      viewer.tree?.rejectStream(playing);
      await sim.pass(500);
      publisher.media(id, "video", 2, AVC_KEY);
      await sim.pass(500);
      expect(viewer.timeline).toEqual(["video 1"]);
      expect(sim.logged("stop").length).toBe(1);
      viewer.command(playing, "play", ["cam"]);
      expect((await see(sim, viewer, 2)).at(-1)).toBe("video 2");
    },
  );
});
