/** Primitives by node:crypto. The only file here that knows it, and it loads without it. § means RFC 7425. */
import type { KeyObject } from "node:crypto";
import { discard } from "./discard.ts";
import { type NodeCrypto, nodeModpKeys } from "./node-modp.ts";
import {
  BLOCK_BYTES,
  type CbcDecryptor,
  type CbcEncryptor,
  type CryptoProvider,
  type DhKey,
  HASH_BYTES,
  type HmacKey,
  MAX_SHARED_BYTES,
  MAX_SHARED_MESSAGES,
} from "./primitives.ts";

/** node:crypto, or undefined on a runtime without it. */
export function loadNodeCrypto(): NodeCrypto | undefined {
  return globalThis.process?.getBuiltinModule?.("node:crypto");
}

/** A provider in which every primitive is node:crypto's. Primitives that OpenSSL refuses throw when used. */
export function createNodeProvider(crypto: NodeCrypto): CryptoProvider {
  return {
    name: "node",
    createEncryptor: (key) => new NodeEncryptor(crypto, key),
    createDecryptor: (key) => new NodeDecryptor(crypto, key),
    // Text is the quickest way out of a hash, and leaves no memory outside the heap behind.
    sha256: (message) => fromBinary(crypto.hash("sha256", message, "binary")),
    createHmacKey: (key) => new NodeHmacKey(crypto, key),
    randomBytes: randomSource(crypto),
    modpKey: nodeModpKeys(crypto),
    x25519Key: (privateKey) => new NodeX25519Key(crypto, privateKey),
  };
}

/**
 * One cipher object for the whole session, although every packet starts from a zero IV. CBC adds the previous
 * ciphertext block to the first plaintext block; adding it once more beforehand cancels it. A new cipher object
 * per packet costs twice the time and leaves garbage with finalisers.
 */
class NodeEncryptor implements CbcEncryptor {
  private readonly cipher: ReturnType<NodeCrypto["createCipheriv"]>;
  private readonly previous = new Uint8Array(BLOCK_BYTES);

  constructor(crypto: NodeCrypto, key: Uint8Array) {
    this.cipher = crypto.createCipheriv("aes-128-cbc", aesKey(crypto, key), ZERO_IV).setAutoPadding(false);
  }

  encrypt(buffer: Uint8Array, start: number, end: number): void {
    checkBlocks(end - start);
    const previous = this.previous;
    for (let i = 0; i < BLOCK_BYTES; i++) buffer[start + i] = (buffer[start + i] as number) ^ (previous[i] as number);
    const out = this.cipher.update(buffer.subarray(start, end));
    buffer.set(out, start);
    discard(out);
    for (let i = 0; i < BLOCK_BYTES; i++) previous[i] = buffer[end - BLOCK_BYTES + i] as number;
  }
}

/** Decryption with the previous ciphertext block cancelled behind the cipher; what was forged or lost leaves no trace. */
class NodeDecryptor implements CbcDecryptor {
  private readonly decipher: ReturnType<NodeCrypto["createDecipheriv"]>;
  private readonly previous = new Uint8Array(BLOCK_BYTES);

  constructor(crypto: NodeCrypto, key: Uint8Array) {
    this.decipher = crypto.createDecipheriv("aes-128-cbc", aesKey(crypto, key), ZERO_IV).setAutoPadding(false);
  }

  decrypt(bytes: Uint8Array, length: number): Uint8Array {
    checkBlocks(length);
    const previous = this.previous;
    const out = this.decipher.update(length === bytes.length ? bytes : bytes.subarray(0, length));
    for (let i = 0; i < BLOCK_BYTES; i++) {
      out[i] = (out[i] as number) ^ (previous[i] as number);
      previous[i] = bytes[length - BLOCK_BYTES + i] as number;
    }
    return out;
  }

  /** Several messages as one: a call costs more than the decryption of a small packet, and so does its memory. */
  decryptAll(messages: readonly Uint8Array[], lengths: readonly number[]): Uint8Array[] {
    const opened: Uint8Array[] = [];
    for (let first = 0; first < messages.length; ) {
      let end = first;
      let length = 0;
      while (end < messages.length && end - first < MAX_SHARED_MESSAGES) {
        if (length + (lengths[end] as number) > SEALED.length) break;
        length += lengths[end++] as number;
      }
      if (end - first > 1) this.decryptRun(messages, lengths, first, end, length, opened);
      else {
        end = first + 1;
        opened.push(this.decrypt(messages[first] as Uint8Array, lengths[first] as number));
      }
      first = end;
    }
    return opened;
  }

  /** Decrypts the messages `first` to `end`, which have `length` bytes together, in one call. */
  private decryptRun(
    messages: readonly Uint8Array[],
    lengths: readonly number[],
    first: number,
    end: number,
    length: number,
    opened: Uint8Array[],
  ): void {
    let at = 0;
    for (let i = first; i < end; i++) {
      const size = lengths[i] as number;
      checkBlocks(size);
      const bytes = messages[i] as Uint8Array;
      SEALED.set(size === bytes.length ? bytes : bytes.subarray(0, size), at);
      at += size;
    }
    const out = this.decipher.update(SEALED.subarray(0, length));
    const previous = this.previous;
    at = 0;
    for (let i = first; i < end; i++) {
      const size = lengths[i] as number;
      for (let k = 0; k < BLOCK_BYTES; k++) {
        out[at + k] = (out[at + k] as number) ^ (previous[k] as number);
        previous[k] = SEALED[at + size - BLOCK_BYTES + k] as number;
      }
      opened.push(new Uint8Array(out.buffer, out.byteOffset + at, size));
      at += size;
    }
  }
}

