import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import type { FlashProfileOptions } from "../../src/crypto/index.ts";
import { type Address, Origin } from "../../src/proto/address.ts";
import { equalBytes, toHex } from "../../src/proto/bytes.ts";
import { decodePacket } from "../../src/proto/chunk/codec.ts";
import { type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import { STARTUP_HEADER, scrambleSessionId, unscrambleSessionId } from "../../src/proto/packet.ts";
import type { Session } from "../../src/proto/session.ts";
import { type SimCarrier, SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawOptions } from "./raw.ts";
import { data, encodeDatagram, say, startup } from "./scripted.ts";
import { cipherOf, openSealed, openWith, type SealedNode, sealedNode, sealWith } from "./sealed.ts";

interface Bench {
  readonly world: SimWorld;
  readonly near: SealedNode;
  readonly far: SealedNode;
  /** The near end's session, its initiator, and the far end's. */
  readonly session: Session;
  readonly farSession: Session;
  /** A socket of somebody else. */
  readonly stranger: SimCarrier;
  /** What came to that socket. */
  readonly heard: Uint8Array[];
}

function bench(crypto: Partial<FlashProfileOptions> = {}, options: RawOptions = {}): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const near = sealedNode(world.host("near", { link }), crypto, options);
  const far = sealedNode(world.host("far", { link }), crypto, { port: 1935, ...options });
  const { near: session, far: farSession } = openSealed(world, near, far);
  const stranger = world.host("stranger", { link }).open([{ port: 0 }]);
  const heard: Uint8Array[] = [];
  stranger.onDatagram = (bytes) => heard.push(bytes.slice());
  return { world, near, far, session, farSession, stranger, heard };
}

/** Datagrams that the near end would have sent for these pings: kept on the way. */
function pings(b: Bench, ...messages: readonly Uint8Array[]): Uint8Array[] {
  const kept: Uint8Array[] = [];
  const stop = b.world.filter(({ sender, bytes }) => {
    if (sender !== "near") return undefined;
    kept.push(bytes.slice());
    return "drop";
  });
  for (const message of messages) {
    b.session.ping(message);
    b.near.driver.wake();
    b.world.run(4);
  }
  stop();
  return kept;
}

/** Sends datagrams from the stranger's address to the far end. */
function inject(b: Bench, ...datagrams: readonly Uint8Array[]): void {
  for (const bytes of datagrams) b.stranger.send(bytes, 0, b.far.address);
  b.world.run(5);
}

/** The same as if they came from that address, one in each turn. */
function injectFrom(b: Bench, from: Address, ...datagrams: readonly Uint8Array[]): void {
  for (const bytes of datagrams) {
    b.far.endpoint.handleDatagrams(b.far.driver.now(), [{ bytes, from, via: 0 }]);
    b.far.driver.wake();
    b.world.run(5);
  }
}

/** What the near end was answered. */
function pongs(b: Bench): string[] {
  return b.near.told("pong").map(({ message }) => toHex(message));
}

/** True if the far end sent nothing since, made nothing, and told nothing. */
function untouched(b: Bench): () => boolean {
  const state = (): string =>
    JSON.stringify([
      b.far.trace.filter(({ direction }) => direction === "out").length,
      b.far.endpoint.sessions.size,
      b.far.endpoint.timers.size,
      b.far.events.length,
      b.farSession.state,
      b.farSession.address,
      b.farSession.receives.stats,
    ]);
  const before = state();
  return () => state() === before && b.heard.length === 0;
}

const ping = (text: string): Chunk => ({ type: ChunkType.ping, message: nameOf(text) });

