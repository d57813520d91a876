/** Signatures over keying parameters (§4.3.5): simple passwords. § means RFC 7425. */
import { ByteReader, concatBytes, toHex } from "../../proto/bytes.ts";
import { encodeOptions, readOption } from "../../proto/option.ts";
import { type CryptoProvider, equalSecrets, HASH_BYTES, hmacSha256 } from "../primitives.ts";

/** A password and the name it goes by (§4.3.5.1.1). */
export interface PasswordCredential {
  /** Password ID: a user name or any other selector. Kept by the profile. */
  readonly id: Uint8Array;
  /** The secret that both ends know, any bytes. Kept by the profile. */
  readonly password: Uint8Array;
}

/** One Simple Password option for each credential; without any, the single byte 0x58 ("X"), which all share. */
export function signParameters(
  provider: CryptoProvider,
  credentials: readonly PasswordCredential[],
  parameters: Uint8Array,
): Uint8Array {
  if (credentials.length === 0) return NO_SIGNATURE;
  return encodeOptions(
    credentials.map(({ id, password }) => ({
      type: SIMPLE_PASSWORD,
      value: concatBytes(hmacSha256(provider, password, parameters), id),
    })),
  );
}

/**
 * True if the signature holds at least one password of `credentials` and none of them with a wrong HMAC. Unknown
 * options and unknown password IDs are ignored; a malformed signature counts as an empty one.
 */
export function verifyPasswords(
  provider: CryptoProvider,
  credentials: readonly PasswordCredential[],
  signature: Uint8Array,
  parameters: Uint8Array,
): boolean {
  const passwords = new Map(credentials.map((credential) => [toHex(credential.id), credential.password]));
  const reader = new ByteReader(signature);
  let proven = false;
  while (reader.remaining > 0) {
    const option = readOption(reader);
    if (reader.failed) return false;
    if (option?.type !== SIMPLE_PASSWORD) continue;
    if (option.value.length < HASH_BYTES) return false;
    const password = passwords.get(toHex(option.value.subarray(HASH_BYTES)));
    if (password === undefined) continue;
    if (!equalSecrets(hmacSha256(provider, password, parameters), option.value.subarray(0, HASH_BYTES))) return false;
    proven = true;
  }
  return proven;
}

const SIMPLE_PASSWORD = 0x1d;
const NO_SIGNATURE: Uint8Array = Uint8Array.of(0x58);
