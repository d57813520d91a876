import fc from "fast-check";
import type { FlvTag, FlvTagType } from "rtmfp-core/flv";
import { SimClock } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { pausable } from "../../../test/support/pausable-clock.ts";
import { it, rfc } from "../../../test/support/rfc.ts";
import { TagMerger } from "../src/tag-merger.ts";

function make(windowMs = 1_000): { clock: SimClock; merger: TagMerger; out: string[] } {
  const clock = new SimClock();
  const out: string[] = [];
  const merger = new TagMerger({ now: () => clock.now, after: (ms, run) => clock.after(ms, run) }, windowMs, (tag) =>
    out.push(`${tag.type[0]}${tag.timestamp}`),
  );
  return { clock, merger, out };
}

const tag = (type: FlvTagType, timestamp: number, first = 0x2f): FlvTag => ({
  type,
  timestamp,
  data: new Uint8Array([first, 1]),
});

describe("TagMerger", () => {
  it("waits for metadata and both kinds of media at first, then passes on by time", () => {
    const { merger, out } = make();
    merger.push(tag("audio", 0));
    merger.push(tag("video", 0));
    expect(out).toEqual([]);
    merger.push(tag("data", 0));
    expect(out).toEqual(["d0", "v0", "a0"]);
    merger.push(tag("video", 40));
    expect(out).toHaveLength(3);
    merger.push(tag("audio", 23));
    merger.push(tag("audio", 46));
    expect(out.slice(3)).toEqual(["a23", "v40"]);
  });

  it("puts codec configuration before frames of the same time", () => {
    const { merger, out } = make();
    merger.push(tag("data", 0));
    merger.push({ type: "video", timestamp: 0, data: new Uint8Array([0x17, 0]) });
    merger.push(tag("video", 0, 0x17));
    merger.push({ type: "audio", timestamp: 0, data: new Uint8Array([0xaf, 0]) });
    expect(out).toEqual(["d0", "v0", "a0", "v0"]);
  });

  it("stops waiting for a kind that stays behind for the window, until it is back", () => {
    const { clock, merger, out } = make(500);
    merger.push(tag("video", 0));
    clock.run(499);
    expect(out).toEqual([]);
    clock.run(1);
    expect(out).toEqual(["v0"]);
    merger.push(tag("video", 40));
    expect(out).toEqual(["v0", "v40"]);
    merger.push(tag("audio", 50));
    expect(out).toEqual(["v0", "v40"]);
    merger.push(tag("video", 80));
    expect(out).toEqual(["v0", "v40", "a50"]);
    clock.run(500);
    expect(out).toEqual(["v0", "v40", "a50", "v80"]);
  });

  it("waits no longer than a second for a kind that has never come, whatever the window", () => {
    const { clock, merger, out } = make(10_000);
    merger.push(tag("audio", 0));
    clock.run(999);
    expect(out).toEqual([]);
    clock.run(1);
    expect(out).toEqual(["a0"]);
    merger.push(tag("video", 10));
    clock.run(9_999);
    expect(out).toEqual(["a0"]);
    clock.run(1);
    expect(out).toEqual(["a0", "v10"]);
  });

  it("never waits for a kind that is switched off, whatever of it still comes; once it is on again, from its next tag", () => {
    const { clock, merger, out } = make(2_000);
    for (const kind of ["data", "video", "audio"] as const) merger.push(tag(kind, 0));
    merger.push(tag("audio", 40));
    expect(out).toEqual(["d0", "v0", "a0"]);
    merger.expect("video", false);
    expect(out.slice(3)).toEqual(["a40"]);
    merger.push(tag("video", 80));
    merger.push(tag("audio", 80));
    merger.push(tag("audio", 120));
    expect(out.slice(4)).toEqual(["v80", "a80", "a120"]);
    merger.expect("video", true);
    merger.push(tag("audio", 160));
    expect(out.slice(7)).toEqual(["a160"]);
    merger.push(tag("video", 170));
    merger.push(tag("audio", 200));
    expect(out.slice(8)).toEqual(["v170"]);
    clock.run(2_000);
    expect(out.slice(9)).toEqual(["a200"]);
  });

  it("waits 0.3 s for a kind that has been found silent, and the whole window once it has come late", () => {
    const { clock, merger, out } = make(2_000);
    for (const kind of ["data", "video", "audio"] as const) merger.push(tag(kind, 0));
    const waited = (timestamp: number): number => {
      const [before, from] = [out.length, clock.now];
      merger.push(tag("audio", timestamp));
      while (out.length === before) clock.run(1);
      return clock.now - from;
    };
    expect(waited(40)).toBe(2_000);
    expect(waited(2_040)).toBe(0);
    merger.push(tag("video", 5_000));
    merger.push(tag("audio", 5_000));
    expect(waited(5_040)).toBe(300);
    merger.push(tag("video", 5_020));
    expect(merger.late).toBe(1);
    expect(waited(5_080)).toBe(2_000);
  });

  it("waits for what was not read while the process stood still", () => {
    const world = new SimClock();
    const { clock, pause } = pausable(world);
    const out: string[] = [];
    const merger = new TagMerger(clock, 2_000, ({ type, timestamp }) => out.push(`${type[0]}${timestamp}`));
    for (const kind of ["data", "video", "audio"] as const) merger.push(tag(kind, 0));
    merger.push(tag("audio", 50));
    world.run(150);
    pause(5_000);
    world.run(5_000);
    expect(out.slice(3)).toEqual([]);
    merger.push(tag("video", 40));
    merger.push(tag("video", 80));
    expect([out.slice(3), merger.late]).toEqual([["v40", "a50"], 0]);
    world.run(2_000);
    expect(out.slice(5)).toEqual(["v80"]);
  });

  it("waits no longer than 0.3 s for metadata once both kinds of media are there", () => {
    const { clock, merger, out } = make(2_000);
    merger.push(tag("video", 0));
    merger.push(tag("audio", 0));
    clock.run(299);
    expect(out).toEqual([]);
    clock.run(1);
    expect(out).toEqual(["v0", "a0"]);
  });

  it("passes on and counts what comes after its turn", () => {
    const { clock, merger, out } = make(100);
    merger.push(tag("video", 100));
    clock.run(100);
    merger.push(tag("audio", 60));
    expect(out).toEqual(["v100", "a60"]);
    expect(merger.late).toBe(1);
  });

  it("follows timestamps that wrap, and begins anew after a reset", () => {
    const { merger, out } = make();
    merger.push(tag("data", 0xffff_fff0));
    merger.push(tag("audio", 0xffff_fff0));
    merger.push(tag("video", 0xffff_fff0));
    merger.push(tag("audio", 5));
    merger.push(tag("video", 0xffff_fffe));
    expect(out.at(-1)).toBe("v4294967294");
    merger.reset();
    merger.push(tag("video", 7));
    merger.flush();
    expect(out.slice(-2)).toEqual(["a5", "v7"]);
    expect(merger.late).toBe(0);
  });

  it(...rfc("R7425-5.1.1-01"), "restores the order of any stream whose flows arrive within the window", () => {
    const kinds = fc.constantFrom<FlvTagType>("audio", "video");
    const stream = fc.array(fc.record({ kind: kinds, step: fc.integer({ min: 1, max: 50 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(stream, fc.infiniteStream(fc.boolean()), (steps, choices) => {
        const { merger, out } = make(Number.MAX_SAFE_INTEGER);
        const times = steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, { step }) => sum + step, 0));
        const tags = steps.map(({ kind }, i) => tag(kind, times[i] as number));
        const queues = [tags.filter((each) => each.type === "audio"), tags.filter((each) => each.type === "video")];
        merger.push(tag("data", 0));
        while (queues.some((queue) => queue.length > 0)) {
          const next = queues[choices.next().value === true ? 0 : 1]?.shift();
          if (next !== undefined) merger.push(next);
        }
        merger.flush();
        expect(out.slice(1)).toEqual(tags.map(({ type, timestamp }) => `${type[0]}${timestamp}`));
        expect(merger.late).toBe(0);
      }),
    );
  });
});
