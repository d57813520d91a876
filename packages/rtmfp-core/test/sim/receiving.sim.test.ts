import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type AckChunk, type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import type { RecvFlow } from "../../src/proto/recv-flow.ts";
import { atOnce, drain, opened, receiveBench } from "./receive-bench.ts";
import { acked, data, next, startup, textOf } from "./scripted.ts";

describe("when a receiver acknowledges", () => {
  it(...rfc("R7016-3.6.3.1-01", "R7016-3.6.3.1-07", "R7016-3.6.3.4.1-01"), "the first chunk of a flow at once", () => {
    opened(receiveBench());
  });

  it(
    ...rfc("R7016-3.6.3.2-13", "R7016-3.6.3.4.1-04", "R7016-3.6.3.4.4-01"),
    "a single packet after 200 ms and not before",
    () => {
      const b = receiveBench();
      opened(b);
      expect(atOnce(b, data(3, 2, 1, { data: "2" }))).toEqual([]);
      b.world.run(198.5);
      expect(b.far.heard()).toEqual([]);
      b.world.run(1);
      expect(b.far.heard()).toEqual(["A 0-2"]);
    },
  );

  it(
    ...rfc("R7016-3.6.3.2-14", "R7016-3.6.3.4.5-01"),
    "every second data packet at once, and then nothing when the delay would be over",
    () => {
      const b = receiveBench();
      opened(b);
      expect(atOnce(b, data(3, 2, 1))).toEqual([]);
      expect(atOnce(b, data(3, 3, 1))).toEqual(["A 0-3"]);
      b.world.run(1_000);
      expect(b.far.heard()).toEqual([]);
      expect(atOnce(b, data(3, 4, 1))).toEqual([]);
    },
  );

  it(
    ...rfc("R7016-3.6.3.2-06", "R7016-3.6.3.2-08", "R7016-3.6.1.3-02"),
    "what makes a gap, keeps it open, and closes it, at once",
    () => {
      const b = receiveBench();
      opened(b);
      expect(atOnce(b, data(3, 3, 2, { data: "3" }))).toEqual(["A 0-1,3"]);
      expect(atOnce(b, data(3, 4, 3, { data: "4" }))).toEqual(["A 0-1,3-4"]);
      expect(atOnce(b, data(3, 2, 1, { data: "2" }))).toEqual(["A 0-4"]);
      expect(atOnce(b, data(3, 5, 1, { data: "5" }))).toEqual([]);
      b.world.run(200);
      expect(b.messages).toEqual(["1", "2", "3", "4", "5"]);
    },
  );

  it("twice where more than four packets came in a turn, but only while data was missing within a second", () => {
    const b = receiveBench();
    const turn = (first: number, last: number): number => {
      b.far.take();
      for (let sn = first; sn <= last; sn++) b.far.send(data(2, sn, sn - 1));
      b.world.run(0.5);
      return b.far.heard().length;
    };
    atOnce(b, data(2, 1, 1, { options: startup() }));
    expect(turn(2, 9)).toBe(1);
    atOnce(b, data(2, 11, 10), data(2, 10, 9));
    expect(turn(12, 19)).toBe(2);
    expect(turn(20, 23)).toBe(1);
    b.world.run(1_000);
    expect(turn(24, 31)).toBe(1);
  });

  it(...rfc("R7016-3.6.3.2-07", "R7016-3.6.3.2-11"), "a duplicate at once, and keeps the first copy's data", () => {
    const b = receiveBench({ order: "hold" });
    opened(b);
    expect(atOnce(b, data(3, 1, 1, { data: "other" }))).toEqual(["A 0-1"]);
    b.flows[0]?.accept({ order: "sequence" });
    b.world.run(1);
    expect(b.messages).toEqual(["1"]);
  });

  it(
    ...rfc("R7016-3.6.3.2-11", "R7016-3.6.3.2-12"),
    "data that is abandoned or that nobody wants, of which it keeps nothing",
    () => {
      const b = receiveBench();
      opened(b);
      expect(atOnce(b, data(3, 2, 1, { abandon: true, data: "2" }))).toEqual(["A 0-2"]);
      expect(atOnce(b, data(3, 4, 2, { abandon: true, data: "4" }))).toEqual(["A 0-2,4"]);
      expect(b.flows[0]?.bufferedBytes).toBe(0);
      atOnce(b, data(3, 3, 2, { data: "3" }), data(3, 5, 4, { data: "5" }));
      b.world.run(200);
      expect(b.messages).toEqual(["1", "(1)3", "(1)5"]);
      b.flows[0]?.reject(0);
      atOnce(b, data(3, 7, 6, { data: "7" }));
      atOnce(b, data(3, 9, 7, { data: "9" }));
      expect(b.flows[0]?.bufferedBytes).toBe(0);
      expect(b.flows[0]?.read()).toBeUndefined();
      expect(b.messages).toEqual(["1", "(1)3", "(1)5"]);
    },
  );

  it(...rfc("R7016-3.6.3.2-05"), "an abandoned fragment at once", () => {
    const b = receiveBench();
    opened(b);
    expect(atOnce(b, data(3, 2, 0, { abandon: true }))).toEqual(["A 0-2"]);
  });

  it(...rfc("R7016-3.6.3.2-09", "R7016-3.6.3.2-10"), "the first final number at once, and keeps to it", () => {
    const b = receiveBench();
    opened(b);
    expect(atOnce(b, data(3, 3, 2, { final: true, data: "3" }))).toEqual(["A 0-1,3"]);
    expect(atOnce(b, data(3, 4, 3, { final: true, data: "4" })).at(-1)).toContain("A 0-1,3");
    expect(atOnce(b, data(3, 2, 1, { data: "2" }))).toEqual(["A 0-3"]);
    expect(b.messages).toEqual(["1", "2", "3"]);
    expect(b.finished).toBe(1);
  });

  it(...rfc("R7016-3.6.3.2-10"), "no end by a final mark on a number that was seen without one", () => {
    const b = receiveBench();
    opened(b);
    atOnce(b, data(3, 2, 1, { data: "2" }));
    atOnce(b, data(3, 2, 1, { final: true, data: "2" }));
    expect(b.flows[0]?.state).toBe("RF_OPEN");
    atOnce(b, data(3, 3, 2, { final: true, data: "3" }));
    expect(b.flows[0]?.state).toBe("RF_COMPLETE_LINGER");
    expect(b.messages).toEqual(["1", "2", "3"]);
  });

  it(
    ...rfc("R7016-3.6.3.2-04", "R7016-3.6.3.4.5-01"),
    "at once while the last window was below two blocks, not when it was two",
    () => {
      const b = receiveBench({ order: "sequence", capacityBytes: 1_024 });
      opened(b);
      expect(atOnce(b, data(3, 2, 1))).toEqual(["A 0-2"]);
      expect(atOnce(b, data(3, 3, 1))).toEqual(["A 0-3"]);
      b.flows[0]?.accept({ capacityBytes: 2_048 });
      expect(atOnce(b, data(3, 4, 1))).toEqual(["A 0-4"]);
      expect(atOnce(b, data(3, 5, 1))).toEqual([]);
    },
  );

  it(...rfc("R7016-3.6.3.4.1-02"), "at once while less than 1024 bytes of the buffer are free", () => {
    const b = receiveBench({ order: "hold", capacityBytes: 4_096 });
    opened(b);
    expect(atOnce(b, data(3, 2, 1, { data: 1_000 }))).toEqual([]);
    expect(atOnce(b, data(3, 3, 1, { data: 1_000 }))).toEqual(["A 0-3"]);
    expect(atOnce(b, data(3, 4, 1, { data: 1_200 }))).toEqual(["A 0-4"]);
  });

  it(
    ...rfc("R7016-3.6.3.6-01", "R7016-3.6.3.8-03", "R7016-2.3.15-02"),
    "a Buffer Probe at once, in linger too, but not for flows it does not know",
    () => {
      const b = receiveBench();
      opened(b);
      const probe: Chunk = { type: ChunkType.bufferProbe, flowId: 3 };
      expect(atOnce(b, probe)).toEqual(["A 0-1"]);
      expect(atOnce(b, { ...probe, flowId: 4 } as Chunk)).toEqual([]);
      expect(atOnce(b, data(3, 2, 1, { final: true }))).toEqual(["A 0-2"]);
      expect(atOnce(b, probe)).toEqual(["A 0-2"]);
      b.world.run(60_000);
      expect(atOnce(b, data(3, 2, 1, { final: true }))).toEqual(["A 0-2"]);
      expect(b.flows.length).toBe(1);
    },
  );

  it(
    ...rfc("R7016-3.6.3.8-01", "R7016-3.6.3.8-02", "R7016-3.6.3-01"),
    "until 120 s after completion; then the ID opens a new flow",
    () => {
      const b = receiveBench();
      opened(b);
      atOnce(b, data(3, 2, 1, { final: true }));
      expect(b.flows[0]?.state).toBe("RF_COMPLETE_LINGER");
      b.world.run(119_900);
      expect(atOnce(b, { type: ChunkType.bufferProbe, flowId: 3 })).toEqual(["A 0-2"]);
      b.world.run(200);
      expect(b.flows[0]?.state).toBe("RF_CLOSED");
      expect(atOnce(b, { type: ChunkType.bufferProbe, flowId: 3 })).toEqual([]);
      opened(b);
      expect(b.flows.length).toBe(2);
    },
  );

  it(...rfc("R7016-3.6.3.4.1-03", "R7016-3.6.3.4.6-01"), "other flows in the same packet", () => {
    const b = receiveBench();
    opened(b, 3);
    opened(b, 4);
    atOnce(b, data(3, 2, 1));
    b.far.take();
    b.far.send(data(4, 2, 0, { abandon: true }));
    b.world.run(1);
    const arrivals = b.far.take();
    expect(arrivals.length).toBe(1);
    expect(arrivals[0]?.chunks.map((chunk) => (chunk as AckChunk).flowId)).toEqual([3, 4]);
  });

  it(...rfc("R7016-3.6.3.4.6-01"), "by riding on data that goes the other way", () => {
    const b = receiveBench();
    opened(b);
    atOnce(b, data(3, 2, 1));
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(10));
    b.node.driver.wake();
    b.world.run(1);
    expect(b.far.take().map(({ chunks }) => chunks.map(({ type }) => type))).toEqual([
      [ChunkType.ackRanges, ChunkType.userData],
    ]);
    b.world.run(190);
    b.far.send(data(3, 3, 1));
    b.world.run(100);
    expect(b.far.takeChunks(ChunkType.ackRanges)).toEqual([]);
  });

  it(...rfc("V1-23", "R7016-3.6.3.4-01", "R7016-3.6.3.2-12", "AMB-42"), "like the receiver of Figure 23", () => {
    const b = receiveBench();
    b.far.send(data(3, 1, 1, { options: startup() }));
    for (let sn = 2; sn <= 28; sn++) b.far.send(data(3, sn, Math.max(1, sn - 18)));
    b.world.run(300);
    expect(atOnce(b, data(3, 29, 11))).toEqual([]);
    expect(atOnce(b, data(3, 30, 12))).toEqual(["A 0-30"]);
    expect(atOnce(b, data(3, 32, 12))).toEqual(["A 0-30,32"]);
    expect(atOnce(b, data(3, 34, 12))).toEqual(["A 0-30,32,34"]);
    for (let sn = 35; sn <= 45; sn++) atOnce(b, data(3, sn, sn - Math.min(30, sn - 12)));
    expect(atOnce(b, data(3, 46, 16))).toEqual(["A 0-30,32,34-46"]);
    expect(atOnce(b, data(3, 47, 15))).toEqual(["A 0-32,34-47"]);
    expect(atOnce(b, data(3, 33, 1))).toEqual(["A 0-47"]);
    expect(atOnce(b, data(3, 48, 16))).toEqual([]);
    expect(atOnce(b, data(3, 49, 17))).toEqual(["A 0-49"]);
  });
});

