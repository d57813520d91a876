/**
 * Primitives by the @noble packages: JavaScript alone, for runtimes without node:crypto and for what an OpenSSL
 * policy refuses. Slower, and its modular exponentiation makes no promise of constant time.
 */
import { cbc } from "@noble/ciphers/aes.js";
import { pow } from "@noble/curves/abstract/modular.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { fromHex } from "../proto/bytes.ts";
import { bigintFromBytes, type ModpGroup, padTo } from "./dh-groups.ts";
import { BLOCK_BYTES, type CryptoProvider, type DhKey } from "./primitives.ts";

/** The provider in which every primitive is noble's. Our own choice: RFC 7425 names algorithms alone. */
export const nobleProvider: CryptoProvider = {
  name: "noble",
  createEncryptor: (key) => {
    const own = aesKey(key);
    return {
      encrypt: (buffer, start, end) => {
        buffer.set(cbc(own, ZERO_IV, NO_PADDING).encrypt(buffer.subarray(start, end)), start);
      },
    };
  },
  createDecryptor: (key) => {
    const own = aesKey(key);
    const decrypt = (bytes: Uint8Array, length: number): Uint8Array =>
      cbc(own, ZERO_IV, NO_PADDING).decrypt(bytes.subarray(0, length));
    return {
      decrypt,
      decryptAll: (messages, lengths) => messages.map((bytes, i) => decrypt(bytes, lengths[i] as number)),
    };
  },
  sha256: (message) => sha256(message),
  createHmacKey: (key) => {
    const keyed = hmac.create(sha256, key);
    return { digest: (message) => keyed.clone().update(message).digest() };
  },
  randomBytes: (length) => randomBytes(length),
  modpKey: (group, privateKey) => modpKey(group, bigintFromBytes(privateKey)),
  x25519Key: (privateKey) => {
    const own = privateKey.slice();
    return {
      publicKey: () => x25519.getPublicKey(own),
      agree: (farPublicKey) => x25519.getSharedSecret(own, farPublicKey),
    };
  },
};

function modpKey(group: ModpGroup, exponent: bigint): DhKey {
  return {
    publicKey: () => power(group, 2n, exponent),
    agree: (farPublicKey) => power(group, bigintFromBytes(farPublicKey), exponent),
  };
}

function power(group: ModpGroup, base: bigint, exponent: bigint): Uint8Array {
  const digits = pow(base, exponent, group.prime).toString(16);
  return padTo(fromHex(digits.length % 2 === 0 ? digits : `0${digits}`), group.primeBytes.length);
}

function aesKey(key: Uint8Array): Uint8Array {
  if (key.length !== BLOCK_BYTES) throw new RangeError(`expected an AES-128 key of 16 bytes, got ${key.length}`);
  return key.slice();
}

const ZERO_IV: Uint8Array = new Uint8Array(BLOCK_BYTES);
const NO_PADDING = { disablePadding: true };
