/** Packet fragmentation and reassembly (§3.4). § means RFC 7016. */
import { EMPTY } from "../bytes.ts";
import { ChunkType, type FragmentChunk } from "../chunk/types.ts";
import {
  MAX_PACKET_FRAGMENTS,
  MAX_REASSEMBLIES,
  REASSEMBLY_LIMIT_MS,
  REASSEMBLY_MAX_BYTES,
  REASSEMBLY_PROGRESS_MS,
} from "../params.ts";

interface Collected {
  readonly startedAt: number;
  progressAt: number;
  bytes: number;
  finalIndex: number | undefined;
  readonly parts: Map<number, Uint8Array>;
}

/** Cuts a packet, from its flags byte to its last chunk, into fragments of at most `size` bytes. */
export function fragmentPacket(packet: Uint8Array, packetId: number, size: number): FragmentChunk[] {
  const fragments: FragmentChunk[] = [];
  for (let at = 0; at < packet.length; at += size) {
    const data = packet.subarray(at, at + size);
    const more = at + size < packet.length;
    fragments.push({ type: ChunkType.fragment, more, packetId, index: fragments.length, data });
  }
  return fragments;
}

/**
 * Collects fragments of startup packets, which are all of one mode, under a key of the caller's (source address, or
 * session, and packet ID). Bounded.
 */
export class PacketReassembly {
  readonly #buffers = new Map<string, Collected>();
  /** Buffers given up: too large, too many, or too slow. */
  dropped = 0;

  get size(): number {
    return this.#buffers.size;
  }

  /**
   * Adds one fragment; returns the whole packet, flags byte first, once it is complete. Copies what it keeps.
   * `mayBegin` is asked before a fragment of another packet than those under way is taken.
   */
  add(key: string, fragment: FragmentChunk, now: number, mayBegin: () => boolean = () => true): Uint8Array | undefined {
    if (fragment.data.length === 0) return undefined;
    let buffer = this.#buffers.get(key);
    if (buffer !== undefined && isStale(buffer, now)) {
      this.#buffers.delete(key);
      this.dropped++;
      buffer = undefined;
    }
    if (buffer === undefined) {
      if (!mayBegin()) return undefined;
      this.#makeRoom();
      buffer = { startedAt: now, progressAt: now, bytes: 0, finalIndex: undefined, parts: new Map() };
      this.#buffers.set(key, buffer);
    }
    if (buffer.parts.has(fragment.index)) return undefined;
    if (buffer.finalIndex !== undefined && fragment.index > buffer.finalIndex) return undefined;
    buffer.bytes += fragment.data.length;
    if (buffer.bytes > REASSEMBLY_MAX_BYTES || fragment.index >= MAX_PACKET_FRAGMENTS) {
      this.#buffers.delete(key);
      this.dropped++;
      return undefined;
    }
    if (!fragment.more && buffer.finalIndex === undefined) {
      buffer.finalIndex = fragment.index;
      dropBeyond(buffer, fragment.index);
    }
    buffer.parts.set(fragment.index, fragment.data.slice());
    buffer.progressAt = now;
    if (buffer.finalIndex === undefined || buffer.parts.size !== buffer.finalIndex + 1) return undefined;
    this.#buffers.delete(key);
    return join(buffer);
  }

  /** The oldest gives way. */
  #makeRoom(): void {
    if (this.#buffers.size < MAX_REASSEMBLIES) return;
    this.#buffers.delete(this.#buffers.keys().next().value as string);
    this.dropped++;
  }
}

/** True for a packet that takes too long as a whole, or for its next fragment. */
function isStale(buffer: Collected, now: number): boolean {
  return now - buffer.startedAt > REASSEMBLY_LIMIT_MS || now - buffer.progressAt > REASSEMBLY_PROGRESS_MS;
}

/** Indices beyond the final one belong to nothing (AMB-07). */
function dropBeyond(buffer: Collected, finalIndex: number): void {
  for (const [index, part] of buffer.parts) {
    if (index <= finalIndex) continue;
    buffer.parts.delete(index);
    buffer.bytes -= part.length;
  }
}

function join(buffer: Collected): Uint8Array {
  const packet = new Uint8Array(buffer.bytes);
  let at = 0;
  for (let index = 0; index < buffer.parts.size; index++) {
    const part = buffer.parts.get(index) ?? EMPTY;
    packet.set(part, at);
    at += part.length;
  }
  return packet;
}
