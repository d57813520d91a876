/** How members show each other that they know the groupspec, which who sees their flows may not. */
import { equalConstantTime } from "../../proto/bytes.ts";

/** HMAC-SHA256; gives 32 new bytes. */
export type Hmac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

/**
 * The proof for the receiver with that nonce, 32 new bytes: HMAC-SHA256 of the nonce under the text of `canonical`, the
 * canonical part of the groupspec. The nonce (RFC 7425 §4.6.5) is our `farNonce` when we send a proof, our `nearNonce` when
 * we check one: it ties the proof to this session and this direction.
 */
export function groupProof(canonical: string, nonce: Uint8Array, hmac: Hmac): Uint8Array {
  return hmac(new TextEncoder().encode(canonical), nonce);
}

/** Whether `proof` is the one for that nonce, in time that does not depend on where it differs. */
export function isGroupProof(proof: Uint8Array, canonical: string, nonce: Uint8Array, hmac: Hmac): boolean {
  return equalConstantTime(proof, groupProof(canonical, nonce, hmac));
}
