import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { createUnprotectedTestProfile } from "../../src/crypto/index.ts";
import { toHex } from "../../src/proto/bytes.ts";
import { type Chunk, ChunkType, type IIKeyingChunk, type RIKeyingChunk } from "../../src/proto/chunk/types.ts";
import type { CryptoProfile, KeyingStep } from "../../src/proto/crypto-profile.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { ack, data, fetchCookie, iiKeying, openScripted, Scripted, startup } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
}

function bench(options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, ...options });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  far.mode = 1;
  return { world, node, far };
}

/** What one startup packet of the far end brings back at once. */
function answerTo(b: Bench, chunk: Chunk, far: Scripted = b.far): readonly Chunk[] {
  far.take();
  far.sendStartup(0, chunk);
  b.world.run(50);
  return far.take().flatMap(({ chunks }) => chunks);
}

function types(chunks: readonly Chunk[]): number[] {
  return chunks.map(({ type }) => type);
}

describe("a responder that hears IHello", () => {
  it(
    ...rfc("R7016-3.5.1.1.2-01", "R7016-3.5.1.1.2-02", "R7016-3.5.1.1-02"),
    "answers its source, if it is meant, and keeps nothing",
    () => {
      const b = bench();
      for (let i = 0; i < 2_000; i++) {
        b.far.sendStartup(0, { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf(`tag-0123 ${i}`) });
        if (i % 50 === 0) b.world.run(1);
      }
      b.world.run(10);
      expect(b.far.takeChunks(ChunkType.rHello).length).toBe(2_000);
      expect(b.node.endpoint.sessions.size).toBe(0);
      expect(b.node.endpoint.timers.size).toBe(0);
      expect(answerTo(b, { type: ChunkType.iHello, epd: nameOf("else"), tag: nameOf("tag-0123") })).toEqual([]);
    },
  );

  it("refuses in silence what comes too fast, from that address alone, and recovers", () => {
    const b = bench();
    const other = new Scripted(b.world.host("other", { link: { latencyMs: 0 } }), "other", b.node.address);
    const hello: Chunk = { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf("tag-0123") };
    for (let i = 0; i < 4_000; i++) b.far.sendStartup(0, hello);
    b.world.run(1);
    expect(b.far.take().length).toBe(2_500);
    expect(b.node.endpoint.stats.rateLimited).toBe(1_500);
    expect(types(answerTo(b, hello, other))).toEqual([ChunkType.rHello]);
    b.world.run(1_000);
    expect(types(answerTo(b, hello))).toEqual([ChunkType.rHello]);
  });

  it("does not answer when it is told not to listen", () => {
    const b = bench({ listen: false });
    expect(answerTo(b, { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf("tag-0123") })).toEqual([]);
  });
});

describe("a responder and its cookies", () => {
  it(
    ...rfc("R7016-3.5.1.1.2-03", "R7016-3.5.1.1.2-08"),
    "ignores an IIKeying whose cookie it did not make, or that was changed",
    () => {
      const b = bench();
      const cookie = fetchCookie(b.world, b.node, b.far);
      for (let i = 0; i < cookie.length; i += 7) {
        const bad = cookie.slice();
        bad[i] = (bad[i] as number) ^ 1;
        const reply = answerTo(b, iiKeying(b.far, bad));
        if (i < 32) expect(reply).toEqual([]);
        else expect(types(reply)).toEqual([ChunkType.cookieChange]);
      }
      expect(answerTo(b, iiKeying(b.far, cookie.subarray(1)))).toEqual([]);
      expect(b.node.endpoint.sessions.size).toBe(0);
      expect(b.node.endpoint.timers.size).toBe(0);
    },
  );

  it(
    ...rfc("R7016-3.5.1.1.2-05", "R7016-3.5.1.1.2-06", "AMB-16"),
    "takes them back for 95 s and more, not for ever",
    () => {
      const b = bench();
      const cookie = fetchCookie(b.world, b.node, b.far);
      b.world.run(95_000);
      expect(types(answerTo(b, iiKeying(b.far, cookie)))).toEqual([ChunkType.riKeying]);
      b.far.nearId++;
      b.world.run(30_000);
      expect(answerTo(b, iiKeying(b.far, cookie, 4))).toEqual([]);
      expect(b.node.endpoint.stats.badCookie).toBe(1);
    },
  );

  it(
    ...rfc("R7016-3.5.1.1.2-04", "R7016-3.5.1.1.2-09", "R7016-3.5.1.2-01", "R7016-2.3.6-02"),
    "offers a new one to the source of an IIKeying with another address's",
    () => {
      const b = bench();
      const cookie = fetchCookie(b.world, b.node, b.far);
      const other = new Scripted(b.world.host("other", { link: { latencyMs: 0 } }), "far", b.node.address);
      const reply = answerTo(b, iiKeying(other, cookie), other);
      expect(reply).toMatchObject([{ type: ChunkType.cookieChange, oldCookie: cookie }]);
      expect(other.arrivals.at(-1)?.sessionId).toBe(other.nearId);
      const change = reply[0] as Chunk & { newCookie: Uint8Array };
      expect(types(answerTo(b, iiKeying(other, change.newCookie), other))).toEqual([ChunkType.riKeying]);
      expect(b.node.open()[0]?.address).toEqual(other.address);
    },
  );
});

