import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { toHex } from "../../src/proto/bytes.ts";
import { ChunkType, FragmentControl, type UserDataChunk } from "../../src/proto/chunk/types.ts";
import type { SendFlow } from "../../src/proto/send-flow.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, rawNode } from "./raw.ts";
import { type Arrival, ack, data, openScripted, Scripted, startup } from "./scripted.ts";
import { type SendBench, sendBench } from "./send-bench.ts";

/** A (Next) User Data chunk with the numbers it stands for. */
interface Numbered {
  readonly flowId: number;
  readonly sn: number;
  readonly control: number;
  readonly chunk: UserDataChunk;
  /** Index of its packet among the arrivals. */
  readonly packet: number;
}

function isData(type: number): boolean {
  return type === ChunkType.userData || type === ChunkType.nextUserData;
}

/** The user data of the packets, with the numbers of Next User Data filled in. */
function numbered(arrivals: readonly Arrival[]): Numbered[] {
  return arrivals.flatMap(({ chunks }, packet) => {
    let [flowId, sn] = [0, 0];
    return (chunks.filter(({ type }) => isData(type)) as UserDataChunk[]).map((chunk) => {
      if (chunk.type === ChunkType.userData) [flowId, sn] = [chunk.flowId, chunk.sequenceNumber];
      else sn++;
      return { flowId, sn, control: (chunk.flags >> 4) & 3, chunk, packet };
    });
  });
}

/** The options of each data chunk of a flow, packet by packet, as hex; "" where it has none. */
function optionsByPacket(arrivals: readonly Arrival[], flow: SendFlow): string[][] {
  return arrivals.map((arrival) =>
    numbered([arrival])
      .filter(({ flowId }) => flowId === flow.id)
      .map(({ chunk }) => (chunk.options ?? []).map(({ type, value }) => `${type}:${toHex(value)}`).join()),
  );
}

/** A sending flow that answers flow 3 of the far end. */
function answering(b: SendBench, metadata: string): SendFlow {
  b.hear(data(3, 1, 1, { options: startup() }));
  const [answers] = b.session.receives.flows;
  if (answers === undefined) throw new Error("no flow to answer");
  b.far.take();
  return b.session.openFlow(nameOf(metadata), { answers });
}

