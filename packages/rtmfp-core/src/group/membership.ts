/** What client and server say to each other of a group: one flow each way for each group that a client is in. */
import { ByteReader, concatBytes, equalBytes, fromHex, toHex } from "../proto/bytes.ts";
import { encodeOptions, readOption } from "../proto/option.ts";

/** What a client joins. */
export type GroupJoin = HashedJoin | ClearJoin;

/** How clients join since there is version 2 of groupspecs. */
export interface HashedJoin {
  /** The group's identity, 32 bytes; a view of the message read. */
  readonly groupId: Uint8Array;
}

/** How old clients join: the server makes the identity of it. */
export interface ClearJoin {
  /** The canonical part of the groupspec. */
  readonly groupspec: string;
}

/** Metadata of the flows of a membership, both ways: "GC". The client's is closed to leave. Owned by this module; do not modify. */
export const MEMBERSHIP_METADATA: Uint8Array = Uint8Array.of(0x47, 0x43);

/** Whether a flow is one of a membership. */
export function isMembership(metadata: Uint8Array): boolean {
  return equalBytes(metadata, MEMBERSHIP_METADATA);
}

/** The first message of a client's flow, a new array. */
export function encodeJoin(join: GroupJoin): Uint8Array {
  const option =
    "groupId" in join
      ? { type: HASHED, value: join.groupId }
      : { type: CLEAR, value: new TextEncoder().encode(join.groupspec) };
  return concatBytes(Uint8Array.of(JOIN), encodeOptions([option]));
}

/** What a client joins; undefined for a message that says nothing of the kind. The identity is a view of `message`. */
export function decodeJoin(message: Uint8Array): GroupJoin | undefined {
  const reader = new ByteReader(message);
  if (reader.u8() !== JOIN) return undefined;
  while (reader.remaining > 0) {
    const option = readOption(reader);
    if (option === undefined) return undefined;
    if (option.type === HASHED) return option.value.length === ID_BYTES ? { groupId: option.value } : undefined;
    if (option.type === CLEAR) return { groupspec: new TextDecoder().decode(option.value) };
  }
  return undefined;
}

/** The server's word of another member, whose peer ID is 64 hex digits; a new array. Throws RangeError for no hex digits. */
export function encodeMember(peerId: string): Uint8Array {
  return concatBytes(Uint8Array.of(MEMBER), fromHex(peerId));
}

/** The peer ID that the server tells of, 64 lower-case hex digits; undefined for another message. Borrows `message` for the call. */
export function decodeMember(message: Uint8Array): string | undefined {
  return message.length === 1 + ID_BYTES && message[0] === MEMBER ? toHex(message.subarray(1)) : undefined;
}

const JOIN = 0x01;
const MEMBER = 0x0b;
const HASHED = 0x15;
const CLEAR = 0x10;
const ID_BYTES = 32;
