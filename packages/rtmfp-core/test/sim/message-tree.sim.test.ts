import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { RecvFlow, Session } from "../../src/index.ts";
import {
  decodeMetadata,
  encodeMessage,
  encodeUserControl,
  type MessageTree,
  MessageTrees,
  MessageType,
  type TreeEnd,
  type TreeRecvFlow,
} from "../../src/tc/index.ts";
import { connect, makePair, type Pair } from "./support.ts";

/** Two ends of one session with their trees. */
interface Ends {
  readonly pair: Pair;
  readonly near: MessageTrees;
  readonly far: MessageTrees;
  readonly nearSession: Session;
  readonly farSession: Session;
}

async function makeEnds(seed: number): Promise<Ends> {
  const pair = makePair(seed, { latencyMs: 10 });
  const { near, far } = await connect(pair);
  const clock = { now: () => pair.world.now, after: (ms: number, run: () => void) => pair.world.after(ms, run) };
  return {
    pair,
    near: new MessageTrees(near, clock),
    far: new MessageTrees(far, clock),
    nearSession: near,
    farSession: far,
  };
}

/** Text of the messages that a tree gets, as `stream:text`. */
function record(tree: MessageTree, into: string[]): void {
  tree.onMessage = (streamId, { payload }) => into.push(`${streamId}:${new TextDecoder().decode(payload)}`);
}

const text = (value: string): Uint8Array => encodeMessage(MessageType.dataAmf0, 0, new TextEncoder().encode(value));

/** A connection: client's tree, server's tree, what each has got. */
async function makeConnection(
  seed: number,
): Promise<
  Ends & { client: MessageTree; server: MessageTree; atClient: string[]; atServer: string[]; flows: TreeRecvFlow[] }
> {
  const ends = await makeEnds(seed);
  const atClient: string[] = [];
  const atServer: string[] = [];
  const flows: TreeRecvFlow[] = [];
  let server: MessageTree | undefined;
  ends.far.onControl = (flow) => {
    const tree = ends.far.answer(flow);
    server = tree;
    tree.onMessage = (streamId, { payload }, from) => {
      flows.push(from);
      atServer.push(`${streamId}:${new TextDecoder().decode(payload)}`);
      if (atServer.length === 1) tree.control.write(text("_result"));
    };
  };
  const client = ends.near.open(0);
  record(client, atClient);
  client.control.write(text("connect"));
  await ends.pair.world.runUntilAsync(() => atClient.length > 0, 5_000);
  if (server === undefined) throw new Error("no tree at the server");
  return { ...ends, client, server, atClient, atServer, flows };
}

