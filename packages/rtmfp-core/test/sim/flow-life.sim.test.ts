import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ChunkType } from "../../src/proto/chunk/types.ts";
import { RtmfpError } from "../../src/proto/errors.ts";
import { UserDataOption } from "../../src/proto/receive-side.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { rawNode } from "./raw.ts";
import { ack, data, openScripted, Scripted, startup, textOf } from "./scripted.ts";
import { type SendBench, sendBench } from "./send-bench.ts";
import { connect, makePair, numbered, numberOf } from "./support.ts";

/** Times, in ms after `start`, at which chunks of a type arrived at the far end. */
function timesOf(b: SendBench, type: number, start: number): number[] {
  return b.far
    .take()
    .filter(({ chunks }) => chunks.some((chunk) => chunk.type === type))
    .map(({ at }) => Math.round(at - start));
}

describe("a zero window", () => {
  it(
    ...rfc(
      "R7016-3.6.2.9.1-01",
      "R7016-3.6.2.9.1-02",
      "R7016-3.6.2.9.1-03",
      "R7016-3.6.2.9.1-04",
      "R7016-3.6.2.9.1-05",
      "R7016-3.6.2.9.1-06",
    ),
    "is probed within a second, then at growing intervals from ERTO up to a minute",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(100));
      b.flush();
      b.hear(ack(flow.id, 0, 1));
      const start = b.world.now;
      flow.write(new Uint8Array(100));
      b.far.take();
      b.world.run(600_000);
      const times = timesOf(b, ChunkType.bufferProbe, start);
      const gaps = times.slice(1).map((at, i) => at - (times[i] as number));
      expect(times[0]).toBeLessThanOrEqual(1_000);
      expect(gaps[0]).toBeGreaterThanOrEqual(Math.max(1_000, b.session.rtt.erto));
      for (let i = 1; i < gaps.length; i++) expect(gaps[i]).toBeGreaterThanOrEqual((gaps[i - 1] as number) - 1);
      expect(gaps.at(-1)).toBe(60_000);
      expect(gaps[1]).toBeGreaterThan(gaps[0] as number);
      expect(
        b.far.arrivals.flatMap(({ chunks }) => chunks).filter(({ type }) => type === ChunkType.userData).length,
      ).toBe(1);
    },
  );

  it(...rfc("R7016-3.6.2.9.1-07", "R7016-3.6.2.3-01"), "ends with the probes when the window opens", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(100));
    b.flush();
    b.hear(ack(flow.id, 0, 1));
    flow.write(new Uint8Array(100));
    b.world.run(10_000);
    b.far.take();
    b.hear(ack(flow.id, 10, 1));
    expect(b.far.heard()).toEqual(["D 2 o1 f1"]);
    b.hear(ack(flow.id, 10, 2));
    b.world.run(200_000);
    expect(b.far.heard()).toEqual([]);
    expect(b.node.endpoint.timers.size).toBe(0);
  });

  it("is not probed where chunk 0x18 is not borne", () => {
    const b = sendBench();
    b.session.bufferProbe = false;
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(100));
    b.flush();
    b.hear(ack(flow.id, 0, 1));
    b.world.run(200_000);
    expect(b.far.heard().filter((chunk) => chunk === "bufferProbe")).toEqual([]);
  });

  it("is no longer probed once that is known", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(100));
    b.flush();
    b.hear(ack(flow.id, 0, 1));
    b.session.bufferProbe = false;
    b.world.run(200_000);
    expect(b.far.heard().filter((chunk) => chunk === "bufferProbe")).toEqual([]);
  });

  it("holds a fast sender back until a slow reader goes on, and loses nothing", async () => {
    const pair = makePair(1, { latencyMs: 10 });
    const { near, far } = await connect(pair);
    const got: number[] = [];
    far.onFlow = (flow) => {
      flow.pause();
      flow.accept({ capacityBytes: 20_000 });
      flow.onMessage = (message) => got.push(numberOf(message));
      pair.world.after(30_000, () => flow.resume());
    };
    const flow = near.openFlow("slow");
    for (let i = 0; i < 200; i++) flow.write(numbered(i, 1_000));
    await pair.world.runAsync(29_000);
    expect(got).toEqual([]);
    expect(flow.bufferedBytes).toBeGreaterThan(200_000 - 20_000 - 66_000);
    await pair.world.settle(flow.close(), 60_000);
    expect(got).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it(...rfc("R7016-3.6.3.7-02"), "gives nothing of what had come once it is rejected", async () => {
    const pair = makePair(1, { latencyMs: 10 });
    const { near, far } = await connect(pair);
    let got = 0;
    let buffered: number[] = [];
    far.onFlow = (flow) => {
      flow.pause();
      flow.onMessage = () => got++;
      pair.world.after(5_000, () => {
        buffered = [flow.inner.bufferedBytes];
        flow.reject(7);
        buffered.push(flow.inner.bufferedBytes);
        flow.resume();
      });
    };
    const flow = near.openFlow("rejected");
    for (let i = 0; i < 10; i++) flow.write(numbered(i, 1_000));
    await pair.world.runAsync(10_000);
    expect(buffered).toEqual([10_000, 0]);
    expect(got).toBe(0);
    expect(flow.inner.exceptionCode).toBe(7);
  });

  it("keeps an iterator waiting while the flow is paused, and goes on with what had come meanwhile", async () => {
    const pair = makePair(1, { latencyMs: 10 });
    const { near, far } = await connect(pair);
    const got: number[] = [];
    let reader: Promise<void> = Promise.resolve();
    far.onFlow = (flow) => {
      reader = (async () => {
        for await (const message of flow) if (got.push(numberOf(message)) === 50) flow.pause();
      })();
      pair.world.after(10_000, () => flow.resume());
    };
    const flow = near.openFlow("paused");
    for (let i = 0; i < 200; i++) flow.write(numbered(i, 1_000));
    const closed = flow.close();
    await pair.world.runAsync(9_000);
    expect(got.length).toBe(50);
    await pair.world.settle(closed, 60_000);
    await pair.world.settle(reader, 60_000);
    expect(got).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
});

describe("a flow exception", () => {
  it(
    ...rfc("R7016-3.6.2.10-01", "R7016-3.6.1.3-03", "R7016-3.6.1.3-04", "R7016-3.6.2.3-01"),
    "closes the flow, tells its code, gives up all messages, and lets the end out past a zero window",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      const receipts = [flow.write(new Uint8Array(10)), flow.write(new Uint8Array(5_000))];
      b.release();
      receipts.push(flow.write(new Uint8Array(10)));
      b.manual.window = 1e9;
      b.hear({ type: ChunkType.flowException, flowId: flow.id, code: 77 }, ack(flow.id, 0, 1));
      expect(b.node.told("exception")).toMatchObject([{ code: 77 }]);
      expect(flow.exceptionCode).toBe(77);
      expect(receipts.map(({ state }) => state)).toEqual(["abandoned", "abandoned", "abandoned"]);
      expect(() => flow.write(new Uint8Array(1))).toThrow(RtmfpError);
      const last = b.far.heard().at(-1);
      expect(last).toMatch(/^D 3 .* ABN FIN$/);
      b.hear({ type: ChunkType.flowException, flowId: flow.id, code: 78 }, ack(flow.id, 0, 3));
      expect(flow.state).toBe("F_COMPLETE_LINGER");
      expect(b.node.told("exception").length).toBe(1);
      expect(b.node.told("complete").length).toBe(1);
      b.world.run(60_000);
      expect(b.far.heard().filter((chunk) => chunk !== "bufferProbe")).toEqual([]);
    },
  );

  it(...rfc("AMB-35", "AMB-44"), "for a flow that is unknown or complete is ignored", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(10));
    flow.close();
    b.flush();
    b.hear(ack(flow.id, 10, 1));
    b.hear({ type: ChunkType.flowException, flowId: flow.id, code: 1 });
    b.hear({ type: ChunkType.flowException, flowId: 999, code: 1 }, ack(999, 10, 5));
    expect(b.node.told("exception")).toEqual([]);
    expect(b.session.isOpen).toBe(true);
  });
});

