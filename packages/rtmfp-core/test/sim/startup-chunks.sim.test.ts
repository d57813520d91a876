import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { createUnprotectedTestProfile } from "../../src/crypto/index.ts";
import { Origin } from "../../src/proto/address.ts";
import { ByteWriter, concatBytes, equalBytes, toHex } from "../../src/proto/bytes.ts";
import { type Chunk, ChunkType, type IIKeyingChunk } from "../../src/proto/chunk/types.ts";
import type { CryptoProfile } from "../../src/proto/crypto-profile.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, type RawOptions, rawNode } from "./raw.ts";
import { data, fetchCookie, iiKeying, openScripted, riKeying, Scripted, say, startup } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
}

function bench(options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0, ...options });
  return { world, node, far: new Scripted(world.host("far", { link }), "far", node.address) };
}

const KEY = nameOf("the password");
const plain = createUnprotectedTestProfile(nameOf("any"));

/** The signature that {@link signing} makes and takes. */
function signatureOf(...parts: Uint8Array[]): Uint8Array {
  return plain.hmac(KEY, concatBytes(...parts));
}

/** A profile whose signatures are HMACs, and which takes no others. */
function signing(name: string): CryptoProfile {
  return {
    ...createUnprotectedTestProfile(nameOf(name)),
    sign: (parameters) => signatureOf(parameters),
    verify: (signature, parameters) => equalBytes(signature, signatureOf(parameters)),
  };
}

/** Bytes with their length in front. */
function counted(bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(bytes.length + 4));
  writer.vlu(bytes.length);
  writer.put(bytes);
  return writer.bytes.slice(0, writer.pos);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The payload of an IIKeying up to its signature. */
function signedPart(chunk: IIKeyingChunk): Uint8Array {
  const fields = [chunk.cookieEcho, chunk.certificate, chunk.skic].map(counted);
  return concatBytes(u32(chunk.initiatorSessionId), ...fields);
}

/** Opens a session to the far end, and gives the tag of its hello. */
function hello(b: Bench): { session: Session; tag: Uint8Array } {
  const session = b.node.endpoint.open(b.node.driver.now(), b.far.name, {
    candidates: [{ address: b.far.address, via: 0 }],
  });
  b.world.run(1);
  const tag = b.far.takeChunks(ChunkType.iHello)[0]?.tag;
  if (tag === undefined) throw new Error("no IHello came");
  return { session, tag };
}

/** Answers a hello, and gives the IIKeying that follows. */
function keying(b: Bench, tagEcho: Uint8Array, cookie: Uint8Array): IIKeyingChunk {
  b.far.sendStartup(0, { type: ChunkType.rHello, tagEcho, cookie, certificate: b.far.name });
  b.world.run(1);
  const chunk = b.far.takeChunks(ChunkType.iiKeying)[0];
  if (chunk === undefined) throw new Error("no IIKeying came");
  b.far.farId = chunk.initiatorSessionId;
  return chunk;
}

