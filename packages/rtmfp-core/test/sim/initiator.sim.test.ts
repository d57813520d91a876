import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { createUnprotectedTestProfile } from "../../src/crypto/index.ts";
import { Origin, type WireAddress } from "../../src/proto/address.ts";
import { equalBytes, toHex } from "../../src/proto/bytes.ts";
import { type Chunk, ChunkType, type IHelloChunk, type IIKeyingChunk } from "../../src/proto/chunk/types.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { riKeying, Scripted } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
}

function bench(options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { keepaliveMs: 0, ...options });
  return { world, node, far: new Scripted(world.host("far", { link }), "far", node.address) };
}

/** Another far end of the same world. */
function another(b: Bench, name: string): Scripted {
  const far = new Scripted(b.world.host(`${name} ${b.world.now}`, { link: { latencyMs: 0 } }), name, b.node.address);
  far.nearId = 0x0c0c0c0c;
  return far;
}

function open(b: Bench, ...candidates: Scripted[]): Session {
  const session = b.node.endpoint.open(b.node.driver.now(), b.far.name, {
    candidates: candidates.map(({ address }) => ({ address, via: 0 })),
  });
  b.world.run(1);
  return session;
}

function hello(far: Scripted): IHelloChunk {
  const chunk = far.takeChunks(ChunkType.iHello)[0];
  if (chunk === undefined) throw new Error("no IHello came");
  return chunk;
}

function rHello(tagEcho: Uint8Array, certificate: Uint8Array, cookieByte = 7): Chunk {
  return { type: ChunkType.rHello, tagEcho, cookie: new Uint8Array(64).fill(cookieByte), certificate };
}

function redirectTo(tagEcho: Uint8Array, ...destinations: (WireAddress | Scripted)[]): Chunk {
  return {
    type: ChunkType.redirect,
    tagEcho,
    destinations: destinations.map((to) => (to instanceof Scripted ? { ...to.address, origin: Origin.observed } : to)),
  };
}

/** Takes an opening session to S_KEYING_SENT and gives its IIKeying. */
function keying(b: Bench, far: Scripted): IIKeyingChunk {
  far.sendStartup(0, rHello(hello(far).tag, far.name));
  b.world.run(1);
  const chunk = far.takeChunks(ChunkType.iiKeying)[0];
  if (chunk === undefined) throw new Error("no IIKeying came");
  far.farId = chunk.initiatorSessionId;
  return chunk;
}

/** Times of arrivals, in ms after the first, and the gaps between them. */
function gaps(far: Scripted): number[] {
  const times = far.take().map(({ at }) => at);
  return times.slice(1).map((at, i) => Math.round(at - (times[i] as number)));
}

