import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ByteReader, ByteWriter, buildBytes, concatBytes, fromHex, toHex } from "../../src/proto/bytes.ts";
import { decodePacket, encodePacket } from "../../src/proto/chunk/codec.ts";
import {
  Mode,
  type PacketHeader,
  readPacketHeader,
  SESSION_ID_BYTES,
  STARTUP_HEADER,
  scrambleSessionId,
  unscrambleSessionId,
  writePacketHeader,
} from "../../src/proto/packet.ts";

const header: fc.Arbitrary<PacketHeader> = fc.record({
  mode: fc.nat(3),
  timeCritical: fc.boolean(),
  timeCriticalReverse: fc.boolean(),
  timestamp: fc.option(fc.nat(0xffff), { nil: undefined }),
  timestampEcho: fc.option(fc.nat(0xffff), { nil: undefined }),
  reserved: fc.constantFrom(0, 0x10, 0x20, 0x30),
});

function encode(fields: Partial<PacketHeader>): string {
  return toHex(buildBytes(5, (writer) => writePacketHeader(writer, { ...STARTUP_HEADER, ...fields })));
}

describe("session id", () => {
  const vectors: readonly [sealed: string, scrambled: string][] = [
    ["aabbcc", "abb9cf04"],
    ["112233445566", "45463040"],
    ["1122334455667788", "454647c8"],
  ];
  it(
    ...rfc("R7016-2.2.2-01", "R7016-2.2.2-02", "R7016-2.2.2-03", "V2-86", "V2-87", "V2-88"),
    "is scrambled by the sealed bytes, few or many",
    () => {
      for (const [sealed, scrambled] of vectors) {
        // What stands behind the packet in a reused buffer must not matter.
        const datagram = concatBytes(new Uint8Array(SESSION_ID_BYTES), fromHex(sealed), fromHex("deadbeefdeadbeef"));
        const end = SESSION_ID_BYTES + sealed.length / 2;
        scrambleSessionId(datagram, end, 0x01020304);
        expect(toHex(datagram)).toBe(`${scrambled}${sealed}deadbeefdeadbeef`);
        expect(unscrambleSessionId(datagram.slice(0, end))).toBe(0x01020304);
      }
    },
  );

  it(...rfc("R7016-2.2.2-02"), "comes back from any datagram, as a signed number", () => {
    fc.assert(
      fc.property(fc.integer(), fc.uint8Array({ maxLength: 40 }), (sessionId, sealed) => {
        const datagram = concatBytes(new Uint8Array(SESSION_ID_BYTES), sealed);
        scrambleSessionId(datagram, datagram.length, sessionId);
        expect(unscrambleSessionId(datagram)).toBe(sessionId);
        expect(datagram.subarray(SESSION_ID_BYTES)).toEqual(sealed);
      }),
    );
  });
});

describe("packet header", () => {
  it(...rfc("R7016-2.2.4-01", "R7016-2.2.4-02", "R7016-2.2.4-03"), "puts each flag at its bit", () => {
    expect(encode({})).toBe("03");
    expect(encode({ mode: Mode.initiator, timestamp: 0x1234, timestampEcho: 0xabcd })).toBe("0d1234abcd");
    expect(encode({ mode: Mode.initiator, timestamp: 0x1234 })).toBe("091234");
    expect(encode({ mode: Mode.responder, timestampEcho: 0xabcd })).toBe("06abcd");
    expect(encode({ mode: Mode.responder, timeCritical: true })).toBe("82");
    expect(encode({ mode: Mode.responder, timeCriticalReverse: true })).toBe("42");
    expect(Mode).toEqual({ initiator: 1, responder: 2, startup: 3 });
  });

  it(...rfc("R7016-2-04", "R7016-2.2.4-02"), "reads the same with reserved bits set, and keeps them", () => {
    const reader = new ByteReader(fromHex("fd1234abcd"));
    expect(readPacketHeader(reader)).toEqual({
      mode: Mode.initiator,
      timeCritical: true,
      timeCriticalReverse: true,
      timestamp: 0x1234,
      timestampEcho: 0xabcd,
      reserved: 0x30,
    });
    expect(reader.remaining).toBe(0);
  });

  it(...rfc("R7016-2-02", "R7016-2.2.4-01"), "comes back from any fields", () => {
    fc.assert(
      fc.property(header, (fields) => {
        const bytes = fromHex(encode(fields));
        expect(readPacketHeader(new ByteReader(bytes))).toEqual(fields);
        for (let end = 0; end < bytes.length; end++) expect(decodePacket(bytes.subarray(0, end))).toBeUndefined();
      }),
    );
  });
});

describe("packet padding", () => {
  const PING = "010003aabbcc";

  /** Types of the chunks in a packet of mode 1, and the padding behind them. */
  function walk(hex: string): [types: (number | undefined)[], padding: string] | undefined {
    const packet = decodePacket(fromHex(`01${hex}`));
    return packet && [packet.chunks.map((chunk) => chunk?.type), toHex(packet.padding)];
  }

  it(...rfc("R7016-2.2.4-08"), "starts at a chunk whose length runs past the packet", () => {
    expect(walk(`${PING}ffffffff`)).toEqual([[0x01], "ffffffff"]);
    expect(walk(`${PING}${"ff".repeat(15)}`)).toEqual([[0x01], "ff".repeat(15)]);
    expect(walk(`${PING}410002aa`)).toEqual([[0x01], "410002aa"]);
    expect(walk(`${PING}0c0000`)).toEqual([[0x01, 0x0c], ""]);
    expect(walk("ffffff")).toEqual([[], "ffffff"]);
  });

  it(...rfc("R7016-2.2.4-09"), "is what one or two leftover bytes are", () => {
    for (const rest of ["", "00", "0c", "ff", "0000", "0c00", "ffff"])
      expect(walk(PING + rest)).toEqual([[0x01], rest]);
  });

  it(...rfc("R7016-2-05"), "never reads past the packet, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const packet = decodePacket(bytes);
        if (packet === undefined) {
          expect(bytes.length).toBeLessThanOrEqual(4);
          return;
        }
        expect(packet.padding.byteOffset + packet.padding.length).toBe(bytes.byteOffset + bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  it("is not written by the encoder, which says when the buffer is too small", () => {
    const ping = { type: 0x01, message: fromHex("aabbcc") } as const;
    const bytes = buildBytes(100, (writer) => encodePacket(writer, { ...STARTUP_HEADER, mode: 1 }, [ping]));
    expect(toHex(bytes)).toBe(`01${PING}`);
    for (let size = 0; size < 7; size++) {
      const writer = new ByteWriter(new Uint8Array(size));
      expect(() => encodePacket(writer, { ...STARTUP_HEADER, mode: 1 }, [ping]), `${size}`).toThrow(RangeError);
    }
  });
});
