import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { Session as PublicSession } from "../../src/index.ts";
import { type AckChunk, ChunkType } from "../../src/proto/chunk/types.ts";
import {
  FINISHING_BYTES,
  LEAST_SESSION_SHARE_BYTES,
  MAX_MESSAGE_BYTES,
  SESSION_RECEIVE_BYTES,
} from "../../src/proto/params.ts";
import type { RecvFlow } from "../../src/proto/recv-flow.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { type RawNode, rawNode } from "./raw.ts";
import { data, openScripted, Scripted, startup } from "./scripted.ts";
import { connect, makePair, numbered, numberOf } from "./support.ts";

const MIB = 1_048_576;
const PIECE = 60_000;

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
}

/** A session whose far end obeys nothing and sends the largest datagrams; what is complete is read at once. */
function bench(): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0, mtu: 65_535 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const session = openScripted(world, node, far, "initiator");
  node.onEvent = (event) => {
    if (event.type === "readable") while (event.flow.read() !== undefined) {}
  };
  return { world, node, far, session };
}

/** Sends the pieces `from` to `to` of a message that begins with number 1 and has no end; `size` bytes each. */
function pieces({ world, far }: Bench, flow: number, from: number, to: number, size = PIECE): void {
  const bytes = new Uint8Array(size);
  for (let sn = from; sn <= to; sn++) {
    far.send(data(flow, sn, sn, { data: bytes, control: sn === 1 ? 1 : 3, options: startup("f") }));
    if (sn % 20 === 0) world.run(1);
  }
  world.run(1);
}

function heldBy(session: Session): number {
  let held = 0;
  for (const flow of session.receives.flows) held += flow.bufferedBytes;
  return held;
}