describe("an initiator in S_IHELLO_SENT", () => {
  it(
    ...rfc("R7016-3.5.1.1.1-01", "R7016-3.5.1.1.1-05", "R7016-3.5.1.1.1-06", "R7016-3.5.1.1.1-02", "AMB-10", "AMB-12"),
    "says hello at once and at intervals that grow by 1.5 s, and gives up after 95 s",
    () => {
      const b = bench();
      const session = open(b, b.far);
      b.world.run(94_900);
      expect(session.state).toBe("S_IHELLO_SENT");
      expect(gaps(b.far)).toEqual([1_500, 3_000, 4_500, 6_000, 7_500, 9_000, 10_500, 12_000, 13_500, 15_000]);
      b.world.run(200);
      expect(session.state).toBe("S_OPEN_FAILED");
      expect(b.node.told("closed")).toMatchObject([{ reason: "no-answer" }]);
      expect(b.node.endpoint.sessions.size).toBe(0);
      expect(b.node.endpoint.timers.size).toBe(0);
    },
  );

  it(...rfc("R7016-3.5.1.1.1-07", "R7016-3.5.1.1.1-01"), "tries a late candidate at once, at its own pace", () => {
    const b = bench();
    const late = another(b, "far");
    const session = open(b);
    b.world.run(2_000);
    b.node.endpoint.addCandidates(b.node.driver.now(), session, [{ address: b.far.address, via: 0 }]);
    b.world.run(2_000);
    b.node.endpoint.addCandidates(b.node.driver.now(), session, [{ address: late.address, via: 0 }]);
    b.world.run(20_000);
    expect(late.arrivals[0]?.at).toBeLessThan(4_010);
    expect(gaps(b.far)).toEqual([1_500, 3_000, 4_500, 6_000]);
    expect(gaps(late)).toEqual([1_500, 3_000, 4_500, 6_000]);
  });

  it(...rfc("R7016-3.5.1.1.1-03", "R7016-3.5.1.1.1-04"), "has a tag of its own, 16 random bytes", () => {
    const b = bench();
    for (let i = 0; i < 1_000; i++) open(b, b.far);
    const tags = b.far.takeChunks(ChunkType.iHello).map(({ tag }) => toHex(tag));
    expect(new Set(tags).size).toBe(1_000);
    expect(tags.every((tag) => tag.length === 32)).toBe(true);
  });

  it(...rfc("R7016-3.5.1.1.1-10"), "takes no RHello with another tag, certificate or session ID", () => {
    const b = bench();
    const session = open(b, b.far);
    const { tag } = hello(b.far);
    b.far.sendStartup(0, rHello(nameOf("not-the-tag"), b.far.name));
    b.far.sendStartup(0, rHello(tag, nameOf("somebody else")));
    b.far.sendStartup(0, rHello(tag, new Uint8Array(0)));
    b.far.sendStartup(session.nearId, rHello(tag, b.far.name));
    b.world.run(1);
    expect(session.state).toBe("S_IHELLO_SENT");
    expect(b.node.endpoint.stats.badCertificate).toBe(2);
  });

  it(...rfc("AMB-73"), "takes no RHello with our own certificate", () => {
    const b = bench();
    const session = b.node.endpoint.open(b.node.driver.now(), nameOf("near"), {
      candidates: [{ address: b.far.address, via: 0 }],
    });
    b.world.run(1);
    b.far.sendStartup(0, rHello(hello(b.far).tag, nameOf("near")));
    b.world.run(1);
    expect(session.state).toBe("S_IHELLO_SENT");
  });

  it(
    ...rfc("R7016-3.5.1.1-01", "R7016-3.5.1.1.1-12", "R7016-3.5.1.7-01", "R7016-3.2-04"),
    "sends IIKeying to the first acceptable answer alone",
    () => {
      const b = bench();
      const other = another(b, "far");
      const dead = another(b, "far");
      const session = open(b, dead, b.far, other);
      b.far.sendStartup(0, rHello(hello(b.far).tag, b.far.name));
      other.sendStartup(0, rHello(hello(other).tag, other.name));
      b.world.run(60_000);
      expect(session.state).toBe("S_KEYING_SENT");
      expect(session.address).toEqual(b.far.address);
      expect(b.far.takeChunks(ChunkType.iiKeying).length).toBeGreaterThan(3);
      expect(other.takeChunks(ChunkType.iiKeying).length).toBe(0);
    },
  );
});

describe("an initiator and redirects", () => {
  it(...rfc("R7016-3.5.1.1.1-08"), "follows one with its tag, while it says hello, and no other", () => {
    const b = bench();
    const [one, two, three] = ["1", "2", "3"].map((name) => another(b, name)) as [Scripted, Scripted, Scripted];
    open(b, b.far);
    const { tag } = hello(b.far);
    b.far.sendStartup(0, redirectTo(nameOf("wrong"), one));
    b.far.sendStartup(0, redirectTo(tag, two));
    b.world.run(1);
    expect(one.arrivals.length).toBe(0);
    expect(equalBytes(hello(two).tag, tag)).toBe(true);
    b.far.sendStartup(0, rHello(tag, b.far.name));
    b.world.run(1);
    b.far.sendStartup(0, redirectTo(tag, three));
    b.world.run(10_000);
    expect(three.arrivals.length).toBe(0);
  });

  it(...rfc("R7016-3.5.1.1.1-08", "V1-34", "R7016-2.3.5-02"), "takes an empty one as its sender's address", () => {
    const b = bench();
    const other = another(b, "other");
    open(b, b.far);
    const { tag } = hello(b.far);
    other.sendStartup(0, redirectTo(tag));
    b.world.run(1);
    expect(equalBytes(hello(other).tag, tag)).toBe(true);
  });

  it(...rfc("R7016-3.5.1.1.1-09", "AMB-11", "R7016-2.3.5-03"), "knows at most 24 addresses, each of them once", () => {
    const b = bench();
    const others = Array.from({ length: 40 }, (_, i) => another(b, `other ${i}`));
    open(b, b.far);
    const { tag } = hello(b.far);
    b.far.sendStartup(0, redirectTo(tag, b.far, ...others.slice(0, 20), ...others.slice(0, 20)));
    b.world.run(1);
    expect(others.filter(({ arrivals }) => arrivals.length > 0).length).toBe(20);
    b.far.sendStartup(0, redirectTo(tag, ...others));
    b.world.run(1);
    expect(others.filter(({ arrivals }) => arrivals.length === 1).length).toBe(23);
    expect(b.far.arrivals.length).toBe(1);
  });

  it(...rfc("AMB-11"), "tries no address that nobody can have, and loopback only if it began there", () => {
    const b = bench();
    const useless = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "::", "ff02::1", "::1"];
    const capture = b.world.capture(({ event }) => event === "sent");
    open(b, b.far);
    const { tag } = hello(b.far);
    const addresses = useless.map((host) => ({ host, port: 99, origin: Origin.observed }));
    b.far.sendStartup(0, redirectTo(tag, ...addresses, { host: "192.0.2.77", port: 0, origin: Origin.observed }));
    b.world.run(1);
    const sent = capture.records.filter(({ sender }) => sender === "near").map(({ to }) => to.host);
    expect(sent).toEqual([b.far.address.host]);
  });

  it("tries addresses of a family only by a socket of that family", () => {
    const world = new SimWorld(1);
    const host = world.host("near", { addresses: ["192.0.2.1", "2001:db8::1"], link: { latencyMs: 0 } });
    const node = rawNode(host, "near", { sockets: [{}, { host: "::" }] });
    const far = new Scripted(world.host("far", { addresses: ["192.0.2.2"] }), "far", node.address);
    const capture = world.capture(({ event, sender }) => event === "sent" && sender === "near");
    node.endpoint.open(0, far.name, { candidates: [{ address: far.address, via: 0 }] });
    world.run(50);
    const { tag } = hello(far);
    far.sendStartup(0, redirectTo(tag, { host: "2001:db8::2", port: 9, origin: Origin.observed }));
    far.sendStartup(0, redirectTo(tag, { host: "192.0.2.9", port: 9, origin: Origin.observed }));
    world.run(50);
    expect(capture.records.map(({ from, to }) => `${from.host} ${to.host}`)).toEqual([
      "192.0.2.1 192.0.2.2",
      "2001:db8::1 2001:db8::2",
      "192.0.2.1 192.0.2.9",
    ]);
  });

  it("does not run in circles between two that name each other", () => {
    const b = bench();
    const other = another(b, "other");
    open(b, b.far);
    for (let i = 0; i < 20; i++) {
      for (const [from, to] of [
        [b.far, other],
        [other, b.far],
      ] as const) {
        for (const { tag } of from.takeChunks(ChunkType.iHello)) from.sendStartup(0, redirectTo(tag, to));
      }
      b.world.run(100);
    }
    expect(b.far.arrivals.length + other.arrivals.length).toBeLessThanOrEqual(4);
  });
});

