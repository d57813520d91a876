import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { type Chunk, ChunkType, type IHelloChunk } from "../../src/proto/chunk/types.ts";
import { ERTO_BACKOFF } from "../../src/proto/params.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { ack, data, openScripted, riKeying, Scripted, startup } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
}

function bench(options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, ...options });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const session = openScripted(world, node, far, "initiator");
  far.take();
  return { world, node, far, session };
}

const closeRequest: Chunk = { type: ChunkType.closeRequest };
const closeAck: Chunk = { type: ChunkType.closeAck };

/** What a packet brings back at once. */
function atOnce(b: Bench, ...chunks: Chunk[]): string[] {
  b.far.take();
  b.far.send(...chunks);
  b.world.run(1);
  return b.far.heard();
}

function close(b: Bench): void {
  b.session.close(b.node.driver.now());
  b.node.driver.wake();
  b.world.run(1);
}

/** Nothing of a session is left. */
function allReleased({ node }: Bench): void {
  expect(node.endpoint.sessions.size).toBe(0);
  expect(node.endpoint.timers.size).toBe(0);
  expect(node.told("closed").length).toBe(1);
}

describe("a session's states", () => {
  /** Opens a session of a node to a scripted far end, which answers as far as it is told. */
  function opening(answers: number): { b: Omit<Bench, "session">; session: Session; states: string[] } {
    const world = new SimWorld(1);
    const link = { latencyMs: 0 };
    const node = rawNode(world.host("near", { link }), "near", { keepaliveMs: 0 });
    const far = new Scripted(world.host("far", { link }), "far", node.address);
    const session = node.endpoint.open(0, far.name, { candidates: [{ address: far.address, via: 0 }] });
    const states: string[] = [session.state];
    world.run(1);
    const { tag } = far.takeChunks(ChunkType.iHello)[0] as IHelloChunk;
    if (answers > 0) far.sendStartup(0, { type: ChunkType.rHello, tagEcho: tag, cookie: tag, certificate: far.name });
    world.run(1);
    states.push(session.state);
    far.farId = session.nearId;
    if (answers > 1) far.sendStartup(session.nearId, riKeying(far));
    world.run(1);
    states.push(session.state);
    return { b: { world, node, far }, session, states };
  }

  it(...rfc("R7016-3.5-02"), "are those of the RFC from its opening to its end", () => {
    const hello = opening(0);
    expect(hello.states).toEqual(["S_IHELLO_SENT", "S_IHELLO_SENT", "S_IHELLO_SENT"]);
    const keying = opening(1);
    expect(keying.states).toEqual(["S_IHELLO_SENT", "S_KEYING_SENT", "S_KEYING_SENT"]);
    for (const { session, b } of [hello, keying]) {
      b.world.run(95_000);
      expect(session.state).toBe("S_OPEN_FAILED");
    }
    for (const answers of [0, 1]) {
      const { b, session: closed } = opening(answers);
      closed.close(b.node.driver.now());
      const { session: aborted } = opening(answers);
      aborted.abort();
      expect([closed.state, aborted.state]).toEqual(["S_OPEN_FAILED", "S_OPEN_FAILED"]);
    }
    const { session: open, states, b: near } = opening(2);
    expect(states).toEqual(["S_IHELLO_SENT", "S_KEYING_SENT", "S_OPEN"]);
    open.close(near.node.driver.now());
    expect(open.state).toBe("S_NEARCLOSE");
    near.far.send(closeAck);
    near.world.run(1);
    expect(open.state).toBe("S_CLOSED");
    const asked = bench();
    atOnce(asked, closeRequest);
    expect(asked.session.state).toBe("S_FARCLOSE_LINGER");
    asked.world.run(19_000);
    expect(asked.session.state).toBe("S_CLOSED");
    const aborted = bench();
    aborted.session.abort();
    expect(aborted.session.state).toBe("S_CLOSED");
  });
});