describe("the end of a flow", () => {
  it(...rfc("R7016-3.6.2.11-01"), "rides on the last data when that is still unsent", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(10));
    flow.write(new Uint8Array(10));
    flow.close();
    expect(b.flush()).toEqual([["D 1 o1 f0 OPT", "N FIN"]]);
  });

  it(...rfc("R7016-3.6.2.11-01"), "is an empty abandoned chunk when all data is sent, or there was none", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(10));
    b.flush();
    flow.close();
    expect(b.flush()).toEqual([["D 2 o2 f0 ABN FIN OPT"]]);
    const empty = b.session.openFlow(new Uint8Array(1));
    empty.close();
    expect(b.flush()).toEqual([["D 1 o0 f1 ABN FIN OPT"]]);
  });

  it(...rfc("R7016-3.6.2.11-01"), "is sent again until it is acknowledged", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.close();
    b.flush();
    b.world.run(20_000);
    expect(b.far.heard().filter((chunk) => chunk === "D 1 o0 f1 ABN FIN OPT").length).toBeGreaterThan(2);
    b.hear(ack(flow.id, 10, 1));
    expect(flow.state).toBe("F_COMPLETE_LINGER");
  });

  it(
    ...rfc("R7016-3.6.2.11-02", "R7016-3.6.2.11-03", "R7016-3.6.2.11-04", "R7016-3.6.2.1-01", "R7016-3.6.2-03"),
    "keeps the ID out of use for 130 s",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(10));
      flow.close();
      expect(flow.state).toBe("F_CLOSING");
      b.flush();
      b.hear(ack(flow.id, 10, 1));
      expect(flow.state).toBe("F_COMPLETE_LINGER");
      expect(b.node.told("complete").length).toBe(1);
      const others = [b.session.openFlow(new Uint8Array(1)), b.session.openFlow(new Uint8Array(1))];
      b.world.run(129_900);
      expect(b.session.sends.flow(flow.id)).toBe(flow);
      others.push(b.session.openFlow(new Uint8Array(1)));
      expect(new Set([flow, ...others].map(({ id }) => id)).size).toBe(4);
      b.world.run(200);
      expect(flow.state).toBe("F_CLOSED");
      expect(b.session.sends.flow(flow.id)).toBeUndefined();
      expect(b.node.endpoint.timers.size).toBe(0);
      const later = b.session.openFlow(new Uint8Array(1));
      expect(others.map(({ id }) => id)).not.toContain(later.id);
    },
  );

  it(...rfc("R7016-3.6.1.1-04", "R7016-3.6.1.1-03"), "leaves the flows open that answer it", () => {
    const world = new SimWorld(1);
    const node = rawNode(world.host("near", { link: { latencyMs: 0 } }), "near", { port: 1935, keepaliveMs: 0 });
    const far = new Scripted(world.host("far", { link: { latencyMs: 0 } }), "far", node.address);
    const session = openScripted(world, node, far, "initiator");
    far.send(data(9, 1, 1, { data: "x", options: startup("asked") }));
    world.run(1);
    const asked = node.told("flow")[0]?.flow;
    expect(textOf(asked?.metadata)).toBe("asked");
    const answers = [1, 2, 3].map(() =>
      session.openFlow(new Uint8Array(1), { answers: asked as NonNullable<typeof asked> }),
    );
    far.send(data(9, 2, 1, { final: true, abandon: true }));
    world.run(1);
    expect(asked?.state).toBe("RF_COMPLETE_LINGER");
    far.take();
    asked?.read();
    asked?.read();
    for (const flow of answers) flow.write(new Uint8Array(3));
    world.run(1);
    expect(node.told("finished").length).toBe(1);
    expect(far.takeChunks(ChunkType.userData).map(({ options }) => options?.slice(1))).toEqual(
      new Array(3).fill([{ type: UserDataOption.association, value: Uint8Array.of(9) }]),
    );
    expect(answers.every(({ state }) => state === "F_OPEN")).toBe(true);
  });

  it(...rfc("R7016-3.6.1.1-04"), "leaves the flows of the far end open that answer it", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    flow.write(new Uint8Array(1));
    b.flush();
    b.hear(data(9, 1, 1, { data: "x", options: startup("answer", flow.id) }), ack(flow.id, 10, 1));
    flow.close();
    b.flush();
    b.hear(ack(flow.id, 10, 2));
    expect(flow.state).toBe("F_COMPLETE_LINGER");
    b.hear(data(9, 2, 1, { data: "y" }));
    const answer = b.node.told("flow")[0]?.flow;
    expect([answer?.state, textOf(answer?.read()?.data), textOf(answer?.read()?.data)]).toEqual(["RF_OPEN", "x", "y"]);
  });

  it(...rfc("R7016-3.6.2.1-02"), "forbids to answer it afterwards", () => {
    const world = new SimWorld(1);
    const node = rawNode(world.host("near", {}), "near", { port: 1935 });
    const far = new Scripted(world.host("far", {}), "far", node.address);
    const session = openScripted(world, node, far, "initiator");
    far.send(data(9, 1, 1, { data: "x", options: startup(), final: true }));
    world.run(100);
    const flow = node.told("flow")[0]?.flow;
    expect(() => session.openFlow(new Uint8Array(1), flow === undefined ? {} : { answers: flow })).toThrow(
      "a return flow cannot answer it",
    );
    expect(() => session.openFlow(new Uint8Array(513))).toThrow("at most 512");
  });
});