describe("sealed packets on the wire", () => {
  it(
    ...rfc(
      "R7016-2.2.2-01",
      "R7016-2.2.2-04",
      "R7016-2.2.2-05",
      "R7016-2.2.3-06",
      "R7016-2.2.4-04",
      "R7016-2.2.4-14",
      "R7016-2.2.4-16",
      "R7016-2.3.2-02",
      "R7016-2.3.4-03",
      "R7016-2.3.7-04",
      "R7016-2.3.8-03",
      "R7016-3.5.1.1.1-17",
      "R7016-3.5.1.1.2-16",
    ),
    "bear the receiver's session ID; startup goes by the default key in mode 3, all else by the session's key and marks",
    () => {
      const world = new SimWorld(1);
      const near = sealedNode(world.host("near"));
      const far = sealedNode(world.host("far"), {}, { port: 1935 });
      const capture = world.capture(({ event }) => event === "sent");
      const ends = openSealed(world, near, far);
      for (const session of [ends.near, ends.far]) session.openFlow(nameOf("m")).write(new Uint8Array(5_000));
      for (const node of [near, far]) node.driver.wake();
      world.run(1_000);
      const startup = capture.records.slice(0, 4).map(({ sender, bytes }) => {
        const packet = openWith(near.endpoint.profile.startupCipher, bytes);
        const chunks = packet?.chunks.map((chunk) => say(chunk as Chunk));
        return `${sender} ${unscrambleSessionId(bytes)} m${packet?.header.mode} ${chunks?.join()}`;
      });
      expect(startup).toEqual([
        "near 0 m3 iHello",
        "far 0 m3 rHello",
        "near 0 m3 iiKeying",
        `far ${ends.near.nearId} m3 riKeying`,
      ]);
      expect(ends.near.nearId).not.toBe(ends.far.nearId);
      const rest = capture.records.slice(4);
      expect(new Set(rest.map(({ sender }) => sender))).toEqual(new Set(["near", "far"]));
      for (const { sender, bytes } of rest) {
        const fromNear = sender === "near";
        expect(unscrambleSessionId(bytes)).toBe((fromNear ? ends.far : ends.near).nearId);
        expect(openWith(near.endpoint.profile.startupCipher, bytes)).toBeUndefined();
        const record = (fromNear ? near : far).trace.find(({ datagram }) => equalBytes(datagram, bytes));
        expect(decodePacket(record?.packet as Uint8Array)?.header.mode).toBe(fromNear ? 1 : 2);
      }
    },
  );

  it(
    ...rfc("R7016-2.2.3-06", "R7016-2.3.6-02", "R7016-2.3.6-03"),
    "change a cookie under the default key, on the ID that the IIKeying named",
    () => {
      const b = bench();
      const { startupCipher } = b.far.endpoint.profile;
      const tag = nameOf("tag-0123");
      inject(b, sealWith(startupCipher, 0, {}, { type: ChunkType.iHello, epd: b.far.epd, tag }));
      const hello = openWith(startupCipher, b.heard.pop() as Uint8Array)?.chunks[0] as Chunk & { cookie: Uint8Array };
      expect(hello.type).toBe(ChunkType.rHello);
      const elsewhere = b.world.host("elsewhere", { link: { latencyMs: 0 } }).open([{ port: 0 }]);
      const answers: Uint8Array[] = [];
      elsewhere.onDatagram = (bytes) => answers.push(bytes.slice());
      const keying: Chunk = {
        type: ChunkType.iiKeying,
        initiatorSessionId: 0x01020304,
        cookieEcho: hello.cookie,
        certificate: b.near.endpoint.profile.certificate,
        skic: new Uint8Array(40),
        signature: new Uint8Array(0),
      };
      elsewhere.send(sealWith(startupCipher, 0, {}, keying), 0, b.far.address);
      b.world.run(5);
      expect(answers.map((bytes) => unscrambleSessionId(bytes))).toEqual([0x01020304]);
      expect(openWith(startupCipher, answers[0] as Uint8Array)).toMatchObject({
        header: { mode: 3 },
        chunks: [{ type: ChunkType.cookieChange, oldCookie: hello.cookie }],
      });
    },
  );

  it(
    ...rfc("R7016-2.3.5-04", "R7016-2.3.4-03"),
    "redirect under the default key, in mode 3 of session 0, with the tag as it came",
    () => {
      const b = bench();
      const { startupCipher } = b.far.endpoint.profile;
      const to = { host: "192.0.2.9", port: 1_935, origin: Origin.observed };
      b.far.onEvent = (event) => {
        if (event.type === "introduction") b.far.endpoint.redirect(b.far.driver.now(), event.id, [to]);
      };
      for (const length of [8, 16, 60]) {
        b.heard.length = 0;
        const tag = b.world.random(length);
        inject(b, sealWith(startupCipher, 0, {}, { type: ChunkType.iHello, epd: b.near.epd, tag }));
        expect(b.heard.map((bytes) => unscrambleSessionId(bytes))).toEqual([0]);
        expect(openWith(startupCipher, b.heard[0] as Uint8Array)).toMatchObject({
          header: { mode: 3 },
          chunks: [{ type: ChunkType.redirect, tagEcho: tag, destinations: [to] }],
        });
      }
    },
  );

  it(
    ...rfc("R7016-2.2.4-10", "R7016-2.2.4-11"),
    "are filled with ff to whole cipher blocks, and reach the far end bare of the profile's framing",
    () => {
      for (const crypto of [{}, { hmac: "none", sequence: "none" }] as const) {
        const b = bench(crypto);
        for (let length = 0; length < 20; length++) {
          b.session.ping(new Uint8Array(length).fill(0x11));
          b.near.driver.wake();
          b.world.run(50);
        }
        const sent = b.near.trace.filter(({ direction, startup }) => direction === "out" && !startup);
        const padding = sent.map(({ datagram, packet }) => {
          const found = b.far.trace.find((record) => equalBytes(record.datagram, datagram))?.packet as Uint8Array;
          expect(toHex(found.subarray(0, packet.length))).toBe(toHex(packet));
          expect([...found.subarray(packet.length)].every((byte) => byte === 0xff)).toBe(true);
          return found.length - packet.length;
        });
        expect(Math.max(...padding)).toBe(15);
        expect(Math.min(...padding)).toBe(0);
        expect(pongs(b).length).toBe(20);
      }
    },
  );
});