describe("a responder that hears IIKeying", () => {
  it(
    ...rfc("R7016-3.5.1.1.2-15", "R7016-3.5.1.1.2-16"),
    "opens a session to its source, and answers under the default key",
    () => {
      const ids = [7, 7, 0, 9];
      const b = bench({ allocateSessionId: () => ids.shift() as number });
      b.node.endpoint.open(0, nameOf("somebody"), { candidates: [] });
      const session = openScripted(b.world, b.node, b.far, "initiator");
      const reply = b.far.arrivals.at(-1)?.chunks[0] as RIKeyingChunk;
      // The keying component is the nonce in the unprotected profile.
      expect(toHex(reply.skrc)).toBe(toHex(session.nearNonce as Uint8Array));
      expect(session).toMatchObject({
        state: "S_OPEN",
        role: "responder",
        nearId: 9,
        address: b.far.address,
        farId: b.far.nearId,
      });
      expect(b.far.arrivals.at(-1)).toMatchObject({ sessionId: b.far.nearId, header: { mode: 3 } });
      session.ping();
      b.world.run(1);
      expect(b.far.take().at(-1)).toMatchObject({ sessionId: b.far.nearId, header: { mode: 2 } });
      expect(b.node.told("incoming")).toMatchObject([{ session }]);
    },
  );

  it(...rfc("R7016-3.5.1.1.2-10"), "does nothing for a keying component or session ID that it cannot take", () => {
    const b = bench();
    const good = iiKeying(b.far, fetchCookie(b.world, b.node, b.far)) as IIKeyingChunk;
    expect(answerTo(b, { ...good, skic: new Uint8Array(5) })).toEqual([]);
    expect(answerTo(b, { ...good, certificate: new Uint8Array(0) })).toEqual([]);
    expect(answerTo(b, { ...good, initiatorSessionId: 0 })).toEqual([]);
    expect(b.node.endpoint.sessions.size).toBe(0);
    expect(types(answerTo(b, good))).toEqual([ChunkType.riKeying]);
  });

  it(
    ...rfc("R7016-3.5.1.1.2-12", "R7016-2.3.8-03", "AMB-17"),
    "answers its repetition with the same bytes, and no second session",
    () => {
      const b = bench();
      const keying = iiKeying(b.far, fetchCookie(b.world, b.node, b.far));
      answerTo(b, keying);
      const first = b.far.arrivals.at(-1)?.datagram as Uint8Array;
      b.world.run(1_500);
      answerTo(b, keying);
      expect(toHex(b.far.arrivals.at(-1)?.datagram as Uint8Array)).toBe(toHex(first));
      expect(b.node.told("incoming").length).toBe(1);
      expect(b.node.open().length).toBe(1);
      // Another certificate, keying component or session ID makes it another one.
      const other = new Scripted(b.world.host("other", { link: { latencyMs: 0 } }), "other", b.node.address);
      const cookie = fetchCookie(b.world, b.node, b.far);
      const replies = [
        answerTo(b, iiKeying(other, fetchCookie(b.world, b.node, other)), other),
        answerTo(b, iiKeying(b.far, cookie, 4)),
        answerTo(b, { ...iiKeying(b.far, cookie, 4), initiatorSessionId: 99 } as Chunk),
      ].flat() as RIKeyingChunk[];
      expect(types(replies)).toEqual([ChunkType.riKeying, ChunkType.riKeying, ChunkType.riKeying]);
      expect(new Set(replies.map(({ skrc }) => toHex(skrc))).size).toBe(3);
      expect(b.node.told("incoming").length).toBe(4);
    },
  );

  it(...rfc("AMB-17"), "opens nothing for a copy that comes after the session's end", () => {
    const b = bench();
    const keying = iiKeying(b.far, fetchCookie(b.world, b.node, b.far));
    answerTo(b, keying);
    b.node.open()[0]?.abort();
    b.node.driver.wake();
    for (let i = 0; i < 12; i++) {
      b.world.run(10_000);
      expect(answerTo(b, keying)).toEqual([]);
    }
    expect(b.node.told("incoming").length).toBe(1);
    expect(b.node.endpoint.sessions.size).toBe(0);
    const fresh = iiKeying(b.far, fetchCookie(b.world, b.node, b.far));
    expect(types(answerTo(b, fresh))).toEqual([ChunkType.riKeying]);
  });

  it(...rfc("AMB-14"), "answers its repetition from behind a NAT that has changed its mind", () => {
    const b = bench();
    const cookie = fetchCookie(b.world, b.node, b.far);
    answerTo(b, iiKeying(b.far, cookie));
    const moved = new Scripted(b.world.host("moved", { link: { latencyMs: 0 } }), "far", b.node.address);
    moved.mode = 1;
    const change = answerTo(b, iiKeying(moved, cookie), moved)[0] as Chunk & { newCookie: Uint8Array };
    expect(types(answerTo(b, iiKeying(moved, change.newCookie), moved))).toEqual([ChunkType.riKeying]);
    expect(b.node.told("incoming").length).toBe(1);
  });

  it(
    ...rfc("R7016-3.5.1.1.2-13", "AMB-15"),
    "ignores another certificate from an address in use, and asks there",
    () => {
      const b = bench({ keepaliveMs: 30_000 });
      const session = openScripted(b.world, b.node, b.far, "initiator");
      const cookie = fetchCookie(b.world, b.node, b.far);
      const stranger = {
        ...iiKeying(b.far, cookie, 8),
        certificate: nameOf("stranger"),
        initiatorSessionId: 99,
      } as Chunk;
      expect(types(answerTo(b, stranger))).toEqual([ChunkType.ping]);
      expect(b.node.open()).toEqual([session]);
      b.world.run(40_000);
      expect(session.state).toBe("S_CLOSED");
      expect(types(answerTo(b, stranger))).toEqual([ChunkType.riKeying]);
    },
  );

  it(
    ...rfc("R7016-3.5.1.1.2-14", "R7016-3.5.5-04"),
    "replaces the session of the same certificate, whose flows end",
    () => {
      const b = bench();
      const old = openScripted(b.world, b.node, b.far, "initiator");
      const flow = old.openFlow(new Uint8Array(1));
      const receipt = flow.write(new Uint8Array(100));
      b.far.send(data(1, 1, 1, { data: "x", options: startup() }));
      b.world.run(1);
      const received = b.node.told("flow")[0]?.flow;
      received?.read();
      const cookie = fetchCookie(b.world, b.node, b.far);
      b.far.nearId++;
      expect(types(answerTo(b, iiKeying(b.far, cookie, 8)))).toEqual([ChunkType.riKeying]);
      expect(b.node.told("closed")).toMatchObject([{ session: old, reason: "overridden" }]);
      expect(flow.state).toBe("F_CLOSED");
      expect(receipt.state).toBe("abandoned");
      expect(b.node.told("complete")).toMatchObject([{ flow }]);
      expect(b.node.told("finished")).toMatchObject([{ flow: received }]);
      expect(b.node.open().length).toBe(1);
      expect(b.node.open()[0]).not.toBe(old);
    },
  );

  it("does not let two certificates race for one address while their keys are worked out", () => {
    const jobs: (() => void)[] = [];
    const b = bench({ profile: slowProfile("near"), runJob: (_job, done) => jobs.push(() => done({ ok: 1 })) });
    const cookie = fetchCookie(b.world, b.node, b.far);
    const mine = iiKeying(b.far, cookie);
    const stranger = {
      ...iiKeying(b.far, cookie, 8),
      certificate: nameOf("stranger"),
      initiatorSessionId: 99,
    } as Chunk;
    expect(answerTo(b, mine)).toEqual([]);
    expect(answerTo(b, mine)).toEqual([]);
    expect(answerTo(b, stranger)).toEqual([]);
    expect(jobs.length).toBe(2);
    for (const job of jobs) job();
    b.world.run(1);
    expect(types(b.far.take().flatMap(({ chunks }) => chunks))).toEqual([ChunkType.riKeying]);
    expect(b.node.open().map(({ peerId }) => peerId)).toEqual([toHex(nameOf("far"))]);
  });

  it("drops handshakes beyond 256 jobs, so that they try again", () => {
    const jobs: (() => void)[] = [];
    const b = bench({ profile: slowProfile("near"), runJob: (_job, done) => jobs.push(() => done({ ok: 1 })) });
    const cookie = fetchCookie(b.world, b.node, b.far);
    for (let i = 1; i <= 300; i++) {
      b.far.sendStartup(0, { ...iiKeying(b.far, cookie), initiatorSessionId: i } as Chunk);
      if (i % 10 === 0) b.world.run(1);
    }
    b.world.run(1);
    expect(jobs.length).toBe(256);
    expect(b.node.endpoint.stats.jobsRefused).toBe(44);
    for (const job of jobs.splice(0)) job();
    b.world.run(1);
    expect(types(answerTo(b, { ...iiKeying(b.far, cookie), initiatorSessionId: 300 } as Chunk))).not.toContain(
      ChunkType.cookieChange,
    );
    expect(jobs.length).toBe(1);
  });

  it("opens no more than a million sessions unless told otherwise, and counts who comes beyond", () => {
    const b = bench();
    const { stats } = b.node.endpoint;
    // As if so many were open: a million real ones would take minutes.
    stats.sessionsOpened = 1_000_000;
    expect(answerTo(b, iiKeying(b.far, fetchCookie(b.world, b.node, b.far))).length).toBe(0);
    expect(stats.rateLimited).toBe(1);
    stats.sessionsClosed = 1;
    expect(answerTo(b, iiKeying(b.far, fetchCookie(b.world, b.node, b.far))).length).toBe(1);
  });

  it("opens no more sessions than it may", () => {
    const b = bench({ maxSessions: 2 });
    for (let i = 0; i < 3; i++) {
      const far = new Scripted(b.world.host(`far ${i}`, { link: { latencyMs: 0 } }), `far ${i}`, b.node.address);
      far.mode = 1;
      const reply = answerTo(b, iiKeying(far, fetchCookie(b.world, b.node, far)), far);
      expect(reply.length).toBe(i < 2 ? 1 : 0);
    }
    b.node.open()[0]?.abort();
    b.world.run(1);
    const far = new Scripted(b.world.host("last", { link: { latencyMs: 0 } }), "last", b.node.address);
    far.mode = 1;
    expect(answerTo(b, iiKeying(far, fetchCookie(b.world, b.node, far)), far).length).toBe(1);
  });
});

