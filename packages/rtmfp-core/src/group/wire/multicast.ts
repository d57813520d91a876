/** Messages of the control flows of streams ({@link GroupFlow.multicastControl}): who has what, and who wants it. */
import { ByteReader, buildBytes, concatBytes, vluSize } from "../../proto/bytes.ts";
import { MAX_CONTROL_BYTES } from "./control.ts";
import { encodeMediaInfo, type MediaInfo, readMediaInfo } from "./media-info.ts";

/** One message. */
export type MulticastMessage = InfoMessage | EndMessage | MapMessage | PushMessage | PullMessage;

/** The first of a flow: which stream it is about. */
export interface InfoMessage {
  readonly type: "info";
  /** What it says of the stream. */
  readonly info: MediaInfo;
}

/** The publisher has ended the stream. */
export interface EndMessage {
  readonly type: "end";
  /** Its last fragment. */
  readonly last: number;
}

/** Fragments that the sender has, see {@link mapHas}. */
export interface MapMessage {
  readonly type: "map";
  /** The newest of them. */
  readonly newest: number;
  /** A bit for each of those before it, from the lowest bit of the first byte on; a view when read. */
  readonly have: Uint8Array;
}

/** Push me fragments from now on, instead of those that were asked for before. */
export interface PushMessage {
  readonly type: "push";
  /** Bit b, of 8, asks for the fragments whose numbers are b modulo 8. */
  readonly mask: number;
}

/** Send me one fragment. */
export interface PullMessage {
  readonly type: "pull";
  /** Which. */
  readonly id: number;
}

/** Bytes of a message, a new array; a mask has 8 bits. Throws RangeError for a stream key that has not 32 bytes. */
export function encodeMulticast(message: MulticastMessage): Uint8Array {
  switch (message.type) {
    case "info":
      return concatBytes(Uint8Array.of(INFO), encodeMediaInfo(message.info));
    case "end":
      return numbered(INFO, message.last);
    case "map":
      return concatBytes(numbered(MAP, message.newest), message.have);
    case "push":
      return Uint8Array.of(PUSH, message.mask);
    case "pull":
      return numbered(PULL, message.id);
  }
}

/** What `bytes` say, which are borrowed for as long as the message lives; undefined for what is malformed or of no known type. */
export function decodeMulticast(bytes: Uint8Array): MulticastMessage | undefined {
  if (bytes.length > MAX_CONTROL_BYTES) return undefined;
  const reader = new ByteReader(bytes);
  const message = readMulticast(reader);
  return reader.failed ? undefined : message;
}

/** Whether a map (the two fields of its message) has that fragment. */
export function mapHas(newest: number, have: Uint8Array, id: number): boolean {
  const before = newest - 1 - id;
  if (before < 0) return id === newest;
  const byte = have[Math.floor(before / 8)];
  return byte !== undefined && (byte & (1 << (before % 8))) !== 0;
}

function readMulticast(reader: ByteReader): MulticastMessage | undefined {
  switch (reader.u8()) {
    case INFO: {
      if (reader.remaining < MIN_INFO_BYTES) return { type: "end", last: reader.vlu() };
      const info = readMediaInfo(reader);
      return info && { type: "info", info };
    }
    case MAP:
      return { type: "map", newest: reader.vlu(), have: reader.rest() };
    case PUSH:
      return { type: "push", mask: reader.u8() };
    case PULL:
      return { type: "pull", id: reader.vlu() };
    default:
      return undefined;
  }
}

function numbered(type: number, id: number): Uint8Array {
  return buildBytes(1 + vluSize(id), (writer) => {
    writer.u8(type);
    writer.vlu(id);
  });
}

const INFO = 0x21;
const MAP = 0x22;
const PUSH = 0x23;
const PULL = 0x2b;
/** The two messages of type {@link INFO} differ in length alone: an announcement has a name and a key. */
const MIN_INFO_BYTES = 0x24;