describe("what a receiver holds of one message", () => {
  it(
    ...rfc("R7016-5-04", "R7016-3.6.3.7-01"),
    "is at most 16 MiB and a window: then it rejects the flow, and tells the sender",
    () => {
      const b = bench();
      pieces(b, 3, 1, 296);
      expect(heldBy(b.session)).toBe(296 * PIECE);
      expect(b.far.takeChunks(ChunkType.flowException)).toEqual([]);
      pieces(b, 3, 297, 320);
      expect(b.far.takeChunks(ChunkType.flowException)[0]).toMatchObject({ flowId: 3, code: 0 });
      expect(b.session.stats.messagesTooLarge).toBe(1);
      expect(b.session.stats.beyondWindow).toBeGreaterThan(20);
      expect(heldBy(b.session)).toBe(0);
      expect(b.node.endpoint.receiveBudget.heldBytes).toBe(0);
      expect(b.session.isOpen).toBe(true);
    },
  );

  it(...rfc("R7016-5-04"), "is at most 32,768 fragments, however small", () => {
    const b = bench();
    pieces(b, 3, 1, 32_768, 1);
    expect([...b.session.receives.flows][0]?.bufferedBytes).toBe(32_768);
    expect(b.session.stats.messagesTooLarge).toBe(0);
    pieces(b, 3, 32_769, 32_769, 1);
    expect(b.session.stats.messagesTooLarge).toBe(1);
    expect(heldBy(b.session)).toBe(0);
  });

  it(...rfc("R7016-3.6.3.5-01"), "lets 16 MiB through, and their sender writes no more than that", async () => {
    const pair = makePair(1, { latencyMs: 5, loss: 0.005 });
    const { near, far } = await connect(pair);
    const lengths: number[] = [];
    far.onFlow = (flow) => {
      flow.onMessage = (message) => lengths.push(message.length);
    };
    const flow = near.openFlow("large");
    expect(() => flow.write(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toThrow("16777217 bytes, at most 16777216");
    const receipt = flow.write(new Uint8Array(MAX_MESSAGE_BYTES));
    await pair.world.settle(receipt.done, 600_000);
    expect(lengths).toEqual([MAX_MESSAGE_BYTES]);
    expect(far.inner.stats.messagesTooLarge).toBe(0);
  });

  it(...rfc("AMB-32"), "closes a gap in front of as many small messages as it may hold", () => {
    const b = bench();
    for (let sn = 2; sn <= 16_500; sn++) {
      b.far.send(data(3, sn, sn, { data: 1, options: startup("f") }));
      if (sn % 100 === 0) b.world.run(1);
    }
    expect(b.session.stats.beyondWindow).toBe(16_499 - 16_384);
    b.far.send(data(3, 1, 1, { data: 1, options: startup("f") }));
    b.world.run(1);
    expect([...b.session.receives.flows][0]?.seen.contiguous).toBe(16_385);
    expect(heldBy(b.session)).toBe(0);
  });
});

describe("the memory of joined pieces", () => {
  it("is given back at once when the application accepts them, though nothing else arrives", () => {
    const b = bench();
    let released = 0;
    b.node.onEvent = (event) => {
      if (event.type === "flow") event.flow.accept({ order: "hold" });
    };
    pieces(b, 3, 1, 10);
    b.far.send(data(3, 11, 11, { data: 1, control: 2 }));
    b.world.run(1);
    const flow = [...b.session.receives.flows][0] as RecvFlow;
    expect(flow.bufferedBytes).toBe(10 * PIECE + 1);
    b.node.driver.carrier.release = () => released++;
    flow.accept({ order: "sequence" });
    expect(flow.read()?.data.length).toBe(10 * PIECE + 1);
    expect(released).toBe(0);
    b.world.run(1);
    expect(released).toBe(10);
  });
});

describe("what the flows of a session hold together", () => {
  it(
    ...rfc("R7016-5-04", "AMB-32"),
    "is bounded, whatever each of them may: what is beyond is dropped, unacknowledged, and counted",
    () => {
      const b = bench();
      for (let flow = 0; flow < 60; flow++) pieces(b, flow, 2, 18);
      expect(heldBy(b.session)).toBeLessThanOrEqual(SESSION_RECEIVE_BYTES);
      expect(b.session.receives.budget.heldBytes).toBeLessThanOrEqual(SESSION_RECEIVE_BYTES);
      expect(b.session.receives.budget.heldBytes).toBeGreaterThan(SESSION_RECEIVE_BYTES - 2 * PIECE);
      expect(b.session.stats.beyondWindow).toBe(0);
      expect(b.session.stats.beyondBudget).toBe(60 * 17 - Math.round(heldBy(b.session) / PIECE));
      expect([...b.session.receives.flows].at(-1)?.seen.rangeCount).toBe(0);
      b.session.abort();
      expect(b.node.endpoint.receiveBudget.heldBytes).toBe(0);
    },
  );

  it(...rfc("R7016-5-04"), "is bounded for messages without end too, of which one at a time may go on", () => {
    const b = bench();
    for (let flow = 0; flow < 60; flow++) pieces(b, flow, 1, 17);
    expect(heldBy(b.session)).toBeLessThanOrEqual(SESSION_RECEIVE_BYTES + FINISHING_BYTES);
    const over = [...b.session.receives.flows].filter(({ seen }) => seen.contiguous < 17);
    expect(over.length).toBeGreaterThan(20);
    for (const { id } of over) pieces(b, id, 18, 400);
    expect(heldBy(b.session)).toBeLessThanOrEqual(SESSION_RECEIVE_BYTES + FINISHING_BYTES);
  });

  it(...rfc("R7016-5-04"), "is bounded for complete messages that nobody reads", () => {
    const b = bench();
    b.node.onEvent = undefined;
    const bytes = new Uint8Array(PIECE);
    for (let flow = 0; flow < 60; flow++) {
      for (let sn = 1; sn <= 17; sn++) b.far.send(data(flow, sn, sn, { data: bytes, options: startup("f") }));
      b.world.run(1);
    }
    expect(heldBy(b.session)).toBeLessThanOrEqual(SESSION_RECEIVE_BYTES + FINISHING_BYTES);
    for (let flow = 200; flow < 900; flow++) {
      b.far.send(data(flow, 1, 1, { data: bytes, options: startup("f") }));
      if (flow % 20 === 0) b.world.run(1);
    }
    b.world.run(1);
    expect(heldBy(b.session)).toBeLessThanOrEqual(SESSION_RECEIVE_BYTES + FINISHING_BYTES);
  });

  it(...rfc("R7016-3.6.3.5-02"), "takes from the window that each of them advertises", () => {
    const b = bench();
    for (let flow = 0; flow < 31; flow++) pieces(b, flow, 2, 18);
    b.far.take();
    pieces(b, 31, 1, 1, 10);
    const left = SESSION_RECEIVE_BYTES - b.session.receives.budget.heldBytes;
    expect(left).toBeLessThan(MIB * 2);
    pieces(b, 32, 2, 16);
    b.far.take();
    pieces(b, 33, 1, 1, 10);
    const blocks = (b.far.takeChunks(ChunkType.ackRanges).at(-1) as AckChunk).bufferBlocks;
    expect(blocks).toBe(Math.ceil((SESSION_RECEIVE_BYTES - b.session.receives.budget.heldBytes) / 1_024));
  });

  it(
    ...rfc("R7016-3.6.1.2-02"),
    "does not keep 40 messages of 1 MB, sent at the same time, from arriving",
    async () => {
      const pair = makePair(2, { latencyMs: 5 });
      const { near, far } = await connect(pair);
      const { got, done } = manyLarge(near, far, 40, 1_000_000);
      await pair.world.settle(done, 600_000);
      expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      expect(far.inner.receives.stats.beyondBudget).toBeGreaterThan(0);
      expect(pair.server.stats.sessionsAbused).toBe(0);
      expect(far.inner.receives.budget.heldBytes).toBe(0);
    },
  );
});

describe("what all sessions hold together", () => {
  it(...rfc("R7016-5-04"), "is bounded, and a session that comes late still gets a share", () => {
    const world = new SimWorld(1);
    const link = { latencyMs: 0, mtu: 65_535 };
    const limit = 8 * MIB;
    const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, maxReceiveBytes: limit });
    const benches: Bench[] = [];
    for (let i = 0; i < 12; i++) {
      const far = new Scripted(world.host(`far ${i}`, { link }), `far ${i}`, node.address);
      far.nearId += i;
      benches.push({ world, node, far, session: openScripted(world, node, far, "initiator") });
    }
    for (const b of benches) for (let flow = 0; flow < 20; flow++) pieces(b, flow, 1, 17);
    const held = benches.map(({ session }) => heldBy(session));
    const sum = held.reduce((a, b) => a + b, 0);
    expect(sum).toBeLessThanOrEqual(limit + FINISHING_BYTES + 12 * LEAST_SESSION_SHARE_BYTES);
    expect(Math.min(...held)).toBeGreaterThanOrEqual(PIECE);
    expect(node.endpoint.receiveBudget.heldBytes).toBeGreaterThanOrEqual(sum);
    for (const { session } of benches) session.abort();
    expect(node.endpoint.receiveBudget.heldBytes).toBe(0);
  });

  it(...rfc("R7016-3.6.1.2-02"), "does not keep large messages of one session from arriving", async () => {
    const pair = makePair(3, { latencyMs: 5 }, { maxReceiveBytes: MIB });
    const { near, far } = await connect(pair);
    const { got, done } = manyLarge(near, far, 6, 1_000_000);
    await pair.world.settle(done, 600_000);
    expect(got.length).toBe(6);
    expect(pair.server.stats.sessionsAbused).toBe(0);
  });
});

