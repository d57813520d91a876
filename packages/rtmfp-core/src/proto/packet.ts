/** Packet header and datagram framing (§2.2). § means RFC 7016. */
import type { ByteReader, ByteWriter } from "./bytes.ts";

/**
 * Packet modes (§2.2.4): `initiator` and `responder` name the sender's role in its session, `startup` is any packet
 * under the Default Session Key. 0 is forbidden.
 */
export const Mode = { initiator: 1, responder: 2, startup: 3 } as const;
export type Mode = (typeof Mode)[keyof typeof Mode];

/** Header flag bits (§2.2.4). */
export const HeaderFlag = {
  /** TC: the packet carries time-critical data (§3.5.2.1). */
  timeCritical: 0x80,
  /** TCR: the sender receives time-critical data from others (§3.5.2.1). */
  timeCriticalReverse: 0x40,
  /** TS: a timestamp follows. */
  timestamp: 0x08,
  /** TSE: an echo of the far end's timestamp follows. */
  timestampEcho: 0x04,
} as const;

/** A packet header. `reserved` keeps bits 0x30 so that a recorded packet re-encodes unchanged; senders write 0. */
export interface PacketHeader {
  /** One of {@link Mode}, or 0. */
  readonly mode: number;
  /** See {@link HeaderFlag}. */
  readonly timeCritical: boolean;
  /** See {@link HeaderFlag}. */
  readonly timeCriticalReverse: boolean;
  /** 4 ms ticks, 16 bits. */
  readonly timestamp: number | undefined;
  /** 4 ms ticks, 16 bits. */
  readonly timestampEcho: number | undefined;
  /** Bits 0x30 as received. */
  readonly reserved: number;
}

/** Reads the header; check `reader.failed`. Mode 0 is left to the caller to refuse. */
export function readPacketHeader(reader: ByteReader): PacketHeader {
  const flags = reader.u8();
  return {
    mode: flags & 0x03,
    timeCritical: (flags & HeaderFlag.timeCritical) !== 0,
    timeCriticalReverse: (flags & HeaderFlag.timeCriticalReverse) !== 0,
    timestamp: flags & HeaderFlag.timestamp ? reader.u16() : undefined,
    timestampEcho: flags & HeaderFlag.timestampEcho ? reader.u16() : undefined,
    reserved: flags & 0x30,
  };
}

export function writePacketHeader(writer: ByteWriter, header: PacketHeader): void {
  writer.u8(
    header.mode |
      header.reserved |
      (header.timeCritical ? HeaderFlag.timeCritical : 0) |
      (header.timeCriticalReverse ? HeaderFlag.timeCriticalReverse : 0) |
      (header.timestamp === undefined ? 0 : HeaderFlag.timestamp) |
      (header.timestampEcho === undefined ? 0 : HeaderFlag.timestampEcho),
  );
  if (header.timestamp !== undefined) writer.u16(header.timestamp);
  if (header.timestampEcho !== undefined) writer.u16(header.timestampEcho);
}

/** Header of a startup packet: mode 3, no timestamps (AMB-05). */
export const STARTUP_HEADER: PacketHeader = {
  mode: Mode.startup,
  timeCritical: false,
  timeCriticalReverse: false,
  timestamp: undefined,
  timestampEcho: undefined,
  reserved: 0,
};

/** The session ID of a datagram as a signed 32-bit number, unscrambled (§2.2.2). Needs at least 4 bytes. */
export function unscrambleSessionId(datagram: Uint8Array): number {
  return word(datagram, 0) ^ word(datagram, 4) ^ word(datagram, 8);
}

/**
 * Writes the scrambled session ID in front of the sealed bytes at `datagram[4, end)` (§2.2.2). `datagram` stays the
 * caller's own.
 */
export function scrambleSessionId(datagram: Uint8Array, end: number, sessionId: number): void {
  const sealed = end < 12 ? datagram.subarray(0, end) : datagram;
  const scrambled = sessionId ^ word(sealed, 4) ^ word(sealed, 8);
  datagram[0] = scrambled >>> 24;
  datagram[1] = scrambled >>> 16;
  datagram[2] = scrambled >>> 8;
  datagram[3] = scrambled;
}

/** Bytes in front of the sealed part of a datagram. */
export const SESSION_ID_BYTES = 4;

/** Signed 32-bit word, zero-extended past the end: packets under 8 bytes count as padded with zeros (§2.2.2). */
function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