describe("the numbers of user data", () => {
  it(
    ...rfc("R7016-2.3.11-05", "R7016-2.3.11-06", "R7016-3.6.1.2-03", "R7016-3.6.2.2-02"),
    "run through one message after the other, however flows, losses and priorities mix their packets",
    () => {
      const b = sendBench({ datagramBytes: 400 });
      const flows = [b.session.openFlow(nameOf("a")), b.session.openFlow(nameOf("b"), { priority: "high" })];
      for (let n = 1; n <= 20; n++)
        for (const flow of flows) flow.write(new Uint8Array(n % 5 === 0 ? 10 : 1_000 + 90 * n).fill(n));
      const got = new Map(flows.map(({ id }) => [id, new Map<number, Numbered>()]));
      for (let round = 0; round < 400; round++) {
        b.manual.window = b.session.sends.outstandingBytes + 1_500;
        b.flush(false);
        const arrivals = b.far.take();
        // Every seventh packet is lost.
        for (const one of numbered(arrivals).filter(({ packet }) => (packet + round) % 7 !== 3))
          got.get(one.flowId)?.set(one.sn, one);
        for (const { id } of arrivals.length > 0 ? flows : []) {
          const seen = got.get(id) as Map<number, Numbered>;
          let cumulative = 0;
          while (seen.has(cumulative + 1)) cumulative++;
          const above = [...seen.keys()].filter((sn) => sn > cumulative).sort((x, y) => x - y);
          const ranges = above
            .filter((sn) => !seen.has(sn - 1))
            .map((first) => {
              let last = first;
              while (seen.has(last + 1)) last++;
              return [first, last] as const;
            });
          b.hear(ack(id, 127, cumulative, ...ranges));
        }
        if (flows.every(({ bufferedBytes }) => bufferedBytes === 0)) break;
        b.world.run(100);
      }
      expect(b.session.sends.stats.fragmentsLost).toBeGreaterThan(3);
      for (const { id } of flows) {
        const sorted = [...(got.get(id) as Map<number, Numbered>).values()].sort((x, y) => x.sn - y.sn);
        expect(sorted.map(({ sn }) => sn)).toEqual(sorted.map((_, i) => i + 1));
        const messages: { fill: number; controls: number[]; size: number }[] = [];
        for (const { control, chunk } of sorted) {
          const fill = chunk.data[0] as number;
          expect(chunk.data.every((byte) => byte === fill)).toBe(true);
          if (control === FragmentControl.whole || control === FragmentControl.begin)
            messages.push({ fill, controls: [], size: 0 });
          const message = messages.at(-1) as (typeof messages)[number];
          expect(message.fill).toBe(fill);
          message.controls.push(control);
          message.size += chunk.data.length;
        }
        expect(messages.map(({ fill }) => fill)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
        for (const { fill, controls, size } of messages) {
          expect(size).toBe(fill % 5 === 0 ? 10 : 1_000 + 90 * fill);
          const middles = Math.max(0, controls.length - 2);
          expect(controls).toEqual(
            fill % 5 === 0
              ? [FragmentControl.whole]
              : [
                  FragmentControl.begin,
                  ...new Array<number>(middles).fill(FragmentControl.middle),
                  FragmentControl.end,
                ],
          );
          if (fill % 5 !== 0) expect(middles).toBeGreaterThan(0);
        }
      }
    },
  );

  it(...rfc("R7016-2.3.11-09", "R7016-2.3.11-10"), "begin with 1 in every flow, whatever it sends first", () => {
    const b = sendBench();
    const [one, two, three] = ["1", "2", "3"].map((name) => b.session.openFlow(nameOf(name))) as SendFlow[];
    one?.write(new Uint8Array(10));
    two?.write(new Uint8Array(5_000));
    three?.close();
    b.flush(false);
    const first = new Map<number, number>();
    for (const { flowId, sn } of numbered(b.far.take())) if (!first.has(flowId)) first.set(flowId, sn);
    expect([...first.values()]).toEqual([1, 1, 1]);
  });
});

describe("the transmission budget", () => {
  it(
    ...rfc("R7016-3.5.2-04", "R7016-3.5.2-05"),
    "is told of acknowledgements, losses and timeouts, and kept to",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(nameOf("m"));
      const send = (): number => {
        flow.write(new Uint8Array(100));
        return b.flush().length;
      };
      for (let n = 0; n < 6; n++) expect(send()).toBe(1);
      b.hear(ack(flow.id, 127, 1));
      expect(b.manual.acks).toMatchObject([
        { lost: false, nak: false, fastGrowAllowed: true, timeCriticalSent: false },
      ]);
      expect(b.manual.acks[0]?.ackedBytes).toBeGreaterThan(100);
      for (const last of [3, 4, 5]) b.hear(ack(flow.id, 127, 1, [3, last]));
      expect(b.manual.acks.slice(1).map(({ nak, lost }) => [nak, lost])).toEqual([
        [true, false],
        [true, false],
        [true, true],
      ]);
      b.hear(ack(flow.id, 127, 6));
      b.flush();
      expect(b.manual.timeouts).toEqual([]);
      b.manual.window = 300;
      for (let n = 0; n < 8; n++) flow.write(new Uint8Array(100));
      b.flush();
      expect(b.session.sends.outstandingBytes).toBeGreaterThanOrEqual(300);
      expect(b.session.sends.outstandingBytes).toBeLessThan(420);
      b.world.run(11_000);
      expect(b.manual.timeouts.length).toBeGreaterThan(0);
      expect(b.manual.timeouts).not.toContain(false);
    },
  );
});