describe("the session ID of a packet that comes in", () => {
  it(
    ...rfc("R7016-2.2.2-05", "R7016-3.3-04", "R7016-2.3.2-02"),
    "of 0 asks for the default key, and no session's key will do",
    () => {
      const b = bench();
      const hello: Chunk = { type: ChunkType.iHello, epd: b.far.epd, tag: nameOf("tag-0123") };
      const same = untouched(b);
      inject(b, sealWith(cipherOf(b.session), 0, { mode: 3 }, hello));
      injectFrom(b, b.near.address, sealWith(cipherOf(b.session), 0, { mode: 3 }, hello));
      expect(b.far.endpoint.stats.badVerify + b.far.endpoint.stats.badSize).toBe(2);
      expect(same()).toBe(true);
      // Nor is any other number the pseudo-session, though the key be the default one.
      inject(b, sealWith(b.far.endpoint.profile.startupCipher, 0x12345678, { mode: 3 }, hello));
      expect(b.far.endpoint.stats.unknownSession).toBe(1);
      expect(b.heard.length).toBe(0);
      inject(b, sealWith(b.far.endpoint.profile.startupCipher, 0, { mode: 3 }, hello));
      expect(b.heard.length).toBe(1);
    },
  );

  it(
    ...rfc("R7016-2.2.2-06", "R7016-2.2.3-05", "R7016-3.3-02", "R7016-3.5.1.1.1-17"),
    "names one of several sessions at a socket, and its key: with any other key, or no session, nothing happens",
    () => {
      const b = bench();
      const third = sealedNode(b.world.host("third", { link: { latencyMs: 0 } }));
      const { near: other, far: farOther } = openSealed(b.world, third, b.far);
      const { startupCipher } = b.far.endpoint.profile;
      const same = untouched(b);
      const header = { mode: 1 };
      const { stats } = b.far.endpoint;
      const bad = [
        sealWith(cipherOf(other), b.session.farId, header, ping("other's key")),
        sealWith(cipherOf(b.session), other.farId, header, ping("other's ID")),
        sealWith(startupCipher, b.session.farId, header, ping("default key")),
        sealWith(
          startupCipher,
          b.session.farId,
          { mode: 3 },
          { type: ChunkType.iHello, epd: b.far.epd, tag: nameOf("tag-0123") },
        ),
        encodeDatagram(b.session.farId, { ...STARTUP_HEADER, mode: 1 }, [ping("no key, but two whole cipher blocks")]),
      ];
      inject(b, ...bad);
      expect(stats.badVerify + stats.badSize).toBe(5);
      injectFrom(b, b.near.address, ...bad);
      expect(stats.badVerify + stats.badSize).toBe(10);
      inject(b, sealWith(cipherOf(b.session), 0x12345678, header, ping("no session")));
      expect(stats.unknownSession).toBe(1);
      expect(same()).toBe(true);
      b.session.ping(nameOf("a"));
      other.ping(nameOf("b"));
      for (const node of [b.near, third]) node.driver.wake();
      b.world.run(50);
      expect(pongs(b)).toEqual([toHex(nameOf("a"))]);
      // Not the address: what bears the other's ID and key is the other's, wherever it comes from.
      const heard = (): number => [...farOther.receives.flows].length;
      injectFrom(
        b,
        b.near.address,
        sealWith(cipherOf(other), other.farId, header, data(3, 1, 1, { data: "a", options: startup() })),
      );
      expect([heard(), [...b.farSession.receives.flows].length]).toEqual([1, 0]);
      expect(third.told("pong").map(({ message }) => toHex(message))).toEqual([toHex(nameOf("b"))]);
      expect(b.farSession.nearId).not.toBe(farOther.nearId);
      expect(b.far.endpoint.sessions.size).toBe(2);
    },
  );
});