describe("how an acknowledgement is encoded", () => {
  it(
    ...rfc("R7016-3.6.3.4.3-01", "R7016-2.3.13-06", "R7016-2.3.14-01", "R7016-2.3.14-05"),
    "as ranges or as a bitmap, whichever is shorter",
    () => {
      const b = receiveBench();
      opened(b);
      for (const sn of [3, 5, 7, 9, 11, 13]) b.far.send(data(3, sn, sn - 1));
      b.world.run(1);
      const dense = b.far.takeChunks(ChunkType.ackBitmap, ChunkType.ackRanges).at(-1) as AckChunk;
      expect(dense.type).toBe(ChunkType.ackBitmap);
      expect(acked(dense)).toBe("0-1,3,5,7,9,11,13");
      b.far.send(data(3, 5_000, 4_999));
      b.world.run(1);
      const sparse = b.far.takeChunks(ChunkType.ackBitmap, ChunkType.ackRanges).at(-1) as AckChunk;
      expect(sparse.type).toBe(ChunkType.ackRanges);
      expect(acked(sparse)).toBe("0-1,3,5,7,9,11,13,5000");
    },
  );

  it(...rfc("R7016-3.6.3.4.2-01"), "cut to what fits a packet, with the lowest numbers kept", () => {
    const b = receiveBench({ order: "network" });
    opened(b);
    for (let i = 0; i < 3_000; i++) {
      b.far.send(data(3, 3 + 200 * i, 2 + 200 * i));
      if (i % 100 === 0) b.world.run(1);
    }
    b.world.run(300);
    const arrivals = b.far.take();
    expect(Math.max(...arrivals.map(({ datagram }) => datagram.length))).toBeLessThanOrEqual(1_200);
    const [last] = atOnce(b, data(3, 1, 1));
    const numbers = (last as string).split(",");
    expect(numbers.length).toBeGreaterThan(350);
    expect(numbers.slice(0, 3)).toEqual(["A 0-1", "3", "203"]);
  });

  it(...rfc("R7016-3.6.3.4.2-01"), "whole in the next packet, if it does not fit behind another", () => {
    const b = receiveBench();
    for (const id of [3, 4]) opened(b, id);
    for (let i = 0; i < 250; i++)
      for (const id of [3, 4]) {
        b.far.send(data(id, 3 + 200 * i, 2 + 200 * i));
        if (i % 100 === 0) b.world.run(1);
      }
    b.world.run(300);
    b.far.take();
    b.far.send(data(3, 1, 1), data(4, 1, 1));
    b.world.run(1);
    const answers = b.far.take().map(({ chunks }) => chunks as AckChunk[]);
    expect(answers.map((chunks) => chunks.map(({ flowId }) => flowId))).toEqual([[3], [4]]);
    for (const [only] of answers) expect(acked(only as AckChunk).split(",").length).toBe(251);
  });

  for (const [free, blocks] of [
    [1, 1],
    [1_023, 1],
    [1_024, 1],
    [1_025, 2],
    [0, 0],
  ] as const) {
    it(...rfc("R7016-3.6.3.5-02", "V1-38"), `with ${blocks} blocks for ${free} free bytes`, () => {
      const b = receiveBench({ order: "hold", capacityBytes: 3_000 });
      b.far.send(data(3, 1, 1, { data: 3_000 - free, options: startup() }));
      b.world.run(1);
      expect((b.far.takeChunks(ChunkType.ackRanges)[0] as AckChunk).bufferBlocks).toBe(blocks);
    });
  }

  it(...rfc("R7016-3.6.3.5-01"), "with one block while a message larger than the buffer comes in", () => {
    const b = receiveBench({ capacityBytes: 2_000 });
    b.far.send(data(3, 1, 1, { data: 1_000, control: 1, options: startup() }));
    for (let sn = 2; sn <= 9; sn++) {
      b.far.send(data(3, sn, sn, { data: 1_000, control: 3 }));
      b.world.run(1);
      expect((b.far.takeChunks(ChunkType.ackRanges).at(-1) as AckChunk).bufferBlocks).toBeGreaterThanOrEqual(1);
    }
    b.far.send(data(3, 10, 10, { data: 1_000, control: 2 }));
    b.world.run(1);
    expect(b.messages.map((text) => text.length)).toEqual([10_000]);
  });
});