describe("the options at a flow's start", () => {
  it(
    ...rfc(
      "R7016-2.3.11.1.1-03",
      "R7016-2.3.11.1.1-04",
      "R7016-2.3.11.1.1-05",
      "R7016-2.3.11.1.2-02",
      "R7016-2.3.11.1.2-03",
      "R7016-2.3.11.1.2-04",
    ),
    "stand in the first chunk of each packet until the flow is acknowledged, and never after",
    () => {
      const b = sendBench();
      const flow = answering(b, "me");
      const plain = b.session.openFlow(nameOf("x"));
      const options = `0:${toHex(nameOf("me"))},10:03`;
      for (let packet = 0; packet < 3; packet++) {
        for (let n = 0; n < 3; n++) flow.write(new Uint8Array(20));
        plain.write(new Uint8Array(20));
        b.flush(false);
      }
      const before = b.far.take();
      expect(optionsByPacket(before, flow)).toEqual(new Array(3).fill([options, "", ""]));
      expect(optionsByPacket(before, plain)).toEqual(new Array(3).fill([`0:${toHex(nameOf("x"))}`]));
      // All of it is lost: sent again, it begins with the options again.
      b.world.run(4_000);
      b.flush(false);
      const again = optionsByPacket(b.far.take(), flow).filter((packet) => packet.length > 0);
      expect(again.length).toBeGreaterThan(0);
      for (const [first, ...rest] of again) {
        expect(first).toBe(options);
        expect(new Set(rest)).toEqual(new Set(rest.length > 0 ? [""] : []));
      }
      b.hear(ack(flow.id, 127, 2));
      for (let packet = 0; packet < 3; packet++) {
        flow.write(new Uint8Array(20));
        b.flush(false);
      }
      b.world.run(20_000);
      const after = optionsByPacket(b.far.take(), flow).flat();
      expect(after.length).toBeGreaterThan(6);
      expect(new Set(after)).toEqual(new Set([""]));
    },
  );

  it(
    ...rfc("R7016-2.3.11.1.1-03", "R7016-2.3.11.1.1-04", "R7016-2.3.11.1.2-02", "R7016-2.3.11.1.2-03"),
    "stand once in a packet that has two User Data chunks of the flow, for a message between them was given up",
    () => {
      const b = sendBench();
      const flow = answering(b, "me");
      const receipts = [1, 2, 3, 4].map(() => flow.write(new Uint8Array(20)));
      b.flush(false);
      receipts[1]?.abandon();
      b.far.take();
      b.world.run(4_000);
      const [again] = b.far.take();
      const types = numbered(again === undefined ? [] : [again]).map(({ sn, chunk }) => `${chunk.type} ${sn}`);
      expect(types).toEqual(["16 1", "16 3", "17 4"]);
      expect(optionsByPacket(again === undefined ? [] : [again], flow)).toEqual([
        [`0:${toHex(nameOf("me"))},10:03`, "", ""],
      ]);
    },
  );

  it(
    ...rfc("R7016-2.3.11.1.2-05", "R7016-2.3.11.1.2-06"),
    "hold one association from the first transmission on, or none for the flow's life",
    () => {
      const b = sendBench();
      const flow = answering(b, "me");
      const plain = b.session.openFlow(nameOf("x"));
      for (const one of [flow, plain]) one.write(new Uint8Array(3_000));
      b.flush(false);
      b.world.run(60_000);
      const types = (of: SendFlow): (number[] | undefined)[] =>
        numbered(b.far.arrivals)
          .filter(({ flowId }) => flowId === of.id)
          .map(({ chunk }) => chunk.options?.map(({ type }) => type));
      expect(types(flow)[0]).toEqual([0, 10]);
      expect(types(plain)[0]).toEqual([0]);
      const declared = (of: SendFlow): string[] =>
        types(of).flatMap((list) => (list === undefined ? [] : [list.join()]));
      expect(new Set(declared(flow))).toEqual(new Set(["0,10"]));
      expect(new Set(declared(plain))).toEqual(new Set(["0"]));
      expect(declared(plain).length).toBeGreaterThan(2);
    },
  );

  it(...rfc("R7016-2.3.11.1.1-06"), "hold metadata of 512 bytes at most: more is refused, and nothing sent", () => {
    const b = sendBench();
    expect(() => b.session.openFlow(new Uint8Array(513))).toThrow(/513 bytes, at most 512/);
    b.session.openFlow(new Uint8Array(512).fill(1)).write(new Uint8Array(1));
    b.flush(false);
    const options = numbered(b.far.take()).map(({ chunk }) => chunk.options?.[0]?.value.length);
    expect(options).toEqual([512]);
  });

  it(
    ...rfc("R7016-2.3.11.1.1-07", "R7016-2.3.11.1.1-02"),
    "hold metadata of no bytes as an option of its own, which opens the flow at the far end",
    () => {
      const b = sendBench();
      b.session.openFlow(new Uint8Array(0)).write(nameOf("hello"));
      b.flush(false);
      const [arrival] = b.far.take();
      expect(toHex(arrival?.datagram as Uint8Array)).toContain(`0100${"00"}${toHex(nameOf("hello"))}`);
      const world = new SimWorld(1);
      const node = rawNode(world.host("near"), "near", { keepaliveMs: 0 });
      const far = new Scripted(world.host("far"), "far", node.address);
      openScripted(world, node, far, "initiator");
      far.send(data(3, 1, 1, { data: "x", options: startup("") }));
      world.run(50);
      expect(node.told("flow").map(({ flow }) => [flow.id, flow.metadata.length, flow.state])).toEqual([
        [3, 0, "RF_OPEN"],
      ]);
    },
  );
});

