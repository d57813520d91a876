/** Codec of the chunks of flows (§2.3.11 to §2.3.16). § means RFC 7016. */
import { ByteReader, type ByteWriter, vluSize } from "../bytes.ts";
import { type Option, optionListSize, readOptionList, writeOptionList } from "../option.ts";
import { type AckChunk, ChunkType, type UserDataChunk, UserDataFlag } from "./types.ts";

/** Reads the payload of (Next) User Data; check `reader.failed`. The rules of §2.3.11 on numbers are checked too. */
export function readUserData(type: UserDataChunk["type"], reader: ByteReader): UserDataChunk {
  const flags = reader.u8();
  let flowId = 0;
  let sequenceNumber = 0;
  let fsnOffset = 0;
  if (type === ChunkType.userData) {
    flowId = reader.vlu();
    sequenceNumber = reader.vlu();
    fsnOffset = reader.vlu();
    const abandoned = (flags & UserDataFlag.abandon) !== 0;
    if (sequenceNumber === 0 || fsnOffset > sequenceNumber || (fsnOffset === 0 && !abandoned)) reader.fail();
  }
  const options: readonly Option[] | undefined = flags & UserDataFlag.options ? readOptionList(reader) : undefined;
  return { type, flags, flowId, sequenceNumber, fsnOffset, options, data: reader.rest() };
}

/** Writes the payload of (Next) User Data, without the chunk header. */
export function writeUserData(writer: ByteWriter, chunk: UserDataChunk): void {
  writer.u8(chunk.flags);
  if (chunk.type === ChunkType.userData) {
    writer.vlu(chunk.flowId);
    writer.vlu(chunk.sequenceNumber);
    writer.vlu(chunk.fsnOffset);
  }
  if (chunk.options !== undefined) writeOptionList(writer, chunk.options);
  writer.put(chunk.data);
}

/** Bytes of a (Next) User Data chunk in front of its data, the 3-byte chunk header included. */
export function userDataOverhead(
  next: boolean,
  flowId: number,
  sequenceNumber: number,
  fsnOffset: number,
  options: readonly Option[] | undefined,
): number {
  const numbers = next ? 0 : vluSize(flowId) + vluSize(sequenceNumber) + vluSize(fsnOffset);
  return 4 + numbers + (options === undefined ? 0 : optionListSize(options));
}

export function readAck(type: AckChunk["type"], reader: ByteReader): AckChunk {
  return {
    type,
    flowId: reader.vlu(),
    bufferBlocks: reader.vlu(),
    cumulativeAck: reader.vlu(),
    body: reader.rest(),
  };
}

export function writeAck(writer: ByteWriter, chunk: AckChunk): void {
  writer.vlu(chunk.flowId);
  writer.vlu(chunk.bufferBlocks);
  writer.vlu(chunk.cumulativeAck);
  writer.put(chunk.body);
}

/**
 * Calls `visit(first, last)` for each run of sequence numbers acknowledged above the cumulative ack, ascending.
 * A truncated last pair of a range ack is left out (§2.3.14); numbers past 2^53 - 1 end the walk.
 */
export function forEachAckedRange(ack: AckChunk, visit: (first: number, last: number) => void): void {
  if (ack.type === ChunkType.ackRanges) {
    const reader = new ByteReader(ack.body);
    let cursor = ack.cumulativeAck;
    while (reader.remaining > 0) {
      const first = cursor + 2 + reader.vlu();
      const last = first + reader.vlu();
      if (reader.failed || last > Number.MAX_SAFE_INTEGER) return;
      visit(first, last);
      cursor = last;
    }
    return;
  }
  let runStart = -1;
  const base = ack.cumulativeAck + 2;
  const bits = ack.body.length * 8;
  for (let bit = 0; bit <= bits; bit++) {
    const set = bit < bits && ((ack.body[bit >> 3] as number) >> (bit & 7)) & 1;
    if (set && runStart < 0) runStart = bit;
    if (!set && runStart >= 0) {
      if (base + bit - 1 > Number.MAX_SAFE_INTEGER) return;
      visit(base + runStart, base + bit - 1);
      runStart = -1;
    }
  }
}
