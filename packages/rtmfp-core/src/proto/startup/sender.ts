/** The queue of startup packets on their way out (§2.2.2, §3.4). § means RFC 7016. */
import { type Address, formatAddress } from "../address.ts";
import { ByteWriter } from "../bytes.ts";
import { encodePacket } from "../chunk/codec.ts";
import type { Chunk } from "../chunk/types.ts";
import type { EndpointConfig } from "../config.ts";
import { Fifo } from "../fifo.ts";
import { SESSION_ID_BYTES, STARTUP_HEADER, scrambleSessionId } from "../packet.ts";
import { INITIAL_DATAGRAM_BYTES, MAX_STARTUP_QUEUE } from "../params.ts";
import type { Transmit } from "../session-transmit.ts";
import type { EndpointStats } from "../stats.ts";
import type { TimerHeap } from "../timer-heap.ts";
import { FragmentPacer } from "./fragment-pacer.ts";
import { fragmentPacket } from "./packet-fragments.ts";

interface Outgoing {
  readonly to: Address;
  readonly via: number;
  /** Session ID to put on the wire: 0, or the initiator's for keying replies. */
  readonly sessionId: number;
  /** The packet: flags byte and one chunk. */
  readonly packet: Uint8Array;
}

/** Sends startup packets under the Default Session Key; large ones in fragments, a few per 200 ms and target. */
export class StartupSender {
  readonly #config: EndpointConfig;
  readonly #stats: EndpointStats;
  readonly #queue = new Fifo<Outgoing>();
  readonly #fragments: FragmentPacer<Outgoing>;
  /** Next packet ID per destination. */
  readonly #packetIds = new Map<string, number>();

  constructor(config: EndpointConfig, stats: EndpointStats, timers: TimerHeap) {
    this.#config = config;
    this.#stats = stats;
    this.#fragments = new FragmentPacer(timers, (item) => this.#queue.push(item));
  }

  /**
   * Queues one chunk as a packet of its own; dropped and counted if the queue is full, or if what the far end wants
   * echoed makes it larger than a chunk can be.
   */
  send(chunk: Chunk, to: Address, via: number, sessionId: number, now: number): void {
    if (this.#queue.length >= MAX_STARTUP_QUEUE) {
      this.#stats.startupQueueFull++;
      return;
    }
    const writer = new ByteWriter(SCRATCH);
    try {
      encodePacket(writer, STARTUP_HEADER, [chunk]);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#stats.malformed++;
      return;
    }
    const packet = writer.bytes.slice(0, writer.pos);
    const capacity = this.#config.profile.startupCipher.packetCapacity(
      this.#config.datagramBytes ?? INITIAL_DATAGRAM_BYTES,
    );
    if (packet.length <= capacity) this.#queue.push({ to, via, sessionId, packet });
    else this.#sendFragments(packet, capacity, to, via, sessionId, now);
  }

  /** Writes the next datagram; false if none waits. */
  poll(buffer: Uint8Array, now: number, out: Transmit): boolean {
    const item = this.#queue.shift();
    if (item === undefined) return false;
    const cipher = this.#config.profile.startupCipher;
    const start = SESSION_ID_BYTES + cipher.headroom;
    buffer.set(item.packet, start);
    const end = cipher.seal(buffer, start, start + item.packet.length);
    scrambleSessionId(buffer, end, item.sessionId);
    out.length = end;
    out.via = item.via;
    out.to = item.to;
    out.ecn = undefined;
    this.#config.trace?.({
      now,
      direction: "out",
      via: item.via,
      peer: item.to,
      sessionId: item.sessionId >>> 0,
      session: 0,
      startup: true,
      datagram: buffer.subarray(0, end),
      packet: item.packet,
    });
    return true;
  }

  #sendFragments(packet: Uint8Array, capacity: number, to: Address, via: number, sessionId: number, now: number): void {
    const key = formatAddress(to);
    const packetId = this.#packetIds.get(key) ?? 0;
    this.#packetIds.delete(key);
    this.#packetIds.set(key, packetId + 1);
    if (this.#packetIds.size > MAX_STARTUP_QUEUE) this.#packetIds.delete(this.#packetIds.keys().next().value as string);
    const items = fragmentPacket(packet, packetId, capacity - FRAGMENT_OVERHEAD).map((fragment) => {
      const writer = new ByteWriter(new Uint8Array(capacity));
      encodePacket(writer, STARTUP_HEADER, [fragment]);
      return { to, via, sessionId, packet: writer.bytes.slice(0, writer.pos) };
    });
    if (!this.#fragments.add(key, items, now)) this.#stats.startupQueueFull++;
  }
}

/** A chunk of the largest size with headers. */
const MAX_CHUNK_PACKET = 65_540;
/** Where every sender puts packets together; what it needs of them it copies before it returns. */
const SCRATCH: Uint8Array = new Uint8Array(MAX_CHUNK_PACKET);
/** Flags byte, chunk header, fragment flags, packet ID and index. */
const FRAGMENT_OVERHEAD = 16;
