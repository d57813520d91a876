import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { vluSize } from "../../src/proto/bytes.ts";
import { ChunkType, type UserDataChunk, UserDataFlag } from "../../src/proto/chunk/types.ts";
import type { SendFlow } from "../../src/proto/send-flow.ts";
import { ack } from "./scripted.ts";
import { sendBench } from "./send-bench.ts";

describe("giving messages up", () => {
  it(...rfc("R7016-3.6.2.7-01", "R7016-3.6.2.7-02", "R7016-3.6.2.3-09"), "concerns all fragments of a message", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    const receipt = flow.write(new Uint8Array(3_000));
    b.flush();
    b.manual.window = 0;
    b.world.run(3_050);
    receipt.abandon();
    b.manual.window = 1e9;
    expect(b.flush()).toEqual([["D 3 o0 f3 ABN OPT"]]);
    b.hear(ack(flow.id, 127, 3));
    expect(receipt.state).toBe("abandoned");
    expect(flow.outstandingBytes).toBe(0);
    expect(b.flush()).toEqual([]);
  });

  it(
    ...rfc("R7016-3.6.1.2-05", "R7016-3.6.2.3-02", "R7016-3.6.2.1-03", "R7016-3.6.2.3-08"),
    "takes a number even for a message that was never sent",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(10)).abandon();
      flow.write(new Uint8Array(10)).abandon();
      expect(b.flush()).toEqual([["D 2 o0 f2 ABN OPT"]]);
      b.hear(ack(flow.id, 127, 2));
      flow.write(new Uint8Array(10)).abandon();
      flow.write(new Uint8Array(10));
      expect(b.flush()).toEqual([["D 4 o1 f3"]]);
    },
  );

  it(
    ...rfc("R7016-3.6.2.3-02", "R7016-3.6.2.3-08"),
    "sends nothing of it while something in front is in flight, but the flow's end",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(10));
      b.flush();
      for (let i = 0; i < 2; i++) flow.write(new Uint8Array(10)).abandon();
      expect(b.flush()).toEqual([]);
      flow.write(new Uint8Array(10)).abandon();
      flow.close();
      expect(b.flush()).toEqual([["D 4 o4 f0 ABN FIN OPT"]]);
    },
  );

  it(
    ...rfc("R7016-3.6.2.3-04", "R7016-3.6.2.3-05", "R7016-3.6.2.3-07"),
    "does not touch FSN while the data is in flight",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      const receipt = flow.write(new Uint8Array(10));
      b.flush();
      receipt.abandon();
      expect(b.flush()).toEqual([]);
      flow.write(new Uint8Array(10));
      expect(b.flush()).toEqual([["D 2 o2 f0 OPT"]]);
    },
  );

  it(
    ...rfc("R7016-3.6.2.3-05", "R7016-3.6.2.3-11"),
    "is told by FSN as soon as it has been sent as given up, though that is still in flight",
    () => {
      const b = sendBench();
      const flow = b.session.openFlow(new Uint8Array(1));
      for (let i = 0; i < 2; i++) flow.write(new Uint8Array(10)).abandon();
      expect(b.flush()).toEqual([["D 2 o0 f2 ABN OPT"]]);
      flow.write(new Uint8Array(10));
      expect(b.flush()).toEqual([["D 3 o1 f2 OPT"]]);
    },
  );

  it(...rfc("R7016-3.6.2.7-03"), "is for good, as delivery is", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    const [given, kept] = [flow.write(new Uint8Array(10)), flow.write(new Uint8Array(10))];
    const outcomes: string[] = [];
    for (const receipt of [given, kept]) receipt.onDone = (state) => outcomes.push(state);
    b.flush();
    given.abandon();
    b.hear(ack(flow.id, 127, 2));
    given.finishBy = b.node.driver.now() + 1_000;
    kept.abandon();
    b.world.run(2_000);
    expect([given.state, kept.state]).toEqual(["abandoned", "delivered"]);
    expect(outcomes).toEqual(["abandoned", "delivered"]);
    expect(flow.bufferedBytes).toBe(0);
  });

  it(...rfc("R7016-3.6.2.7-01"), "happens when transmission has not begun in time", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    b.manual.window = 0;
    const now = b.node.driver.now();
    const late = flow.write(new Uint8Array(10), { startBy: now + 500 });
    const started = flow.write(new Uint8Array(2_000), { startBy: now + 5_000 });
    b.world.run(499);
    expect(late.state).toBe("queued");
    b.world.run(2);
    expect(late.state).toBe("abandoned");
    b.release();
    b.world.run(10_000);
    expect(started.state).toBe("queued");
    expect(started.started).toBe(true);
  });

  it(...rfc("R7016-3.6.2.7-01"), "happens when delivery has not come in time, and the time may be changed", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    const now = b.node.driver.now();
    const one = flow.write(new Uint8Array(10), { finishBy: now + 1_000 });
    const two = flow.write(new Uint8Array(10), { finishBy: now + 1_000 });
    const three = flow.write(new Uint8Array(10), { finishBy: now + 1_000 });
    const outcomes: string[] = [];
    for (const receipt of [one, two, three]) receipt.onDone = (state) => outcomes.push(state);
    b.flush();
    two.finishBy = now + 2_000;
    three.finishBy = now + 500;
    b.world.run(700);
    expect([one.state, two.state, three.state]).toEqual(["queued", "queued", "abandoned"]);
    b.world.run(500);
    expect([one.state, two.state]).toEqual(["abandoned", "queued"]);
    b.hear(ack(flow.id, 127, 3));
    expect(two.state).toBe("delivered");
    expect(outcomes).toEqual(["abandoned", "abandoned", "delivered"]);
  });

  it(...rfc("R7016-3.6.2.7-01", "R7016-3.6.2.7-03"), "runs down the chain of messages that depend on it", () => {
    const b = sendBench();
    const flow = b.session.openFlow(new Uint8Array(1));
    const other = b.session.openFlow(new Uint8Array(1));
    b.manual.window = 0;
    const key = flow.write(new Uint8Array(10));
    const chain = [key];
    for (let i = 0; i < 5_000; i++) {
      chain.push((i % 2 === 0 ? other : flow).write(new Uint8Array(10), { parent: chain.at(-1) as typeof key }));
    }
    const free = other.write(new Uint8Array(10));
    chain[100]?.abandon();
    expect(chain.slice(0, 100).every(({ state }) => state === "queued")).toBe(true);
    expect(chain.slice(100).every(({ state }) => state === "abandoned")).toBe(true);
    expect(free.state).toBe("queued");
    const late = flow.write(new Uint8Array(10), { parent: chain[200] as typeof key });
    expect(late.state).toBe("abandoned");
    b.manual.window = 1e9;
    b.flush();
    expect(flow.bufferedBytes + other.bufferedBytes).toBe(101 * 10);
  });

  it(
    ...rfc("R7016-3.6.2.3-06", "R7016-3.6.2.3-07", "R7016-3.6.2.3-11", "R7016-2.3.11-14", "R7016-3.5-04"),
    "keeps FSN right whatever is given up when",
    () => {
      for (let seed = 1; seed <= 40; seed++) randomAbandon(seed);
    },
  );
});

