import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ByteWriter, concatBytes, fromHex, toHex } from "../../src/proto/bytes.ts";
import { CHUNK_HEADER_BYTES, decodePacket, writeChunk } from "../../src/proto/chunk/codec.ts";
import { type AckChunk, type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import { arbitraries, decode, encode, KNOWN, ranges, withPayload } from "./chunk-support.ts";

describe("any chunk", () => {
  for (const [name, arbitrary] of Object.entries(arbitraries)) {
    it(...rfc("R7016-2.3-01", "R7016-2-02"), `${name} comes back unchanged, and re-encodes to the same bytes`, () => {
      fc.assert(
        fc.property(arbitrary, (chunk) => {
          const bytes = encode(chunk);
          expect(bytes.length - CHUNK_HEADER_BYTES).toBe(((bytes[1] as number) << 8) | (bytes[2] as number));
          const decoded = decode(bytes);
          expect(decoded).toMatchObject(chunk);
          expect(encode(decoded as Chunk)).toEqual(bytes);
        }),
      );
    });

    it(...rfc("R7016-2-05"), `${name} cut at any byte is refused or read, without an exception`, () => {
      fc.assert(
        fc.property(arbitrary, (chunk) => {
          const bytes = encode(chunk);
          const payload = bytes.subarray(CHUNK_HEADER_BYTES);
          for (let length = 0; length < payload.length; length++) {
            const cut = decode(withPayload(chunk.type, payload.subarray(0, length)));
            if (cut !== undefined) encode(cut);
            // Cut as a packet, it is padding: its length runs past the end.
            expect(
              decodePacket(concatBytes(Uint8Array.of(1), bytes.subarray(0, CHUNK_HEADER_BYTES + length)))?.chunks,
            ).toEqual([]);
          }
        }),
        { numRuns: 30 },
      );
    });
  }

  it(...rfc("R7016-2-05"), "of random payload is refused or read, without an exception", () => {
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN), fc.uint8Array({ maxLength: 80 }), (type, payload) => {
        const chunk = decode(withPayload(type, payload));
        if (chunk === undefined) return;
        encode(chunk);
        if (chunk.type === ChunkType.ackBitmap || chunk.type === ChunkType.ackRanges) {
          let cursor = (chunk as AckChunk).cumulativeAck;
          for (const [first, last] of ranges(chunk as AckChunk) as [number, number][]) {
            expect(first).toBeGreaterThan(cursor);
            expect(last).toBeGreaterThanOrEqual(first);
            expect(last).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
            cursor = last;
          }
        }
      }),
      { numRuns: 5000 },
    );
  });

  it(...rfc("R7016-2.3-02", "R7016-4-01"), "has the type code of the RFC", () => {
    const table =
      "7f fragment, 30 iHello, 0f forwardedIHello, 70 rHello, 71 redirect, 79 cookieChange, 38 iiKeying, 78 riKeying, " +
      "01 ping, 41 pingReply, 10 userData, 11 nextUserData, 50 ackBitmap, 51 ackRanges, 18 bufferProbe, " +
      "5e flowException, 0c closeRequest, 4c closeAck, 00 padding0, ff padding255";
    const codes = Object.entries(ChunkType).map(([name, code]) => `${toHex(Uint8Array.of(code))} ${name}`);
    expect(codes.sort()).toEqual(table.split(", ").sort());
  });

  it(
    ...rfc("R7016-2.3-03", "R7016-2.3-04"),
    "of unknown type or of padding is kept and stepped over, as 0xec, 0x4d and 0x55 are",
    () => {
      const packet = decodePacket(fromHex("01 ec0002abcd 4d0000 550001ff 000003000102 ff0001aa 010001bb"));
      expect(packet?.chunks.map((chunk) => chunk?.type)).toEqual([0xec, 0x4d, 0x55, 0x00, 0xff, 0x01]);
      expect(packet?.chunks[0]).toEqual({ type: 0xec, payload: fromHex("abcd") });
      expect(packet?.chunks[5]).toEqual({ type: ChunkType.ping, message: fromHex("bb") });
    },
  );

  it(...rfc("R7016-2-06", "R7016-2.3-06", "AMB-03"), "that is malformed is skipped, and the next one read", () => {
    // User Data whose option runs past the chunk, a cut address, a cookie longer than its chunk, then a Ping.
    const packet = decodePacket(fromHex("01 100005 80 02 01 01 7f 710004 00 020a0b 790002 7faa 010001bb"));
    expect(packet?.chunks.map((chunk) => chunk?.type)).toEqual([undefined, undefined, undefined, 0x01]);
    expect(packet?.padding).toHaveLength(0);
  });

  it(...rfc("R7016-2.3-01"), "of more than 65535 bytes, or larger than the buffer, is not written", () => {
    const ping = (length: number): Chunk => ({ type: ChunkType.ping, message: new Uint8Array(length) });
    for (const length of [0, 255, 256, 300, 65_535]) {
      const bytes = encode(ping(length));
      expect(toHex(bytes.subarray(0, CHUNK_HEADER_BYTES))).toBe(`01${length.toString(16).padStart(4, "0")}`);
      expect(bytes).toHaveLength(CHUNK_HEADER_BYTES + length);
    }
    expect(() => encode(ping(65_536))).toThrow("expected a chunk payload of at most 65535 bytes, got 65536");
    expect(() => writeChunk(new ByteWriter(new Uint8Array(10)), ping(8))).toThrow(RangeError);
  });
});
