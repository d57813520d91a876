/** Messages of the control flows of streams ({@link GroupFlow.multicastControl}): who has what, and who wants it. */
import { ByteReader, buildBytes, concatBytes, vluSize } from "../../proto/bytes.ts";
import { encodeMediaInfo, type MediaInfo, readMediaInfo } from "./media-info.ts";

/** One message; byte strings are views of what was read. */
export type MulticastMessage =
  /** The first of a flow: which stream it is about. */
  | { readonly type: "info"; readonly info: MediaInfo }
  /** The publisher's last fragment. */
  | { readonly type: "end"; readonly last: number }
  /** Fragments that the sender has: the newest, and bits for those before it, see {@link mapHas}. */
  | { readonly type: "map"; readonly newest: number; readonly have: Uint8Array }
  /** Push me fragments n wherever bit n mod 8 of the mask is set; instead of what was asked for before. */
  | { readonly type: "push"; readonly mask: number }
  /** Send me one fragment. */
  | { readonly type: "pull"; readonly id: number };

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

/** What `bytes` say; undefined for what is malformed or of no known type. */
export function decodeMulticast(bytes: Uint8Array): MulticastMessage | undefined {
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