describe("what a receiver rejects", () => {
  const unknown = [{ type: 0x0b, value: new Uint8Array(1) }];

  for (const [why, options] of [
    ["a flow without metadata", undefined],
    ["an unknown option below 8192", [...startup(), ...unknown]],
    ["an association with a flow that we do not have", startup("m", 77)],
    ["two associations", [...startup("m", 2), ...startup("m", 2).slice(1)]],
  ] as const) {
    it(
      ...rfc(
        "R7016-3.6.3.1-02",
        "R7016-3.6.3.1-03",
        "R7016-3.6.3.1-05",
        "R7016-3.6.3.4.3-02",
        "R7016-3.6.1.3-01",
        "AMB-29",
        "R7016-2.3.11.1-02",
        "R7016-2.3.11.1.1-02",
        "R7016-2.3.11.1.2-07",
        "R7016-2.3.16-02",
        "R7016-2.3.16-03",
      ),
      `${why}, with exception 0 in front of the acknowledgement`,
      () => {
        const b = receiveBench();
        if (why === "two associations") b.session.openFlow(new Uint8Array(1));
        expect(atOnce(b, data(3, 1, 1, { data: "1", ...(options === undefined ? {} : { options }) }))).toEqual([
          "flowException",
          "A 0-1",
        ]);
        expect(b.flows).toEqual([]);
        expect(b.messages).toEqual([]);
        expect(atOnce(b, data(3, 2, 1, { data: "2" }))).toEqual(["flowException", "A 0-2"]);
        const told = b.far.arrivals.flatMap(({ chunks }) =>
          chunks.filter(({ type }) => type === ChunkType.flowException),
        );
        expect(told).toEqual(new Array(2).fill({ type: ChunkType.flowException, flowId: 3, code: 0 }));
      },
    );
  }

  it(...rfc("R7016-3.6.3.1-04", "R7016-2.3.11.1.2-07"), "a flow that answers one of ours that is closing", () => {
    const b = receiveBench();
    const own = b.session.openFlow(new Uint8Array(1));
    own.write(new Uint8Array(5));
    own.close();
    b.node.driver.wake();
    b.world.run(1);
    expect(atOnce(b, data(3, 1, 1, { options: startup("m", own.id) }))).toContain("flowException");
  });

  it(
    ...rfc("R7016-3.6.3.1-06", "V1-36", "R7016-3.6.1.1-02", "R7016-2.3.11.1-01"),
    "not a flow that answers an open one of ours",
    () => {
      const b = receiveBench({ capacityBytes: 5_000 });
      const own = b.session.openFlow(new Uint8Array(1));
      expect(atOnce(b, data(own.id, 1, 1, { options: startup("answer", own.id) }))).toEqual(["A 0-1"]);
      expect(b.far.arrivals.at(-1)?.chunks).toMatchObject([{ bufferBlocks: 5 }]);
      expect(b.flows[0]?.association).toBe(own);
      expect(textOf(b.flows[0]?.metadata)).toBe("answer");
    },
  );

  it(...rfc("R7016-3.6.3.1-05", "R7016-2.3.11.1-03"), "not an unknown option from 8192 on", () => {
    const b = receiveBench();
    const options = [...startup(), { type: 8_192, value: new Uint8Array(3) }];
    expect(atOnce(b, data(3, 1, 1, { options }))).toEqual(["A 0-1"]);
    expect(b.flows.length).toBe(1);
  });

  it(...rfc("R7016-3.6.3.2-02"), "a running flow that sends an unknown option, and tells its reader of the end", () => {
    const b = receiveBench();
    opened(b);
    expect(atOnce(b, data(3, 2, 1, { options: unknown }))).toEqual(["flowException", "A 0-2"]);
    expect([b.flows[0]?.state, b.flows[0]?.finished, b.finished]).toEqual(["RF_REJECTED", true, 1]);
    atOnce(b, data(3, 3, 1, { final: true }));
    expect(b.finished).toBe(1);
  });

  it(
    ...rfc("R7016-3.6.3.7-01", "R7016-3.6.3.7-02", "R7016-3.6.3.2-03"),
    "what the application refuses, with its code; data after it is acknowledged at once and dropped",
    () => {
      const b = receiveBench("reject");
      b.far.send(data(3, 1, 1, { data: "1", options: startup() }));
      b.world.run(1);
      const chunks = b.far.take().flatMap((arrival) => arrival.chunks);
      expect(chunks[0]).toMatchObject({ type: ChunkType.flowException, flowId: 3, code: 42 });
      expect(chunks[1]).toMatchObject({ type: ChunkType.ackRanges, cumulativeAck: 1 });
      expect(atOnce(b, data(3, 2, 1, { data: "2" }))).toEqual(["flowException", "A 0-2"]);
      expect(b.flows[0]?.bufferedBytes).toBe(0);
    },
  );

  it(...rfc("R7016-3.6.1.1-01"), "no flow for its ID: 0, 5 and 2^40 are alike", () => {
    const b = receiveBench();
    for (const id of [0, 5, 2 ** 40]) opened(b, id);
    expect(b.flows.map(({ id }) => id)).toEqual([0, 5, 2 ** 40]);
  });

  it(...rfc("AMB-30", "AMB-27"), "chunks with impossible numbers, without acknowledging them", () => {
    const b = receiveBench();
    opened(b);
    expect(atOnce(b, data(3, 2, 0), data(3, 2, 3), data(3, 0, 0, { abandon: true }))).toEqual([]);
    expect(atOnce(b, next({ data: "x" }))).toEqual([]);
    b.world.run(300);
    expect(b.far.heard()).toEqual([]);
    expect(b.session.receives.stats.malformed).toBe(4);
  });
});

