/** Recorded packets through the receive path and back to the same bytes. § means RFC 7425. */
import { checksum16, type FlashPacketCipher } from "rtmfp-core/crypto";
import {
  ByteWriter,
  type Chunk,
  concatBytes,
  type DecodedPacket,
  decodePacket,
  encodePacket,
  equalBytes,
  HeaderFlag,
  Mode,
  SESSION_ID_BYTES,
  scrambleSessionId,
  toHex,
  unscrambleSessionId,
  vluSize,
} from "rtmfp-core/proto";
import { compareChunks, describeChunks, same, show } from "./chunks.ts";
import type { Protection } from "./ciphers.ts";
import type { FlowMemory } from "./flow-memory.ts";
import type { Json } from "./json.ts";
import type { RecordedPacket } from "./model.ts";

/** What one direction of a session, or of startup, needs. */
export interface Path {
  /** Name of the direction, unique in the scenario. */
  readonly name: string;
  readonly sender: FlashPacketCipher;
  readonly receiver: FlashPacketCipher;
  readonly protection: Protection;
  /** AES-128 key. */
  readonly key: Uint8Array;
}

/** Replays one packet; what differs from the recording, in words. */
export function replayPacket(recorded: RecordedPacket, path: Path, memory: FlowMemory): string[] {
  const { raw } = recorded;
  if (raw.length <= SESSION_ID_BYTES) return ["the datagram is too short"];
  const differences: string[] = [];
  const id = unscrambleSessionId(raw) >>> 0;
  if (id !== recorded.sessionId) differences.push(`session id is ${id}, recorded ${recorded.sessionId}`);
  const opened = path.receiver.open(raw.subarray(SESSION_ID_BYTES));
  if (opened === undefined) return [...differences, `does not open: ${path.receiver.failure}`];
  const decoded = decodePacket(opened);
  if (decoded === undefined) return [...differences, "has no packet header"];
  const chunks = decoded.chunks.filter((chunk) => chunk !== undefined);
  if (chunks.length < decoded.chunks.length) return [...differences, "holds a malformed chunk"];
  const prefix = prefixOf(opened, path);
  const facts = packetFacts(raw, decoded, prefix, path);
  for (const [name, expected] of Object.entries(recorded.facts)) {
    if (!same(facts[name], expected)) differences.push(`${name} is ${show(facts[name])}, recorded ${show(expected)}`);
  }
  const listed = recorded.chunks ?? [];
  const described = describeChunks(chunks, path.name, memory, listed);
  if (recorded.chunks !== undefined) differences.push(...compareChunks(listed, described));
  return [...differences, ...compareBytes(recorded, opened, prefix, reencode(decoded, chunks), decoded.padding, path)];
}

/** Encoded again, then sealed: the same plaintext and the same datagram? */
function compareBytes(
  recorded: RecordedPacket,
  opened: Uint8Array,
  prefix: Uint8Array,
  packet: Uint8Array,
  padding: Uint8Array,
  path: Path,
): string[] {
  const differences: string[] = [];
  const { raw, plaintext, sessionId } = recorded;
  const padded = concatBytes(packet, padding);
  if (!equalBytes(padded, opened)) differences.push("the packet re-encodes to other bytes");
  if (plaintext !== undefined && !equalBytes(concatBytes(prefix, padded), plaintext)) {
    differences.push("the plaintext differs");
  }
  if (recorded.packet !== undefined && !equalBytes(recorded.packet, packet) && !equalBytes(recorded.packet, padded)) {
    differences.push("the plaintext differs");
  }
  const { sender, receiver } = path;
  sender.nextSequence = Number(receiver.lastSequence);
  const buffer = new Uint8Array(SESSION_ID_BYTES + sender.headroom + padded.length + SPARE_BYTES);
  const start = SESSION_ID_BYTES + sender.headroom;
  // The cipher pads by itself; padding of another kind is handed to it as part of the packet.
  const body = isPlain(padding) ? packet : padded;
  buffer.set(body, start);
  const end = sender.seal(buffer, start, start + body.length);
  scrambleSessionId(buffer, end, sessionId | 0);
  if (!equalBytes(buffer.subarray(0, end), raw)) differences.push("the sealed datagram differs");
  return differences;
}

function reencode(decoded: DecodedPacket, chunks: readonly Chunk[]): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(MAX_PACKET_BYTES));
  encodePacket(writer, decoded.header, chunks);
  return writer.bytes.subarray(0, writer.pos);
}

/** What stands before the flags byte: sequence number (§4.7.2), then the checksum unless there is an HMAC. */
function prefixOf(opened: Uint8Array, { receiver, protection }: Path): Uint8Array {
  const sequence = Number(receiver.lastSequence);
  const writer = new ByteWriter(new Uint8Array(vluSize(sequence) + 2));
  if (protection.sequence) writer.vlu(sequence);
  if (protection.hmacLength === 0) writer.u16(checksum16(opened, 0, opened.length));
  return writer.bytes.subarray(0, writer.pos);
}

/** All that recordings note about packets, by the names that the readers of formats use. */
function packetFacts(raw: Uint8Array, decoded: DecodedPacket, prefix: Uint8Array, path: Path): Json {
  const { header } = decoded;
  const { protection, receiver } = path;
  const { hmacLength } = protection;
  const flags =
    header.mode |
    header.reserved |
    (header.timeCritical ? HeaderFlag.timeCritical : 0) |
    (header.timeCriticalReverse ? HeaderFlag.timeCriticalReverse : 0) |
    (header.timestamp === undefined ? 0 : HeaderFlag.timestamp) |
    (header.timestampEcho === undefined ? 0 : HeaderFlag.timestampEcho);
  return {
    key: toHex(path.key),
    hmac: hmacLength === 0 ? null : toHex(raw.subarray(raw.length - hmacLength)),
    checksum: hmacLength === 0 ? toHex(prefix.subarray(prefix.length - 2)) : null,
    sequence: protection.sequence ? Number(receiver.lastSequence) : null,
    headerOffset: prefix.length,
    flags,
    mode: header.mode,
    modeName: MODE_NAMES.get(header.mode),
    timeCritical: header.timeCritical,
    timeCriticalReverse: header.timeCriticalReverse,
    timestamp: header.timestamp ?? null,
    timestampEcho: header.timestampEcho ?? null,
    paddingLength: decoded.padding.length,
  };
}

/** Padding as our cipher makes it: as short as can be, all ones. */
function isPlain(padding: Uint8Array): boolean {
  return padding.length < BLOCK_BYTES && padding.every((byte) => byte === 0xff);
}

const MODE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(Mode).map(([name, mode]) => [mode, name]));
const BLOCK_BYTES = 16;
/** Padding and HMAC behind a packet. */
const SPARE_BYTES = 64;
const MAX_PACKET_BYTES = 70_000;
