import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { concatBytes, fromHex, toHex } from "../../src/proto/bytes.ts";
import { type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import { SESSION_ID_BYTES, scrambleSessionId } from "../../src/proto/packet.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { openScripted, Scripted } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
}

function bench(): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { keepaliveMs: 0, tailLossProbe: false });
  return { world, node, far: new Scripted(world.host("far", { link }), "far", node.address) };
}

/** What a packet of these bytes brings back, delayed acknowledgements included, beside what is sent again. */
function answerTo(b: Bench, sessionId: number, hex: string): readonly Chunk[] {
  const datagram = concatBytes(new Uint8Array(SESSION_ID_BYTES), fromHex(hex));
  scrambleSessionId(datagram, datagram.length, sessionId | 0);
  b.far.take();
  b.far.carrier.send(datagram, 0, b.far.peer);
  b.world.run(300);
  const again: number[] = [ChunkType.userData, ChunkType.iHello];
  return b.far.take().flatMap(({ chunks }) => chunks.filter(({ type }) => !again.includes(type)));
}

const PING = "01 0001 78";
/** For an endpoint named "near". */
const HELLO = `30 000d 04 ${toHex(nameOf("near"))} ${toHex(nameOf("tag-0123"))}`;
const IGNORED = ["ec 0002 abcd", "4d 0000", "55 0001 ff", "00 0000", "00 0003 000102", "ff 0000", "ff 0004 01000178"];

describe("a chunk that means nothing", () => {
  it(...rfc("R7016-2.3-03", "R7016-2.3-04"), "is stepped over in a session: those around it are handled", () => {
    const b = bench();
    const session = openScripted(b.world, b.node, b.far);
    const events = b.node.events.length;
    for (const hex of IGNORED) {
      expect(answerTo(b, b.far.farId, `02 ${hex}`)).toEqual([]);
      expect(answerTo(b, b.far.farId, `02 ${hex} ${PING} ${hex}`)).toEqual([
        { type: ChunkType.pingReply, message: nameOf("x") },
      ]);
    }
    expect(answerTo(b, b.far.farId, `02 ${PING} ${IGNORED.join(" ")} ${PING}`).length).toBe(2);
    expect([session.state, b.node.events.length]).toEqual(["S_OPEN", events]);
  });

  it(...rfc("R7016-2.3-03", "R7016-2.3-04"), "is stepped over in startup: the hello behind it is answered", () => {
    const b = bench();
    for (const hex of IGNORED) {
      expect(answerTo(b, 0, `03 ${hex}`)).toEqual([]);
      expect(answerTo(b, 0, `03 ${hex} ${HELLO} ${hex}`)).toMatchObject([{ type: ChunkType.rHello }]);
    }
  });
});

describe("a chunk that is malformed", () => {
  it(
    ...rfc("R7016-2-06", "R7016-2.3-06"),
    "does nothing in a session, whatever of it can be read, and those behind it are handled",
    () => {
      const b = bench();
      const session = openScripted(b.world, b.node, b.far);
      session.introductions = "rhello";
      const flow = session.openFlow(nameOf("m"));
      flow.write(nameOf("x"));
      b.node.driver.wake();
      b.world.run(1);
      expect(answerTo(b, b.far.farId, "02 10 000a 80 00 01 01 02006d 00 6162")).toMatchObject([{ flowId: 0 }]);
      const { stats } = b.node.endpoint;
      const malformed = (): number => stats.malformed + session.receives.stats.malformed;
      const bad = [
        // User Data: an option that runs past the chunk, a list without a Marker, a number cut off.
        "10 0008 80 07 01 01 7f006d 00",
        "10 0007 80 07 01 01 02006d",
        "10 0003 00 07 81",
        // Next User Data of nothing, acknowledgements without all their numbers.
        "11 0002 00 61",
        "51 0002 02 08",
        "50 0003 02 08 81",
        "51 0002 02 81",
        // A forwarded hello whose address is cut off, or whose discriminator runs past the chunk.
        `0f 000a 04 ${toHex(nameOf("near"))} 02c0000264`,
        `0f 000d 40 ${toHex(nameOf("near"))} 02c0000264c350 aa`,
      ];
      for (const hex of bad) {
        const before = malformed();
        expect(answerTo(b, b.far.farId, `02 ${hex} ${PING}`), hex).toMatchObject([{ type: ChunkType.pingReply }]);
        expect(malformed() - before, hex).toBe(1);
      }
      // These two have no counter: an exception without its code, and a probe for half a number, or none.
      for (const hex of ["5e 0001 02", "5e 0002 02 81", "18 0001 81", "18 0000"]) {
        expect(answerTo(b, b.far.farId, `02 ${hex} ${PING}`), hex).toMatchObject([{ type: ChunkType.pingReply }]);
      }
      expect([...session.receives.flows].map(({ id }) => id)).toEqual([0]);
      expect([flow.exceptionCode, flow.windowBytes, session.state]).toEqual([undefined, 65_536, "S_OPEN"]);
      expect(flow.outstandingBytes + flow.bufferedBytes).toBeGreaterThan(0);
    },
  );

  it(...rfc("R7016-2-06", "R7016-2.3-06"), "does nothing in startup, and the hello behind it is answered", () => {
    const b = bench();
    const session = b.node.endpoint.open(b.node.driver.now(), b.far.name, {
      candidates: [{ address: b.far.address, via: 0 }],
    });
    b.world.run(1);
    const tag = toHex(b.far.takeChunks(ChunkType.iHello)[0]?.tag as Uint8Array);
    const bad = [
      // A discriminator, a cookie and an echo that run past the chunk; a redirect whose second address is cut off.
      `30 000d 14 ${toHex(nameOf("near"))} ${toHex(nameOf("tag-0123"))}`,
      `70 0015 10 ${tag} 40 ${toHex(nameOf("far"))}`,
      `71 0011 11 ${tag}`,
      `71 001d 10 ${tag} 02c0000264c350 02c0000264`,
      "38 0003 010203",
      "7f 0003 00 05 81",
    ];
    for (const hex of bad) {
      const before = b.node.endpoint.stats.malformed;
      expect(answerTo(b, 0, `03 ${hex} ${HELLO}`), hex).toMatchObject([{ type: ChunkType.rHello }]);
      expect(b.node.endpoint.stats.malformed - before, hex).toBe(1);
    }
    expect(session.state).toBe("S_IHELLO_SENT");
    expect(b.node.endpoint.load).toMatchObject({ sessions: 1, reassemblies: 0 });
  });
});