describe("limits of a receiver", () => {
  it(...rfc("AMB-32", "R7016-5-04", "R7016-3.6.1.3-02"), "drop data far past the window, unacknowledged", () => {
    const b = receiveBench({ order: "hold", capacityBytes: 10_000 });
    opened(b);
    for (let sn = 2; sn <= 100; sn++) b.far.send(data(3, sn, 1, { data: 1_000 }));
    b.world.run(300);
    expect(b.flows[0]?.bufferedBytes).toBeLessThanOrEqual(10_000 + 65_536);
    expect(b.session.receives.stats.beyondWindow).toBe(24);
    expect(b.far.heard().at(-1)).toBe("A 0-76");
  });

  it(...rfc("R7016-5-04"), "bound messages without content that nobody reads", () => {
    const b = receiveBench("unread");
    opened(b);
    for (let sn = 2; sn <= 25_000; sn++) {
      b.far.send(data(3, sn, 1));
      if (sn % 500 === 0) b.world.run(1);
    }
    b.world.run(300);
    expect(b.session.receives.stats.beyondWindow).toBeGreaterThan(8_000);
    expect((b.far.takeChunks(ChunkType.ackRanges).at(-1) as AckChunk).bufferBlocks).toBe(0);
    drain(b.flows[0] as RecvFlow, b.messages);
    b.world.run(1);
    expect(b.messages.length).toBeLessThanOrEqual(16_385);
    expect((b.far.takeChunks(ChunkType.ackRanges).at(-1) as AckChunk).bufferBlocks).toBe(1_024);
  });

  it(...rfc("R7016-5-04", "AMB-43"), "refuse to hold more than 2048 open flows", () => {
    const b = receiveBench();
    for (let id = 0; id < 2_100; id++) {
      b.far.send(data(id, 1, 1, { options: startup() }));
      if (id % 100 === 0) b.world.run(1);
    }
    b.world.run(10);
    expect(b.flows.length).toBe(2_048);
    expect(b.session.receives.stats.flowsRefused).toBe(52);
  });
});
