/**
 * Tokens that let a client into an application, as rtmfp-cpp's tcserver defines them: whoever has a server's key makes
 * them, and nobody need send one in the clear.
 */
import { fromHex, toHex } from "../proto/bytes.ts";
import { type CryptoProvider, hmacSha256 } from "./primitives.ts";

/**
 * The token of an application, or of one of its users: HMAC-SHA256 by the server's key of `app`, or of `user@app`. 64
 * lower-case hex digits, to be bound to a session (RFC 7425 §4.6.5) by {@link boundToken}. `app` is the whole path, such as
 * `live/12345`; `user` is by default none.
 */
export function authToken(provider: CryptoProvider, key: Uint8Array, app: string, user?: string): string {
  return toHex(hmacSha256(provider, key, UTF8.encode(user === undefined ? app : `${user}@${app}`)));
}

/**
 * What shows that its sender knows a token, without giving it away: HMAC-SHA256 of the token's text by a nonce of the
 * session (RFC 7425 §4.6.5), the receiver's near nonce. 64 lower-case hex digits.
 */
export function boundToken(provider: CryptoProvider, nonce: Uint8Array, token: string): string {
  return toHex(hmacSha256(provider, nonce, UTF8.encode(token)));
}

/**
 * The key in a text of the form `hex:` and hex digits, or else the text's own UTF-8; for tokens bound to sessions (RFC 7425
 * §4.6.5). A new array. Never throws.
 */
export function authKey(text: string): Uint8Array {
  const digits = /^hex:((?:[0-9a-fA-F]{2})+)$/.exec(text)?.[1];
  return digits === undefined ? UTF8.encode(text) : fromHex(digits);
}

const UTF8 = new TextEncoder();