describe("an initiator in S_KEYING_SENT", () => {
  it(
    ...rfc("R7016-3.5.1.1.1-15", "R7016-3.5.1.1.1-02", "R7016-3.5.1.1.1-14", "AMB-12"),
    "repeats IIKeying at intervals that grow by 1.5 s, and gives up 95 s after the start",
    () => {
      const b = bench();
      const session = open(b, b.far);
      b.world.run(5_000);
      const first = keying(b, b.far);
      expect(toHex(first.cookieEcho)).toBe("07".repeat(64));
      b.world.run(89_900);
      expect(session.state).toBe("S_KEYING_SENT");
      const arrivals = b.far.arrivals.filter(({ chunks }) => chunks[0]?.type === ChunkType.iiKeying);
      const times = arrivals.map(({ at }) => at);
      expect(times.slice(1).map((at, i) => Math.round(at - (times[i] as number)))).toEqual([
        1_500, 3_000, 4_500, 6_000, 7_500, 9_000, 10_500, 12_000, 13_500, 15_000,
      ]);
      expect(new Set(arrivals.map(({ datagram }) => toHex(datagram))).size).toBe(1);
      b.world.run(200);
      expect(session.state).toBe("S_OPEN_FAILED");
      expect(b.node.told("closed").length).toBe(1);
      expect(b.node.endpoint.timers.size).toBe(0);
    },
  );

  it(
    ...rfc("R7016-3.5.1.1.1-16", "AMB-13"),
    "drops an RIKeying that is unacceptable, or not for its ID, and opens by a good one",
    () => {
      const b = bench();
      const session = open(b, b.far);
      keying(b, b.far);
      const good = riKeying(b.far);
      b.far.sendStartup(b.far.farId, { ...good, skrc: new Uint8Array(5) } as Chunk);
      b.far.sendStartup(b.far.farId, { ...good, responderSessionId: 0 } as Chunk);
      b.far.sendStartup(0, good);
      b.far.sendStartup(b.far.farId ^ 1, good);
      b.far.sendRaw(
        b.far.farId,
        {
          mode: 2,
          timeCritical: false,
          timeCriticalReverse: false,
          timestamp: undefined,
          timestampEcho: undefined,
          reserved: 0,
        },
        [good],
      );
      b.world.run(1);
      expect(session.state).toBe("S_KEYING_SENT");
      expect(b.node.endpoint.stats.badKeying).toBe(2);
      b.far.sendStartup(b.far.farId, good);
      b.world.run(1);
      expect(session.state).toBe("S_OPEN");
      expect(b.node.told("open").length).toBe(1);
    },
  );

  it(...rfc("R7016-3.5.1.1.1-17", "R7016-3.5.2.2-05"), "sends to the ID from RIKeying from then on", () => {
    const b = bench();
    const session = open(b, b.far);
    keying(b, b.far);
    b.far.sendStartup(b.far.farId, riKeying(b.far));
    b.world.run(1);
    session.ping(nameOf("hi"));
    b.world.run(1);
    const first = b.far.take().at(-1);
    expect(first?.sessionId).toBe(b.far.nearId);
    expect(first?.header).toMatchObject({ mode: 1, timestampEcho: undefined });
    expect(first?.header.timestamp).toBeDefined();
  });

  it(...rfc("R7016-3.5.1.2-02", "R7016-3.5.1.2-03"), "changes its cookie once, for the one it sent", () => {
    const b = bench();
    open(b, b.far);
    const { cookieEcho } = keying(b, b.far);
    const change = (oldCookie: Uint8Array, byte: number): Chunk => ({
      type: ChunkType.cookieChange,
      oldCookie,
      newCookie: new Uint8Array(64).fill(byte),
    });
    const cookies = (): string[] =>
      b.far.takeChunks(ChunkType.iiKeying).map((chunk) => toHex(chunk.cookieEcho.subarray(0, 1)));
    b.far.sendStartup(b.far.farId, change(new Uint8Array(64), 1));
    b.world.run(1);
    expect(cookies()).toEqual([]);
    b.far.sendStartup(b.far.farId, change(cookieEcho, 8));
    b.world.run(1);
    expect(cookies()).toEqual(["08"]);
    b.far.sendStartup(b.far.farId, change(new Uint8Array(64).fill(8), 9));
    b.world.run(1);
    expect(cookies()).toEqual([]);
    b.world.run(1_600);
    expect(cookies()).toEqual(["08"]);
  });

  it(...rfc("R7016-3.5.1.1.1-13"), "has a receive ID that no other session has", () => {
    const ids = [5, 5, 5, 0, 6];
    const b = bench({ allocateSessionId: () => ids.shift() ?? 7 });
    expect([open(b, b.far), open(b, b.far)].map(({ nearId }) => nearId)).toEqual([5, 6]);
  });
});

