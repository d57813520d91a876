import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ByteReader, ByteWriter } from "../../src/proto/bytes.ts";
import { writeUserData } from "../../src/proto/chunk/flow.ts";
import { ChunkType, FragmentControl, UserDataFlag } from "../../src/proto/chunk/types.ts";
import { LEAST_SESSION_RANGES, MAX_SEQUENCE_RANGES, SEQUENCE_RANGES_TOTAL } from "../../src/proto/params.ts";
import { EndpointBudget } from "../../src/proto/receive-budget.ts";
import { ReceiveSide, type ReceiveSideHost } from "../../src/proto/receive-side.ts";
import { RecvFlow } from "../../src/proto/recv-flow.ts";

const NOTHING = new Uint8Array(0);

/** A session that receives, with one flow. */
function receiver(receiveBudget: EndpointBudget): { side: ReceiveSide; flow: RecvFlow } {
  const side = new ReceiveSide({ receiveBudget } as ReceiveSideHost);
  side.ackDue = () => {};
  return { side, flow: flowOf(side, 1) };
}

function flowOf(side: ReceiveSide, id: number): RecvFlow {
  return new RecvFlow(side, id, NOTHING, undefined);
}

function put(flow: RecvFlow, sn: number): boolean {
  return flow.onData(sn, 0, FragmentControl.begin, false, false, NOTHING);
}

/** User Data that begins a message of flow 1. */
function chunkOf(sequenceNumber: number): Uint8Array {
  const buffer = new Uint8Array(64);
  const writer = new ByteWriter(buffer);
  const options = [{ type: 0, value: new Uint8Array([1]) }];
  const flags = (FragmentControl.begin << 4) | UserDataFlag.options;
  writeUserData(writer, {
    type: ChunkType.userData,
    flags,
    flowId: 1,
    sequenceNumber,
    fsnOffset: sequenceNumber,
    options,
    data: NOTHING,
  });
  return buffer.subarray(0, writer.pos);
}

/** Every other number from 2 on, until one is not taken; gives how many were. */
function fill(flow: RecvFlow): number {
  for (let taken = 0; ; taken++) {
    put(flow, 2 * taken + 2);
    if (flow.seen.rangeCount === taken) return taken;
  }
}

describe("runs of numbers above gaps", () => {
  it(...rfc("R7016-5-04"), "are as many as one flow may have, in one session", () => {
    const { side, flow } = receiver(new EndpointBudget());
    expect(fill(flow)).toBe(MAX_SEQUENCE_RANGES);
    expect(put(flow, 2 * MAX_SEQUENCE_RANGES + 2)).toBe(false);
    const other = flowOf(side, 2);
    put(other, 2);
    expect(other.seen.rangeCount).toBe(0);
  });

  it(...rfc("R7016-5-04"), "that others' leave no room for are not held against their sender", () => {
    const budget = new EndpointBudget();
    for (let i = 0; i < 100; i++) fill(receiver(budget).flow);
    const { side, flow } = receiver(budget);
    const taken = fill(flow);
    expect(put(flow, 2 * taken + 2)).toBe(true);
    expect(side.stats).toMatchObject({ beyondBudget: 2, beyondWindow: 0 });
  });

  it(...rfc("R7016-5-04"), "that there is no room for cost their packet what else it has for the flow", () => {
    const budget = new EndpointBudget();
    for (let i = 0; i < 100; i++) fill(receiver(budget).flow);
    let flow: RecvFlow | undefined;
    const side = new ReceiveSide({
      receiveBudget: budget,
      onFlow: (opened: RecvFlow) => {
        flow = opened;
      },
      requestTransmit: () => {},
      wakeAt: () => {},
    } as unknown as ReceiveSideHost);
    const packet = (...numbers: number[]): void => {
      side.beginPacket(0);
      for (const sn of numbers) side.onUserData(ChunkType.userData, new ByteReader(chunkOf(sn)));
      side.endPacket();
    };
    packet(2);
    for (let sn = 4; flow?.seen.rangeCount === sn / 2 - 1; sn += 2) packet(sn);
    const { beyondBudget } = side.stats;
    packet(1_000, 1, 3);
    expect(side.stats).toMatchObject({ beyondBudget: beyondBudget + 3, beyondWindow: 0 });
    expect(flow?.seen.contiguous).toBe(0);
    packet(1, 3);
    expect(flow?.seen.contiguous).toBe(4);
  });

  it(...rfc("R7016-5-04"), "are bounded over all sessions, and each has some however many there are", () => {
    const budget = new EndpointBudget();
    const taken = Array.from({ length: 200 }, () => fill(receiver(budget).flow));
    expect(taken[0]).toBe(MAX_SEQUENCE_RANGES);
    expect(taken.at(-1)).toBe(LEAST_SESSION_RANGES);
    expect(budget.heldRanges).toBe(taken.reduce((sum, each) => sum + each));
    const shared = taken.filter((each) => each > LEAST_SESSION_RANGES).reduce((sum, each) => sum + each);
    expect(shared).toBeLessThanOrEqual(SEQUENCE_RANGES_TOTAL);
  });

  it(...rfc("R7016-5-04"), "still grow and close when there may be no more of them", () => {
    const { flow } = receiver(new EndpointBudget());
    const taken = fill(flow);
    expect(put(flow, 2 * taken + 1)).toBe(true);
    expect(put(flow, 5)).toBe(true);
    expect(flow.seen.rangeCount).toBe(taken - 1);
    expect(put(flow, 2 * taken + 3)).toBe(true);
  });

  it(...rfc("R7016-5-04"), "are given back when gaps close, and when the session ends", () => {
    const budget = new EndpointBudget();
    const { side, flow } = receiver(budget);
    fill(flow);
    put(flow, 1);
    expect(budget.heldRanges).toBe(flow.seen.rangeCount);
    side.budget.end();
    expect(budget.heldRanges).toBe(0);
  });

  it(...rfc("R7016-5-04"), "are given back when the flow ends with numbers beyond its last", () => {
    const budget = new EndpointBudget();
    const { flow } = receiver(budget);
    flow.accept({ order: "hold" });
    put(flow, 9);
    flow.onData(1, 0, FragmentControl.whole, false, true, NOTHING);
    expect(flow.state).toBe("RF_COMPLETE_LINGER");
    expect(budget.heldRanges).toBe(1);
    flow.onLingerEnd();
    expect(budget.heldRanges).toBe(0);
  });
});
