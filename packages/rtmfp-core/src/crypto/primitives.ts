/** The primitives that the cryptography profile is built from. node.ts and noble.ts implement them; § means RFC 7425. */
import type { ModpGroup } from "./dh-groups.ts";

/**
 * A source of primitives. All of it is synchronous. Bytes that come back are fresh `Uint8Array`s owned by the
 * caller; bytes that go in are only read, except where a method says otherwise.
 */
export interface CryptoProvider {
  /** Which implementation is in use, for `--version` and stats: `"node"`, `"noble"`, or a mix by primitive. */
  readonly name: string;
  /** AES-128-CBC encryption with an all-zero IV for every message (§4.7.1). Throws RangeError unless `key` has 16 bytes. */
  createEncryptor(key: Uint8Array): CbcEncryptor;
  /** The matching decryption. */
  createDecryptor(key: Uint8Array): CbcDecryptor;
  /** SHA-256 of `message`: 32 bytes. */
  sha256(message: Uint8Array): Uint8Array;
  /** An HMAC-SHA256 key, prepared once and used for many messages. Any length, zero included. */
  createHmacKey(key: Uint8Array): HmacKey;
  /** `length` bytes from the CSPRNG. */
  randomBytes(length: number): Uint8Array;
  /** A MODP private key (unsigned, big-endian, at least 1). */
  modpKey(group: ModpGroup, privateKey: Uint8Array): DhKey;
  /** An X25519 private key of 32 bytes (RFC 7748). */
  x25519Key(privateKey: Uint8Array): DhKey;
}

/** One direction's encryption. Messages are independent of each other: each starts from an all-zero IV. */
export interface CbcEncryptor {
  /**
   * Encrypts `buffer[start, end)` in place; `end - start` is a positive multiple of 16. `buffer` stays the caller's
   * own.
   */
  encrypt(buffer: Uint8Array, start: number, end: number): void;
}

/** One direction's decryption. Messages are independent of each other. */
export interface CbcDecryptor {
  /** Decrypts `bytes[0, length)`, a positive multiple of 16, into fresh memory. `bytes` stays unchanged. */
  decrypt(bytes: Uint8Array, length: number): Uint8Array;
  /**
   * Decrypts the first `length` bytes of each of several messages: as {@link decrypt} of one after the other, but what
   * comes back, the caller's own, may lie in common memory, no more than {@link MAX_SHARED_MESSAGES}
   * and {@link MAX_SHARED_BYTES} together. `messages`
   * stay unchanged.
   */
  decryptAll(messages: readonly Uint8Array[], lengths: readonly number[]): Uint8Array[];
}

/** A prepared HMAC-SHA256 key. */
export interface HmacKey {
  /** The 32-byte HMAC-SHA256 of `message`, a new array. Borrows `message`. */
  digest(message: Uint8Array): Uint8Array;
}

/** A private Diffie-Hellman key ready for use. Both methods cost one exponentiation and may throw on bad keys. */
export interface DhKey {
  /** The public key: as long as the group's prime (MODP, zero-padded) or 32 bytes (X25519). A new array. */
  publicKey(): Uint8Array;
  /**
   * The shared secret with a far public key, padded likewise. The caller has checked the far key (§4.6.2). A new array.
   */
  agree(farPublicKey: Uint8Array): Uint8Array;
}

/**
 * Compares `length` bytes of `a` from `aStart` with those of `b` from `bStart` in time that does not depend on
 * their values. False if either is too short.
 */
export function equalRange(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  if (aStart + length > a.length || bStart + length > b.length) return false;
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= (a[aStart + i] as number) ^ (b[bStart + i] as number);
  return difference === 0;
}

/** Constant-time equality of two byte strings; their lengths are not secret. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equalRange(a, 0, b, 0, a.length);
}

/** HMAC-SHA256 with a key used once. A new array of 32 bytes. */
export function hmacSha256(provider: CryptoProvider, key: Uint8Array, message: Uint8Array): Uint8Array {
  return provider.createHmacKey(key).digest(message);
}

/** AES block size, and the unit of everything that is encrypted, in bytes. */
export const BLOCK_BYTES = 16;
/** SHA-256 output, in bytes. */
export const HASH_BYTES = 32;
/** Messages that may share the memory that they were decrypted to, and bytes of that memory. */
export const MAX_SHARED_MESSAGES = 4;
export const MAX_SHARED_BYTES = 6_144;