describe("closing from the near end", () => {
  it(
    ...rfc("R7016-3.5.5-01", "R7016-3.5.5-02", "R7016-3.5.5-03", "R7016-3.5-02"),
    "asks at once and every 5 s, and is over after 90 s of silence",
    () => {
      const b = bench();
      const start = b.world.now;
      close(b);
      expect(b.session.state).toBe("S_NEARCLOSE");
      b.world.run(89_900);
      expect(b.session.state).toBe("S_NEARCLOSE");
      const times = b.far.take().map(({ at, chunks }) => [Math.round(at - start), chunks.map(({ type }) => type)]);
      expect(times).toEqual(Array.from({ length: 18 }, (_, i) => [i * 5_000, [ChunkType.closeRequest]]));
      b.world.run(200);
      expect(b.session.state).toBe("S_CLOSED");
      expect(b.node.told("closed")).toMatchObject([{ reason: "near" }]);
      allReleased(b);
    },
  );

  it(
    ...rfc("R7016-3.5.5-08", "R7016-3.5.5-06", "AMB-26"),
    "is over with the acknowledgement, and deaf to all but close",
    () => {
      const b = bench();
      close(b);
      b.far.take();
      expect(atOnce(b, data(1, 1, 1, { options: startup() }), { type: ChunkType.ping, message: nameOf("x") })).toEqual(
        [],
      );
      expect(atOnce(b, closeRequest)).toEqual(["closeAck"]);
      expect(b.session.state).toBe("S_NEARCLOSE");
      expect(atOnce(b, closeAck)).toEqual([]);
      expect(b.session.state).toBe("S_CLOSED");
      allReleased(b);
      expect(atOnce(b, closeRequest)).toEqual([]);
      expect(b.node.endpoint.stats.unknownSession).toBe(1);
    },
  );

  it(...rfc("R7016-3.5.5-04"), "ends every flow at once, with all that it holds", () => {
    const b = bench();
    const flow = b.session.openFlow(new Uint8Array(1));
    const receipt = flow.write(new Uint8Array(5_000), { finishBy: b.node.driver.now() + 60_000 });
    const done = b.session.openFlow(new Uint8Array(1));
    done.close();
    b.world.run(1);
    atOnce(b, ack(done.id, 0, 1), ack(flow.id, 0, 0), data(1, 1, 1, { data: "1", options: startup() }));
    close(b);
    expect(flow.state).toBe("F_CLOSED");
    expect(receipt.state).toBe("abandoned");
    expect(b.node.told("complete").map((event) => event.flow)).toEqual([done, flow]);
    expect(() => b.session.openFlow(new Uint8Array(1))).toThrow("not open");
    expect(() => flow.write(new Uint8Array(1))).toThrow("closed");
    const received = b.node.told("flow")[0]?.flow;
    expect(received?.state).toBe("RF_CLOSED");
    expect(received?.read()?.data.length).toBe(1);
    b.node.driver.wake();
    b.world.run(1);
    expect(b.node.told("finished").length).toBe(1);
    b.far.take();
    atOnce(b, closeAck);
    b.world.run(200_000);
    expect(b.far.take()).toEqual([]);
    allReleased(b);
  });

  it(...rfc("R7016-3.5.5-05"), "abruptly sends one acknowledgement and is over", () => {
    const b = bench();
    b.session.abort();
    b.node.driver.wake();
    b.world.run(1);
    expect(b.far.heard()).toEqual(["closeAck"]);
    expect(b.session.state).toBe("S_CLOSED");
    allReleased(b);
    b.world.run(100_000);
    expect(b.far.take()).toEqual([]);
  });
});