describe("stray packets", () => {
  it("change nothing: keyings and answers nobody waits for, unknown sessions, other modes, noise", () => {
    const b = bench();
    const session = openScripted(b.world, b.node, b.far, "initiator");
    const before = b.node.events.length;
    b.far.take();
    const header = {
      mode: 3,
      timeCritical: false,
      timeCriticalReverse: false,
      timestamp: undefined,
      timestampEcho: undefined,
      reserved: 0,
    };
    const riKeying: Chunk = {
      type: ChunkType.riKeying,
      responderSessionId: 5,
      skrc: new Uint8Array(32),
      signature: new Uint8Array(0),
    };
    b.far.sendStartup(b.far.farId, riKeying);
    b.far.sendStartup(0, riKeying, {
      type: ChunkType.rHello,
      tagEcho: nameOf("t"),
      cookie: new Uint8Array(64),
      certificate: nameOf("x"),
    });
    b.far.sendStartup(0, { type: ChunkType.redirect, tagEcho: nameOf("t"), destinations: [] });
    b.far.sendStartup(0, {
      type: ChunkType.cookieChange,
      oldCookie: new Uint8Array(64),
      newCookie: new Uint8Array(64),
    });
    b.far.sendRaw(b.far.farId, { ...header, mode: 2 }, [{ type: ChunkType.closeAck }]);
    b.far.sendRaw(b.far.farId, { ...header, mode: 0 }, [{ type: ChunkType.closeAck }]);
    b.far.sendRaw(12_345, { ...header, mode: 1 }, [{ type: ChunkType.closeAck }]);
    b.far.sendRaw(0, { ...header, mode: 1 }, [{ type: ChunkType.closeAck }]);
    for (let length = 0; length < 200; length++) b.far.carrier.send(b.world.random(length), 0, b.node.address);
    b.world.run(1_000);
    expect(session.state).toBe("S_OPEN");
    expect(b.far.take()).toEqual([]);
    expect(b.node.events.length).toBe(before);
    expect(b.node.endpoint.stats.badMode).toBeGreaterThanOrEqual(4);
    expect(b.node.endpoint.stats.unknownSession).toBeGreaterThanOrEqual(1);
    b.far.send(ack(5, 5, 5));
    expect(b.node.endpoint.sessions.size).toBe(1);
  });
});

/** An unprotected profile whose responder steps need a job. */
function slowProfile(name: string): CryptoProfile {
  const inner = createUnprotectedTestProfile(nameOf(name));
  return {
    ...inner,
    respond: (far, skic) => {
      const step = inner.respond(far, skic);
      return step === undefined
        ? undefined
        : ({ ...step, job: { work: "respond" } } satisfies KeyingStep<unknown> as typeof step);
    },
  };
}
