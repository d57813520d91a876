/** Builds the next packet of a session: control chunks, acknowledgements, user data (§3.5, §3.6). § means RFC 7016. */
import type { Address } from "./address.ts";
import { CHUNK_HEADER_BYTES, writeChunk } from "./chunk/codec.ts";
import { ChunkType } from "./chunk/types.ts";
import type { TraceRecord } from "./config.ts";
import type { PacketCipher } from "./crypto-profile.ts";
import { HeaderFlag, Mode, SESSION_ID_BYTES, scrambleSessionId } from "./packet.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import { INITIAL_DATAGRAM_BYTES } from "./params.ts";
import { PathMtu } from "./path-mtu.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session-host.ts";

/** Where a finished datagram goes. Valid until the next poll. */
export interface Transmit {
  /** Bytes written to the buffer. */
  length: number;
  /** Socket to send by. */
  via: number;
  /** Address to send to. */
  to: Address;
  /** ECN codepoint for the IP header; undefined is the socket's default. */
  ecn: number | undefined;
}

/** Writes the session's next datagram; false if there is nothing to send now. */
export function transmitSession(
  session: Session,
  host: SessionHost,
  packet: PacketBuilder,
  buffer: Uint8Array,
  now: number,
  out: Transmit,
): boolean {
  const cipher = session.keys?.cipher;
  if (cipher === undefined || session.address === undefined || session.state === "S_OPEN_FAILED") return false;
  if (cipher.exhausted) {
    session.abort("exhausted");
    session.control.clear();
    session.onClosedSent();
    return false;
  }
  if (session.strayPing !== undefined) return transmitStrayPing(session, host, packet, buffer, now, out, cipher);
  const open = session.state === "S_OPEN";
  const wantsAck = open && session.receives.ackNow;
  const fill = open && session.sends.canSend(now);
  if (open && session.pathMtu?.due === true) return transmitMtuProbe(session, host, packet, buffer, now, out, cipher);
  if (session.control.length === 0 && !wantsAck && !fill) return false;

  const { tsTx, tsEchoTx } = session.rtt;
  const start = begin(session, packet, buffer, now, cipher, session.datagramBytes);
  writeControl(session, packet);
  if (open) {
    if (wantsAck || (session.receives.owesAck && (fill || !packet.isEmpty))) session.receives.writeAcks(packet);
    if (fill) session.sends.fill(packet, now);
    if (packet.isFull && host.config.datagramBytes === undefined) {
      session.pathMtu ??= new PathMtu(session, host);
      session.pathMtu.onFullPacket(now);
    }
  }
  if (packet.isEmpty) {
    session.rtt.tsTx = tsTx;
    session.rtt.tsEchoTx = tsEchoTx;
    return false;
  }
  flag(session, host, packet, start, now);
  finish(session, host, packet, buffer, start, now, out, cipher, session.address, session.via);
  if (session.state === "S_CLOSED" && session.control.length === 0) session.onClosedSent();
  return true;
}

/** Starts a packet behind session ID and cipher headroom, with header and timestamps (§2.2.4, §3.5.2.2). */
function begin(
  session: Session,
  packet: PacketBuilder,
  buffer: Uint8Array,
  now: number,
  cipher: PacketCipher,
  datagramBytes: number,
): number {
  const start = SESSION_ID_BYTES + cipher.headroom;
  packet.begin(buffer, start, start + cipher.packetCapacity(datagramBytes));
  if (datagramBytes > INITIAL_DATAGRAM_BYTES)
    packet.largeBeyond = start + cipher.packetCapacity(INITIAL_DATAGRAM_BYTES);
  const timestamp = session.rtt.takeTimestamp(now);
  const echo = session.rtt.takeEcho(now);
  packet.writer.u8(
    (session.role === "initiator" ? Mode.initiator : Mode.responder) |
      (timestamp === undefined ? 0 : HeaderFlag.timestamp) |
      (echo === undefined ? 0 : HeaderFlag.timestampEcho),
  );
  if (timestamp !== undefined) packet.writer.u16(timestamp);
  if (echo !== undefined) packet.writer.u16(echo);
  packet.body = packet.writer.pos;
  return start;
}

