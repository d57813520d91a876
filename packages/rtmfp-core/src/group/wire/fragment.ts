/** Messages of the data flows of streams ({@link GroupFlow.multicastData}): one fragment of the stream each. */
import { ByteReader, ByteWriter, vluSize } from "../../proto/bytes.ts";

/** A fragment of a stream: a message of it, or a part of one. */
export interface Fragment {
  /** A message, or its first, a middle or its last part. */
  readonly kind: "whole" | "start" | "next" | "end";
  /** Counts fragments of the stream, from 1. */
  readonly id: number;
  /** Parts of the message behind this one, 255 for 255 and more; 0 for "whole" and "end", and where a "start" does not say it. */
  readonly left: number;
  /** Type of the message (RFC 7425 §5.1.1): sound, picture, data; 0 for "next" and "end". */
  readonly type: number;
  /** Its time in ms; 0 for "next" and "end". */
  readonly timestamp: number;
  /** Of the message, without a header; a view when read. */
  readonly payload: Uint8Array;
}

/** Bytes of payload that fit a fragment: as many as live peers put in. */
export const MAX_FRAGMENT_PAYLOAD = 959;

/** Bytes of a fragment, a new array. */
export function encodeFragment(fragment: Fragment): Uint8Array {
  const { kind, id, left, type, timestamp, payload } = fragment;
  const counted = kind === "start" || kind === "next";
  const headed = kind === "start" || kind === "whole";
  const size = 1 + vluSize(id) + (counted ? 1 : 0) + (headed ? HEAD_BYTES : 0) + payload.length;
  const writer = new ByteWriter(new Uint8Array(size));
  writer.u8(TYPES[kind]);
  writer.vlu(id);
  if (counted) writer.u8(Math.min(left, MAX_LEFT));
  if (headed) {
    writer.u8(type);
    writer.u32(timestamp);
  }
  writer.put(payload);
  return writer.bytes;
}

/** What `bytes` are, which are borrowed for as long as the fragment lives; undefined for what is malformed or of no known type. */
export function decodeFragment(bytes: Uint8Array): Fragment | undefined {
  const reader = new ByteReader(bytes);
  const kind = KINDS.get(reader.u8());
  if (kind === undefined) return undefined;
  const id = reader.vlu();
  const left = (kind === "start" && !lacksCount(reader)) || kind === "next" ? reader.u8() : 0;
  const headed = kind === "start" || kind === "whole";
  const type = headed ? reader.u8() : 0;
  const timestamp = headed ? reader.u32() : 0;
  const payload = reader.rest();
  return reader.failed ? undefined : { kind, id, left, type, timestamp, payload };
}

/** The `id` of an encoded fragment; undefined where it has none. Borrows `bytes` for the call. */
export function fragmentIdOf(bytes: Uint8Array): number | undefined {
  const reader = new ByteReader(bytes, 1);
  const id = reader.vlu();
  return reader.failed ? undefined : id;
}

/** Some peers leave the count out: the type of the message comes at once, and is followed by a time rather than by a type. */
function lacksCount(reader: ByteReader): boolean {
  const { bytes, pos } = reader;
  return (bytes[pos] === AUDIO || bytes[pos] === VIDEO) && !MESSAGE_TYPES.has(bytes[pos + 1] ?? 0);
}

const TYPES = { end: 0x00, next: 0x10, whole: 0x20, start: 0x30 } as const;
const KINDS: ReadonlyMap<number, Fragment["kind"]> = new Map(
  Object.entries(TYPES).map(([kind, type]) => [type, kind as Fragment["kind"]]),
);
const AUDIO = 0x08;
const VIDEO = 0x09;
/** Types of messages that streams are made of: sound, pictures, data, commands and aggregates. */
const MESSAGE_TYPES: ReadonlySet<number> = new Set([AUDIO, VIDEO, 0x0f, 0x11, 0x12, 0x14, 0x16]);
/** Type and time. */
const HEAD_BYTES = 5;
const MAX_LEFT = 255;