describe("many flows", () => {
  it(...rfc("R7016-3.6.1.2-02", "AMB-43"), "1,000 at once carry their own messages in their own order", async () => {
    const pair = makePair(5, { latencyMs: 20, loss: 0.02 });
    const { near, far } = await connect(pair);
    const got = new Map<string, number[]>();
    far.onFlow = (flow) => {
      const list: number[] = [];
      got.set(flow.name, list);
      flow.onMessage = (message) => list.push(numberOf(message));
    };
    const closed = Array.from({ length: 1_000 }, (_, f) => {
      const flow = near.openFlow(`flow ${f}`);
      for (let i = 0; i < 3; i++) flow.write(numbered(i, 100 + f));
      return flow.close();
    });
    await pair.world.settle(Promise.all(closed), 600_000);
    expect(got.size).toBe(1_000);
    for (const list of got.values()) expect(list).toEqual([0, 1, 2]);
  });

  it(...rfc("R7016-3.6.1.2-02"), "do not wait for each other's losses", () => {
    const world = new SimWorld(1);
    const node = rawNode(world.host("near", {}), "near", { port: 1935 });
    const far = new Scripted(world.host("far", {}), "far", node.address);
    openScripted(world, node, far, "initiator");
    const read: string[] = [];
    node.onEvent = (event) => {
      if (event.type === "readable") read.push(`${event.flow.id}:${textOf(event.flow.read()?.data)}`);
    };
    far.send(data(1, 2, 2, { data: "b", options: startup() }), data(2, 1, 1, { data: "a", options: startup() }));
    world.run(100);
    expect(read).toEqual(["2:a"]);
  });

  it("in both directions share one session", async () => {
    const pair = makePair(6, { latencyMs: 20, loss: 0.05 });
    const { near, far } = await connect(pair);
    const got: Record<string, number[]> = {};
    for (const session of [near, far]) {
      session.onFlow = (flow) => {
        const list: number[] = [];
        got[flow.name] = list;
        flow.onMessage = (message) => list.push(numberOf(message));
      };
    }
    const sends = [near.openFlow("up"), far.openFlow("down")].map(async (flow) => {
      for (let i = 0; i < 100; i++) {
        await flow.ready;
        flow.write(numbered(i, 5_000));
      }
      await flow.close();
    });
    await pair.world.settle(Promise.all(sends), 600_000);
    const all = Array.from({ length: 100 }, (_, i) => i);
    expect(got).toEqual({ up: all, down: all });
  });
});

