/** Primitives by node:crypto. The only file here that knows it, and it loads without it. § means RFC 7425. */
import type { KeyObject } from "node:crypto";
import { packBytes, unpackBytes } from "../proto/bytes.ts";
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
    sha256: (message) => unpackBytes(crypto.hash("sha256", message, "binary")),
    createHmacKey: (key) => new NodeHmacKey(crypto, key),
    randomBytes: randomSource(crypto),
    modpKey: nodeModpKeys(crypto),
    x25519Key: (privateKey) => new NodeX25519Key(crypto, privateKey),
  };
}

/** The last ciphertext block, in four words: an array would take seven times the room, and every session has two. */
class Chain {
  private word0 = 0;
  private word1 = 0;
  private word2 = 0;
  private word3 = 0;

  /** Adds the block to `bytes` from `at` on. */
  protected cancel(bytes: Uint8Array, at: number): void {
    addWord(bytes, at, this.word0);
    addWord(bytes, at + 4, this.word1);
    addWord(bytes, at + 8, this.word2);
    addWord(bytes, at + 12, this.word3);
  }

  /** Takes the block of `bytes` from `at` on. */
  protected keep(bytes: Uint8Array, at: number): void {
    this.word0 = wordOf(bytes, at);
    this.word1 = wordOf(bytes, at + 4);
    this.word2 = wordOf(bytes, at + 8);
    this.word3 = wordOf(bytes, at + 12);
  }
}

/**
 * One cipher object for the whole session, although every packet starts from a zero IV. CBC adds the previous
 * ciphertext block to the first plaintext block; adding it once more beforehand cancels it. A new cipher object
 * per packet costs twice the time and leaves garbage with finalisers.
 */
class NodeEncryptor extends Chain implements CbcEncryptor {
  private readonly cipher: ReturnType<NodeCrypto["createCipheriv"]>;

  constructor(crypto: NodeCrypto, key: Uint8Array) {
    super();
    this.cipher = crypto.createCipheriv("aes-128-cbc", aesKey(crypto, key), ZERO_IV).setAutoPadding(false);
  }

  encrypt(buffer: Uint8Array, start: number, end: number): void {
    checkBlocks(end - start);
    this.cancel(buffer, start);
    const out = this.cipher.update(buffer.subarray(start, end));
    buffer.set(out, start);
    discard(out);
    this.keep(buffer, end - BLOCK_BYTES);
  }
}

/** Decryption with the previous ciphertext block cancelled behind the cipher; what was forged or lost leaves no trace. */
class NodeDecryptor extends Chain implements CbcDecryptor {
  private readonly decipher: ReturnType<NodeCrypto["createDecipheriv"]>;

  constructor(crypto: NodeCrypto, key: Uint8Array) {
    super();
    this.decipher = crypto.createDecipheriv("aes-128-cbc", aesKey(crypto, key), ZERO_IV).setAutoPadding(false);
  }

  decrypt(bytes: Uint8Array, length: number): Uint8Array {
    checkBlocks(length);
    const out = this.decipher.update(length === bytes.length ? bytes : bytes.subarray(0, length));
    this.cancel(out, 0);
    this.keep(bytes, length - BLOCK_BYTES);
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
    at = 0;
    for (let i = first; i < end; i++) {
      const size = lengths[i] as number;
      this.cancel(out, at);
      this.keep(SEALED, at + size - BLOCK_BYTES);
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
  /** The key, packed: a block at most. */
  private readonly key: string;

  constructor(crypto: NodeCrypto, key: Uint8Array) {
    this.hash = crypto.hash;
    this.key = key.length > HASH_BLOCK_BYTES ? crypto.hash("sha256", key, "binary") : packBytes(key);
  }

  digest(message: Uint8Array): Uint8Array {
    const length = HASH_BLOCK_BYTES + message.length;
    const inner = length <= INNER.length ? INNER.subarray(0, length) : new Uint8Array(length);
    const { key } = this;
    for (let i = 0; i < key.length; i++) {
      const byte = key.charCodeAt(i);
      inner[i] = byte ^ INNER_PAD;
      OUTER[i] = byte ^ OUTER_PAD;
    }
    inner.fill(INNER_PAD, key.length, HASH_BLOCK_BYTES);
    OUTER.fill(OUTER_PAD, key.length, HASH_BLOCK_BYTES);
    inner.set(message, HASH_BLOCK_BYTES);
    const first = this.hash("sha256", inner, "binary");
    for (let i = 0; i < HASH_BYTES; i++) OUTER[HASH_BLOCK_BYTES + i] = first.charCodeAt(i);
    const digest = unpackBytes(this.hash("sha256", OUTER, "binary"));
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

function wordOf(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

function addWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = (bytes[at] as number) ^ (word >>> 24);
  bytes[at + 1] = (bytes[at + 1] as number) ^ (word >>> 16);
  bytes[at + 2] = (bytes[at + 2] as number) ^ (word >>> 8);
  bytes[at + 3] = (bytes[at + 3] as number) ^ word;
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
