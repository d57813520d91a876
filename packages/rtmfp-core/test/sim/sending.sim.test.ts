import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type Chunk, ChunkType, type UserDataChunk } from "../../src/proto/chunk/types.ts";
import type { SendFlow } from "../../src/proto/send-flow.ts";
import { ack, say } from "./scripted.ts";
import { type SendBench, sendBench } from "./send-bench.ts";

/** Writes `count` messages of `size` bytes. */
function write(flow: SendFlow, count: number, size = 1_000): void {
  for (let i = 0; i < count; i++) flow.write(new Uint8Array(size));
}

/** Acknowledges and gives what was sent since, one chunk for each of `sends`. */
function answer(b: SendBench, chunk: Chunk | undefined, sends = 0): string[] {
  b.far.take();
  if (chunk !== undefined) b.hear(chunk);
  for (let i = 0; i < sends; i++) b.release();
  return b.far.heard();
}

describe("a sending flow", () => {
  it(...rfc("V1-20", "R7016-3.6.2.2-02", "R7016-3.6.2.3-05"), "goes by Figure 20 when nothing is lost", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    write(flow, 40);
    for (let i = 0; i < 24; i++) answer(b, i % 5 === 4 ? ack(flow.id, 127, Math.max(0, i - 9)) : undefined, 1);
    expect(answer(b, ack(flow.id, 127, 16), 2)).toEqual(["D 25 o9 f16", "D 26 o10 f16"]);
    expect(answer(b, ack(flow.id, 127, 18), 2)).toEqual(["D 27 o9 f18", "D 28 o10 f18"]);
  });

  it(
    ...rfc(
      "V1-21",
      "R7016-3.6.2.5-01",
      "R7016-3.6.2.5-02",
      "R7016-3.6.2.7.1-01",
      "R7016-3.6.2.3-04",
      "R7016-3.6.1.2-04",
    ),
    "goes by Figure 21 when 31 and 60 are lost and given up, and 33 is lost and sent again",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      const receipts = Array.from({ length: 64 }, () => flow.write(new Uint8Array(1_000)));
      const id = flow.id;
      for (let i = 0; i < 44; i++) answer(b, i % 5 === 4 ? ack(id, 127, Math.max(0, i - 14)) : undefined, 1);
      expect(answer(b, ack(id, 127, 30), 1)).toEqual(["D 45 o15 f30"]);
      expect(answer(b, ack(id, 127, 30, [32, 32]), 1)).toEqual(["D 46 o16 f30"]);
      answer(b, ack(id, 127, 30, [32, 32], [34, 34]));
      answer(b, ack(id, 127, 30, [32, 32], [34, 35]));
      expect(b.session.sends.stats.fragmentsLost).toBe(1);
      receipts[30]?.abandon();
      expect(answer(b, undefined, 1)).toEqual(["D 47 o15 f32"]);
      expect(answer(b, ack(id, 127, 30, [32, 32], [34, 36]), 1)).toEqual(["D 33 o1 f32"]);
      expect(answer(b, ack(id, 127, 30, [32, 32], [34, 37]), 1)).toEqual(["D 48 o16 f32"]);
      for (let i = 49; i < 60; i++) answer(b, ack(id, 127, 30, [32, 32], [34, 37]), 1);
      expect(answer(b, undefined, 1)).toEqual(["D 60 o28 f32"]);
      expect(answer(b, ack(id, 127, 30, [32, 32], [34, 46]), 1)).toEqual(["D 61 o29 f32"]);
      expect(answer(b, ack(id, 127, 32, [34, 47]), 1)).toEqual(["D 62 o30 f32"]);
      expect(answer(b, ack(id, 127, 47), 1)).toEqual(["D 63 o16 f47"]);
      expect(answer(b, ack(id, 127, 49), 1)).toEqual(["D 64 o15 f49"]);
      answer(b, ack(id, 127, 59));
      answer(b, ack(id, 127, 59, [61, 61]));
      answer(b, ack(id, 127, 59, [61, 62]));
      answer(b, ack(id, 127, 59, [61, 63]));
      expect(b.session.sends.stats.fragmentsLost).toBe(3);
      receipts[59]?.abandon();
      expect(answer(b, undefined, 2)).toEqual(["D 60 o0 f60 ABN"]);
      answer(b, ack(id, 127, 59, [61, 64]));
      expect(answer(b, ack(id, 127, 64), 2)).toEqual([]);
      expect(flow.outstandingBytes).toBe(0);
      expect(receipts.filter(({ state }) => state === "delivered").length).toBe(62);
    },
  );

  it(...rfc("R7016-3.6.2.3.1-01", "R7016-3.6.2.4-01"), "sends its options once per packet until the first ack", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(3));
    write(flow, 6, 100);
    expect(b.flush()).toEqual([["D 1 o1 f0 OPT", "N", "N", "N", "N", "N"]]);
    write(flow, 1, 100);
    expect(b.flush()).toEqual([["D 7 o7 f0 OPT"]]);
    b.hear(ack(flow.id, 127, 1));
    write(flow, 1, 100);
    expect(b.flush()).toEqual([["D 8 o7 f1"]]);
  });

  it(
    ...rfc("R7016-3.6.2.3.1-01", "R7016-3.6.2.3-02"),
    "sends its options with the first of several User Data chunks in a packet",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(3));
      const receipts = Array.from({ length: 5 }, () => flow.write(new Uint8Array(100)));
      receipts[1]?.abandon();
      receipts[3]?.abandon();
      expect(b.flush()).toEqual([["D 1 o1 f0 OPT", "D 3 o3 f0", "D 5 o5 f0"]]);
    },
  );

  it(
    ...rfc("R7016-3.6.2.3.2-01", "R7016-3.6.2.3.2-02", "R7016-2.3.12-02"),
    "starts in each packet with a User Data chunk, also behind another flow",
    () => {
      const b = sendBench();
      const one = b.session.openFlow(new Uint8Array(1));
      const two = b.session.openFlow(new Uint8Array(1));
      write(one, 2, 100);
      write(two, 2, 100);
      expect(b.flush()).toEqual([["D 1 o1 f0 OPT", "N", "D 1 o1 f0 OPT", "N"]]);
      write(two, 1, 100);
      expect(b.flush()).toEqual([["D 3 o3 f0 OPT"]]);
      write(one, 1, 100);
      write(two, 1, 100);
      expect(b.flush()).toEqual([["D 3 o3 f0 OPT", "D 4 o4 f0 OPT"]]);
    },
  );

  it(
    ...rfc("R7016-3.6.2.2-01", "R7016-3.6.2.3-10", "R7016-3.4-03", "R7016-2.3.11-05"),
    "cuts messages to the path's datagrams, startup options of 512 bytes included",
    () => {
      for (const datagramBytes of [600, 1_200, 1_472]) {
        const b = sendBench({ datagramBytes });
        const flow = b.session.openFlow(new Uint8Array(datagramBytes > 600 ? 512 : 400));
        flow.write(new Uint8Array(20_000));
        for (let i = 0; i < 30; i++) {
          b.flush();
          b.hear(ack(flow.id, 127, highest(b)));
        }
        const arrivals = b.far.arrivals.filter(({ sessionId }) => sessionId === b.far.nearId);
        const sizes = arrivals.map(({ datagram }) => datagram.length);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(datagramBytes);
        expect(Math.max(...sizes)).toBeGreaterThan(datagramBytes - 20);
        const chunks = arrivals.flatMap(({ chunks }) => chunks) as UserDataChunk[];
        const controls = chunks.map(({ flags }) => (flags >> 4) & 3);
        expect(controls[0]).toBe(1);
        expect(controls.at(-1)).toBe(2);
        expect(new Set(controls.slice(1, -1))).toEqual(new Set([3]));
        expect(chunks.reduce((sum, chunk) => sum + chunk.data.length, 0)).toBe(20_000);
      }
    },
  );

  it(
    ...rfc("R7016-3.6.2.3-10"),
    "keeps within the datagram size when it sends again in a packet with other chunks",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(8_000));
      b.flush();
      b.manual.window = 0;
      b.world.run(3_100);
      b.manual.window = 1e9;
      for (let i = 0; i < 10; i++) {
        b.session.ping(new Uint8Array(500));
        b.flush();
      }
      expect(Math.max(...b.far.arrivals.map(({ datagram }) => datagram.length))).toBeLessThanOrEqual(1_200);
      expect(b.session.sends.stats.fragmentsRetransmitted).toBeGreaterThan(0);
    },
  );

  it(...rfc("R7016-3.6.2-02"), "counts what is outstanding as whole chunks with their headers", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    write(flow, 2, 100);
    b.flush();
    const first = b.far.arrivals.at(-1)?.chunks as readonly UserDataChunk[];
    expect(first.length).toBe(2);
    expect(flow.outstandingBytes).toBe(100 + 7 + 4 + 100 + 4);
    expect(b.session.sends.outstandingBytes).toBe(flow.outstandingBytes);
  });

  it(...rfc("R7016-3.6.2-01", "R7016-3.6.2.9-01"), "assumes 64 KiB of receive window before it knows", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(300_000));
    for (let i = 0; i < 40; i++) {
      b.flush();
      b.hear(ack(999, 0, 0));
    }
    expect(flow.outstandingBytes).toBeGreaterThanOrEqual(65_536);
    expect(flow.outstandingBytes).toBeLessThan(65_536 + 1_200);
  });

  it(...rfc("R7016-3.6.2.2-01"), "leaves room for all marks of a header that is larger when it sends again", () => {
    const b = sendBench({ datagramBytes: 1_200 });
    const flow = b.session.openFlow(new Uint8Array(300));
    flow.write(new Uint8Array(5_000));
    b.far.take();
    b.release();
    b.manual.window = 1e9;
    for (let ms = 0; ms < 4_000; ms += 100) {
      b.far.header = { timestamp: 1 + ms };
      b.hear({ type: ChunkType.ping, message: new Uint8Array(0) });
      b.world.run(100);
    }
    const first = b.far.arrivals.filter(({ chunks }) => chunks.some((chunk) => say(chunk).startsWith("D 1 ")));
    expect(first.length).toBeGreaterThan(1);
    expect(
      b.far.arrivals.some(
        ({ header, chunks }) =>
          header.timestampEcho !== undefined && chunks.some((chunk) => say(chunk).startsWith("D 1 ")),
      ),
    ).toBe(true);
    for (const { datagram } of b.far.arrivals) expect(datagram.length).toBeLessThanOrEqual(1_200);
  });

  it(...rfc("R7016-3.6.2.9-01", "AMB-36"), "sends no more than one chunk past a window of one block", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(20_000));
    b.release();
    b.hear(ack(flow.id, 1, 1));
    b.flush();
    expect(b.session.sends.flow(flow.id)?.outstandingBytes).toBeLessThan(1_024 + 1_200);
    expect(b.flush()).toEqual([]);
  });

  it(...rfc("AMB-35"), "takes the window from the newest acknowledgement, and believes none of unsent numbers", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    write(flow, 4, 100);
    b.flush();
    b.hear(ack(flow.id, 100, 3));
    b.hear(ack(flow.id, 0, 2));
    expect(flow.windowBytes).toBe(100 * 1_024);
    b.hear(ack(flow.id, 50, 1_000_000));
    expect(flow.windowBytes).toBe(50 * 1_024);
    write(flow, 1, 100);
    b.flush();
    b.hear(ack(flow.id, 60, 5));
    expect(flow.windowBytes).toBe(60 * 1_024);
    expect(flow.outstandingBytes).toBe(0);
  });

  it(...rfc("R7016-3.6.2.4-02"), "keeps what was never sent, whatever is acknowledged", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    write(flow, 1, 100);
    expect(b.flush()).toEqual([["D 1 o1 f0 OPT"]]);
    b.manual.window = 0;
    flow.close();
    b.hear(ack(flow.id, 127, 2));
    expect(flow.state).toBe("F_CLOSING");
    b.manual.window = 1e9;
    expect(b.flush()).toEqual([["D 2 o0 f2 ABN FIN"]]);
    b.hear(ack(flow.id, 127, 2));
    expect(flow.state).toBe("F_COMPLETE_LINGER");
  });

  it(...rfc("AMB-34"), "does not send again what a late acknowledgement covers", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    const receipt = flow.write(new Uint8Array(100));
    b.manual.window = 0;
    b.release();
    b.world.run(3_100);
    expect(b.session.sends.stats.fragmentsLost).toBe(1);
    b.hear(ack(flow.id, 127, 1));
    expect(receipt.state).toBe("delivered");
    b.far.take();
    expect(b.flush()).toEqual([]);
  });

  it(...rfc("R7016-3.6.2.5-01"), "finds loss by acknowledgements of another flow", () => {
    const b = sendBench();
    const one = b.session.openFlow(new Uint8Array(1));
    const two = b.session.openFlow(new Uint8Array(1));
    write(one, 1);
    b.release();
    write(two, 4);
    for (let i = 0; i < 4; i++) b.release();
    for (let sn = 1; sn <= 3; sn++) b.hear(ack(two.id, 127, sn));
    expect(b.session.sends.stats.fragmentsLost).toBe(1);
    expect(answer(b, undefined, 1)).toEqual(["D 1 o1 f0 OPT"]);
  });

  it(...rfc("R7016-3.6.2.5-03"), "is not misled by two packets that changed places", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    write(flow, 5);
    for (let i = 0; i < 5; i++) b.release();
    b.hear(ack(flow.id, 127, 0, [2, 2]));
    b.hear(ack(flow.id, 127, 0, [2, 3]));
    b.hear(ack(flow.id, 127, 3));
    expect(b.session.sends.stats.fragmentsLost).toBe(0);
  });

  it(
    ...rfc("R7016-3.6.2.6-01", "R7016-3.6.2.6-02", "R7016-3.5.2.2-15", "AMB-38"),
    "takes what is unacknowledged for lost after ERTO, each time later, up to 10 s",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      write(flow, 1, 100);
      b.far.take();
      b.release();
      b.manual.window = 1e9;
      b.world.run(120_000);
      const times = b.far
        .take()
        .filter(({ chunks }) => chunks.some(({ type }) => type === ChunkType.userData))
        .map(({ at }) => at);
      const gaps = times.slice(1).map((at, i) => Math.round(at - (times[i] as number)));
      expect(gaps.slice(0, 6)).toEqual([3_000, 4_243, 6_000, 8_485, 10_000, 10_000]);
    },
  );

  it(
    ...rfc("R7016-3.5.2.3-01", "R7016-3.5.2.3-02", "R7016-3.6.2.6-03", "AMB-72"),
    "sends six packets without acknowledgement, then waits",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(60_000));
      expect(b.flush().length).toBe(6);
      expect(b.flush().length).toBe(0);
      b.hear(ack(flow.id, 127, 1));
      expect(b.far.take().length).toBe(6);
      b.world.run(2_900);
      expect(b.far.take().length).toBe(0);
      b.world.run(200);
      expect(b.far.take().length).toBe(6);
    },
  );

  it(...rfc("R7016-3.5.2-04"), "stops at the congestion window", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    b.manual.window = 3_000;
    flow.write(new Uint8Array(60_000));
    expect(b.flush().length).toBe(3);
    expect(b.session.sends.outstandingBytes).toBeGreaterThanOrEqual(3_000);
    expect(b.session.sends.outstandingBytes).toBeLessThan(3_000 + 1_200);
  });

  it(...rfc("R7016-3.6.2.3-03"), "of a higher priority goes first, equals take turns by packet", () => {
    const b = sendBench();
    const low = b.session.openFlow(Uint8Array.of(1), { priority: "bulk" });
    const one = b.session.openFlow(Uint8Array.of(2), { priority: "high" });
    const two = b.session.openFlow(Uint8Array.of(3), { priority: "high" });
    write(low, 3);
    write(one, 3);
    write(two, 3);
    const order: number[] = [];
    b.manual.window = 0;
    for (let i = 0; i < 9; i++) {
      b.far.take();
      b.hear(ack(999, 0, 0));
      b.release();
      order.push(...b.far.takeChunks(ChunkType.userData).map(({ flowId }) => flowId));
    }
    expect(order.slice(0, 6).sort()).toEqual([one.id, one.id, one.id, two.id, two.id, two.id]);
    expect(order.slice(0, 3)).toEqual([one.id, two.id, one.id]);
    expect(order.slice(6)).toEqual([low.id, low.id, low.id]);
  });
});

/** The highest number that the far end has received without a gap, given that nothing is lost. */
function highest(b: SendBench): number {
  let sn = 0;
  for (const { chunks } of b.far.arrivals) {
    for (const chunk of chunks) {
      if (chunk.type === ChunkType.userData) sn = (chunk as UserDataChunk).sequenceNumber;
      else if (chunk.type === ChunkType.nextUserData) sn++;
    }
  }
  return sn;
}