describe("time-critical notification", () => {
  it(...rfc("R7016-3.6.2.3-12", "R7016-2.2.4-19"), "flags packets that carry data of the upper four priorities", () => {
    const b = sendBench();
    for (const [priority, flagged] of [
      ["routine", false],
      ["high", true],
      ["flashOverride", true],
    ] as const) {
      const flow = b.session.openFlow(new Uint8Array(1), { priority });
      flow.write(new Uint8Array(10));
      b.far.take();
      b.flush(false);
      expect(b.far.take().map(({ header }) => header.timeCritical)).toEqual([flagged]);
    }
  });

  it(
    ...rfc("R7016-3.5.2.1-03", "AMB-40", "R7016-3.1-01", "R7016-2.2.4-19"),
    "tells other senders for 800 ms that time-critical data comes in, and not its own sender",
    () => {
      const world = new SimWorld(1);
      const link = { latencyMs: 0 };
      const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
      const one = new Scripted(world.host("one", { link }), "one", node.address);
      const two = new Scripted(world.host("two", { link }), "two", node.address);
      two.nearId = 77;
      openScripted(world, node, one, "initiator");
      openScripted(world, node, two, "initiator");
      one.take();
      two.take();
      const flagsAfter = (ms: number): boolean[] => {
        world.run(ms);
        one.send({ type: ChunkType.ping, message: new Uint8Array(1) });
        two.send({ type: ChunkType.ping, message: new Uint8Array(1) });
        world.run(1);
        return [one, two].map((far) => far.take().at(-1)?.header.timeCriticalReverse === true);
      };
      expect(flagsAfter(10)).toEqual([false, false]);
      one.header = { timeCritical: true };
      one.send(data(1, 1, 1, { options: startup() }));
      one.header = {};
      expect(flagsAfter(790)).toEqual([false, true]);
      expect(flagsAfter(20)).toEqual([false, false]);
    },
  );

  it(
    ...rfc("R7016-3.5.2.1-01", "R7016-3.5.2.1-03", "R7016-A.2-02"),
    "stops fast growth for 800 ms while the far end hears time-critical data elsewhere, or we send it",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      const fast = b.session.openFlow(new Uint8Array(1), { priority: "high" });
      const grow = (): boolean | undefined => {
        b.hear(ack(flow.id, 10, 0));
        return b.manual.acks.at(-1)?.fastGrowAllowed;
      };
      expect(grow()).toBe(true);
      b.far.header = { timeCriticalReverse: true };
      expect(grow()).toBe(false);
      b.far.header = {};
      b.world.run(790);
      expect(grow()).toBe(false);
      b.world.run(20);
      expect(grow()).toBe(true);
      fast.write(new Uint8Array(1));
      b.flush();
      expect(grow()).toBe(false);
      expect(b.manual.acks.at(-1)?.timeCriticalSent).toBe(true);
      b.hear(ack(fast.id, 10, 1));
      b.world.run(810);
      expect(grow()).toBe(true);
      expect(b.manual.acks.at(-1)?.timeCriticalSent).toBe(false);
    },
  );
});
