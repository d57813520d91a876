/** Packet encryption and verification (§4.7): sequence number, checksum or HMAC, AES-128-CBC. § means RFC 7425. */
import { vluSize } from "../../proto/bytes.ts";
import type { OpenFailure, PacketCipher } from "../../proto/crypto-profile.ts";
import {
  BLOCK_BYTES,
  type CbcDecryptor,
  type CbcEncryptor,
  type CryptoProvider,
  equalRange,
  type HmacKey,
} from "../primitives.ts";
import { checksum16 } from "./checksum.ts";
import { ReplayWindow } from "./replay-window.ts";

/** Everything that a session's packets depend on. Lengths in bytes. */
export interface SessionCipherOptions {
  /** ENCRYPT_KEY (§4.6.3); only the first 16 bytes are used. Borrowed for the call, as all keys are. */
  readonly encryptKey: Uint8Array;
  /** DECRYPT_KEY, likewise borrowed. */
  readonly decryptKey: Uint8Array;
  /** HMAC_SEND_KEY (§4.6.4); needed if the length is not 0. Borrowed for the call. Default: none. */
  readonly hmacSendKey?: Uint8Array;
  /** HMAC_RECV_KEY, likewise. Borrowed for the call. Default: none. */
  readonly hmacRecvKey?: Uint8Array;
  /** Length of the HMAC on packets we send, 4 to 32, or 0 for the checksum. Default 0. */
  readonly sendHmacLength?: number;
  /** The same for packets we receive. Default 0. */
  readonly recvHmacLength?: number;
  /** True if our packets carry a session sequence number. Default false. */
  readonly sendSequence?: boolean;
  /** True if received packets carry one. Default false. */
  readonly recvSequence?: boolean;
  /** Sequence number of our next packet. Default 0 (§4.6.6). */
  readonly firstSequence?: number;
}

/** The cipher of one session. Throws RangeError if the options do not make sense together. */
export function createSessionCipher(provider: CryptoProvider, options: SessionCipherOptions): FlashPacketCipher {
  return new FlashPacketCipher(provider, options);
}

/** The cipher of startup packets: the Default Session Key both ways, checksum, no sequence numbers (§4.1). */
export function createStartupCipher(provider: CryptoProvider): FlashPacketCipher {
  return new FlashPacketCipher(provider, { encryptKey: DEFAULT_SESSION_KEY, decryptKey: DEFAULT_SESSION_KEY });
}

/** See {@link PacketCipher}. */
export class FlashPacketCipher implements PacketCipher {
  private readonly encryptor: CbcEncryptor;
  private readonly decryptor: CbcDecryptor;
  private readonly sendHmac: HmacKey | undefined;
  private readonly recvHmac: HmacKey | undefined;
  private readonly sendHmacLength: number;
  private readonly recvHmacLength: number;
  private readonly sendSequence: boolean;
  private readonly replay: ReplayWindow | undefined;
  /** Sequence number of the next packet that {@link seal} makes; set it only to reproduce recorded packets. */
  nextSequence: number;
  /** The last opened packet's sequence number, in two 32-bit halves. */
  private sequenceHigh = 0;
  private sequenceLow = 0;
  failure: OpenFailure = "size";

  /**
   * Made by {@link createSessionCipher} and {@link createStartupCipher}. Throws RangeError for keys or an HMAC length
   * that cannot be.
   */
  constructor(provider: CryptoProvider, options: SessionCipherOptions) {
    this.encryptor = provider.createEncryptor(options.encryptKey.slice(0, BLOCK_BYTES));
    this.decryptor = provider.createDecryptor(options.decryptKey.slice(0, BLOCK_BYTES));
    this.sendHmacLength = options.sendHmacLength ?? 0;
    this.recvHmacLength = options.recvHmacLength ?? 0;
    this.sendHmac = createHmac(provider, options.hmacSendKey, this.sendHmacLength);
    this.recvHmac = createHmac(provider, options.hmacRecvKey, this.recvHmacLength);
    this.sendSequence = options.sendSequence ?? false;
    this.replay = options.recvSequence ? new ReplayWindow() : undefined;
    this.nextSequence = options.firstSequence ?? 0;
  }

  /** Grows by a byte each time the next sequence number needs one more. */
  get headroom(): number {
    return (this.sendSequence ? vluSize(this.nextSequence) : 0) + (this.sendHmac === undefined ? CHECKSUM_BYTES : 0);
  }

  /** True a little before the numbers really run out, so that the session can still close in order. */
  get exhausted(): boolean {
    return this.sendSequence && this.nextSequence > LAST_SEQUENCE - CLOSING_SEQUENCES;
  }

  /** The sequence number of the packet that {@link open} decrypted last; 0 if the far end sends none. */
  get lastSequence(): bigint {
    return (BigInt(this.sequenceHigh) << 32n) | BigInt(this.sequenceLow);
  }

  packetCapacity(datagramBytes: number): number {
    const sealed = datagramBytes - SESSION_ID_BYTES - this.sendHmacLength;
    return Math.max(0, sealed - (sealed % BLOCK_BYTES) - this.headroom);
  }