/**
 * HMAC by two plain hashes (RFC 2104): an Hmac object for every packet costs twice the time and leaves garbage with
 * finalisers.
 */
class NodeHmacKey implements HmacKey {
  private readonly hash: NodeCrypto["hash"];
  /** The key in both paddings, a block each. */
  private readonly pads: Uint8Array;

  constructor(crypto: NodeCrypto, key: Uint8Array) {
    this.hash = crypto.hash;
    this.pads = hmacPads(key.length > HASH_BLOCK_BYTES ? fromBinary(crypto.hash("sha256", key, "binary")) : key);
  }

  digest(message: Uint8Array): Uint8Array {
    const length = HASH_BLOCK_BYTES + message.length;
    const inner = length <= INNER.length ? INNER.subarray(0, length) : new Uint8Array(length);
    for (let i = 0; i < HASH_BLOCK_BYTES; i++) {
      inner[i] = this.pads[i] as number;
      OUTER[i] = this.pads[HASH_BLOCK_BYTES + i] as number;
    }
    inner.set(message, HASH_BLOCK_BYTES);
    const first = this.hash("sha256", inner, "binary");
    for (let i = 0; i < HASH_BYTES; i++) OUTER[HASH_BLOCK_BYTES + i] = first.charCodeAt(i);
    const digest = fromBinary(this.hash("sha256", OUTER, "binary"));
    inner.fill(0);
    OUTER.fill(0);
    return digest;
  }
}

/** X25519 through JWK, which imports several times faster than DER. */
class NodeX25519Key implements DhKey {
  private readonly crypto: NodeCrypto;
  private readonly key: KeyObject;

  constructor(crypto: NodeCrypto, privateKey: Uint8Array) {
    this.crypto = crypto;
    // Node wants a string for x and does not use it beside d.
    this.key = crypto.createPrivateKey({ key: { ...X25519_JWK, d: toBase64Url(privateKey), x: "" }, format: "jwk" });
  }

  publicKey(): Uint8Array {
    const { x } = this.key.export({ format: "jwk" });
    return plain(Buffer.from(x as string, "base64url"));
  }

  agree(farPublicKey: Uint8Array): Uint8Array {
    const publicKey = this.crypto.createPublicKey({
      key: { ...X25519_JWK, x: toBase64Url(farPublicKey) },
      format: "jwk",
    });
    return plain(this.crypto.diffieHellman({ privateKey: this.key, publicKey }));
  }
}

/** Draws on the CSPRNG for many requests at once; what is handed out is wiped here. */
function randomSource(crypto: NodeCrypto): (length: number) => Uint8Array {
  const pool = new Uint8Array(RANDOM_POOL_BYTES);
  let used = pool.length;
  return (length) => {
    if (length > pool.length / 4) return plain(crypto.randomBytes(length));
    if (used + length > pool.length) {
      crypto.randomFillSync(pool);
      used = 0;
    }
    const bytes = pool.slice(used, used + length);
    pool.fill(0, used, used + length);
    used += length;
    return bytes;
  };
}

/** A key as HMAC begins its two hashes with it (RFC 2104): a block each. */
function hmacPads(key: Uint8Array): Uint8Array {
  const pads = new Uint8Array(2 * HASH_BLOCK_BYTES);
  for (let i = 0; i < HASH_BLOCK_BYTES; i++) {
    const byte = i < key.length ? (key[i] as number) : 0;
    pads[i] = byte ^ INNER_PAD;
    pads[HASH_BLOCK_BYTES + i] = byte ^ OUTER_PAD;
  }
  return pads;
}

/** Keys always as KeyObject: one Node line takes four times longer with raw bytes. */
function aesKey(crypto: NodeCrypto, key: Uint8Array): KeyObject {
  if (key.length !== BLOCK_BYTES) throw new RangeError(`expected an AES-128 key of 16 bytes, got ${key.length}`);
  return crypto.createSecretKey(key);
}

function checkBlocks(length: number): void {
  if (length <= 0 || length % BLOCK_BYTES !== 0)
    throw new RangeError(`expected whole blocks of 16 bytes, got ${length}`);
}

/** A plain Uint8Array over a Buffer's memory: a Buffer's `slice` does not copy, which surprises its holder. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** The bytes of a text that has one character for each. */
function fromBinary(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
}

const ZERO_IV: Uint8Array = new Uint8Array(BLOCK_BYTES);
/** SHA-256 input block, in bytes. */
const HASH_BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** What {@link NodeDecryptor} decrypts at once. */
const SEALED: Uint8Array = new Uint8Array(MAX_SHARED_BYTES);
/** What {@link NodeHmacKey} hashes, put together in place and wiped after each call: a block, and a datagram. */
const INNER: Uint8Array = new Uint8Array(HASH_BLOCK_BYTES + 8_192);
const OUTER: Uint8Array = new Uint8Array(HASH_BLOCK_BYTES + HASH_BYTES);
const RANDOM_POOL_BYTES = 4_096;
const X25519_JWK = { kty: "OKP", crv: "X25519" };
