/** Decoding and encoding of chunks and whole packets (§2.2.4, §2.3). § means RFC 7016. */
import { ByteReader, type ByteWriter } from "../bytes.ts";
import { type PacketHeader, readPacketHeader, writePacketHeader } from "../packet.ts";
import { readAck, readUserData, writeAck, writeUserData } from "./flow.ts";
import type { StartupChunk } from "./startup.ts";
import { readStartupChunk, writeStartupChunk } from "./startup.ts";
import {
  type AckChunk,
  type BufferProbeChunk,
  type Chunk,
  ChunkType,
  type FlowExceptionChunk,
  type OpaqueChunk,
  type PingChunk,
  type UserDataChunk,
} from "./types.ts";

/** Bytes of a chunk header: type and 16-bit length. */
export const CHUNK_HEADER_BYTES = 3;

/** A whole decoded packet. `padding` is what follows the last chunk. */
export interface DecodedPacket {
  /** Flags and timestamps. */
  readonly header: PacketHeader;
  /** Chunks in order; one that is malformed stands as `undefined` (it is skipped, §2.3). */
  readonly chunks: readonly (Chunk | undefined)[];
  /** Bytes behind the last chunk, a view of the packet. */
  readonly padding: Uint8Array;
}

/**
 * Walks the chunks of a packet (§2.2.4): each call of {@link next} steps to one chunk; a header whose length runs
 * past the packet, or fewer than three bytes, starts the padding.
 */
export class ChunkWalker {
  readonly bytes: Uint8Array;
  /** Type of the current chunk. */
  type = 0;
  /** Payload bounds of the current chunk. */
  start = 0;
  end: number;

  constructor(packet: Uint8Array, firstChunk: number) {
    this.bytes = packet;
    this.end = firstChunk;
  }

  /** Steps to the next chunk; false at the padding, which begins at {@link end}. */
  next(): boolean {
    const at = this.end;
    if (this.bytes.length - at < CHUNK_HEADER_BYTES) return false;
    const length = ((this.bytes[at + 1] as number) << 8) | (this.bytes[at + 2] as number);
    if (at + CHUNK_HEADER_BYTES + length > this.bytes.length) return false;
    this.type = this.bytes[at] as number;
    this.start = at + CHUNK_HEADER_BYTES;
    this.end = this.start + length;
    return true;
  }

  /** Decodes the current chunk; undefined if it is malformed. Byte fields are views of the packet. */
  decode(): Chunk | undefined {
    const reader = new ByteReader(this.bytes, this.start, this.end);
    const chunk = readChunk(this.type, reader);
    if (reader.failed) return undefined;
    if (reader.canonical && reader.remaining === 0) return chunk;
    return { ...chunk, verbatim: this.bytes.subarray(this.start, this.end) };
  }
}

/** Decodes a decrypted packet whole; undefined if its header is truncated. The result holds views of `packet`. */
export function decodePacket(packet: Uint8Array): DecodedPacket | undefined {
  const reader = new ByteReader(packet);
  const header = readPacketHeader(reader);
  if (reader.failed) return undefined;
  const walker = new ChunkWalker(packet, reader.pos);
  const chunks: (Chunk | undefined)[] = [];
  while (walker.next()) chunks.push(walker.decode());
  return { header, chunks, padding: packet.subarray(walker.end) };
}

/** Writes header and chunks; padding is the cipher's affair. Throws RangeError if the buffer is too small. */
export function encodePacket(writer: ByteWriter, header: PacketHeader, chunks: readonly Chunk[]): void {
  writePacketHeader(writer, header);
  for (const chunk of chunks) writeChunk(writer, chunk);
}

/** Writes one chunk with its header. Throws RangeError if the payload exceeds 65535 bytes or the buffer. */
export function writeChunk(writer: ByteWriter, chunk: Chunk): void {
  const at = writer.pos;
  writer.u8(chunk.type);
  writer.u16(0);
  if (chunk.verbatim === undefined) writePayload(writer, chunk);
  else writer.put(chunk.verbatim);
  const length = writer.pos - at - CHUNK_HEADER_BYTES;
  if (length > 0xffff) throw new RangeError(`expected a chunk payload of at most 65535 bytes, got ${length}`);
  writer.bytes[at + 1] = length >>> 8;
  writer.bytes[at + 2] = length;
}

function readChunk(type: number, reader: ByteReader): Chunk {
  switch (type) {
    case ChunkType.fragment:
    case ChunkType.iHello:
    case ChunkType.forwardedIHello:
    case ChunkType.rHello:
    case ChunkType.redirect:
    case ChunkType.cookieChange:
    case ChunkType.iiKeying:
    case ChunkType.riKeying:
      return readStartupChunk(type, reader);
    case ChunkType.userData:
    case ChunkType.nextUserData:
      return readUserData(type, reader);
    case ChunkType.ackBitmap:
    case ChunkType.ackRanges:
      return readAck(type, reader);
    case ChunkType.ping:
    case ChunkType.pingReply:
      return { type, message: reader.rest() };
    case ChunkType.bufferProbe:
      return { type, flowId: reader.vlu() };
    case ChunkType.flowException:
      return { type, flowId: reader.vlu(), code: reader.vlu() };
    case ChunkType.closeRequest:
    case ChunkType.closeAck:
      return { type };
    default:
      return { type, payload: reader.rest() };
  }
}

function writePayload(writer: ByteWriter, chunk: Chunk): void {
  switch (chunk.type) {
    case ChunkType.fragment:
    case ChunkType.iHello:
    case ChunkType.forwardedIHello:
    case ChunkType.rHello:
    case ChunkType.redirect:
    case ChunkType.cookieChange:
    case ChunkType.iiKeying:
    case ChunkType.riKeying:
      writeStartupChunk(writer, chunk as StartupChunk);
      return;
    case ChunkType.userData:
    case ChunkType.nextUserData:
      writeUserData(writer, chunk as UserDataChunk);
      return;
    case ChunkType.ackBitmap:
    case ChunkType.ackRanges:
      writeAck(writer, chunk as AckChunk);
      return;
    case ChunkType.ping:
    case ChunkType.pingReply:
      writer.put((chunk as PingChunk).message);
      return;
    case ChunkType.bufferProbe:
      writer.vlu((chunk as BufferProbeChunk).flowId);
      return;
    case ChunkType.flowException:
      writer.vlu((chunk as FlowExceptionChunk).flowId);
      writer.vlu((chunk as FlowExceptionChunk).code);
      return;
    case ChunkType.closeRequest:
    case ChunkType.closeAck:
      return;
    default:
      writer.put((chunk as OpaqueChunk).payload);
  }
}
