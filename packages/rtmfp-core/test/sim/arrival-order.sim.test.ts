import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  encodeMessage,
  encodeMetadata,
  type MessageTree,
  MessageTrees,
  MessageType,
  type TreeSendFlow,
} from "../../src/tc/index.ts";
import { connect, makePair, type Pair } from "./support.ts";

const LATENCY_MS = 20;

/** A message that fills most of a packet. */
const message = (value: number): Uint8Array => encodeMessage(MessageType.audio, value, new Uint8Array(900).fill(value));

/** Drops the next datagram of the client's that carries data. */
function dropNext(pair: Pair): void {
  const stop = pair.world.filter(({ sender, bytes }) => {
    if (sender !== "client" || bytes.length < 900) return undefined;
    stop();
    return "drop";
  });
}

/** Writes messages a millisecond apart, so that each has a packet of its own. */
async function writeApart(pair: Pair, flow: TreeSendFlow, values: readonly number[]): Promise<void> {
  for (const value of values) {
    flow.write(message(value));
    await pair.world.runAsync(1);
  }
}

/** Two trees over one session; what the far one has got, with the times. */
async function makeTrees(seed: number) {
  const pair = makePair(seed, { latencyMs: LATENCY_MS });
  const { near, far } = await connect(pair);
  const clock = { now: () => pair.world.now, after: (ms: number, run: () => void) => pair.world.after(ms, run) };
  const got: number[] = [];
  const returned: string[] = [];
  const answering = new MessageTrees(far, clock);
  let server: MessageTree | undefined;
  answering.onControl = (flow) => {
    server = answering.answer(flow);
    server.onMessage = (_streamId, { timestamp }) => got.push(timestamp);
    server.control.write(message(0));
  };
  const client = new MessageTrees(near, clock).open(0);
  client.onMessage = () => returned.push("message");
  client.control.write(message(0));
  await pair.world.runUntilAsync(() => returned.length > 0 && got.length > 0, 5_000);
  got.length = 0;
  return { pair, client, got };
}

describe("a flow in network arrival order", () => {
  it(
    ...rfc("R7425-5.1.1-06", "R7425-5.1.1-07"),
    "gives messages as they are complete, whatever the gaps, and each of them once",
    async () => {
      const { pair, client, got } = await makeTrees(1);
      const flow = client.openFlow(5, { receiveIntent: "network" });
      flow.write(message(1));
      await pair.world.runAsync(500);
      dropNext(pair);
      await writeApart(pair, flow, [2, 3, 4]);
      await pair.world.runAsync(2 * LATENCY_MS);
      expect(got).toEqual([1, 3, 4]);
      await pair.world.runAsync(5_000);
      expect(got).toEqual([1, 3, 4, 2]);
    },
  );

  it(...rfc("R7425-5.1.1-05"), "is given in sequence to a receiver that chooses so, and the reverse", async () => {
    for (const order of ["sequence", "network"] as const) {
      const pair = makePair(2, { latencyMs: LATENCY_MS });
      const { near, far } = await connect(pair);
      const got: number[] = [];
      far.onFlow = (flow) => {
        flow.accept({ order });
        flow.onMessage = (data) => got.push(data[5] as number);
      };
      // The sender hints at the other order.
      const flow = near.openFlow(encodeMetadata(5, order === "sequence" ? "network" : "sequence"));
      flow.write(message(1));
      await pair.world.runAsync(500);
      dropNext(pair);
      await writeApart(pair, flow, [2, 3, 4]);
      await pair.world.runAsync(5_000);
      expect(got).toEqual(order === "sequence" ? [1, 2, 3, 4] : [1, 3, 4, 2]);
    }
  });

  it(...rfc("R7425-5.1.1-10"), "loses what its sender gave up because it was late, and nothing else", async () => {
    const { pair, client, got } = await makeTrees(3);
    const flow = client.openFlow(5, { receiveIntent: "network" });
    flow.write(message(1));
    await pair.world.runAsync(500);
    const outage = pair.world.block([pair.clientHost], [pair.serverHost]);
    const late = flow.write(message(2), { finishWithinMs: 1_000 });
    const patient = flow.write(message(3));
    await pair.world.runAsync(2_000);
    expect([late.state, patient.state]).toEqual(["abandoned", "queued"]);
    outage.lift();
    await pair.world.runAsync(10_000);
    expect(got).toEqual([1, 3]);
    expect(patient.state).toBe("delivered");
  });
});

describe("the canonical control flow of the far end", () => {
  it(...rfc("AMB-61"), "is the first that arrives, in whatever order they were opened", async () => {
    const pair = makePair(4, { latencyMs: LATENCY_MS });
    const { near, far } = await connect(pair);
    const clock = { now: () => pair.world.now, after: (ms: number, run: () => void) => pair.world.after(ms, run) };
    const client = new MessageTrees(near, clock).open(0);
    client.onMessage = () => {};
    client.control.write(message(0));
    far.onFlow = (flow) => {
      flow.onMessage = () => {};
      // The first one's only packet is lost and comes again behind the second.
      const stop = pair.world.filter(({ sender, bytes }) =>
        sender === "server" && bytes.length > 900 ? "drop" : undefined,
      );
      flow.openReturn(encodeMetadata(0, "sequence")).write(message(1));
      pair.world.after(1, () => {
        stop();
        flow.openReturn(encodeMetadata(0, "network")).write(message(2));
      });
    };
    await pair.world.runAsync(5_000);
    expect(client.farControl?.metadata).toEqual(encodeMetadata(0, "network"));
    expect(client.stats.messages).toBe(2);
  });
});