describe("flows beyond the cap", () => {
  it(
    ...rfc("R7016-5-04", "R7016-3.6.3.7-01"),
    "are rejected, so that their sender learns of it and the others go on",
    async () => {
      const pair = makePair(4, { latencyMs: 5, loss: 0.01 });
      const { near, far } = await connect(pair);
      let received = 0;
      far.onFlow = (flow) => {
        flow.onMessage = () => received++;
      };
      let refused = 0;
      const flows = Array.from({ length: 2_500 }, (_, i) => near.openFlow(`flow ${i}`));
      for (const flow of flows) flow.onException = () => refused++;
      for (let second = 0; second < 10; second++) {
        for (const flow of flows) if (flow.isOpen) flow.write(numbered(second, 100));
        await pair.world.runAsync(1_000);
      }
      await pair.world.runAsync(5_000);
      expect(refused).toBe(2_500 - 2_048);
      expect(received).toBe(2_048 * 10);
      expect(near.inner.sends.outstandingBytes).toBe(0);
      expect(pair.server.stats.sessionsAbused).toBe(0);
    },
  );
});

/** Writes one message in each of `count` flows at the same time. */
function manyLarge(near: PublicSession, far: PublicSession, count: number, size: number) {
  const got: number[] = [];
  far.onFlow = (flow) => {
    flow.onMessage = (message) => got.push(numberOf(message));
  };
  const receipts = Array.from({ length: count }, (_, i) => near.openFlow(`flow ${i}`).write(numbered(i, size)));
  return { got, done: Promise.all(receipts.map(({ done }) => done)) };
}