describe("sealed packets that are tampered with", () => {
  it(
    ...rfc("R7016-2.2.3-04"),
    "by one bit change nothing, from any address: no answer, no probe of the address",
    () => {
      for (const crypto of [{}, { hmac: "none", sequence: "none" }] as const) {
        const b = bench(crypto);
        const [good] = pings(b, nameOf("a message that fills some cipher blocks")) as [Uint8Array];
        const same = untouched(b);
        const id = unscrambleSessionId(good);
        const bad = Array.from({ length: good.length - 4 }, (_, i) => {
          const copy = good.slice();
          copy[4 + i] = (copy[4 + i] as number) ^ (1 << (i & 7));
          scrambleSessionId(copy, copy.length, id);
          return copy;
        });
        // One alone, and all in one turn.
        for (const bytes of bad) inject(b, bytes);
        inject(b, ...bad);
        expect(b.far.endpoint.stats.badVerify).toBe(2 * bad.length);
        expect(b.far.endpoint.stats.mobilityProbes).toBe(0);
        expect(same()).toBe(true);
        inject(b, good);
        expect(pongs(b).length).toBe(1);
        expect(b.far.endpoint.stats.mobilityProbes).toBe(1);
      }
    },
  );

  it(...rfc("R7016-2.2.3-03"), "by sending them again are known by their sequence numbers", () => {
    const b = bench();
    const [first, second] = pings(b, nameOf("1"), nameOf("2")) as [Uint8Array, Uint8Array];
    inject(b, second, first);
    expect(pongs(b).length).toBe(2);
    b.heard.length = 0;
    const same = untouched(b);
    inject(b, second, first, first);
    expect(b.far.endpoint.stats.replayed).toBe(3);
    expect(same()).toBe(true);
  });

  it(...rfc("R7016-2.2.3-02"), "by dropping, doubling and shuffling them decrypt one by one all the same", () => {
    for (const sequence of ["require", "none"] as const) {
      const b = bench({ sequence });
      const all = pings(b, ...Array.from({ length: 40 }, (_, i) => Uint8Array.of(i)));
      expect(all.length).toBe(40);
      const kept = all.filter((_, i) => i % 3 !== 0).map((bytes, i) => ({ bytes, at: (i * 11) % 26 }));
      const shuffled = kept.sort((x, y) => x.at - y.at).map(({ bytes }) => bytes);
      for (const bytes of shuffled) inject(b, bytes, bytes);
      expect(b.far.endpoint.stats.badVerify).toBe(0);
      expect(b.far.endpoint.stats.replayed).toBe(sequence === "none" ? 0 : 26);
      expect(new Set(pongs(b)).size).toBe(26);
    }
  });
});

describe("several datagrams of a session in one turn", () => {
  it("end with the one that closes the session: those behind it are for nobody", () => {
    const b = bench();
    const [ping] = pings(b, new Uint8Array([1]));
    const close = sealWith(cipherOf(b.session), b.session.farId, { mode: 1 }, { type: ChunkType.closeAck });
    const bad = ping!.slice();
    bad[20] = bad[20]! ^ 1;
    const { endpoint, driver } = b.far;
    const before = { ...endpoint.stats };
    const batch = [bad, ping!, close, ping!, bad].map((bytes) => ({ bytes, from: b.near.address, via: 0 }));
    endpoint.handleDatagrams(driver.now(), batch);
    expect(b.farSession.state).toBe("S_CLOSED");
    expect(endpoint.stats.datagramsIn - before.datagramsIn).toBe(5);
    expect(endpoint.stats.badVerify - before.badVerify).toBe(1);
    expect(endpoint.stats.unknownSession - before.unknownSession).toBe(2);
  });
});
