import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { Rfc7016Congestion } from "../../src/proto/index.ts";
import type { SendFlow } from "../../src/proto/send-flow.ts";
import type { Session } from "../../src/proto/session.ts";
import { type LinkOptions, SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { ack } from "./scripted.ts";
import { sendBench } from "./send-bench.ts";

/** A node with sessions to `count` others over its one access link, and how many bytes each of them has read. */
function star(
  seed: number,
  link: Partial<LinkOptions>,
  count: number,
): { world: SimWorld; sessions: Session[]; node: RawNode; read: number[] } {
  const world = new SimWorld(seed);
  const node = rawNode(world.host("node", { link }), "node", { keepaliveMs: 0 });
  const read = new Array<number>(count).fill(0);
  const sessions = read.map((_, i) => {
    const other = rawNode(world.host(`other ${i}`, { link: { latencyMs: 1 } }), `other ${i}`, { keepaliveMs: 0 });
    other.onEvent = (event) => {
      if (event.type !== "readable") return;
      for (let message = event.flow.read(); message !== undefined; message = event.flow.read()) {
        read[i] = (read[i] as number) + message.data.length;
      }
    };
    return node.endpoint.open(0, nameOf(`other ${i}`), { candidates: [{ address: other.address, via: 0 }] });
  });
  world.run(2_000);
  return { world, sessions, node, read };
}

/** Keeps a flow's send buffer full. */
function pour({ world, node }: ReturnType<typeof star>, flow: SendFlow): void {
  const fill = (): void => {
    while (flow.bufferedBytes < 500_000) flow.write(new Uint8Array(10_000));
    node.driver.wake();
    world.after(50, fill);
  };
  fill();
}

describe("congestion control at work", () => {
  it(...rfc("R7016-3.5.2-01", "R7016-3.5.2-05"), "fills a link without flooding its queue for long", () => {
    const s = star(1, { latencyMs: 25, bitsPerSecond: 8_000_000, queueBytes: 60_000 }, 1);
    const session = s.sessions[0] as Session;
    pour(s, session.openFlow(new Uint8Array(1)));
    s.world.run(20_000);
    expect(s.read[0]).toBeGreaterThan(0.7 * 20_000_000);
    expect(s.world.stats.dropped.queue / s.world.stats.sent).toBeLessThan(0.02);
  });

  it("shares a link fairly between two sessions, at windows below the scalable range", () => {
    const s = star(1, { latencyMs: 25, bitsPerSecond: 4_000_000, queueBytes: 30_000 }, 2);
    for (const session of s.sessions) pour(s, session.openFlow(new Uint8Array(1)));
    s.world.run(60_000);
    const [one, two] = s.read as [number, number];
    expect(one + two).toBeGreaterThan(0.7 * 30_000_000);
    expect(Math.max(one, two) / Math.min(one, two)).toBeLessThan(2);
  });

  it(...rfc("R7016-3.6.2.3-03"), "shares a session evenly between two flows of one priority", () => {
    const s = star(1, { latencyMs: 25, bitsPerSecond: 8_000_000, queueBytes: 60_000 }, 1);
    const flows = [1, 2].map((n) => (s.sessions[0] as Session).openFlow(Uint8Array.of(n)));
    let written = 0;
    for (const flow of flows) pour(s, flow);
    s.world.run(20_000);
    written = flows.reduce((sum, flow) => sum + flow.bufferedBytes, 0);
    expect(written).toBeGreaterThan(0);
    const sent = flows.map((flow) => flow.outstandingBytes);
    expect(Math.max(...sent)).toBeLessThan(3 * Math.max(1_500, Math.min(...sent)));
  });

  it(
    ...rfc("R7016-3.5.2.1-01", "R7016-3.1-01"),
    "yields to a time-critical session from the same sender's side",
    () => {
      const s = star(1, { latencyMs: 25, bitsPerSecond: 8_000_000, queueBytes: 60_000 }, 2);
      const [bulk, live] = s.sessions as [Session, Session];
      pour(s, live.openFlow(new Uint8Array(1), { priority: "high" }));
      pour(s, bulk.openFlow(new Uint8Array(1), { priority: "bulk" }));
      s.world.run(60_000);
      expect(s.read[1]).toBeGreaterThan(1.5 * (s.read[0] as number));
    },
  );

  it(...rfc("R7016-3.5.2-04", "R7016-3.5-04"), "never has more outstanding than the window and one packet", () => {
    const s = star(3, { latencyMs: 25, bitsPerSecond: 4_000_000, queueBytes: 40_000, loss: 0.01 }, 1);
    const session = s.sessions[0] as Session;
    const flows = [1, 2, 3].map((n) => session.openFlow(Uint8Array.of(n)));
    for (const flow of flows) pour(s, flow);
    let before = 0;
    for (let i = 0; i < 20_000; i++) {
      s.world.run(1);
      const { outstandingBytes, congestion } = session.sends;
      expect(outstandingBytes).toBe(flows.reduce((sum, flow) => sum + flow.outstandingBytes, 0));
      if (outstandingBytes > before) expect(outstandingBytes).toBeLessThan(congestion.window + 1_500);
      before = outstandingBytes;
    }
  });

  it(
    ...rfc("R7016-3.5.2-03", "R7016-3.5.2.3-01"),
    "lets an acknowledgement release six packets, more only if it stands for more",
    () => {
      const b = sendBench({ congestion: () => Object.assign(new Rfc7016Congestion(), { cwnd: 1e6 }) });
      const flow = b.session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(400_000));
      expect(b.flush().length).toBe(6);
      b.hear(ack(flow.id, 1_000, 1));
      expect(b.far.take().length).toBe(6);
      b.hear(ack(flow.id, 1_000, 12));
      expect(b.far.take().length).toBe(22);
      b.hear(ack(flow.id, 1_000, 12));
      expect(b.far.take().length).toBe(6);
    },
  );
});
