/** Names of streams: parameters, hashes to play by, priorities to publish by. */
import { createHash } from "node:crypto";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { Application } from "../src/application.ts";
import { hashName, parseStreamName, priorityOf, type StreamName } from "../src/stream-name.ts";
import { lobby, SimServer } from "./support/sim.ts";

const KEY_FRAME = [0x17, 1, 0, 0, 0, 2];

async function world() {
  const sim = await new SimServer().listen();
  return { sim, publisher: await sim.connect(), rival: await sim.connect(), viewer: await sim.connect() };
}

describe("the hash of a stream's name", () => {
  it(
    ...rfc("O-6"),
    "is told to the publisher, plays the stream before and after it is published, and shows no name",
    async () => {
      const { sim, publisher, rival, viewer } = await world();
      const hash = `sha256:${createHash("sha256").update("foo").digest("hex")}`;
      expect(hash).toBe("sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae");
      await sim.run(viewer.play(`${hash}?asis`));
      const id = await sim.run(publisher.publish("foo"));
      expect((await sim.run(publisher.status("NetStream.Publish.Start")))["hashname"]).toBe(hash);
      await sim.run(rival.play(hash));
      publisher.media(id, "video", 0, KEY_FRAME);
      await sim.pass(1_000);
      expect([viewer.timeline, rival.timeline]).toEqual([["video 0"], ["video 0"]]);
      expect(JSON.stringify([viewer.got, rival.got])).not.toContain('"foo');
      publisher.command(id, "closeStream", []);
      await sim.run(viewer.status("NetStream.Play.UnpublishNotify"));
    },
  );

  it(...rfc("O-6"), "is no name to publish by", async () => {
    const { sim, publisher } = await world();
    const id = await sim.run(publisher.createStream());
    publisher.command(id, "publish", [hashName("foo")]);
    await sim.run(publisher.status("NetStream.Publish.BadName"));
  });

  it("leaves nothing behind once nobody plays or publishes it", async () => {
    const { sim, apps } = await lobby();
    const [publisher, viewer, other] = [
      await sim.connect("lobby"),
      await sim.connect("lobby"),
      await sim.connect("lobby"),
    ];
    const { streams } = apps[0] as Application;
    await sim.run(viewer.play(hashName("foo")));
    expect([streams.streams.size, streams.players]).toEqual([0, 1]);
    const id = await sim.run(publisher.publish("foo"));
    expect([[...streams.streams.keys()], streams.publishers, streams.players]).toEqual([["foo"], 1, 1]);
    publisher.command(id, "closeStream", []);
    await viewer.close();
    await sim.pass(1_000);
    expect([streams.streams.size, streams.publishers, streams.players]).toEqual([0, 0, 0]);
    await sim.run(other.play(hashName("foo")));
    publisher.command(id, "publish", ["foo"]);
    await sim.run(other.status("NetStream.Play.PublishNotify"));
  });
});

describe("the priority of a publisher", () => {
  it(...rfc("O-6"), "takes a name from one of lower priority, and players go on with the new one", async () => {
    const { sim, publisher, rival, viewer } = await world();
    await sim.run(viewer.play("cam"));
    const first = await sim.run(publisher.publish("cam?priority=-2"));
    publisher.media(first, "video", 0, KEY_FRAME);
    const second = await sim.run(rival.createStream());
    rival.command(second, "publish", ["cam?priority=-2"]);
    await sim.run(rival.status("NetStream.Publish.BadName"));
    rival.command(second, "publish", ["cam?x=1;priority=-1"]);
    await sim.run(publisher.status("NetStream.Publish.BadName"));
    await sim.run(rival.status("NetStream.Publish.Start"));
    publisher.media(first, "video", 10, KEY_FRAME);
    rival.media(second, "video", 20, KEY_FRAME);
    await sim.pass(1_000);
    expect(viewer.timeline).toEqual(["video 0", "video 20"]);
    expect(viewer.codes.slice(2)).toEqual([
      "NetStream.Play.PublishNotify",
      "NetStream.Play.UnpublishNotify",
      "NetStream.Play.PublishNotify",
    ]);
    const notices = viewer.commands("onStatus").map(({ args }) => (args[0] as Record<string, unknown>)["priority"]);
    expect(notices.filter((priority) => priority !== undefined)).toEqual([-2, -1]);
    publisher.command(first, "closeStream", []);
    await sim.pass(500);
    expect(viewer.codes.length).toBe(5);
  });

  it(...rfc("O-6"), "is at most what the application allows", async () => {
    const { sim, publisher, rival } = await world();
    await sim.run(publisher.publish("cam?priority=0"));
    const id = await sim.run(rival.createStream());
    rival.command(id, "publish", ["cam?priority=9"]);
    await sim.run(rival.status("NetStream.Publish.BadName"));
    sim.server.setLimits({ maxPriority: 9 });
    rival.command(id, "publish", ["cam?priority=9"]);
    expect((await sim.run(rival.status("NetStream.Publish.Start")))["priority"]).toBe(9);
    sim.server.setLimits({ maxPriority: Number.NEGATIVE_INFINITY });
    const other = await sim.run(publisher.createStream());
    publisher.command(other, "publish", ["cam?priority=10"]);
    await sim.pass(500);
    expect(publisher.codes.filter((code) => code === "NetStream.Publish.BadName").length).toBe(2);
  });

  it(...rfc("O-6"), "decides what releaseStream may end: a publisher of none, and none of the highest", async () => {
    const { sim, publisher, rival } = await world();
    const id = await sim.run(publisher.publish("cam"));
    rival.send("releaseStream", "cam");
    const info = await sim.run(publisher.status("NetStream.Publish.BadName"));
    expect(info).toMatchObject({ details: "cam", description: "Somebody released it." });
    publisher.command(id, "publish", ["cam?priority=0"]);
    await sim.pass(500);
    for (const name of ["cam", "cam?priority=5", "nothing", 7, null]) {
      expect((await sim.run(rival.call("releaseStream", name))).name).toBe("_result");
    }
    expect(publisher.codes.filter((code) => code === "NetStream.Publish.BadName").length).toBe(1);
    rival.command(await sim.run(rival.createStream()), "publish", ["cam"]);
    await sim.run(rival.status("NetStream.Publish.BadName"));
  });

  it("is the least unless it is said by a number", () => {
    const priority = (text: string) => priorityOf(parseStreamName(text) as StreamName, 3);
    expect(
      ["cam", "cam?priority=", "cam?priority=high", "cam?priority=2", "cam?priority=1&priority=5"].map(priority),
    ).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 2, 3]);
  });
});

describe("a stream's name", () => {
  it(...rfc("O-6"), "ends at the first question mark; parameters are separated as in tcserver's names", () => {
    const { name, parameters } = parseStreamName("mp4:cam?a=1&b=2;c?a=x=y&=z") as StreamName;
    expect(name).toBe("mp4:cam");
    expect([...parameters]).toEqual([
      ["a", "x=y"],
      ["b", "2"],
      ["c", ""],
    ]);
    for (const bad of ["", "?a=1", 7, null, undefined, "n".repeat(1_025)]) expect(parseStreamName(bad)).toBeUndefined();
  });
});
