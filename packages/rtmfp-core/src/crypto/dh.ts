/** Diffie-Hellman over any known group: key pairs, and DH_SECRET as the key derivation wants it. § means RFC 7425. */
import { isAcceptablePublicKey, modpGroup, stripLeadingZeros, X25519_BYTES, X25519_GROUP } from "./dh-groups.ts";
import { type CryptoProvider, type DhKey, equalSecrets } from "./primitives.ts";

/** A key pair of a group. */
export interface DhKeyPair {
  /** 2, 5, 14, 16 or 31. */
  readonly group: number;
  /** As sent: the length of the group's prime, or 32 bytes for group 31. Owned by this object, like the private key. */
  readonly publicKey: Uint8Array;
  /** The exponent, big-endian, or the 32 bytes of X25519. Kept as it was given. */
  readonly privateKey: Uint8Array;
}

/** A fresh key pair. `random` is the source of the private key. Throws RangeError for an unknown group. */
export function generateKeyPair(provider: CryptoProvider, group: number, random: RandomBytes): DhKeyPair {
  return keyPairOf(provider, group, random(privateKeyBytes(group)));
}

/** The key pair of a given private key. Throws RangeError for an unknown group. `privateKey` is kept, not copied. */
export function keyPairOf(provider: CryptoProvider, group: number, privateKey: Uint8Array): DhKeyPair {
  return { group, publicKey: openKey(provider, group, privateKey).publicKey(), privateKey };
}

/**
 * DH_SECRET (§4.6.2): MODP without leading zero bytes, group 31 the 32 bytes as they are. Undefined if the far key is
 * unacceptable, or the secret is one that anybody could name: 0 or 1 (MODP), all zeros (group 31). A new array; the
 * keys are borrowed. Throws RangeError for an unknown group.
 */
export function agree(
  provider: CryptoProvider,
  group: number,
  privateKey: Uint8Array,
  farPublicKey: Uint8Array,
): Uint8Array | undefined {
  if (!isAcceptablePublicKey(group, farPublicKey)) return undefined;
  return secretWith(openKey(provider, group, privateKey), group, farPublicKey);
}

/** A fresh key pair's public key and its DH_SECRET with a far key; undefined as for {@link agree}. */
export function generateAndAgree(
  provider: CryptoProvider,
  group: number,
  farPublicKey: Uint8Array,
  random: RandomBytes,
): { readonly publicKey: Uint8Array; readonly secret: Uint8Array } | undefined {
  if (!isAcceptablePublicKey(group, farPublicKey)) return undefined;
  const key = makeKey(provider, group, random(privateKeyBytes(group)));
  const secret = secretWith(key, group, farPublicKey);
  return secret && { publicKey: key.publicKey(), secret };
}

/** Gives `length` random bytes in fresh memory. */
export type RandomBytes = (length: number) => Uint8Array;

function secretWith(key: DhKey, group: number, farPublicKey: Uint8Array): Uint8Array | undefined {
  let secret: Uint8Array;
  try {
    secret = key.agree(farPublicKey);
  } catch {
    // Both providers throw on some of the keys that the checks below refuse.
    return undefined;
  }
  if (group === X25519_GROUP) return equalSecrets(secret, ZERO_SECRET) ? undefined : secret;
  const stripped = stripLeadingZeros(secret);
  return stripped.length === 0 || (stripped.length === 1 && stripped[0] === 1) ? undefined : stripped;
}

function privateKeyBytes(group: number): number {
  return modpGroup(group)?.exponentBytes ?? X25519_BYTES;
}

/** The key ready for use, prepared once for each array of bytes: an initiator's serves twice, a static one always. */
function openKey(provider: CryptoProvider, group: number, privateKey: Uint8Array): DhKey {
  const opened = OPENED.get(privateKey);
  if (opened?.provider === provider && opened.group === group) return opened.key;
  const key = makeKey(provider, group, privateKey);
  OPENED.set(privateKey, { provider, group, key });
  return key;
}

function makeKey(provider: CryptoProvider, group: number, privateKey: Uint8Array): DhKey {
  if (group === X25519_GROUP) return provider.x25519Key(privateKey);
  const modp = modpGroup(group);
  if (modp === undefined) throw new RangeError(`expected Diffie-Hellman group 2, 5, 14, 16 or 31, got ${group}`);
  return provider.modpKey(modp, privateKey);
}

const ZERO_SECRET: Uint8Array = new Uint8Array(X25519_BYTES);
/** By the bytes they were made from, and gone with them. */
const OPENED = new WeakMap<Uint8Array, { provider: CryptoProvider; group: number; key: DhKey }>();
