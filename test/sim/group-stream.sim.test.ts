import { NetStream, type StatusEvent } from "rtmfp-client";
import { type FlvTag, isKeyFrame, isSequenceHeader } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { channelSpec, codes, GroupScene, soundAndPictures } from "./group-support.ts";
import { collect } from "./support.ts";

/** A busy machine is slow; virtual time does not mind. */
const TIMEOUT_MS = 120_000;

describe("a stream of a group", () => {
  it(
    ...rfc("G-3", "P-4"),
    "comes to every member as it was published, from the first key frame on",
    async () => {
      const scene = await new GroupScene(2).start();
      const { world } = scene;
      const spec = channelSpec();
      const { nc: publisher } = await scene.connect("publisher", "port-restricted-cone");
      const cam = new NetStream(publisher, spec);
      const camEvents: StatusEvent[] = [];
      cam.on("status", (event) => camEvents.push(event));
      expect(await world.settle(cam.publish("cam"), 5_000)).toMatchObject({ code: "NetStream.Publish.Start" });
      const viewers = [];
      for (const name of ["one", "two", "three"]) {
        const { nc, connection } = await scene.connect(name);
        const view = new NetStream(nc, spec);
        const events: StatusEvent[] = [];
        view.on("status", (event) => events.push(event));
        void view.play("cam");
        const got = collect(view);
        viewers.push({ nc, view, connection, events, got });
      }
      await world.runAsync(5_000);
      const tags = [...soundAndPictures(20)];
      const fed = await world.settle(cam.feed(tags), 60_000);
      expect(fed).toMatchObject({ tags: tags.length, delivered: tags.length });
      await world.settle(cam.close(), 20_000);
      await world.runAsync(3_000);
      expect(codes(camEvents)).toEqual(["NetStream.Publish.Start", "NetStream.Unpublish.Success"]);
      for (const { view, got, events, connection } of viewers) {
        expect(codes(events)).toEqual([
          "NetStream.Play.PublishNotify",
          "NetStream.Play.Start",
          "NetStream.Play.UnpublishNotify",
        ]);
        expect(codes(connection)).toEqual(["NetConnection.Connect.Success", "NetStream.Connect.Success"]);
        expect(connection.at(-1)).toMatchObject({ stream: view });
        expectSameFrom(got, tags);
      }
    },
    TIMEOUT_MS,
  );

  it(
    ...rfc("G-3", "B-4"),
    "goes on for everybody after its source has stood still for longer than members remember streams",
    async () => {
      const scene = await new GroupScene(3).start();
      const { world } = scene;
      const spec = channelSpec();
      const { nc: publisher } = await scene.connect("publisher", "port-restricted-cone");
      const cam = new NetStream(publisher, spec);
      const viewers = [];
      for (const name of ["one", "two", "three"]) {
        const view = new NetStream((await scene.connect(name)).nc, spec);
        const events: StatusEvent[] = [];
        view.on("status", (event) => events.push(event));
        void view.play("cam");
        viewers.push({ events, got: collect(view) });
      }
      await world.settle(cam.publish("cam"), 5_000);
      const begun = [...soundAndPictures(4)];
      await world.settle(cam.feed(begun), 30_000);
      await world.runAsync(360_000);
      for (const { got } of viewers) expectSameFrom(got.splice(0), begun);
      const resumed = [...soundAndPictures(6)].map((tag) => ({ ...tag, timestamp: tag.timestamp + 364_000 }));
      for (const tag of resumed) {
        cam.writeTag(tag);
        await world.runAsync(10);
      }
      await world.runAsync(3_000);
      const isPicture = ({ type, data }: FlvTag): boolean => type === "video" && data[1] === 1;
      for (const { got, events } of viewers) {
        expect(got.filter(isPicture)).toEqual(resumed.filter(isPicture));
        expect(codes(events).filter((code) => code !== "NetStream.Play.Start")).toEqual([
          "NetStream.Play.PublishNotify",
          "NetStream.Play.UnpublishNotify",
          "NetStream.Play.PublishNotify",
        ]);
      }
    },
    TIMEOUT_MS,
  );
});

/** From the first key frame on nothing is missing; before it are codec configurations and sound. */
function expectSameFrom(got: readonly FlvTag[], tags: readonly FlvTag[]): void {
  const pictures = got.filter((tag) => tag.type === "video" && !isSequenceHeader(tag));
  const first = pictures[0] as FlvTag;
  expect(isKeyFrame(first)).toBe(true);
  expect(first.timestamp).toBeLessThanOrEqual(2_000);
  expect(pictures).toEqual(
    tags.filter((tag) => tag.type === "video" && !isSequenceHeader(tag) && tag.timestamp >= first.timestamp),
  );
  const sounds = got.filter((tag) => tag.type === "audio" && !isSequenceHeader(tag));
  const heard = tags.filter((tag) => tag.type === "audio" && !isSequenceHeader(tag));
  expect(sounds).toEqual(heard.filter(({ timestamp }) => timestamp >= (sounds[0]?.timestamp ?? 0)));
  expect(got.filter(isSequenceHeader).map(({ type, data }) => [type, data])).toEqual(
    expect.arrayContaining(tags.filter(isSequenceHeader).map(({ type, data }) => [type, data])),
  );
  expect(got.filter(isSequenceHeader)).toHaveLength(2);
}