describe("what an initiator sends", () => {
  it(...rfc("R7016-2.3.7-03"), "holds the cookie that it was given, byte by byte, and is not sent before", () => {
    for (const length of [1, 64, 127, 128, 600]) {
      const b = bench();
      const { tag } = hello(b);
      b.world.run(10_000);
      expect(new Set(b.far.heard())).toEqual(new Set(["iHello"]));
      const cookie = b.world.random(length);
      expect(toHex(keying(b, tag, cookie).cookieEcho)).toBe(toHex(cookie));
      b.world.run(3_000);
      const repeated = b.far.takeChunks(ChunkType.iiKeying).map(({ cookieEcho }) => toHex(cookieEcho));
      expect(repeated).toEqual([toHex(cookie)]);
    }
  });

  it(...rfc("R7016-2.3.6-04"), "after a Cookie Change is signed anew, over the new cookie", () => {
    const b = bench({ profile: signing("near") });
    const { tag } = hello(b);
    const first = keying(b, tag, new Uint8Array(64).fill(1));
    const newCookie = new Uint8Array(80).fill(2);
    b.far.sendStartup(b.far.farId, { type: ChunkType.cookieChange, oldCookie: first.cookieEcho, newCookie });
    b.world.run(1);
    const second = b.far.takeChunks(ChunkType.iiKeying)[0] as IIKeyingChunk;
    expect(toHex(second.cookieEcho)).toBe(toHex(newCookie));
    for (const one of [first, second]) expect(toHex(one.signature)).toBe(toHex(signatureOf(signedPart(one))));
    expect(equalBytes(first.signature, second.signature)).toBe(false);
    expect([second.initiatorSessionId, toHex(second.skic)]).toEqual([first.initiatorSessionId, toHex(first.skic)]);
  });

  it(
    ...rfc("R7016-2.3.8-02", "R7016-2.3.8-05", "R7016-3.5.1.1.1-14", "R7016-3.5.1.1.1-16"),
    "is no session packet until an RIKeying is verified, and then it may be data",
    () => {
      const b = bench({ profile: signing("near") });
      const { session, tag } = hello(b);
      const { skic } = keying(b, tag, new Uint8Array(64));
      b.node.onEvent = (event) => {
        if (event.type === "open") event.session.openFlow(nameOf("m")).write(nameOf("hi"));
      };
      const skrc = new Uint8Array(32).fill(9);
      const payload = concatBytes(u32(b.far.nearId), counted(skrc));
      const reply = (signature: Uint8Array): void => {
        b.far.sendStartup(b.far.farId, {
          type: ChunkType.riKeying,
          responderSessionId: b.far.nearId,
          skrc,
          signature,
        });
        b.world.run(1);
      };
      b.far.send({ type: ChunkType.ping, message: nameOf("early") }, data(3, 1, 1, { options: startup() }));
      // Signatures over less, or more, than the payload and the SKIC are refused.
      for (const bad of [new Uint8Array(0), signatureOf(payload), signatureOf(payload, skic, skic)]) reply(bad);
      expect(() => session.openFlow(nameOf("m"))).toThrow("not open");
      session.ping();
      expect(session).toMatchObject({ state: "S_KEYING_SENT", keys: undefined, nearNonce: undefined });
      expect(b.far.heard()).toEqual([]);
      reply(signatureOf(payload, skic));
      expect(session.state).toBe("S_OPEN");
      // The keying component is the nonce in the unprotected profile.
      expect(toHex(session.nearNonce as Uint8Array)).toBe(toHex(skic));
      expect(b.far.take()).toMatchObject([
        { sessionId: b.far.nearId, header: { mode: 1 }, chunks: [{ type: ChunkType.userData }] },
      ]);
    },
  );
});

describe("what an initiator sends", () => {
  it(...rfc("R7016-2.3.7-02", "R7016-3.5.1.1.1-14"), "is signed over every byte in front of the signature", () => {
    const world = new SimWorld(1);
    const link = { latencyMs: 0 };
    const near = rawNode(world.host("near", { link }), "near", { keepaliveMs: 0, profile: signing("near") });
    const far = new Scripted(world.host("far", { link }), "far", near.address);
    near.endpoint.open(near.driver.now(), far.name, { candidates: [{ address: far.address, via: 0 }] });
    world.run(1);
    const hello = far.takeChunks(ChunkType.iHello)[0];
    if (hello === undefined) throw new Error("no IHello came");
    const cookie = new Uint8Array(64).fill(7);
    far.sendStartup(0, { type: ChunkType.rHello, tagEcho: hello.tag, cookie, certificate: far.name });
    world.run(1);
    const keying = far.takeChunks(ChunkType.iiKeying)[0];
    if (keying === undefined) throw new Error("no IIKeying came");
    expect(toHex(keying.signature)).toBe(toHex(signatureOf(signedPart(keying))));
    expect([toHex(keying.cookieEcho), toHex(keying.certificate)]).toEqual([toHex(cookie), toHex(nameOf("near"))]);
  });
});

