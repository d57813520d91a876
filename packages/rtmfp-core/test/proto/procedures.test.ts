/** The procedures of RFC 7016, read bit by bit as they stand there, against the decoders. § means RFC 7016. */
import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ByteReader, toHex } from "../../src/proto/bytes.ts";
import { forEachAckedRange, readAck, readUserData } from "../../src/proto/chunk/flow.ts";
import { ChunkType } from "../../src/proto/chunk/types.ts";
import { readPacketHeader } from "../../src/proto/packet.ts";

/** Thrown where a procedure runs out of bytes. */
class Ended extends Error {}

/** What the procedures read from: bits, most significant first. */
class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remainder(): number {
    return this.#bytes.length - this.#at / 8;
  }

  uint(width: number): number {
    if (this.#at + width > this.#bytes.length * 8) throw new Ended();
    let value = 0;
    for (let i = 0; i < width; i++, this.#at++)
      value = value * 2 + (((this.#bytes[this.#at >> 3] as number) >> (7 - (this.#at & 7))) & 1);
    return value;
  }

  bool(): boolean {
    return this.uint(1) === 1;
  }

  /** §2.1.2; numbers that JavaScript has not count as malformed (AMB-01). */
  vlu(): number {
    let value = 0;
    let more: boolean;
    do {
      more = this.bool();
      value = value * 128 + this.uint(7);
      if (value > Number.MAX_SAFE_INTEGER) throw new Ended();
    } while (more);
    return value;
  }

  rest(length: number = this.remainder): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint(8));
  }
}

/** What a procedure reads, or "malformed". */
function procedure<T>(bytes: Uint8Array, read: (bits: Bits) => T): T | "malformed" {
  try {
    return read(new Bits(bytes));
  } catch (error) {
    if (error instanceof Ended) return "malformed";
    throw error;
  }
}

/** §2.3.13 and §2.3.14: what is acknowledged above the cumulative number, number by number or range by range. */
function acknowledged(type: number, bits: Bits): { fields: number[]; above: readonly (number | string)[] } {
  const fields = [bits.vlu(), bits.vlu(), bits.vlu()];
  const above: number[] = [];
  if (type === ChunkType.ackBitmap) {
    let ackCursor = (fields[2] as number) + 1;
    while (bits.remainder > 0) {
      for (let bitPosition = 8; bitPosition > 0; bitPosition--) if (bits.bool()) above.push(ackCursor + bitPosition);
      ackCursor += 8;
    }
    return { fields, above: above.sort((x, y) => x - y) };
  }
  const ranges: string[] = [];
  let ackCursor = fields[2] as number;
  try {
    while (bits.remainder > 0) {
      const holesMinusOne = bits.vlu();
      const receivedMinusOne = bits.vlu();
      ackCursor++;
      const rangeFrom = ackCursor + holesMinusOne + 1;
      const rangeTo = rangeFrom + receivedMinusOne;
      ranges.push(`${rangeFrom}-${rangeTo}`);
      ackCursor = rangeTo;
    }
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  return { fields, above: ranges };
}

/** §2.3.11 and §2.1.4. */
function userData(bits: Bits): unknown {
  const optionsPresent = bits.bool();
  bits.uint(1);
  const fragmentControl = bits.uint(2);
  bits.uint(2);
  const [abandon, final] = [bits.bool(), bits.bool()];
  const numbers = [bits.vlu(), bits.vlu(), bits.vlu()];
  const options: string[] = [];
  for (let length = optionsPresent ? bits.vlu() : 0; length > 0; length = bits.vlu()) {
    if (length > bits.remainder) throw new Ended();
    const payload = new Bits(bits.rest(length));
    options.push(`${payload.vlu()} ${toHex(payload.rest())}`);
  }
  return { optionsPresent, fragmentControl, abandon, final, numbers, options, data: toHex(bits.rest()) };
}

/** Bytes that are often small numbers, and often not. */
const bytes = fc.array(fc.oneof(fc.nat(6), fc.nat(255)), { maxLength: 24 }).map((list) => Uint8Array.from(list));

describe("the procedures of the RFC, whatever its diagrams seem to say,", () => {
  it(...rfc("R7016-2-01", "R7016-2.1.2-01"), "read the same numbers as the decoder of VLUs", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const reader = new ByteReader(input);
        const value = reader.vlu();
        expect(reader.failed ? "malformed" : value).toBe(procedure(input, (bits) => bits.vlu()));
      }),
      { numRuns: 2_000 },
    );
  });

  it(...rfc("R7016-2-01", "R7016-2.2.4-02"), "read the same packet headers", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        const reader = new ByteReader(input);
        const header = readPacketHeader(reader);
        const expected = procedure(input, (bits) => {
          const [timeCritical, timeCriticalReverse] = [bits.bool(), bits.bool()];
          bits.uint(2);
          const [timestampPresent, echoPresent] = [bits.bool(), bits.bool()];
          const mode = bits.uint(2);
          const timestamp = timestampPresent ? bits.uint(16) : undefined;
          const timestampEcho = echoPresent ? bits.uint(16) : undefined;
          return { timeCritical, timeCriticalReverse, mode, timestamp, timestampEcho };
        });
        if (expected === "malformed") expect(reader.failed).toBe(true);
        else expect(header).toMatchObject(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it(...rfc("R7016-2-01", "R7016-2.3.11-01"), "read the same user data", () => {
    let wellFormed = 0;
    fc.assert(
      fc.property(bytes, (input) => {
        const reader = new ByteReader(input);
        const chunk = readUserData(ChunkType.userData, reader);
        const expected = procedure(input, userData);
        // What is well formed may still break the rules on numbers.
        if (expected === "malformed" || reader.failed) {
          const { sequenceNumber, fsnOffset, flags } = chunk;
          const breaksRules =
            sequenceNumber === 0 || fsnOffset > sequenceNumber || (fsnOffset === 0 && (flags & 2) === 0);
          expect(reader.failed && (expected === "malformed" || breaksRules)).toBe(true);
          return;
        }
        wellFormed++;
        expect({
          optionsPresent: chunk.options !== undefined,
          fragmentControl: (chunk.flags >> 4) & 3,
          abandon: (chunk.flags & 2) !== 0,
          final: (chunk.flags & 1) !== 0,
          numbers: [chunk.flowId, chunk.sequenceNumber, chunk.fsnOffset],
          options: (chunk.options ?? []).map(({ type, value }) => `${type} ${toHex(value)}`),
          data: toHex(chunk.data),
        }).toEqual(expected);
      }),
      { numRuns: 5_000 },
    );
    expect(wellFormed).toBeGreaterThan(200);
  });

  for (const type of [ChunkType.ackBitmap, ChunkType.ackRanges] as const) {
    it(
      ...rfc("R7016-2-01", "R7016-2.3.13-01", "R7016-2.3.14-01"),
      `acknowledge the same numbers, by ${type === ChunkType.ackBitmap ? "bitmap" : "ranges"}`,
      () => {
        fc.assert(
          fc.property(
            fc.array(fc.oneof(fc.nat(127), fc.nat(127), fc.constant(0x81), fc.nat(127)), { maxLength: 16 }),
            (list) => {
              const input = Uint8Array.from(list);
              const reader = new ByteReader(input);
              const chunk = readAck(type, reader);
              const expected = procedure(input, (bits) => acknowledged(type, bits));
              expect(reader.failed).toBe(expected === "malformed");
              if (expected === "malformed") return;
              const above: (number | string)[] = [];
              forEachAckedRange(chunk, (first, last) => {
                if (type === ChunkType.ackRanges) above.push(`${first}-${last}`);
                else for (let sn = first; sn <= last; sn++) above.push(sn);
              });
              expect([chunk.flowId, chunk.bufferBlocks, chunk.cumulativeAck]).toEqual(expected.fields);
              expect(above).toEqual(expected.above);
            },
          ),
          { numRuns: 3_000 },
        );
      },
    );
  }
});