describe("a tree of message flows", () => {
  it(
    ...rfc(
      "R7425-5.1.1-01",
      "R7425-5.3.1-02",
      "R7425-5.3.2-01",
      "R7425-5.3.2-02",
      "R7425-5.3.5-01",
      "R7425-5.3.5.2-01",
      "V1-44",
    ),
    "associates every flow but the first to the other side's control flow",
    async () => {
      const { client, server, pair, atClient, atServer, flows } = await makeConnection(1);
      expect(atServer).toEqual(["0:connect"]);
      expect(atClient).toEqual(["0:_result"]);
      expect(client.farControl?.answers).toBe(client.control);
      client.openFlow(5).write(text("up"));
      server.openFlow(5).write(text("down"));
      await pair.world.runAsync(500);
      expect(atServer).toEqual(["0:connect", "5:up"]);
      expect(atClient).toEqual(["0:_result", "5:down"]);
      const stream = flows[1] as RecvFlow;
      expect(decodeMetadata(stream.metadata)).toEqual({ streamId: 5, receiveIntent: "sequence" });
      expect(stream.answers).toBe(server.control);
      server.openFlow(0).write(text("more"));
      await pair.world.runAsync(500);
      client.openFlow(6).write(text("later"));
      await pair.world.runAsync(500);
      expect([atClient.at(-1), atServer.at(-1)]).toEqual(["0:more", "6:later"]);
      expect((flows.at(-1) as RecvFlow).answers).toBe(server.control);
    },
  );

  it(
    ...rfc("R7425-5.1.1-08", "R7425-5.1.1-09", "R7425-5.3.5.3-03"),
    "rejects metadata that is none with code 0",
    async () => {
      const { nearSession, pair } = await makeConnection(2);
      const codes: number[] = [];
      for (const metadata of [
        [0x54, 0x43, 0],
        [0x54, 0x43, 0, 5],
        [0x58, 0x58, 4, 0],
      ].map((bytes) => new Uint8Array(bytes))) {
        const flow = nearSession.openFlow(metadata);
        flow.onException = (code) => codes.push(code);
        flow.write(text("x"));
      }
      await pair.world.runAsync(500);
      expect(codes).toEqual([0, 0, 0]);
    },
  );

  it(
    ...rfc("R7425-5.4.2-01", "R7425-5.4.2-03", "R7425-5.4.1-04"),
    "finds a direct stream by its association when stream IDs are the same",
    async () => {
      const { near, far, pair } = await makeEnds(3);
      const got: string[][] = [[], []];
      let streams = 0;
      far.onControl = (flow, streamId) => {
        const name = `stream${streams++}`;
        const tree = far.answer(flow);
        tree.onMessage = () => tree.openFlow(streamId).write(text(name));
      };
      for (const into of got) {
        const tree = near.open(7);
        record(tree, into);
        tree.control.write(text("play"));
      }
      await pair.world.runAsync(500);
      expect(got).toEqual([["7:stream0"], ["7:stream1"]]);
    },
  );

  it(...rfc("R7425-5.2-05"), "holds what follows a barrier until it has come on all flows", async () => {
    const { client, server, pair, atClient } = await makeConnection(4);
    const [first, second] = [server.openFlow(1), server.openFlow(1)];
    const barrier = encodeUserControl({ event: "flowSync", syncId: 3, count: 2 });
    first.write(text("a"));
    first.write(barrier);
    first.write(text("c"));
    await pair.world.runAsync(1_000);
    expect(atClient).toEqual(["0:_result", "1:a"]);
    second.write(text("b"));
    second.write(barrier);
    await pair.world.runAsync(1_000);
    expect(atClient).toEqual(["0:_result", "1:a", "1:b", "1:c"]);
    expect(client.stats.syncTimeouts).toBe(0);
  });

  it(...rfc("AMB-59"), "opens a barrier by itself after 10 s", async () => {
    const { client, server, pair, atClient } = await makeConnection(5);
    const flow = server.openFlow(1);
    flow.write(encodeUserControl({ event: "flowSync", syncId: 3, count: 2 }));
    flow.write(text("late"));
    await pair.world.runAsync(9_000);
    expect(atClient).toEqual(["0:_result"]);
    await pair.world.runAsync(2_000);
    expect(atClient).toEqual(["0:_result", "1:late"]);
    expect(client.stats.syncTimeouts).toBe(1);
  });

  it(...rfc("R7425-5.2-05"), "lets what follows a barrier of too many flows pass, and counts it", async () => {
    const { client, server, pair, atClient } = await makeConnection(7);
    const flow = server.openFlow(1);
    flow.write(encodeUserControl({ event: "flowSync", syncId: 3, count: 0xffffffff }));
    flow.write(text("at once"));
    await pair.world.runAsync(1_000);
    expect(atClient).toEqual(["0:_result", "1:at once"]);
    expect([client.stats.syncsRefused, client.stats.syncTimeouts]).toEqual([1, 0]);
  });

  it(...rfc("R7425-5.2-03", "R7425-5.2-04"), "writes one barrier to each of several flows", async () => {
    const { server, pair, atClient } = await makeConnection(6);
    const flows = [server.openFlow(1), server.openFlow(1), server.openFlow(1)];
    for (const flow of flows) flow.write(text("before"));
    server.sync(flows);
    for (const flow of flows) flow.write(text("after"));
    await pair.world.runAsync(500);
    expect(atClient.slice(1)).toEqual(["1:before", "1:before", "1:before", "1:after", "1:after", "1:after"]);
  });

  it(...rfc("R7425-5.3.6-01", "R7425-5.3.6-02"), "ends in good order at both ends, whoever begins", async () => {
    for (const closer of ["client", "server"] as const) {
      const connection = await makeConnection(7);
      const { client, server, pair, atClient } = connection;
      const ends: Record<string, TreeEnd> = {};
      client.onEnd = (end) => {
        ends["client"] = end;
      };
      server.onEnd = (end) => {
        ends["server"] = end;
      };
      server.openFlow(1).write(text("last"));
      // A flow that answers one that has closed meanwhile is refused: only the server's close can wait for its own.
      if (closer === "client") await pair.world.runAsync(500);
      await pair.world.settle(connection[closer].close(), 5_000);
      await pair.world.runAsync(500);
      expect(ends).toEqual({ client: "closed", server: "closed" });
      expect(atClient).toEqual(["0:_result", "1:last"]);
    }
  });

  it(
    ...rfc("R7425-5.3.6-02"),
    "closes its flows when the far control flow ends, though others of that end go on",
    async () => {
      const { client, server, pair } = await makeConnection(15);
      const media = server.openFlow(1);
      media.write(text("down"));
      client.openFlow(5).write(text("up"));
      await pair.world.runAsync(500);
      void client.control.close();
      await pair.world.runAsync(500);
      expect([media.isOpen, client.end, server.end]).toEqual([false, "closed", "closed"]);
    },
  );

  it(
    ...rfc("R7425-5.3-02", "R7425-5.3.6-03"),
    "ends at the far end when it is aborted, or its session ends",
    async () => {
      const first = await makeConnection(8);
      first.server.abort();
      expect(await first.pair.world.settle(first.client.whenEnded, 5_000)).toBe("rejected");
      const second = await makeConnection(9);
      second.farSession.abort();
      expect(await second.pair.world.settle(second.client.whenEnded, 5_000)).toBe("session");
    },
  );

  it(
    ...rfc("R7425-5.3.5.3-01", "R7425-5.3.5.3-02", "R7425-5.3.5.3-04", "R7425-5.3.5.3-05"),
    "rejects all flows of a stream, after which its sender opens no other",
    async () => {
      const { client, server, pair, atClient } = await makeConnection(10);
      const refused: number[] = [];
      server.onRefused = (streamId) => refused.push(streamId);
      for (let i = 0; i < 2; i++) server.openFlow(1).write(text("m"));
      void server.openFlow(2).close();
      await pair.world.runAsync(500);
      client.rejectStream(1);
      await pair.world.runAsync(500);
      expect(refused).toEqual([1, 1]);
      expect(() => server.openFlow(1)).toThrow("refuses flows of stream 1");
      server.openFlow(2).write(text("goes on"));
      await pair.world.runAsync(500);
      expect(atClient.at(-1)).toBe("2:goes on");
      expect(client.end).toBeUndefined();
    },
  );

  it(...rfc("R7425-5.4.3-01", "R7425-5.4.3-02", "R7425-5.4.3-03"), "ends a direct stream from either end", async () => {
    for (const closer of ["publisher", "subscriber"] as const) {
      const { near, far, pair } = await makeEnds(11);
      const got: string[] = [];
      let publisher: MessageTree | undefined;
      far.onControl = (flow, streamId) => {
        const tree = far.answer(flow);
        publisher = tree;
        tree.onMessage = () => tree.openFlow(streamId).write(text("media"));
      };
      const subscriber = near.open(7);
      record(subscriber, got);
      subscriber.control.write(text("play"));
      await pair.world.runUntilAsync(() => got.length > 0, 5_000);
      const trees = { publisher: publisher as MessageTree, subscriber };
      await pair.world.settle(trees[closer].close(), 5_000);
      await pair.world.runAsync(500);
      expect([trees.publisher.end, trees.subscriber.end]).toEqual(
        closer === "publisher" ? ["closed", "rejected"] : ["closed", "closed"],
      );
    }
  });

  it("holds a stream back, and hands over what has waited before it tells the publisher's end", async () => {
    const { near, far, pair } = await makeEnds(12);
    const got: string[] = [];
    far.onControl = (flow, streamId) => {
      const tree = far.answer(flow);
      tree.onMessage = () => {
        const media = tree.openFlow(streamId);
        for (let i = 0; i < 3; i++) media.write(text(`${i}`));
        void tree.close();
      };
    };
    const subscriber = near.open(7);
    record(subscriber, got);
    subscriber.hold(7, true);
    subscriber.control.write(text("play"));
    await pair.world.runAsync(1_000);
    expect([got, subscriber.end]).toEqual([[], undefined]);
    subscriber.hold(7, false);
    await pair.world.settle(subscriber.whenEnded, 1_000);
    expect([got, subscriber.end]).toEqual([["7:0", "7:1", "7:2"], "rejected"]);
  });

  it("hands over what a held stream has received though its session has ended", async () => {
    const { near, far, farSession, pair } = await makeEnds(14);
    const got: string[] = [];
    far.onControl = (flow, streamId) => {
      const tree = far.answer(flow);
      tree.onMessage = () => void tree.openFlow(streamId).write(text("last"));
    };
    const subscriber = near.open(7);
    record(subscriber, got);
    subscriber.hold(7, true);
    subscriber.control.write(text("play"));
    await pair.world.runAsync(1_000);
    farSession.abort();
    await pair.world.runAsync(1_000);
    expect([got, subscriber.end]).toEqual([[], undefined]);
    subscriber.hold(7, false);
    await pair.world.settle(subscriber.whenEnded, 1_000);
    expect([got, subscriber.end]).toEqual([["7:last"], "session"]);
  });

  it(...rfc("AMB-57", "R7425-5.1-03"), "ignores what is no message, and types of RTMP's chunk stream", async () => {
    const { client, server, pair, atClient } = await makeConnection(13);
    const flow = server.openFlow(1);
    flow.write(new Uint8Array([8, 0, 0, 0]));
    for (const type of [1, 2, 3, 5, 6]) flow.write(new Uint8Array([type, 0, 0, 0, 0, 9]));
    flow.write(text("ok"));
    await pair.world.runAsync(500);
    expect(atClient).toEqual(["0:_result", "1:ok"]);
    expect(client.stats.ignored).toBe(6);
  });
});