describe("what congestion control hears", () => {
  it(...rfc("R7016-3.6.2.5-04"), "tells negative acknowledgements from loss", () => {
    const b = sendBench();
    const flow = b.session.openFlow(nameOf("m"));
    for (let n = 0; n < 6; n++) {
      flow.write(new Uint8Array(1_000));
      b.release();
    }
    const hear = (...ranges: [number, number][]): [boolean, boolean] => {
      b.hear(ack(flow.id, 127, 1, ...ranges));
      const event = b.manual.acks.at(-1);
      return [event?.nak === true, event?.lost === true];
    };
    expect(hear()).toEqual([false, false]);
    expect(hear([3, 3])).toEqual([true, false]);
    expect(hear([3, 4])).toEqual([true, false]);
    expect(hear([3, 5])).toEqual([true, true]);
    // Sent again, it starts to count anew.
    b.release();
    flow.write(new Uint8Array(1_000));
    b.release();
    flow.write(new Uint8Array(1_000));
    b.release();
    expect(hear([3, 6])).toEqual([false, false]);
    expect(hear([3, 7])).toEqual([true, false]);
    expect(hear([3, 8])).toEqual([true, false]);
  });
});

describe("a packet that would hold nothing", () => {
  it(...rfc("R7016-2.2.4-12"), "is not sent: not for a closed window, a full path, or a turn without work", () => {
    const b = sendBench();
    const flow = b.session.openFlow(nameOf("m"));
    flow.write(new Uint8Array(10));
    b.flush();
    b.hear(ack(flow.id, 0, 1));
    flow.write(new Uint8Array(10));
    expect(b.flush()).toEqual([]);
    expect(b.flush()).toEqual([]);
    b.hear(ack(flow.id, 10, 1));
    expect(b.far.heard()).toEqual(["D 2 o1 f1"]);
    b.hear(ack(flow.id, 10, 2));
    b.manual.window = 0;
    flow.write(new Uint8Array(10));
    expect(b.flush()).toEqual([]);
    b.world.run(20_000);
    expect(b.far.arrivals.filter(({ chunks }) => chunks.length === 0)).toEqual([]);
  });
});
