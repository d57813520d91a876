/** The queue of startup packets on their way out (§2.2.2, §3.4). § means RFC 7016. */
import { type Address, formatAddress } from "../address.ts";
import { ByteWriter } from "../bytes.ts";
import { encodePacket } from "../chunk/codec.ts";
import type { Chunk } from "../chunk/types.ts";
import type { EndpointConfig } from "../config.ts";
import { Fifo } from "../fifo.ts";
import { SESSION_ID_BYTES, STARTUP_HEADER, scrambleSessionId } from "../packet.ts";
import { FRAGMENT_BURST_PACKETS, FRAGMENT_INTERVAL_MS, INITIAL_DATAGRAM_BYTES, MAX_STARTUP_QUEUE } from "../params.ts";
import type { Transmit } from "../session-transmit.ts";
import type { EndpointStats } from "../stats.ts";
import type { TimerHeap, TimerNode } from "../timer-heap.ts";
import { fragmentPacket } from "./packet-fragments.ts";

interface Outgoing {
  readonly to: Address;
  readonly via: number;
  /** Session ID to put on the wire: 0, or the initiator's for keying replies. */
  readonly sessionId: number;
  /** The packet: flags byte and one chunk. */
  readonly packet: Uint8Array;
}

/** Sends startup packets under the Default Session Key; large ones in fragments, at most four per 200 ms and target. */
export class StartupSender implements TimerNode {
  heapDeadline: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly #config: EndpointConfig;
  readonly #stats: EndpointStats;
  readonly #timers: TimerHeap;
  readonly #queue = new Fifo<Outgoing>();
  /** Fragments that wait for their turn, and when that is. */
  readonly #paced = new Fifo<{ at: number; item: Outgoing }>();
  readonly #scratch = new Uint8Array(MAX_CHUNK_PACKET);
  /** Next packet ID per destination. */
  readonly #packetIds = new Map<string, number>();

  constructor(config: EndpointConfig, stats: EndpointStats, timers: TimerHeap) {
    this.#config = config;
    this.#stats = stats;
    this.#timers = timers;
  }

  /** Queues one chunk as a packet of its own; dropped and counted if the queue is full. */
  send(chunk: Chunk, to: Address, via: number, sessionId: number, now: number): void {
    if (this.#queue.length >= MAX_STARTUP_QUEUE) {
      this.#stats.startupQueueFull++;
      return;
    }
    const writer = new ByteWriter(this.#scratch);
    encodePacket(writer, STARTUP_HEADER, [chunk]);
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

  onTimer(now: number): void {
    for (let first = this.#paced.peek(); first !== undefined && first.at <= now; first = this.#paced.peek()) {
      this.#paced.shift();
      this.#queue.push(first.item);
    }
    this.#timers.schedule(this, this.#paced.peek()?.at ?? Number.POSITIVE_INFINITY);
  }

  #sendFragments(packet: Uint8Array, capacity: number, to: Address, via: number, sessionId: number, now: number): void {
    const key = formatAddress(to);
    const packetId = this.#packetIds.get(key) ?? 0;
    this.#packetIds.delete(key);
    this.#packetIds.set(key, packetId + 1);
    if (this.#packetIds.size > MAX_STARTUP_QUEUE) this.#packetIds.delete(this.#packetIds.keys().next().value as string);
    fragmentPacket(packet, packetId, capacity - FRAGMENT_OVERHEAD).forEach((fragment, i) => {
      const writer = new ByteWriter(new Uint8Array(capacity));
      encodePacket(writer, STARTUP_HEADER, [fragment]);
      const item = { to, via, sessionId, packet: writer.bytes.slice(0, writer.pos) };
      const wait = Math.floor(i / FRAGMENT_BURST_PACKETS) * FRAGMENT_INTERVAL_MS;
      if (wait === 0) this.#queue.push(item);
      else this.#paced.push({ at: now + wait, item });
    });
    this.#timers.schedule(this, this.#paced.peek()?.at ?? Number.POSITIVE_INFINITY);
  }
}

/** A chunk of the largest size with headers. */
const MAX_CHUNK_PACKET = 65_540;
/** Flags byte, chunk header, fragment flags, packet ID and index. */
const FRAGMENT_OVERHEAD = 16;
