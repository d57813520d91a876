/**
 * Diffie-Hellman groups by their IKEv2 numbers (§4.2): MODP 2, 5, 14 and 16, and X25519 as 31. § means RFC 7425.
 * Group 31 is ours alone until another stack adopts it.
 */
import { fromHex } from "../proto/bytes.ts";

/** A MODP group with generator 2. */
export interface ModpGroup {
  /** IKEv2 number. */
  readonly id: number;
  /** OpenSSL's name, e.g. `"modp14"`. */
  readonly name: string;
  /** The prime modulus, big-endian; its length is that of public keys on the wire. */
  readonly primeBytes: Uint8Array;
  readonly prime: bigint;
  /** The largest public key that is acceptable: p - 2^24, big-endian. */
  readonly largestKey: Uint8Array;
  /** Length of the private exponents we make: twice the group's strength or more (RFC 7919 §5.2). */
  readonly exponentBytes: number;
}

/** The MODP group with that number; undefined if it is unknown or not MODP. */
export function modpGroup(id: number): ModpGroup | undefined {
  return MODP_GROUPS.get(id);
}

/** True for the groups that this implementation can compute in. */
export function isKnownGroup(id: number): boolean {
  return id === X25519_GROUP || MODP_GROUPS.has(id);
}

/** Length of the group's public keys as we send them, in bytes; 0 for an unknown group. */
export function publicKeyBytes(id: number): number {
  return id === X25519_GROUP ? X25519_BYTES : (MODP_GROUPS.get(id)?.primeBytes.length ?? 0);
}

/**
 * True if the far end's public key may be used (§4.6.2). MODP: leading zeros are allowed and do not count; the
 * value is from 2^24 to p - 2^24 with at least 16 one-bits and 16 zero-bits. X25519: exactly 32 bytes.
 */
export function isAcceptablePublicKey(id: number, key: Uint8Array): boolean {
  if (id === X25519_GROUP) return key.length === X25519_BYTES;
  const group = MODP_GROUPS.get(id);
  if (group === undefined) return false;
  const bytes = stripLeadingZeros(key);
  if (bytes.length === 0 || bytes.length > group.primeBytes.length) return false;
  let ones = 0;
  for (const byte of bytes) ones += BIT_COUNT[byte] as number;
  const zeros = 8 * bytes.length - Math.clz32(bytes[0] as number) + 24 - ones;
  if (ones < MIN_BITS || zeros < MIN_BITS) return false;
  // With so many bits of each kind it is above 2^24.
  return !exceeds(bytes, group.largestKey);
}

/** True if `a` is the larger number; neither has leading zeros. */
function exceeds(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return a.length > b.length;
  const differs = a.findIndex((byte, i) => byte !== b[i]);
  return differs >= 0 && (a[differs] as number) > (b[differs] as number);
}

/** `bytes` without its leading zero bytes, as a view. */
export function stripLeadingZeros(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  return bytes.subarray(start);
}

/** `bytes`, stripped and then padded in front with zeros to exactly `length`; throws RangeError if it is longer. */
export function padTo(bytes: Uint8Array, length: number): Uint8Array {
  const stripped = stripLeadingZeros(bytes);
  if (stripped.length > length) throw new RangeError(`expected at most ${length} bytes, got ${stripped.length}`);
  const padded = new Uint8Array(length);
  padded.set(stripped, length - stripped.length);
  return padded;
}

/** The unsigned big-endian integer in `bytes`. */
export function bigintFromBytes(bytes: Uint8Array): bigint {
  let digits = "0x0";
  for (const byte of bytes) digits += (byte < 16 ? "0" : "") + byte.toString(16);
  return BigInt(digits);
}

function modp(id: number, name: string, exponentBytes: number, prime: string): [number, ModpGroup] {
  const primeBytes = fromHex(prime.replaceAll("\n", ""));
  const value = bigintFromBytes(primeBytes);
  const largestKey = fromHex((value - MARGIN).toString(16));
  return [id, { id, name, primeBytes, prime: value, largestKey, exponentBytes }];
}

/** X25519 (RFC 7748) under its IKEv2 number (RFC 8031). */
export const X25519_GROUP = 31;
/** Length of X25519 private keys, public keys and secrets. */
export const X25519_BYTES = 32;
/** The group whose sessions are marked as legacy: 1024 bits are within reach of a determined attacker. */
export const LEGACY_GROUP = 2;
/** The group of 4096 bits, whose jobs take a responder many times as long as those of any other. */
export const COSTLY_GROUP = 16;
/** Preference of an initiator, and order in a certificate. */
export const DEFAULT_GROUPS: readonly number[] = [31, 14, 16, 5, 2];

const MARGIN = 1n << 24n;
const MIN_BITS = 16;
const BIT_COUNT: Uint8Array = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll("0", "").length,
);
const MODP_GROUPS: ReadonlyMap<number, ModpGroup> = new Map([
  modp(
    2,
    "modp2",
    32,
    `
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b
    302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe6
    49286651ece65381ffffffffffffffff`,
  ), // 1024 bits, RFC 2409 §6.2, RFC 7296
  modp(
    5,
    "modp5",
    32,
    `
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b
    302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe6
    49286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d
    670c354e4abc9804f1746c08ca237327ffffffffffffffff`,
  ), // 1536 bits, RFC 3526 §2
  modp(
    14,
    "modp14",
    32,
    `
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b
    302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe6
    49286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d
    670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718
    3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff`,
  ), // 2048 bits, RFC 3526 §3
  modp(
    16,
    "modp16",
    40,
    `
    ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b
    302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe6
    49286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d
    670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718
    3995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7d
    b3970f85a6e1e4c7abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c
    bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d788719a10bdba5b26
    99c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6287c59474e6bc05d99b2964fa090c3a2
    233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa993b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199
    ffffffffffffffff`,
  ), // 4096 bits, RFC 3526 §5
]);