describe("what a responder sends", () => {
  it(
    ...rfc("R7016-2.3.8-02", "R7016-3.5.1.1.2-10", "R7016-3.5.1.1.2-15"),
    "is signed over its own parameters and the SKIC that it answers",
    () => {
      const b = bench({ profile: signing("near") });
      const unsigned = iiKeying(b.far, fetchCookie(b.world, b.node, b.far), 5) as IIKeyingChunk;
      const answer = (signature: Uint8Array) => {
        b.far.take();
        b.far.sendStartup(0, { ...unsigned, signature });
        b.world.run(1);
        return b.far.takeChunks(ChunkType.riKeying)[0];
      };
      expect(answer(new Uint8Array(0))).toBeUndefined();
      expect(answer(signatureOf(signedPart(unsigned), unsigned.skic))).toBeUndefined();
      const reply = answer(signatureOf(signedPart(unsigned)));
      if (reply === undefined) throw new Error("no RIKeying came");
      const own = concatBytes(u32(reply.responderSessionId), counted(reply.skrc));
      expect(toHex(reply.signature)).toBe(toHex(signatureOf(own, unsigned.skic)));
    },
  );

  it(...rfc("R7016-2.3.8-04"), "may be data at once behind RIKeying, in the open session that is its own", () => {
    const b = bench();
    b.node.onEvent = (event) => {
      if (event.type !== "incoming") return;
      expect(event.session.state).toBe("S_OPEN");
      event.session.openFlow(nameOf("m")).write(nameOf("welcome"));
    };
    b.far.sendStartup(0, iiKeying(b.far, fetchCookie(b.world, b.node, b.far)));
    b.world.run(1);
    const sent = b.far.take();
    expect(sent.map(({ header, sessionId, chunks }) => [header.mode, sessionId, chunks.map(say).join()])).toEqual([
      [3, b.far.nearId, "riKeying"],
      [2, b.far.nearId, "D 1 o1 f0 OPT"],
    ]);
  });
});

describe("the tag of a hello", () => {
  it(
    ...rfc("R7016-2.3.4-02", "R7016-2.3.4-03", "R7016-2.3.5-04"),
    "comes back as it was, of any length, in session 0: in RHello and Implied Redirect, to its sender or as forwarded",
    () => {
      const b = bench();
      const session = openScripted(b.world, b.node, b.far);
      const other = new Scripted(b.world.host("other", { link: { latencyMs: 0 } }), "other", b.node.address);
      const replyAddress = { ...other.address, origin: Origin.observed };
      for (const length of [8, 9, 15, 16, 17, 127, 128, 200, 511, 512]) {
        const tag = b.world.random(length);
        other.sendStartup(0, { type: ChunkType.iHello, epd: nameOf("near"), tag });
        b.world.run(1);
        for (const introductions of ["rhello", "redirect"] as const) {
          session.introductions = introductions;
          b.far.send({ type: ChunkType.forwardedIHello, epd: nameOf("near"), replyAddress, tag });
          b.world.run(1);
        }
        const common = { sessionId: 0, header: { mode: 3 } };
        const rHello = { ...common, chunks: [{ type: ChunkType.rHello, tagEcho: tag, certificate: nameOf("near") }] };
        const redirect = { ...common, chunks: [{ type: ChunkType.redirect, tagEcho: tag, destinations: [] }] };
        expect(other.take()).toMatchObject([rHello, rHello, redirect]);
      }
      expect(b.far.heard()).toEqual([]);
    },
  );
});

describe("what comes for another session ID than its own", () => {
  it(
    ...rfc("R7016-2.3.2-02", "R7016-2.3.4-03", "R7016-2.3.5-04", "R7016-2.3.7-04"),
    "does nothing: hellos, their answers and IIKeying on the ID of a session that is being opened",
    () => {
      const b = bench();
      const { session, tag } = hello(b);
      const cookie = fetchCookie(b.world, b.node, b.far);
      const answers: Chunk[] = [
        { type: ChunkType.rHello, tagEcho: tag, cookie: new Uint8Array(64), certificate: b.far.name },
        { type: ChunkType.redirect, tagEcho: tag, destinations: [{ host: "192.0.2.9", port: 9, origin: 0 }] },
      ];
      const all = [{ type: ChunkType.iHello, epd: nameOf("near"), tag }, iiKeying(b.far, cookie), ...answers];
      const before = b.node.endpoint.stats.datagramsOut;
      for (const chunk of all) b.far.sendStartup(session.nearId, chunk);
      b.world.run(10);
      expect([session.state, b.node.endpoint.sessions.size]).toEqual(["S_IHELLO_SENT", 1]);
      expect(b.node.endpoint.stats.datagramsOut).toBe(before);
      expect(b.far.heard()).toEqual([]);
    },
  );

  it(...rfc("R7016-2.3.6-03", "R7016-2.3.8-03"), "does nothing: Cookie Change and RIKeying on ID 0", () => {
    const b = bench();
    const { session, tag } = hello(b);
    const oldCookie = new Uint8Array(64).fill(1);
    keying(b, tag, oldCookie);
    const change: Chunk = { type: ChunkType.cookieChange, oldCookie, newCookie: new Uint8Array(64) };
    for (const chunk of [change, riKeying(b.far)]) b.far.sendStartup(0, chunk);
    b.world.run(10);
    expect(b.far.heard()).toEqual([]);
    expect(session.state).toBe("S_KEYING_SENT");
    for (const chunk of [change, riKeying(b.far)]) b.far.sendStartup(b.far.farId, chunk);
    b.world.run(10);
    expect(b.far.heard()).toEqual(["iiKeying"]);
    expect(session.state).toBe("S_OPEN");
  });
});