describe("closing from the far end", () => {
  it(...rfc("R7016-3.5.5-06", "R7016-3.5.5-07"), "is acknowledged, again for each repetition, for 19 s", () => {
    const b = bench();
    expect(atOnce(b, closeRequest)).toEqual(["closeAck"]);
    expect(b.session.state).toBe("S_FARCLOSE_LINGER");
    expect(b.node.told("closed")).toMatchObject([{ reason: "far" }]);
    for (const ms of [5_000, 5_000, 5_000]) {
      b.world.run(ms - 1);
      expect(atOnce(b, closeRequest)).toEqual(["closeAck"]);
    }
    expect(atOnce(b, { type: ChunkType.ping, message: nameOf("x") })).toEqual([]);
    b.world.run(3_900);
    expect(b.session.state).toBe("S_FARCLOSE_LINGER");
    b.world.run(200);
    expect(b.session.state).toBe("S_CLOSED");
    allReleased(b);
  });

  it(...rfc("R7016-3.5.5-08"), "by an acknowledgement is over at once, in S_OPEN and in S_FARCLOSE_LINGER", () => {
    const b = bench();
    expect(atOnce(b, closeAck)).toEqual([]);
    expect(b.session.state).toBe("S_CLOSED");
    allReleased(b);
    const c = bench();
    atOnce(c, closeRequest);
    expect(atOnce(c, closeAck)).toEqual([]);
    expect(c.session.state).toBe("S_CLOSED");
    allReleased(c);
  });

  it("is told once, also when the near end aborts or closes in its linger", () => {
    const b = bench();
    atOnce(b, closeRequest);
    b.session.close(b.node.driver.now());
    b.session.abort();
    b.node.driver.wake();
    b.world.run(100_000);
    allReleased(b);
  });

  it(...rfc("R7425-4.6.6-04"), "because the cipher has no numbers left is told once, and sends nothing more", () => {
    const b = bench();
    Object.assign(b.session.keys?.cipher ?? {}, { exhausted: true });
    b.session.ping();
    b.session.openFlow(new Uint8Array(1)).write(new Uint8Array(10));
    b.node.driver.wake();
    b.world.run(1_000);
    expect(b.node.told("closed")).toMatchObject([{ reason: "exhausted" }]);
    expect(b.far.take()).toEqual([]);
    allReleased(b);
  });

  it("from both ends at the same instant needs no waiting", () => {
    const world = new SimWorld(1);
    const [a, c] = ["a", "c"].map((name) => rawNode(world.host(name), name, { keepaliveMs: 0 })) as [RawNode, RawNode];
    const near = a.endpoint.open(0, nameOf("c"), { candidates: [{ address: c.address, via: 0 }] });
    world.run(1_000);
    const far = c.open()[0] as Session;
    near.close(a.driver.now());
    far.close(c.driver.now());
    for (const node of [a, c]) node.driver.wake();
    world.run(100);
    expect([a, c].map(({ endpoint }) => endpoint.sessions.size)).toEqual([0, 0]);
  });
});

describe("keepalive", () => {
  it(
    ...rfc("R7016-3.5.4.1-01", "R7016-3.5.4.1-02", "R7016-3.5.4.1-03", "AMB-23", "AMB-64"),
    "pings after an idle period, empty, at least ERTO apart, and ends a session that stays silent",
    () => {
      const b = bench({ keepaliveMs: 30_000 });
      const start = b.world.now;
      b.world.run(120_000);
      const pings = b.far.take();
      expect(pings.every(({ chunks }) => chunks.length === 1 && chunks[0]?.type === ChunkType.ping)).toBe(true);
      expect(pings.every(({ chunks }) => (chunks[0] as Chunk & { message: Uint8Array }).message.length === 0)).toBe(
        true,
      );
      const times = pings.map(({ at }) => at - start);
      expect(times[0]).toBeGreaterThan(29_900);
      expect(times[0]).toBeLessThanOrEqual(30_000);
      expect(times.length).toBeGreaterThanOrEqual(3);
      for (let i = 1; i < times.length; i++)
        expect((times[i] as number) - (times[i - 1] as number)).toBeGreaterThanOrEqual(3_000);
      expect(b.node.told("closed")).toMatchObject([{ reason: "timeout" }]);
      allReleased(b);
    },
  );

  it(...rfc("R7016-3.5.4.1-04"), "backs ERTO off when a Ping stays unanswered, not before", () => {
    const b = bench({ keepaliveMs: 30_000 });
    b.world.run(30_010);
    expect(b.far.heard()).toEqual(["ping"]);
    expect(b.session.rtt.erto).toBe(3_000);
    b.world.run(3_100);
    expect(b.far.heard()).toEqual(["ping"]);
    expect(b.session.rtt.erto).toBeCloseTo(3_000 * ERTO_BACKOFF, 5);
  });

  it(...rfc("R7016-3.5.4-05"), "is content with any packet", () => {
    const b = bench({ keepaliveMs: 10_000 });
    for (let i = 0; i < 60; i++) {
      b.world.run(9_900);
      b.far.send(ack(999, 0, 0));
      b.world.run(1);
    }
    expect(b.far.take()).toEqual([]);
    expect(b.session.isOpen).toBe(true);
    for (let i = 0; i < 10; i++) {
      b.world.run(12_000);
      for (const { message } of b.far.takeChunks(ChunkType.ping)) b.far.send({ type: ChunkType.pingReply, message });
      b.world.run(1);
      expect(b.session.keepalive.unanswered).toBe(0);
    }
    expect(b.session.isOpen).toBe(true);
  });

  it("may be changed while the session is idle, and turned off", () => {
    const b = bench({ keepaliveMs: 0 });
    b.session.keepalive.setPeriod(6_000);
    b.session.wakeAt(b.node.driver.now());
    b.world.run(6_100);
    expect(b.far.heard()).toEqual(["ping"]);
    b.session.keepalive.setPeriod(0);
    b.world.run(100_000);
    expect(b.session.isOpen).toBe(true);
    expect(b.far.heard()).toEqual([]);
  });
});

