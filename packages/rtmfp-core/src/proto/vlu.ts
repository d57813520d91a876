/** Variable Length Unsigned integers of the full 64 bits (§2.1.2). § means RFC 7016. */
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** Reads a VLU of up to 64 bits; larger values mark the reader as failed and give 0n. */
export function readVlu64(reader: ByteReader): bigint {
  let value = 0n;
  for (;;) {
    const byte = reader.u8();
    if (reader.failed) return 0n;
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (value > MAX_VLU64) {
      reader.fail();
      return 0n;
    }
    if (byte < 0x80) return value;
  }
}

/** Writes the shortest VLU encoding of `value`; throws RangeError outside 0 to 2^64 - 1. */
export function writeVlu64(writer: ByteWriter, value: bigint): void {
  if (value < 0n || value > MAX_VLU64) throw new RangeError(`expected 0 to 2^64 - 1, got ${value}`);
  const groups: number[] = [Number(value & 0x7fn)];
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) groups.unshift(Number(rest & 0x7fn) | 0x80);
  for (const group of groups) writer.u8(group);
}

const MAX_VLU64 = 0xffff_ffff_ffff_ffffn;
