/**
 * MODP Diffie-Hellman by node:crypto, in the way that is quick on the Node at hand. Node 20: a kept DiffieHellman
 * object per group. Later ones test the prime when such an object is made, which blocks for 0.03 s (group 2) to 3 s
 * (group 16), but import keys quickly: there, KeyObjects.
 */
import { concatBytes } from "../proto/bytes.ts";
import { type ModpGroup, padTo, stripLeadingZeros } from "./dh-groups.ts";
import type { DhKey } from "./primitives.ts";

/** The type of the node:crypto module. */
export type NodeCrypto = typeof import("node:crypto");
type DiffieHellman = ReturnType<NodeCrypto["createDiffieHellman"]>;
type KeyObject = ReturnType<NodeCrypto["createSecretKey"]>;

/** Makes private keys; see `CryptoProvider.modpKey`. */
export type ModpKeys = (group: ModpGroup, privateKey: Uint8Array) => DhKey;

/** The way that suits the running Node. */
export function nodeModpKeys(crypto: NodeCrypto): ModpKeys {
  const major = Number.parseInt(process.versions.node, 10);
  return major >= FIRST_WITH_QUICK_KEY_OBJECTS ? keyObjectModpKeys(crypto) : keptModpKeys(crypto);
}

/** One DiffieHellman object per group, made on first use and kept for the life of the process. */
export function keptModpKeys(crypto: NodeCrypto): ModpKeys {
  const kept = new Map<number, DiffieHellman>();
  return (group, privateKey) => {
    let dh = kept.get(group.id);
    if (dh === undefined) {
      dh = crypto.createDiffieHellman(group.primeBytes, GENERATOR);
      kept.set(group.id, dh);
    }
    return new KeptKey(dh, group, privateKey);
  };
}

/** Keys as KeyObjects, imported from DER. */
export function keyObjectModpKeys(crypto: NodeCrypto): ModpKeys {
  return (group, privateKey) => new KeyObjectKey(crypto, group, privateKey);
}

/** Borrows the group's object: it holds a private key only within one call. */
class KeptKey implements DhKey {
  private readonly dh: DiffieHellman;
  private readonly group: ModpGroup;
  private readonly privateKey: Uint8Array;

  constructor(dh: DiffieHellman, group: ModpGroup, privateKey: Uint8Array) {
    this.dh = dh;
    this.group = group;
    this.privateKey = privateKey;
  }

  publicKey(): Uint8Array {
    this.dh.setPrivateKey(this.privateKey);
    return padTo(this.dh.generateKeys(), this.group.primeBytes.length);
  }

  agree(farPublicKey: Uint8Array): Uint8Array {
    this.dh.setPrivateKey(this.privateKey);
    return padTo(this.dh.computeSecret(farPublicKey), this.group.primeBytes.length);
  }
}

class KeyObjectKey implements DhKey {
  private readonly crypto: NodeCrypto;
  private readonly group: ModpGroup;
  private readonly algorithm: Uint8Array;
  private readonly key: KeyObject;

  constructor(crypto: NodeCrypto, group: ModpGroup, privateKey: Uint8Array) {
    this.crypto = crypto;
    this.group = group;
    this.algorithm = der(SEQUENCE, DH_KEY_AGREEMENT, der(SEQUENCE, integer(group.primeBytes), integer(GENERATOR)));
    const pkcs8 = der(SEQUENCE, integer(ZERO), this.algorithm, der(OCTET_STRING, integer(privateKey)));
    this.key = crypto.createPrivateKey({ key: pkcs8 as Buffer, format: "der", type: "pkcs8" });
  }

  publicKey(): Uint8Array {
    const spki = this.crypto.createPublicKey(this.key).export({ format: "der", type: "spki" });
    return padTo(bitStringInteger(spki), this.group.primeBytes.length);
  }

  agree(farPublicKey: Uint8Array): Uint8Array {
    const bits = der(BIT_STRING, ZERO, integer(farPublicKey));
    const spki = der(SEQUENCE, this.algorithm, bits);
    const publicKey = this.crypto.createPublicKey({ key: spki as Buffer, format: "der", type: "spki" });
    return padTo(this.crypto.diffieHellman({ privateKey: this.key, publicKey }), this.group.primeBytes.length);
  }
}

/** One DER element, its length in the shortest form. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const low = length & 0xff;
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, low] : [tag, 0x82, length >>> 8, low];
  return concatBytes(Uint8Array.from(header), ...parts);
}

/** A DER INTEGER of an unsigned big-endian number: no leading zeros but the one that keeps it positive. */
function integer(value: Uint8Array): Uint8Array {
  const stripped = stripLeadingZeros(value);
  const first = stripped[0] ?? 0;
  return stripped.length === 0 || first >= 0x80 ? der(INTEGER, ZERO, stripped) : der(INTEGER, stripped);
}

/** The INTEGER inside the BIT STRING that ends a SubjectPublicKeyInfo; its length varies with leading zeros. */
function bitStringInteger(spki: Uint8Array): Uint8Array {
  const info = element(spki, 0);
  const bits = element(spki, element(spki, info.start).end);
  const value = element(spki, bits.start + 1);
  return spki.subarray(value.start, value.end);
}

/** Where the contents of the DER element at `pos` lie. */
function element(bytes: Uint8Array, pos: number): { start: number; end: number } {
  const first = bytes[pos + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 0x100 + (bytes[pos + 2 + i] ?? 0);
  const start = pos + 2 + lengthBytes;
  return { start, end: start + length };
}

const FIRST_WITH_QUICK_KEY_OBJECTS = 22;
const GENERATOR: Uint8Array = Uint8Array.of(2);
const ZERO: Uint8Array = Uint8Array.of(0);
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
/** The object identifier 1.2.840.113549.1.3.1, PKCS #3 dhKeyAgreement. */
const DH_KEY_AGREEMENT: Uint8Array = Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01);