describe("a Ping", () => {
  it(
    ...rfc("R7016-3.5.4-01", "R7016-3.5.4-02", "R7016-3.5.4-03", "R7016-2.3.9-02", "R7016-2.3.10-01"),
    "is answered at once with its own bytes, whatever they are",
    () => {
      const b = bench();
      for (const length of [0, 1, 41, 600, 1_100]) {
        const message = b.world.random(length);
        if (length === 41) message[0] = 0x4d;
        b.far.take();
        b.far.send({ type: ChunkType.ping, message });
        b.world.run(1);
        expect(b.far.takeChunks(ChunkType.pingReply)).toEqual([{ type: ChunkType.pingReply, message }]);
      }
    },
  );

  it(...rfc("R7016-3.5.4-04"), "is the only cause of a reply, and floods are not amplified", () => {
    const b = bench();
    for (let i = 0; i < 20; i++) {
      b.far.send(...Array.from({ length: 100 }, (): Chunk => ({ type: ChunkType.ping, message: nameOf("x") })));
    }
    b.world.run(10);
    expect(b.far.takeChunks(ChunkType.pingReply).length).toBeLessThanOrEqual(2_000);
    expect(atOnce(b, ack(1, 1, 1), { type: ChunkType.pingReply, message: nameOf("x") })).toEqual([]);
    expect(b.node.told("pong").length).toBe(1);
  });

  it(...rfc("R7016-3.5.4-04"), "is answered once", () => {
    const b = bench();
    b.far.take();
    for (let i = 0; i < 5; i++) b.far.send({ type: ChunkType.ping, message: Uint8Array.of(i) });
    b.world.run(5_000);
    expect(b.far.takeChunks(ChunkType.pingReply).map(({ message }) => message[0])).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("timestamps", () => {
  const TICK = 4;

  it(
    ...rfc(
      "R7016-3.5.2.2-04",
      "R7016-3.5.2.2-06",
      "R7016-3.5.2.2-08",
      "R7016-3.5.2.2-09",
      "R7016-3.5.2.2-11",
      "R7016-2.2.4-07",
    ),
    "are echoed with the time that has passed, once per value, and an equal one does not start anew",
    () => {
      const b = bench();
      const echo = (timestamp: number | undefined): number | undefined => {
        b.far.take();
        b.far.header = timestamp === undefined ? {} : { timestamp };
        b.far.send({ type: ChunkType.ping, message: nameOf("x") });
        b.world.run(0.5);
        return b.far.take()[0]?.header.timestampEcho;
      };
      expect(echo(undefined)).toBeUndefined();
      expect(echo(65_530)).toBe(65_530);
      expect(echo(65_530)).toBeUndefined();
      b.world.run(100 - 1);
      expect(echo(65_530)).toBe((65_530 + 25) & 0xffff);
      expect(echo(7)).toBe(7);
      b.world.run(10 * TICK);
      expect(echo(undefined)).toBe(17);
    },
  );

  it(...rfc("R7016-3.5.2.2-07"), "are forgotten after 128 s", () => {
    const b = bench();
    b.far.header = { timestamp: 5 };
    atOnce(b, { type: ChunkType.ping, message: nameOf("x") });
    b.far.header = {};
    b.world.run(127_000);
    atOnce(b, { type: ChunkType.ping, message: nameOf("x") });
    const last = b.far.arrivals.at(-1)?.header.timestampEcho as number;
    expect(last).toBeGreaterThan(5);
    b.world.run(2_000);
    atOnce(b, { type: ChunkType.ping, message: nameOf("x") });
    expect(b.far.arrivals.at(-1)?.header.timestampEcho).toBeUndefined();
    // Neither is the echo last sent remembered: the same value, come anew, is echoed.
    b.far.header = { timestamp: last };
    atOnce(b, { type: ChunkType.ping, message: nameOf("x") });
    expect(b.far.arrivals.at(-1)?.header.timestampEcho).toBe(last);
  });

  it(
    ...rfc(
      "R7016-3.5.2.2-01",
      "R7016-3.5.2.2-04",
      "R7016-3.5.2.2-10",
      "R7016-3.5.2.2-12",
      "R7016-3.5.2.2-13",
      "R7016-3.5.2.2-14",
      "R7016-3.5.2.2-15",
      "V1-60",
    ),
    "give the round-trip time and ERTO by the formulas",
    () => {
      const b = bench();
      const { rtt } = b.session;
      expect([rtt.srtt, rtt.rttvar, rtt.mrto, rtt.erto]).toEqual([undefined, 0, 250, 3_000]);
      const ticks = (): number => Math.floor(b.world.now / TICK) & 0xffff;
      const sample = (rttMs: number): void => {
        b.far.header = { timestampEcho: (ticks() - rttMs / TICK) & 0xffff };
        b.far.send(ack(999, 0, 0));
        b.world.run(2 * TICK);
      };
      sample(100);
      expect([rtt.srtt, rtt.rttvar, rtt.mrto, rtt.erto]).toEqual([100, 50, 500, 500]);
      sample(60);
      expect([rtt.srtt, rtt.rttvar]).toEqual([95, (3 * 50 + 40) / 4]);
      expect(rtt.erto).toBe(95 + 4 * 47.5 + 200);
      sample(-TICK);
      expect(rtt.srtt).toBe(95);
      const mrto = rtt.mrto;
      rtt.backOff();
      expect(rtt.erto).toBeCloseTo(mrto * ERTO_BACKOFF, 6);
      for (let i = 0; i < 20; i++) rtt.backOff();
      expect(rtt.erto).toBe(10_000);
    },
  );

  it(
    ...rfc("R7016-3.5.2.2-03", "R7016-3.5.2.2-06", "AMB-37"),
    "tell nothing of the path with a packet that others have overtaken, and all of it with one that was only slow",
    () => {
      const b = bench();
      const { rtt } = b.session;
      const ticks = (): number => Math.floor(b.world.now / TICK) & 0xffff;
      const arrive = (sentAgoMs: number, rttMs: number): void => {
        b.far.header = {
          timestamp: (ticks() - sentAgoMs / TICK) & 0xffff,
          timestampEcho: (ticks() - rttMs / TICK) & 0xffff,
        };
        b.far.send(ack(999, 0, 0));
        b.world.run(2 * TICK);
      };
      arrive(20, 40);
      arrive(100_000, 100_040);
      expect(rtt.srtt).toBe(40);
      expect(rtt.tsRx).toBe((ticks() - 100_000 / TICK - 2) & 0xffff);
      arrive(20, 40);
      expect([rtt.srtt, rtt.erto]).toEqual([40, 40 + 4 * 15 + 200]);
      b.world.run(5_000);
      arrive(4_000, 4_040);
      expect(rtt.srtt).toBe((7 * 40 + 4_040) / 8);
      b.world.run(140_000);
      arrive(20, 40);
      expect(rtt.tsRx).toBe((ticks() - 20 / TICK - 2) & 0xffff);
    },
  );

  it(
    ...rfc("R7016-3.5.2.2-02", "R7016-3.5.2.2-03"),
    "keep quiet flows and long paths free of needless repetition",
    () => {
      for (const latencyMs of [1, 500]) {
        const world = new SimWorld(1);
        const link = { latencyMs };
        const [a, c] = ["a", "c"].map((name) => rawNode(world.host(name, { link }), name, { keepaliveMs: 0 })) as [
          RawNode,
          RawNode,
        ];
        const near = a.endpoint.open(0, nameOf("c"), { candidates: [{ address: c.address, via: 0 }] });
        world.run(10_000);
        const flow = near.openFlow(new Uint8Array(1));
        for (let i = 0; i < 60; i++) {
          flow.write(new Uint8Array(10));
          world.run(700);
        }
        expect(near.sends.stats.fragmentsSent).toBe(60);
        expect(near.sends.stats.fragmentsRetransmitted).toBe(0);
      }
    },
  );
});
