/**
 * Primitives WITHOUT ANY PROTECTION, for swarms too large for real ones: the protocol runs as ever, with the same bytes
 * in the same packets, but nothing is secret and keys cost nothing. SHA-256 alone is real: identities come from it.
 */
import { type CryptoProvider, type DhKey, defaultProvider, type HmacKey } from "rtmfp-core/crypto";

/** Makes the primitives. */
export function createPlainProvider(): CryptoProvider {
  const real = defaultProvider();
  return {
    name: "plain",
    createEncryptor: () => ({ encrypt: () => {} }),
    createDecryptor: () => ({
      // A simulated carrier hands over bytes that nobody else has: no copy is needed.
      decrypt: (bytes, length) => bytes.subarray(0, length),
      decryptAll: (messages, lengths) => messages.map((bytes, i) => bytes.subarray(0, lengths[i] as number)),
    }),
    sha256: (message) => real.sha256(message),
    createHmacKey: (key) => new PlainHmac(key),
    randomBytes: (length) => real.randomBytes(length),
    modpKey: (group, privateKey) => new PlainKey(group.primeBytes.length, privateKey),
    x25519Key: (privateKey) => new PlainKey(privateKey.length, privateKey),
  };
}

/** The public key is the private one, spread out; two of them agree on their sum without carry. */
class PlainKey implements DhKey {
  readonly #public: Uint8Array;

  constructor(length: number, privateKey: Uint8Array) {
    this.#public = spread(hash(privateKey, SEED), length);
    // Below every prime.
    this.#public[0] = 0;
  }

  publicKey(): Uint8Array {
    return this.#public.slice();
  }

  agree(far: Uint8Array): Uint8Array {
    return far.map((byte, i) => byte ^ (this.#public[i] as number));
  }
}

/** A checksum that depends on the key, on the length of the message, and on all of it if it is short. */
class PlainHmac implements HmacKey {
  readonly #seed: number;

  constructor(key: Uint8Array) {
    this.#seed = hash(key, SEED);
  }

  digest(message: Uint8Array): Uint8Array {
    return spread(hash(message, this.#seed), HASH_BYTES);
  }
}

/** FNV-1a, of the ends alone where there are more than {@link LONG_BYTES}: payload has nothing to tell. */
function hash(bytes: Uint8Array, seed: number): number {
  const { length } = bytes;
  let value = Math.imul(seed ^ length, PRIME);
  const head = length > LONG_BYTES ? END_BYTES : length;
  for (let i = 0; i < head; i++) value = Math.imul(value ^ (bytes[i] as number), PRIME);
  for (let i = Math.max(head, length - END_BYTES); i < length; i++)
    value = Math.imul(value ^ (bytes[i] as number), PRIME);
  return value;
}

function spread(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let word = seed | 1;
  for (let i = 0; i < length; i++) {
    // xorshift32
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    bytes[i] = word;
  }
  return bytes;
}

const SEED = 0x811c9dc5;
const PRIME = 0x01000193;
const HASH_BYTES = 32;
const LONG_BYTES = 192;
const END_BYTES = 32;
