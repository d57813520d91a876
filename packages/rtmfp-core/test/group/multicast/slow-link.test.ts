/** Neighbours that do not take what is pushed to them. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { MulticastCounters } from "../../../src/group/multicast/info.ts";
import { MediaLink } from "../../../src/group/multicast/link.ts";
import { LOAD_MS } from "../../../src/group/multicast/params.ts";
import { Standing } from "../../../src/group/multicast/standing.ts";
import type { Neighbour } from "../../../src/group/neighbour.ts";
import type { GroupRecvFlow, GroupWriteOptions } from "../../../src/group/session.ts";
import { SimClock } from "../../../src/testing/clock.ts";

/** Of the looks at a neighbour that is sent so much, those that find it behind; `takes`: whether it takes anything. */
function looks(kbps: number, deadlineMs: number, takes: boolean): number {
  const clock = new SimClock();
  const flow = {
    isOpen: true,
    bufferedBytes: 0,
    deliveredBytes: 0,
    onException: undefined,
    onClosed: undefined,
    close: () => {},
    write({ length }: Uint8Array, { finishWithinMs = 0 }: GroupWriteOptions = {}) {
      flow.bufferedBytes += length;
      clock.after(takes ? RTT_MS : finishWithinMs, () => {
        flow.bufferedBytes -= length;
        if (takes) flow.deliveredBytes += length;
      });
    },
  };
  const neighbour = { peerId: "a", session: { isOpen: true, srtt: RTT_MS, openFlow: () => flow } };
  const owner = { counters: new MulticastCounters(), linkDown: () => {} };
  const link = new MediaLink(neighbour as unknown as Neighbour, owner, new Standing(), 0);
  link.controlIn = {} as GroupRecvFlow;
  const bytes = new Uint8Array(970);
  for (let at = 0; at < 20_000; at += (bytes.length * 8) / kbps)
    clock.at(at, () => link.sendFragment(bytes, deadlineMs));
  let behind = 0;
  for (let at = LOAD_MS; at <= 20_000; at += LOAD_MS) clock.at(at, () => void (link.isBehind(LOAD_MS) && behind++));
  clock.run(20_000);
  return behind;
}

describe("a neighbour that takes nothing of what is sent to it", () => {
  it(...rfc("G-3"), "is found slow, however soon what is sent is given up", () => {
    for (const kbps of [250, 500, 2_000])
      for (const deadlineMs of [500, 1_000, 2_500]) expect(looks(kbps, deadlineMs, false)).toBeGreaterThan(30);
  });

  it(...rfc("G-3"), "is not found slow when it takes all of it", () => {
    for (const kbps of [250, 500, 2_000])
      for (const deadlineMs of [500, 1_000, 2_500]) expect(looks(kbps, deadlineMs, true)).toBe(0);
  });
});

const RTT_MS = 50;
