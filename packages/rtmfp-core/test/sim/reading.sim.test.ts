import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type AckChunk, ChunkType } from "../../src/proto/chunk/types.ts";
import type { RecvFlow } from "../../src/proto/recv-flow.ts";
import { atOnce, drain, opened, receiveBench } from "./receive-bench.ts";
import { data, next, startup } from "./scripted.ts";

describe("what a reader gets", () => {
  it(...rfc("R7016-3.6.3.3-01", "R7016-3.6.1.2-01"), "no message before its last fragment", () => {
    const b = receiveBench();
    atOnce(b, data(3, 1, 1, { data: "a", control: 1, options: startup() }));
    atOnce(b, data(3, 3, 3, { data: "c", control: 2 }));
    expect(b.messages).toEqual([]);
    atOnce(b, data(3, 2, 2, { data: "b", control: 3 }));
    expect(b.messages).toEqual(["abc"]);
  });

  for (const order of ["sequence", "network"] as const) {
    it(
      ...rfc("R7016-3.6.3.3-01", "R7016-3.6.1.2-01"),
      `no message without its first fragment, in ${order} order`,
      () => {
        const b = receiveBench({ order });
        opened(b);
        atOnce(b, data(3, 3, 1, { data: "c", control: 3 }));
        atOnce(b, data(3, 4, 1, { data: "d", control: 2 }));
        atOnce(b, data(3, 5, 1, { data: "5" }));
        expect(b.messages).toEqual(["1", "(3)5"]);
      },
    );
  }

  it(
    ...rfc("R7016-3.6.3.3-03", "R7016-3.6.3.3-04", "R7016-3.6.1.2-06", "R7016-3.6.1.2-07", "AMB-33"),
    "the count of numbers given up in front of the message behind a gap",
    () => {
      const b = receiveBench();
      atOnce(b, data(3, 1, 1, { data: "1", options: startup() }));
      atOnce(b, data(3, 2, 2, { data: "a", control: 1 }));
      atOnce(b, data(3, 5, 5, { data: "5" }));
      expect(b.messages).toEqual(["1"]);
      atOnce(b, data(3, 6, 2, { data: "6" }));
      expect(b.messages).toEqual(["1", "(3)5", "6"]);
      expect(b.flows[0]?.bufferedBytes).toBe(0);
    },
  );

  it(...rfc("R7016-3.6.1.2-05", "R7016-3.6.1.2-07"), "the gap in front of a flow's first message too", () => {
    const b = receiveBench();
    atOnce(b, data(3, 3, 1, { data: "3", options: startup() }));
    expect(b.messages).toEqual(["(2)3"]);
  });

  it(...rfc("R7016-3.6.3.3-05", "R7016-3.6.3.3-02", "V1-37"), "messages in order up to the first gap", () => {
    const b = receiveBench();
    for (const sn of [6, 5, 3, 2, 1]) {
      atOnce(b, data(3, sn, sn, { data: `${sn}`, options: startup() }));
    }
    expect(b.flows[0]?.seen.contiguous).toBe(3);
    expect(b.messages).toEqual(["1", "2", "3"]);
    atOnce(b, data(3, 4, 1, { data: "4" }));
    expect(b.messages).toEqual(["1", "2", "3", "4", "5", "6"]);
    atOnce(b, data(3, 7, 1, { data: "7", control: 1 }));
    atOnce(b, data(3, 8, 1, { data: "8", control: 2 }));
    expect(b.messages.slice(6)).toEqual(["78"]);
  });

  for (const order of ["sequence", "network"] as const) {
    it(
      ...rfc("R7016-3.6.3.3-03"),
      `nothing of a message whose first fragment was given up, in ${order} order, and it is not held`,
      () => {
        const b = receiveBench({ order });
        opened(b);
        atOnce(b, data(3, 3, 1, { data: "c", control: 3 }));
        expect(b.flows[0]?.bufferedBytes).toBe(0);
        atOnce(b, data(3, 4, 1, { data: "d", control: 1 }));
        expect(b.flows[0]?.bufferedBytes).toBe(1);
        atOnce(b, data(3, 6, 1, { data: "f", control: 2 }));
        expect(b.flows[0]?.bufferedBytes).toBe(0);
        atOnce(b, data(3, 7, 1, { data: "7" }));
        expect(b.messages).toEqual(["1", "(5)7"]);
      },
    );
  }

  it(
    ...rfc("R7016-3.6.1.2-06", "R7016-3.6.1.2-07"),
    "messages as they arrive in network order, and gaps once they are certain",
    () => {
      const b = receiveBench({ order: "network" });
      for (const sn of [1, 3, 2]) atOnce(b, data(3, sn, sn, { data: `${sn}`, options: startup() }));
      atOnce(b, data(3, 7, 7, { data: "7" }));
      atOnce(b, data(3, 8, 2, { data: "8" }));
      atOnce(b, data(3, 9, 3, { data: "9" }));
      atOnce(b, data(3, 10, 10, { data: "a", control: 1 }));
      atOnce(b, data(3, 12, 1, { data: "12" }));
      atOnce(b, data(3, 13, 1, { data: "13" }));
      expect(b.messages).toEqual(["1", "3", "2", "7", "8", "(3)9", "12", "(2)13"]);
    },
  );

  it("all that was held back in network order when reading goes on, once", () => {
    const b = receiveBench({ order: "network" });
    opened(b);
    const flow = b.flows[0] as RecvFlow;
    flow.accept({ order: "hold" });
    atOnce(b, data(3, 2, 2, { data: "2" }), data(3, 4, 4, { data: "4" }));
    expect(b.messages).toEqual(["1"]);
    flow.accept({ order: "network" });
    b.world.run(1);
    expect(b.messages).toEqual(["1", "2", "4"]);
    atOnce(b, data(3, 3, 3, { data: "3" }));
    atOnce(b, data(3, 5, 1, { data: "5", final: true }));
    expect(b.messages).toEqual(["1", "2", "4", "3", "5"]);
    expect(b.finished).toBe(1);
  });

  it(...rfc("R7016-3.6.3.3-06", "AMB-76"), "nothing while it holds the flow, and everything afterwards", () => {
    const b = receiveBench({ order: "hold", capacityBytes: 2_048 });
    atOnce(b, data(3, 1, 1, { data: 1_500, options: startup() }));
    expect(atOnce(b, data(3, 2, 1, { data: 548 }))).toEqual(["A 0-2"]);
    expect(b.flows[0]?.windowBlocks).toBe(0);
    expect(b.messages).toEqual([]);
    b.flows[0]?.accept({ order: "sequence" });
    b.world.run(1);
    expect(b.messages.map((text) => text.length)).toEqual([1_500, 548]);
    const news = b.far.takeChunks(ChunkType.ackRanges).at(-1) as AckChunk;
    expect(news.bufferBlocks).toBe(2);
  });

  it(
    ...rfc("R7016-3.6.3.8-01", "R7016-3.6.3.3-07"),
    "no end of the flow while a number in front of the final one is missing",
    () => {
      const b = receiveBench();
      opened(b);
      expect(atOnce(b, data(3, 3, 2, { data: "3", final: true }))).toEqual(["A 0-1,3"]);
      expect([b.flows[0]?.state, b.finished, b.messages]).toEqual(["RF_OPEN", 0, ["1"]]);
      expect(atOnce(b, data(3, 2, 1, { data: "2" }))).toEqual(["A 0-3"]);
      expect([b.flows[0]?.state, b.finished, b.messages]).toEqual(["RF_COMPLETE_LINGER", 1, ["1", "2", "3"]]);
    },
  );

  it(...rfc("R7016-3.6.3.3-07"), "the end of the flow, after its last message", () => {
    const b = receiveBench("unread");
    atOnce(b, data(3, 1, 1, { data: "1", final: true, options: startup() }));
    expect(b.finished).toBe(0);
    drain(b.flows[0] as RecvFlow, b.messages);
    b.world.run(1);
    expect(b.messages).toEqual(["1"]);
    expect(b.finished).toBe(1);
  });

  it("what was complete when the session ends, though it held the flow", () => {
    const b = receiveBench({ order: "hold" });
    atOnce(b, data(3, 1, 1, { data: "1", options: startup() }), next({ data: "2", final: true }));
    b.far.send({ type: ChunkType.closeRequest });
    b.world.run(1);
    expect(b.finished).toBe(0);
    b.flows[0]?.accept({ order: "sequence" });
    b.world.run(1);
    expect(b.messages).toEqual(["1", "2"]);
    expect(b.finished).toBe(1);
  });

  for (const order of ["sequence", "network"] as const) {
    it(...rfc("AMB-31"), `the end of a flow whose last message has no end, in ${order} order`, () => {
      const b = receiveBench({ order });
      atOnce(b, data(3, 1, 1, { data: "1", options: startup() }));
      atOnce(b, data(3, 2, 2, { data: "2", control: 1, final: true }));
      expect(b.messages).toEqual(["1"]);
      expect(b.finished).toBe(1);
    });
  }

  it(...rfc("R7016-3.6.3.8-02"), "messages that outlive the flow's linger", () => {
    const b = receiveBench({ order: "hold" });
    atOnce(b, data(3, 1, 1, { data: "1", options: startup() }), next({ data: "2", final: true }));
    b.world.run(130_000);
    expect(b.flows[0]?.state).toBe("RF_CLOSED");
    expect(b.flows[0]?.read()).toBeUndefined();
    expect(b.finished).toBe(0);
    b.flows[0]?.accept({ order: "sequence" });
    b.world.run(1);
    expect(b.messages).toEqual(["1", "2"]);
    expect(b.finished).toBe(1);
  });

  it(...rfc("AMB-31"), "nothing from beyond the final number", () => {
    const b = receiveBench();
    atOnce(b, data(3, 1, 1, { data: "1", options: startup() }), data(3, 2, 2, { data: "2", final: true }));
    atOnce(b, data(3, 3, 3, { data: "3" }));
    expect(b.messages).toEqual(["1", "2"]);
    expect(b.finished).toBe(1);
  });
});
