/** Verification of a far end's new address (§3.5.4.2). § means RFC 7016. */
import { type Address, formatAddress } from "./address.ts";
import { ByteReader, ByteWriter, concatBytes, equalConstantTime } from "./bytes.ts";
import {
  MOBILITY_PROBE_MS,
  MOBILITY_REPLY_AGE_MS,
  MOBILITY_SECRET_BYTES,
  MOBILITY_UNSIGNED_MOVE_MS,
} from "./params.ts";

/** Probe state of one session; made when a packet first comes from another address. */
export class Mobility {
  readonly #hmac: (key: Uint8Array, message: Uint8Array) => Uint8Array;
  /** MOB_SECRET. */
  readonly #secret: Uint8Array;
  /** Without HMAC on received packets, moves are at least 10 s apart. */
  readonly #minMoveMs: number;
  /** MOB_TX_TS. */
  #lastProbe: number = Number.NEGATIVE_INFINITY;
  /** MOB_RX_TS. */
  #lastAccepted: number = Number.NEGATIVE_INFINITY;
  #lastMove: number = Number.NEGATIVE_INFINITY;

  constructor(
    hmac: (key: Uint8Array, message: Uint8Array) => Uint8Array,
    random: (length: number) => Uint8Array,
    farHmac: boolean,
  ) {
    this.#hmac = hmac;
    this.#secret = random(MOBILITY_SECRET_BYTES);
    this.#minMoveMs = farHmac ? 0 : MOBILITY_UNSIGNED_MOVE_MS;
  }

  /** The Ping message to send to `source`, or undefined if a probe went out within the last second. */
  probe(now: number, source: Address, via: number): Uint8Array | undefined {
    if (now - this.#lastProbe < MOBILITY_PROBE_MS || now - this.#lastMove < this.#minMoveMs) return undefined;
    this.#lastProbe = now;
    const head = new ByteWriter(new Uint8Array(HEAD_BYTES));
    head.u8(MARKER);
    head.u32(Math.floor(now / 2 ** 32));
    head.u32(Math.floor(now) >>> 0);
    return concatBytes(head.bytes, this.#proof(head.bytes, source, via));
  }

  /** True if this Ping Reply proves that the far end is at `source`. */
  accepts(now: number, message: Uint8Array, source: Address, via: number): boolean {
    if (!isProbe(message)) return false;
    const reader = new ByteReader(message, 1);
    const sentAt = reader.u32() * 2 ** 32 + reader.u32();
    if (now - sentAt > MOBILITY_REPLY_AGE_MS || sentAt <= this.#lastAccepted) return false;
    if (!equalConstantTime(message.subarray(HEAD_BYTES), this.#proof(message.subarray(0, HEAD_BYTES), source, via)))
      return false;
    this.#lastAccepted = sentAt;
    this.#lastMove = now;
    return true;
  }

  #proof(head: Uint8Array, source: Address, via: number): Uint8Array {
    const place = new TextEncoder().encode(`${via} ${formatAddress(source)}`);
    return this.#hmac(this.#secret, this.#hmac(this.#secret, concatBytes(head, place)));
  }
}

/** True if the Ping message has the form of a mobility probe. */
export function isProbe(message: Uint8Array): boolean {
  return message.length === HEAD_BYTES + 32 && message[0] === MARKER;
}

/** 'M'. */
const MARKER = 0x4d;
/** Marker and 64-bit time. */
const HEAD_BYTES = 9;