/** Control chunks in order, as many as fit; one that is larger than a packet goes alone. */
function writeControl(session: Session, packet: PacketBuilder): void {
  const first = packet.writer.pos;
  for (let chunk = session.control.peek(); chunk !== undefined; chunk = session.control.peek()) {
    const at = packet.writer.pos;
    if (packet.room < CHUNK_HEADER_BYTES) return;
    try {
      writeChunk(packet.writer, chunk);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      packet.writer.pos = at;
      if (at > first) return;
      session.control.shift();
      continue;
    }
    if (packet.writer.pos > packet.limit && at > first) {
      packet.writer.pos = at;
      return;
    }
    session.control.shift();
  }
}

/** Time-critical forward and reverse notification (§3.5.2.1). */
function flag(session: Session, host: SessionHost, packet: PacketBuilder, start: number, now: number): void {
  let flags = packet.writer.bytes[start] as number;
  if (packet.timeCritical) {
    flags |= HeaderFlag.timeCritical;
    session.lastTimeCriticalSent = now;
    host.timeCritical.onSent(now);
  }
  if (host.timeCritical.receivedElsewhere(session, now)) flags |= HeaderFlag.timeCriticalReverse;
  packet.writer.bytes[start] = flags;
}

/** A mobility probe: one Ping to an address that is not DESTADDR (§3.5.4.2). */
function transmitStrayPing(
  session: Session,
  host: SessionHost,
  packet: PacketBuilder,
  buffer: Uint8Array,
  now: number,
  out: Transmit,
  cipher: PacketCipher,
): boolean {
  const stray = session.strayPing;
  session.strayPing = undefined;
  if (stray === undefined) return false;
  const start = begin(session, packet, buffer, now, cipher, session.datagramBytes);
  writeChunk(packet.writer, { type: ChunkType.ping, message: stray.message });
  finish(session, host, packet, buffer, start, now, out, cipher, stray.to, stray.via);
  return true;
}

/** A probe of path MTU discovery: Padding, and a Ping behind it that is lost with whatever the path cuts off (§3.5.4.3). */
function transmitMtuProbe(
  session: Session,
  host: SessionHost,
  packet: PacketBuilder,
  buffer: Uint8Array,
  now: number,
  out: Transmit,
  cipher: PacketCipher,
): boolean {
  const mtu = session.pathMtu as PathMtu;
  const start = begin(session, packet, buffer, now, cipher, mtu.probeBytes);
  const message = mtu.takeProbe(now);
  const padding = new Uint8Array(packet.room - message.length - 2 * CHUNK_HEADER_BYTES);
  writeChunk(packet.writer, { type: ChunkType.padding0, payload: padding });
  writeChunk(packet.writer, { type: ChunkType.ping, message });
  finish(session, host, packet, buffer, start, now, out, cipher, session.address as Address, session.via);
  return true;
}

function finish(
  session: Session,
  host: SessionHost,
  packet: PacketBuilder,
  buffer: Uint8Array,
  start: number,
  now: number,
  out: Transmit,
  cipher: PacketCipher,
  to: Address,
  via: number,
): void {
  session.chunks.onSent(buffer, packet.body, packet.writer.pos);
  const plain = host.config.trace === undefined ? undefined : buffer.slice(start, packet.writer.pos);
  const end = cipher.seal(buffer, start, packet.writer.pos);
  scrambleSessionId(buffer, end, session.farId);
  out.length = end;
  out.via = via;
  out.to = to;
  out.ecn = undefined;
  if (plain === undefined) return;
  const record: TraceRecord = {
    now,
    direction: "out",
    via,
    peer: to,
    sessionId: session.farId >>> 0,
    session: session.nearId >>> 0,
    startup: false,
    datagram: buffer.subarray(0, end),
    packet: plain,
  };
  host.config.trace?.(record);
}
