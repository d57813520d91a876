import type { FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it } from "../../../test/support/rfc.ts";
import { TagQueue } from "../src/tag-queue.ts";

const MEGABYTE = 1024 * 1024;
const tag = (timestamp: number, size = 1): FlvTag => ({ type: "video", timestamp, data: new Uint8Array(size) });

function make(): { queue: TagQueue; told: string[] } {
  const told: string[] = [];
  const queue = new TagQueue(
    (full) => told.push(full ? "full" : "drained"),
    () => told.push("broken"),
  );
  return { queue, told };
}

describe("TagQueue", () => {
  it("gives tags in order, waits for more, and ends after the last", async () => {
    const { queue } = make();
    queue.push(tag(1));
    const got: number[] = [];
    const reading = (async () => {
      for await (const { timestamp } of queue) got.push(timestamp);
    })();
    queue.push(tag(2));
    await Promise.resolve();
    queue.push(tag(3));
    queue.end();
    queue.push(tag(4));
    await reading;
    expect(got).toEqual([1, 2, 3]);
  });

  it("tells what waits of each kind", async () => {
    const { queue } = make();
    const none = { bytes: 0, ms: 0 };
    expect(queue.waiting).toEqual({ audio: none, video: none, data: none });
    for (let i = 0; i < 3_000; i++) queue.push(tag(i * 10, 2));
    queue.push({ ...tag(7, 5), type: "audio" });
    expect(queue.waiting).toEqual({ audio: { bytes: 5, ms: 0 }, video: { bytes: 6_000, ms: 29_990 }, data: none });
    for (let i = 0; i < 2_000; i++) await queue.next();
    expect(queue.waiting.video).toEqual({ bytes: 2_000, ms: 9_990 });
  });

  it("drops the oldest while nobody reads", async () => {
    const { queue, told } = make();
    for (let i = 0; i < 10; i++) queue.push(tag(i, MEGABYTE));
    expect(queue.dropped).toBe(2);
    expect(told).toEqual([]);
    expect((await queue.next()).value?.timestamp).toBe(2);
  });

  it("takes no end of small tags for little", async () => {
    const { queue, told } = make();
    for (let i = 0; i < 40_000; i++) queue.push(tag(i));
    expect(queue.dropped).toBe(40_000 - 32_768);
    await queue.next();
    expect(told).toEqual([]);
    for (let i = 0; i < 10; i++) queue.push(tag(i));
    expect(told).toEqual(["full"]);
  });

  it("asks to be held back once its reader is slow, and goes on at half", async () => {
    const { queue, told } = make();
    queue.push(tag(0));
    await queue.next();
    for (let i = 1; i <= 9; i++) queue.push(tag(i, MEGABYTE));
    expect(told).toEqual(["full"]);
    expect(queue.dropped).toBe(0);
    for (let i = 1; i <= 4; i++) await queue.next();
    expect(told).toEqual(["full"]);
    await queue.next();
    expect(told).toEqual(["full", "drained"]);
  });

  it("tells when the reader leaves early", async () => {
    const { queue, told } = make();
    queue.push(tag(1));
    queue.push(tag(2));
    for await (const _tag of queue) break;
    expect(told).toEqual(["broken"]);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });
});
