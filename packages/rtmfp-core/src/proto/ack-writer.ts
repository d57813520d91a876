/** Builds the acknowledgement of a receiving flow (§3.6.3.4.3). § means RFC 7016. */
import { vluSize } from "./bytes.ts";
import { CHUNK_HEADER_BYTES } from "./chunk/codec.ts";
import { ChunkType } from "./chunk/types.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import type { RangeSet } from "./range-set.ts";
import type { RecvFlow } from "./recv-flow.ts";

/**
 * Writes the acknowledgement of `flow`, preceded by its exception report if it was rejected (after its completion too:
 * the report before may be lost, or never have been sent), in the shorter of the two encodings. If it does not fit: false, except when `truncate` is set, where it is cut to what fits.
 */
export function writeFlowAck(packet: PacketBuilder, flow: RecvFlow, truncate: boolean): boolean {
  const blocks = flow.windowBlocks;
  const seen = flow.seen;
  const code = flow.exceptionCode;
  const exception = code === undefined ? 0 : CHUNK_HEADER_BYTES + vluSize(flow.id) + vluSize(code);
  const head = vluSize(flow.id) + vluSize(blocks) + vluSize(seen.contiguous);
  const room = packet.room - exception - CHUNK_HEADER_BYTES - head;
  const ranges = seen.rangeCount === 0 ? 0 : rangesSize(seen, room);
  const bitmap = seen.rangeCount === 0 ? 0 : bitmapSize(seen);
  const useBitmap = bitmap < ranges;
  const body = Math.min(ranges, bitmap);
  if (room < 0 || (body > room && !truncate)) return false;

  const writer = packet.writer;
  if (code !== undefined) {
    writer.u8(ChunkType.flowException);
    writer.u16(exception - CHUNK_HEADER_BYTES);
    writer.vlu(flow.id);
    writer.vlu(code);
  }
  const at = writer.pos;
  writer.u8(useBitmap ? ChunkType.ackBitmap : ChunkType.ackRanges);
  writer.u16(0);
  writer.vlu(flow.id);
  writer.vlu(blocks);
  writer.vlu(seen.contiguous);
  if (useBitmap) writeBitmap(packet, seen, Math.min(bitmap, room));
  else writeRanges(packet, seen, writer.pos + room);
  const length = writer.pos - at - CHUNK_HEADER_BYTES;
  writer.bytes[at + 1] = length >>> 8;
  writer.bytes[at + 2] = length;
  flow.previousBlocks = blocks;
  return true;
}

/** Bytes of the range encoding; counting stops beyond `enough`. */
function rangesSize(seen: RangeSet, enough: number): number {
  let size = 0;
  let cursor = seen.contiguous;
  for (let i = 0; i < seen.rangeCount && size <= enough; i++) {
    size += vluSize(seen.first(i) - cursor - 2) + vluSize(seen.last(i) - seen.first(i));
    cursor = seen.last(i);
  }
  return size;
}

/** Bytes of the bitmap encoding. */
function bitmapSize(seen: RangeSet): number {
  const bits = seen.last(seen.rangeCount - 1) - seen.contiguous - 1;
  return Math.ceil(bits / 8);
}

function writeRanges(packet: PacketBuilder, seen: RangeSet, end: number): void {
  let cursor = seen.contiguous;
  for (let i = 0; i < seen.rangeCount; i++) {
    const holes = seen.first(i) - cursor - 2;
    const received = seen.last(i) - seen.first(i);
    if (packet.writer.pos + vluSize(holes) + vluSize(received) > end) return;
    packet.writer.vlu(holes);
    packet.writer.vlu(received);
    cursor = seen.last(i);
  }
}

function writeBitmap(packet: PacketBuilder, seen: RangeSet, bytes: number): void {
  const writer = packet.writer;
  const at = writer.pos;
  writer.bytes.fill(0, at, at + bytes);
  const base = seen.contiguous + 2;
  for (let i = 0; i < seen.rangeCount; i++) {
    for (let sn = seen.first(i); sn <= seen.last(i); sn++) {
      const bit = sn - base;
      const byte = bit >> 3;
      if (byte >= bytes) break;
      writer.bytes[at + byte] = (writer.bytes[at + byte] as number) | (1 << (bit & 7));
    }
  }
  writer.pos += bytes;
}
