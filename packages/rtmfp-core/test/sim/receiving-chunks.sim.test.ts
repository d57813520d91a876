import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { vluSize } from "../../src/proto/bytes.ts";
import { type AckChunk, type Chunk, ChunkType, FragmentControl } from "../../src/proto/chunk/types.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { type RawNode, rawNode } from "./raw.ts";
import { acked, data, next, openScripted, Scripted, startup, textOf } from "./scripted.ts";
import { sendBench } from "./send-bench.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
  /** Messages read, with the flow's ID in front. */
  readonly messages: string[];
}

/** A receiver that reads all it can, and a scripted sender, without latency. */
function bench(seed = 1): Bench {
  const world = new SimWorld(seed);
  const link = { latencyMs: 0, mtu: 9_000 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const messages: string[] = [];
  const session = openScripted(world, node, far, "initiator");
  far.take();
  node.onEvent = (event) => {
    if (event.type !== "readable") return;
    for (let message = event.flow.read(); message !== undefined; message = event.flow.read())
      messages.push(`${event.flow.id}:${textOf(message.data)}`);
  };
  return { world, node, far, session, messages };
}

function atOnce(b: Bench, ...chunks: Chunk[]): string[] {
  b.far.take();
  b.far.send(...chunks);
  b.world.run(1);
  return b.far.heard();
}

/** The last acknowledgement that came within 300 ms. */
function lastAck(b: Bench): AckChunk {
  b.world.run(300);
  return b.far.takeChunks(ChunkType.ackBitmap, ChunkType.ackRanges).at(-1) as AckChunk;
}

describe("user data that comes in", () => {
  it(...rfc("R7016-2.3.11-07"), "and is marked as abandoned gives nothing to read, whatever bytes it has", () => {
    const b = bench();
    atOnce(b, data(3, 1, 1, { data: "1", options: startup() }));
    atOnce(b, data(3, 2, 1, { data: "evil", abandon: true }), next({ data: "evil too", abandon: true }));
    atOnce(b, data(3, 4, 1, { data: "a", control: FragmentControl.begin }));
    atOnce(b, data(3, 5, 1, { data: "b", control: FragmentControl.middle, abandon: true }));
    atOnce(b, data(3, 6, 1, { data: "c", control: FragmentControl.end }));
    expect(atOnce(b, data(3, 7, 1, { data: "7" }))).toEqual(["A 0-7"]);
    expect(b.messages).toEqual(["3:1", "3:7"]);
  });

  it(...rfc("R7016-2.3.11-10"), "may start at any number above 0", () => {
    for (const first of [1, 2, 5, 2 ** 40]) {
      const b = bench();
      expect(atOnce(b, data(3, first, 1, { data: "x", options: startup() }))).toEqual([`A 0-${first}`]);
      expect(b.messages).toEqual(["3:x"]);
      expect(atOnce(b, data(5, 0, 0, { data: "x", options: startup() }))).toEqual([]);
      expect(b.node.told("flow").length).toBe(1);
    }
  });

  it(
    ...rfc("R7016-2.3.12-03"),
    "as Next User Data takes flow and FSN of the chunk before, and the number that follows",
    () => {
      const b = bench();
      // Figure 3: 5, 6 and 7, all with forward sequence number 2.
      expect(
        atOnce(b, data(3, 5, 3, { data: "5", options: startup() }), next({ data: "6" }), next({ data: "7" })),
      ).toEqual(["A 0-2,5-7"]);
      expect(b.messages).toEqual([]);
      const both = atOnce(
        b,
        data(3, 3, 1, { data: "3" }),
        next({ data: "4" }),
        data(9, 1, 1, { data: "a", options: startup() }),
        next({ data: "b" }),
      );
      expect(both.sort()).toEqual(["A 0-2", "A 0-7"]);
      expect(b.messages.sort()).toEqual(["3:3", "3:4", "3:5", "3:6", "3:7", "9:a", "9:b"]);
    },
  );

  it(
    ...rfc("R7016-2.3.12-04"),
    "as Next User Data may begin, end, give up, finish and have options as User Data may",
    () => {
      const b = bench();
      const { begin, middle, end } = FragmentControl;
      atOnce(
        b,
        data(3, 1, 1, { data: "a", control: begin, options: startup() }),
        next({ data: "b", control: middle }),
        next({ data: "c", control: end, options: [{ type: 8_192, value: new Uint8Array(2) }] }),
        next({ data: "x", abandon: true }),
        next({ data: "e", final: true }),
        next({ data: "beyond the end" }),
      );
      expect(b.messages).toEqual(["3:abc", "3:e"]);
      expect(b.node.told("finished").length).toBe(1);
      const unknown = [{ type: 0x0b, value: new Uint8Array(1) }];
      const answer = atOnce(b, data(5, 1, 1, { data: "1", options: startup() }), next({ data: "2", options: unknown }));
      expect(answer).toEqual(["flowException", "A 0-2"]);
    },
  );

  it(...rfc("R7016-3.6.3.2-01"), "asks for an acknowledgement of its flow, in whichever of the two chunks", () => {
    const b = bench();
    for (const id of [3, 5, 7]) atOnce(b, data(id, 1, 1, { options: startup() }));
    b.world.run(300);
    expect(atOnce(b, data(3, 2, 1), data(5, 2, 1), next())).toEqual([]);
    b.world.run(200);
    const acks = b.far.takeChunks(ChunkType.ackBitmap, ChunkType.ackRanges);
    expect(acks.map((chunk) => `${chunk.flowId} ${acked(chunk)}`)).toEqual(["3 0-2", "5 0-3"]);
    b.world.run(1_000);
    expect(b.far.heard()).toEqual([]);
  });
});

describe("acknowledgements that go out", () => {
  it(
    ...rfc("R7016-2.3.13-05", "R7016-2.3.14-04"),
    "reach to the highest forward sequence number at least, in either encoding",
    () => {
      const types = new Set<number>();
      for (let seed = 1; seed <= 20; seed++) {
        const b = bench(seed);
        const random = (limit: number): number => (b.world.random(1)[0] as number) % limit;
        const spread = seed % 2 === 0 ? 12 : 250;
        let highest = 0;
        b.far.send(data(3, 1, 1, { options: startup() }));
        for (let i = 0; i < 30; i++) {
          const sn = highest + 1 + random(spread) * (1 + random(4));
          const fsn = random(4) === 0 ? sn - 1 - random(Math.min(sn, 200)) : highest;
          highest = Math.max(highest, fsn);
          b.far.send(data(3, sn, sn - fsn));
          if (random(2) === 0) continue;
          const chunk = lastAck(b);
          types.add(chunk.type);
          expect(chunk.cumulativeAck).toBeGreaterThanOrEqual(highest);
        }
      }
      expect(types).toEqual(new Set<number>([ChunkType.ackBitmap, ChunkType.ackRanges]));
    },
  );

  it(
    ...rfc("R7016-2.3.13-06", "R7016-2.3.14-05"),
    "are the shorter of the two encodings for any set of numbers",
    () => {
      const chosen = new Map<number, number>();
      for (let seed = 1; seed <= 60; seed++) {
        const b = bench(seed);
        const random = (limit: number): number => (b.world.random(1)[0] as number) % limit;
        const seen = new Set([1]);
        let sn = 1;
        const [gap, run] = [1 + random(40), 1 + random(8)];
        for (let i = 0; i < 12; i++) {
          sn += 2 + random(gap);
          for (let n = random(run); n >= 0; n--) seen.add(sn++);
        }
        const numbers = [...seen];
        for (const one of numbers)
          b.far.send(data(3, one, one === 1 ? 1 : one - 1, one === 1 ? { options: startup() } : {}));
        const chunk = lastAck(b);
        const starts = numbers.filter((n) => n > 1 && !seen.has(n - 1));
        let cursor = 1;
        let ranges = 0;
        for (const first of starts) {
          let last = first;
          while (seen.has(last + 1)) last++;
          ranges += vluSize(first - cursor - 2) + vluSize(last - first);
          cursor = last;
        }
        const bitmap = Math.ceil((Math.max(...numbers) - 2) / 8);
        expect(chunk.body.length).toBe(Math.min(ranges, bitmap));
        if (ranges !== bitmap) chosen.set(chunk.type, (chosen.get(chunk.type) ?? 0) + 1);
      }
      expect(chosen.get(ChunkType.ackBitmap)).toBeGreaterThan(5);
      expect(chosen.get(ChunkType.ackRanges)).toBeGreaterThan(5);
    },
  );

  it(...rfc("R7016-3.5-03"), "wait for data: a new session owes none and has no alarm set", () => {
    const b = bench();
    const fresh = b.node.endpoint.open(b.node.driver.now(), b.far.name, { candidates: [] });
    for (const { receives } of [fresh, b.session])
      expect(receives).toMatchObject({ ackNow: false, delayedAckAt: Number.POSITIVE_INFINITY, owesAck: false });
    fresh.abort();
    expect(b.node.endpoint.pollTimeout()).toBeUndefined();
    b.world.run(60_000);
    expect(b.far.heard()).toEqual([]);
    // The first packet counts as the first of two: what follows it is delayed.
    expect(atOnce(b, data(3, 1, 1, { options: startup() }))).toEqual(["A 0-1"]);
    expect(b.session.receives).toMatchObject({ ackNow: false, delayedAckAt: Number.POSITIVE_INFINITY });
    expect(atOnce(b, data(3, 2, 1))).toEqual([]);
  });
});

describe("exception codes", () => {
  it(...rfc("R7016-2.3.16-04"), "of an application may be any, and come to the other one as they are", () => {
    for (const code of [0, 7, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      const b = bench();
      b.node.onEvent = (event) => {
        if (event.type === "flow") event.flow.reject(code);
      };
      b.far.send(data(3, 1, 1, { options: startup() }));
      b.world.run(1);
      const [report] = b.far.takeChunks(ChunkType.flowException);
      expect(report).toMatchObject({ flowId: 3, code });
      const s = sendBench();
      const flow = s.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(10));
      s.flush(false);
      s.hear({ type: ChunkType.flowException, flowId: flow.id, code });
      expect(s.node.told("exception")).toMatchObject([{ flow, code }]);
    }
  });
});
