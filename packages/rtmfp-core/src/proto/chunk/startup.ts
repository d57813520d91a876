/** Codec of the chunks of session startup (§2.3.1 to §2.3.8). § means RFC 7016. */
import { readAddress, type WireAddress, writeAddress } from "../address.ts";
import type { ByteReader, ByteWriter } from "../bytes.ts";
import {
  ChunkType,
  type CookieChangeChunk,
  type ForwardedIHelloChunk,
  type FragmentChunk,
  type IHelloChunk,
  type IIKeyingChunk,
  type RedirectChunk,
  type RHelloChunk,
  type RIKeyingChunk,
} from "./types.ts";

/** Any chunk of this file. */
export type StartupChunk =
  | FragmentChunk
  | IHelloChunk
  | ForwardedIHelloChunk
  | RHelloChunk
  | RedirectChunk
  | CookieChangeChunk
  | IIKeyingChunk
  | RIKeyingChunk;

/** Reads the payload of a startup chunk up to the reader's end; check `reader.failed`. */
export function readStartupChunk(type: StartupChunk["type"], reader: ByteReader): StartupChunk {
  switch (type) {
    case ChunkType.fragment: {
      const flags = reader.u8();
      if (flags & 0x7f) reader.canonical = false;
      const more = (flags & 0x80) !== 0;
      return { type, more, packetId: reader.vlu(), index: reader.vlu(), data: reader.rest() };
    }
    case ChunkType.iHello:
      return { type, epd: readSized(reader), tag: reader.rest() };
    case ChunkType.forwardedIHello:
      return { type, epd: readSized(reader), replyAddress: readAddress(reader), tag: reader.rest() };
    case ChunkType.rHello:
      return { type, tagEcho: readSized(reader), cookie: readSized(reader), certificate: reader.rest() };
    case ChunkType.redirect: {
      const tagEcho = readSized(reader);
      const destinations: WireAddress[] = [];
      while (reader.remaining > 0) destinations.push(readAddress(reader));
      return { type, tagEcho, destinations };
    }
    case ChunkType.cookieChange:
      return { type, oldCookie: readSized(reader), newCookie: reader.rest() };
    case ChunkType.iiKeying: {
      const start = reader.pos;
      const initiatorSessionId = reader.u32();
      const cookieEcho = readSized(reader);
      const certificate = readSized(reader);
      const skic = readSized(reader);
      const signedParameters = reader.bytes.subarray(start, reader.pos);
      return { type, initiatorSessionId, cookieEcho, certificate, skic, signature: reader.rest(), signedParameters };
    }
    case ChunkType.riKeying: {
      const start = reader.pos;
      const responderSessionId = reader.u32();
      const skrc = readSized(reader);
      const signedParameters = reader.bytes.subarray(start, reader.pos);
      return { type, responderSessionId, skrc, signature: reader.rest(), signedParameters };
    }
  }
}

/** Writes a chunk's payload, without the chunk header. */
export function writeStartupChunk(writer: ByteWriter, chunk: StartupChunk): void {
  switch (chunk.type) {
    case ChunkType.fragment:
      writer.u8(chunk.more ? 0x80 : 0);
      writer.vlu(chunk.packetId);
      writer.vlu(chunk.index);
      writer.put(chunk.data);
      return;
    case ChunkType.iHello:
      writeSized(writer, chunk.epd);
      writer.put(chunk.tag);
      return;
    case ChunkType.forwardedIHello:
      writeSized(writer, chunk.epd);
      writeAddress(writer, chunk.replyAddress);
      writer.put(chunk.tag);
      return;
    case ChunkType.rHello:
      writeSized(writer, chunk.tagEcho);
      writeSized(writer, chunk.cookie);
      writer.put(chunk.certificate);
      return;
    case ChunkType.redirect:
      writeSized(writer, chunk.tagEcho);
      for (const destination of chunk.destinations) writeAddress(writer, destination);
      return;
    case ChunkType.cookieChange:
      writeSized(writer, chunk.oldCookie);
      writer.put(chunk.newCookie);
      return;
    case ChunkType.iiKeying:
      writer.u32(chunk.initiatorSessionId);
      writeSized(writer, chunk.cookieEcho);
      writeSized(writer, chunk.certificate);
      writeSized(writer, chunk.skic);
      writer.put(chunk.signature);
      return;
    case ChunkType.riKeying:
      writer.u32(chunk.responderSessionId);
      writeSized(writer, chunk.skrc);
      writer.put(chunk.signature);
      return;
  }
}

function readSized(reader: ByteReader): Uint8Array {
  return reader.take(reader.vlu());
}

function writeSized(writer: ByteWriter, bytes: Uint8Array): void {
  writer.vlu(bytes.length);
  writer.put(bytes);
}