describe("what a redirector names", () => {
  it(...rfc("R7016-2.1.5-03", "R7016-2.3.5-03"), "is tried alike, whatever origin it gives an address", () => {
    const b = bench();
    const origins = [Origin.unknown, Origin.local, Origin.observed, Origin.relay];
    const others = origins.map(
      (origin) => new Scripted(b.world.host(`other ${origin}`, { link: { latencyMs: 0 } }), "far", b.node.address),
    );
    const { tag } = hello(b);
    const destinations = others.map(({ address }, i) => ({ ...address, origin: origins[i] as Origin }));
    const redirect: Chunk = { type: ChunkType.redirect, tagEcho: tag, destinations };
    b.far.sendStartup(0, redirect);
    b.world.run(1);
    expect(others.map((other) => other.heard())).toEqual(origins.map(() => ["iHello"]));
  });
});

describe("a session", () => {
  it(...rfc("R7016-3.5-01"), "knows its ends, keys, nonces, path, flows and what is on its way", () => {
    for (const role of ["initiator", "responder"] as const) {
      const b = bench({ tailLossProbe: false });
      const session = openScripted(b.world, b.node, b.far, role);
      const mine = session.nearNonce as Uint8Array;
      expect(session).toMatchObject({
        state: "S_OPEN",
        role: role === "initiator" ? "responder" : "initiator",
        nearId: b.far.farId | 0,
        farId: b.far.nearId,
        address: b.far.address,
        peerId: toHex(b.far.name),
      });
      expect(session.rtt).toMatchObject({ tsRx: -1, tsEchoTx: -1, srtt: undefined, mrto: 250, erto: 3_000 });
      expect(toHex(session.farCertificate?.bytes as Uint8Array)).toBe(toHex(b.far.name));
      // The far end's keying component is its nonce in the unprotected profile.
      expect(new Set(session.farNonce)).toEqual(new Set([role === "initiator" ? 3 : 9]));
      expect([mine.length, equalBytes(mine, session.farNonce as Uint8Array)]).toEqual([32, false]);
      expect(session.keys?.cipher).toBeDefined();
      b.far.take();
      b.far.header = { timestamp: 77 };
      b.far.send(data(3, 1, 1, { options: startup() }));
      const flow = session.openFlow(nameOf("m"));
      flow.write(new Uint8Array(500));
      b.node.driver.wake();
      b.world.run(1);
      expect(session.rtt).toMatchObject({ tsRx: 77, tsEchoTx: 77 });
      expect([...session.receives.flows].map(({ id }) => id)).toEqual([3]);
      expect([...session.sends.flows]).toEqual([flow]);
      expect(session.stats.outstandingBytes).toBe(flow.outstandingBytes);
      expect(session.stats.outstandingBytes).toBeGreaterThan(500);
      expect(session.receives.delayedAckAt).toBe(Number.POSITIVE_INFINITY);
      b.far.send(data(3, 2, 1));
      b.world.run(1);
      expect(session.receives.delayedAckAt).toBeLessThanOrEqual(b.node.driver.now() + 200);
      expect(session.stats.cwnd).toBeGreaterThan(0);
    }
  });

  it(...rfc("R7016-2.3.8-05", "R7016-3.5-01"), "lets go of all that when its opening fails", () => {
    const b = bench();
    const { session, tag } = hello(b);
    keying(b, tag, new Uint8Array(64));
    b.world.run(100_000);
    expect(session.state).toBe("S_OPEN_FAILED");
    b.far.sendStartup(b.far.farId, riKeying(b.far));
    b.world.run(10);
    expect(session).toMatchObject({ state: "S_OPEN_FAILED", keys: undefined });
    expect(b.node.endpoint.sessions.size).toBe(0);
  });
});