describe("an initiator with a second way to the same peer", () => {
  it(...rfc("R7016-3.5.1.1.1-11"), "gives up as a duplicate when a session is open or keying", () => {
    const b = bench();
    const first = open(b, b.far);
    keying(b, b.far);
    const second = open(b, b.far);
    b.far.sendStartup(0, rHello(hello(b.far).tag, b.far.name));
    b.world.run(1);
    expect(b.node.told("superseded")).toMatchObject([{ session: second, by: first }]);
    b.far.sendStartup(b.far.farId, riKeying(b.far));
    b.world.run(1);
    expect(first.state).toBe("S_OPEN");
    const third = open(b, b.far);
    b.far.sendStartup(0, rHello(hello(b.far).tag, b.far.name));
    b.world.run(1);
    expect(b.node.told("superseded").at(-1)).toMatchObject({ session: third, by: first });
    expect(b.node.open()).toEqual([first]);
    expect(b.node.endpoint.sessions.size).toBe(1);
  });
});

describe("an initiator whose key jobs are slow", () => {
  it("says hello again where no job was free, instead of giving up", () => {
    const inner = createUnprotectedTestProfile(nameOf("near"));
    const jobs: (() => void)[] = [];
    const b = bench({
      profile: {
        ...inner,
        initiate: (far) => {
          const step = inner.initiate(far);
          return step === undefined ? undefined : { ...step, job: { work: "initiate" } };
        },
      },
      runJob: (_job, done) => jobs.push(() => done({})),
    });
    const sessions = Array.from({ length: 300 }, (_, i) => {
      const far = another(b, `far ${i}`);
      const session = b.node.endpoint.open(b.node.driver.now(), far.name, {
        candidates: [{ address: far.address, via: 0 }],
      });
      return { far, session };
    });
    const answer = (): void => {
      for (const { far } of sessions) {
        for (const { tag } of far.takeChunks(ChunkType.iHello)) far.sendStartup(0, rHello(tag, far.name));
      }
      b.world.run(1);
    };
    b.world.run(1);
    answer();
    const inState = (state: string): number => sessions.filter(({ session }) => session.state === state).length;
    expect([inState("S_KEYING_SENT"), inState("S_IHELLO_SENT")]).toEqual([256, 44]);
    for (const job of jobs.splice(0)) job();
    b.world.run(2_000);
    answer();
    expect(inState("S_KEYING_SENT")).toBe(300);
  });
});