  /** See PacketCipher.seal; `buffer` is borrowed. Throws RangeError if there is no sequence number left. */
  seal(buffer: Uint8Array, start: number, end: number): number {
    const first = start - this.headroom;
    if (this.sendSequence) this.writeSequence(buffer, first);
    const blocksEnd = first + Math.ceil((end - first) / BLOCK_BYTES) * BLOCK_BYTES;
    for (let i = end; i < blocksEnd; i++) buffer[i] = PADDING;
    if (this.sendHmac === undefined) {
      const checksum = checksum16(buffer, start, blocksEnd);
      buffer[start - 2] = checksum >>> 8;
      buffer[start - 1] = checksum & 0xff;
      this.encryptor.encrypt(buffer, first, blocksEnd);
      return blocksEnd;
    }
    this.encryptor.encrypt(buffer, first, blocksEnd);
    const digest = this.sendHmac.digest(buffer.subarray(first, blocksEnd));
    for (let i = 0; i < this.sendHmacLength; i++) buffer[blocksEnd + i] = digest[i] as number;
    return blocksEnd + this.sendHmacLength;
  }

  open(sealed: Uint8Array): Uint8Array | undefined {
    const length = this.verifiedLength(sealed);
    if (length === 0) return undefined;
    return this.unwrap(this.decryptor.decrypt(sealed, length));
  }

  openAll(sealed: readonly Uint8Array[]): (Uint8Array | OpenFailure)[] {
    const results: (Uint8Array | OpenFailure)[] = [];
    const accepted: Uint8Array[] = [];
    const lengths: number[] = [];
    const places: number[] = [];
    for (const bytes of sealed) {
      const length = this.verifiedLength(bytes);
      if (length > 0) {
        accepted.push(bytes);
        lengths.push(length);
        places.push(results.length);
      }
      results.push(this.failure);
    }
    const opened = this.decryptor.decryptAll(accepted, lengths);
    for (let i = 0; i < opened.length; i++) {
      results[places[i] as number] = this.unwrap(opened[i] as Uint8Array) ?? this.failure;
    }
    return results;
  }

  /** Bytes of the encrypted part if the size is right and so is the HMAC, where there is one; else 0. */
  private verifiedLength(sealed: Uint8Array): number {
    const length = sealed.length - this.recvHmacLength;
    if (length < BLOCK_BYTES || length % BLOCK_BYTES !== 0) {
      this.failure = "size";
      return 0;
    }
    if (this.recvHmac === undefined) return length;
    const digest = this.recvHmac.digest(sealed.subarray(0, length));
    if (equalRange(digest, 0, sealed, length, this.recvHmacLength)) return length;
    this.failure = "verify";
    return 0;
  }

  /** The packet in what was decrypted, behind sequence number and checksum. */
  private unwrap(opened: Uint8Array): Uint8Array | undefined {
    const { length } = opened;
    let start = 0;
    if (this.replay !== undefined) {
      start = this.readSequence(opened);
      if (start === 0) return this.refuse("verify");
    }
    if (this.recvHmac === undefined) {
      start += CHECKSUM_BYTES;
      if (start >= length) return this.refuse("verify");
      const expected = ((opened[start - 2] as number) << 8) | (opened[start - 1] as number);
      if (checksum16(opened, start, length) !== expected) return this.refuse("verify");
    }
    if (start >= length) return this.refuse("verify");
    if (this.replay !== undefined && !this.replay.accept(this.sequenceHigh, this.sequenceLow)) {
      return this.refuse("replay");
    }
    return new Uint8Array(opened.buffer, opened.byteOffset + start, length - start);
  }

  private refuse(failure: OpenFailure): undefined {
    this.failure = failure;
    return undefined;
  }

  private writeSequence(buffer: Uint8Array, start: number): void {
    const sequence = this.nextSequence;
    if (sequence > LAST_SEQUENCE) throw new RangeError("no session sequence number is left; the session must close");
    let rest = sequence;
    for (let i = start + vluSize(sequence) - 1, more = 0; i >= start; i--, more = 0x80) {
      buffer[i] = (rest % 0x80) | more;
      rest = Math.floor(rest / 0x80);
    }
    this.nextSequence = sequence + 1;
  }

  /** Reads the 64-bit VLU at the front; its size, or 0 if it is malformed. Leading zero groups are legal. */
  private readSequence(bytes: Uint8Array): number {
    let high = 0;
    let low = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (high >>> 25 !== 0) return 0;
      high = ((high << 7) | (low >>> 25)) >>> 0;
      low = ((low << 7) | (byte & 0x7f)) >>> 0;
      if (byte < 0x80) {
        this.sequenceHigh = high;
        this.sequenceLow = low;
        return i + 1;
      }
    }
    return 0;
  }
}

function createHmac(provider: CryptoProvider, key: Uint8Array | undefined, length: number): HmacKey | undefined {
  if (length === 0) return undefined;
  if (length < MIN_HMAC_BYTES || length > MAX_HMAC_BYTES) {
    throw new RangeError(`expected an HMAC length of 0 or 4 to 32 bytes, got ${length}`);
  }
  if (key === undefined) throw new RangeError(`expected an HMAC key, because the HMAC length is ${length}`);
  return provider.createHmacKey(key);
}

/** §4.1: "Adobe Systems 02" in UTF-8. Kept by every startup cipher; do not modify. */
export const DEFAULT_SESSION_KEY: Uint8Array = new TextEncoder().encode("Adobe Systems 02");
/** Shortest and longest truncated HMAC (§4.6.4). */
export const MIN_HMAC_BYTES = 4;
export const MAX_HMAC_BYTES = 32;

const SESSION_ID_BYTES = 4;
const CHECKSUM_BYTES = 2;
const PADDING = 0xff;
/** The last number a sender may use. Receiving covers all 64 bits. */
const LAST_SEQUENCE: number = Number.MAX_SAFE_INTEGER;
/** Numbers kept back for the packets that close the session. */
const CLOSING_SEQUENCES = 1024;