/** What the sender has on its way, by the rules of §3.6.2.5, kept by the far end. */
class Model {
  readonly flying: { sn: number; tsn: number; packet: number; abandoned: boolean; size: number; naks: number }[] = [];
  #nextTsn = 1;
  #maxTsnAck = 0;

  send(sn: number, packet: number, abandoned: boolean, size: number): void {
    this.flying.push({ sn, tsn: this.#nextTsn++, packet, abandoned, size, naks: 0 });
  }

  acknowledge(seen: ReadonlySet<number>): void {
    const landed = this.flying.filter(({ sn }) => seen.has(sn));
    for (const one of landed) this.#maxTsnAck = Math.max(this.#maxTsnAck, one.tsn);
    this.#keep(({ sn }) => !seen.has(sn));
    // An acknowledgement that stands for several packets counts as one for every second of them.
    const packetsAfter = (packet: number): number =>
      new Set(landed.map((one) => one.packet).filter((p) => p > packet)).size;
    for (const one of this.flying) {
      if (one.tsn < this.#maxTsnAck) one.naks += Math.max(1, Math.ceil(packetsAfter(one.packet) / 2));
    }
    this.#keep(({ naks }) => naks < 3);
  }

  get bytes(): number {
    return this.flying.reduce((sum, { size }) => sum + size, 0);
  }

  #keep(wanted: (one: Model["flying"][number]) => boolean): void {
    this.flying.splice(0, this.flying.length, ...this.flying.filter(wanted));
  }
}

/** The runs of seen numbers above the contiguous one. */
function rangesAbove(seen: ReadonlySet<number>, cumulative: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (const sn of [...seen].filter((n) => n > cumulative).sort((x, y) => x - y)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === sn - 1) last[1] = sn;
    else ranges.push([sn, sn]);
  }
  return ranges;
}

/** Writes, abandons, loses and acknowledges at random; checks the rules of FSN and the sums after every step. */
function randomAbandon(seed: number): void {
  const b = sendBench({}, seed);
  const random = (limit: number): number => (b.world.random(1)[0] as number) % limit;
  const flow = b.session.openFlow(new Uint8Array(1));
  const receipts: ReturnType<SendFlow["write"]>[] = [];
  const model = new Model();
  const seen = new Set<number>([0]);
  let cumulative = 0;
  let forward = 0;
  let packet = 0;
  const exchange = (loss: boolean): void => {
    b.manual.window = b.session.sends.outstandingBytes + 1 + random(200) * 20;
    b.far.take();
    b.flush(false);
    b.manual.window = 0;
    for (const { chunks, datagram } of b.far.take()) {
      packet++;
      let sn = 0;
      let fsn = 0;
      const lost = loss && random(4) === 0;
      expect(datagram.length).toBeLessThanOrEqual(1_200);
      for (const chunk of chunks as UserDataChunk[]) {
        const next = chunk.type === ChunkType.nextUserData;
        sn = next ? sn + 1 : chunk.sequenceNumber;
        fsn = next ? fsn : sn - chunk.fsnOffset;
        for (const one of model.flying) expect(fsn).toBeLessThan(one.sn + (one.abandoned ? 1 : 0));
        const abandoned = (chunk.flags & UserDataFlag.abandon) !== 0;
        if (abandoned) expect(chunk.data.length).toBe(0);
        // Given up once is given up for good; only the end of it may be said again.
        expect(sn).toBeGreaterThan(forward - (abandoned ? 1 : 0));
        forward = Math.max(forward, fsn);
        const numbers = next ? 0 : 2 + vluSize(sn);
        const options = chunk.options === undefined ? 0 : 4;
        model.send(sn, packet, abandoned, 4 + numbers + options + chunk.data.length);
        if (lost) continue;
        seen.add(sn);
        for (let n = cumulative + 1; n <= fsn; n++) seen.add(n);
      }
    }
    while (seen.has(cumulative + 1)) cumulative++;
    if (random(2) === 0 || !loss) {
      b.hear(ack(flow.id, 127, cumulative, ...rangesAbove(seen, cumulative)));
      model.acknowledge(seen);
    }
    expect(b.session.sends.outstandingBytes).toBe(model.bytes);
    expect(flow.outstandingBytes).toBe(model.bytes);
  };
  for (let step = 0; step < 120; step++) {
    if (random(2) === 0) receipts.push(flow.write(new Uint8Array(1 + random(250) * 10)));
    if (random(3) === 0) receipts[random(Math.max(1, receipts.length))]?.abandon();
    exchange(true);
  }
  flow.close();
  for (let step = 0; step < 400 && flow.state !== "F_COMPLETE_LINGER"; step++) {
    exchange(false);
    if (step % 100 === 99) {
      b.world.run(11_000);
      model.flying.length = 0;
    }
  }
  expect(flow.state).toBe("F_COMPLETE_LINGER");
  expect(receipts.some(({ state }) => state === "queued")).toBe(false);
  expect(flow.bufferedBytes).toBe(0);
}
