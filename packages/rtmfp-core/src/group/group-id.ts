/** Who is in which group, and where in its ring. */
import { concatBytes, fromHex } from "../proto/bytes.ts";
import { versionOf } from "./groupspec.ts";
import { readGroupspec } from "./groupspec-text.ts";

/** SHA-256; gives 32 new bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/**
 * The part of a groupspec that is the group: everything up to its end marker. Those who know it are members; version 2 keeps
 * it from the server. @throws GroupspecError
 */
export function canonicalPart(text: string): string {
  return readGroupspec(text).canonical;
}

/**
 * The identity of a groupspec's group, 32 new bytes: the hash of the {@link canonicalPart}'s text, from version 2 on the
 * hash of that. `text` may lack the end marker and what follows it. @throws GroupspecError
 */
export function groupIdOf(text: string, sha256: Sha256): Uint8Array {
  const { canonical, identity } = readGroupspec(text);
  const once = sha256(new TextEncoder().encode(canonical));
  return versionOf(identity) >= 2 ? sha256(once) : once;
}

/**
 * Where a peer stands in the ring of every group, 32 new bytes; Flash's `convertPeerIDToGroupAddress`. `peerId` is 64 hex
 * digits; throws RangeError for anything else.
 */
export function groupAddressOf(peerId: string, sha256: Sha256): Uint8Array {
  if (peerId.length !== 64) throw new RangeError(`expected a peer ID of 64 hex digits, got "${peerId}"`);
  return sha256(concatBytes(FINGERPRINT_OPTION, fromHex(peerId)));
}

/** Length and type of the option in front of a fingerprint (RFC 7425 §4.4.2.1). */
const FINGERPRINT_OPTION = Uint8Array.of(0x21, 0x0f);
