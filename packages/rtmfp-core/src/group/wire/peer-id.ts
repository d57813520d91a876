/** Peer IDs as they stand in messages of groups: as the discriminator of RFC 7425 §4.4.2 that says a fingerprint. */
import { concatBytes, fromHex, toHex } from "../../proto/bytes.ts";

/** Bytes of a peer ID in a message: length and type of the option, then the fingerprint. */
export const RAW_PEER_ID_BYTES = 34;

/** `21 0f` and the fingerprint, a new array; `peerId` is 64 hex digits, RangeError for no hex digits. */
export function encodePeerId(peerId: string): Uint8Array {
  return concatBytes(FINGERPRINT_OPTION, fromHex(peerId));
}

/** 64 lower-case hex digits; undefined where the bytes name a peer in another way. Borrows `bytes` for the call. */
export function decodePeerId(bytes: Uint8Array): string | undefined {
  if (bytes.length !== RAW_PEER_ID_BYTES || bytes[0] !== 0x21 || bytes[1] !== 0x0f) return undefined;
  return toHex(bytes.subarray(2));
}

const FINGERPRINT_OPTION = Uint8Array.of(0x21, 0x0f);
