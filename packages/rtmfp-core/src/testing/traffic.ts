import type { Address } from "../proto/address.ts";
import type { SimClock } from "./clock.ts";
import type { SimPacket } from "./packet.ts";

/**
 * Why a datagram did not arrive: `loss` random or burst loss (of one fragment, too); `queue` a full drop-tail queue;
 * `mtu` too large for a link, or for UDP; `nat` no mapping, filtered, no hairpin; `blocked` a partition or outage;
 * `filter` a filter said so; `unroutable` nobody has that address; `closed` no socket at the port.
 */
export type DropReason = "loss" | "queue" | "mtu" | "nat" | "blocked" | "filter" | "unroutable" | "closed";

/** Counts of datagrams. sent + duplicated = delivered + dropped + still on the way. */
export interface SimStats {
  /** Datagrams that hosts sent. */
  sent: number;
  /** Copies that links made. */
  duplicated: number;
  /** Datagrams that reached a socket. */
  delivered: number;
  /** UDP payload bytes of those sent. */
  bytesSent: number;
  /** UDP payload bytes of those delivered. */
  bytesDelivered: number;
  /** Datagrams that did not arrive, by reason. */
  readonly dropped: Record<DropReason, number>;
}

/** One entry of a capture. */
export interface CaptureRecord {
  /** Virtual milliseconds. */
  readonly time: number;
  /** What happened to the datagram. */
  readonly event: "sent" | "delivered" | "dropped";
  /** Only if dropped. */
  readonly reason: DropReason | undefined;
  /** Source, as the addresses stood there and then: before NAT where sent, after it where delivered. */
  readonly from: Address;
  /** Destination, likewise. */
  readonly to: Address;
  /** UDP payload. Owned by the network, which shares it among records; do not modify. */
  readonly bytes: Uint8Array;
  /** Name of the host that sent it. */
  readonly sender: string;
}

/** A running or stopped capture. */
export interface Capture {
  /** In order of time. */
  readonly records: readonly CaptureRecord[];
  /** Takes no further records. */
  stop(): void;
}

/**
 * A datagram as a filter sees it. `bytes` must not be modified: return new ones to alter it. They are borrowed for the
 * call.
 */
export interface FilterView {
  /** Source as it stands there: before NAT at stage "sent", after it at "delivered". */
  readonly from: Address;
  /** Destination, likewise. */
  readonly to: Address;
  /** UDP payload. */
  readonly bytes: Uint8Array;
  /** Name of the host that sent it. */
  readonly sender: string;
}

/** Judges one datagram: undefined lets it pass, "drop" drops it, bytes replace its own. They are copied. */
export type Filter = (datagram: FilterView) => undefined | "drop" | Uint8Array;

/** Watches and meddles with the datagrams of a world: counters, captures, filters. */
export class SimTraffic {
  readonly stats: SimStats = {
    sent: 0,
    duplicated: 0,
    delivered: 0,
    bytesSent: 0,
    bytesDelivered: 0,
    dropped: { loss: 0, queue: 0, mtu: 0, nat: 0, blocked: 0, filter: 0, unroutable: 0, closed: 0 },
  };
  readonly #clock: SimClock;
  readonly #captures = new Set<(record: CaptureRecord) => void>();
  readonly #filters = { sent: new Set<Filter>(), delivered: new Set<Filter>() };

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  capture(wanted: (record: CaptureRecord) => boolean): Capture {
    const records: CaptureRecord[] = [];
    const take = (record: CaptureRecord): void => {
      if (wanted(record)) records.push(record);
    };
    this.#captures.add(take);
    return { records, stop: () => void this.#captures.delete(take) };
  }

  filter(filter: Filter, stage: "sent" | "delivered"): () => void {
    this.#filters[stage].add(filter);
    return () => void this.#filters[stage].delete(filter);
  }

  /** Counts a packet that leaves its sender; false if a filter dropped it. */
  sent(packet: SimPacket): boolean {
    this.stats.sent++;
    this.stats.bytesSent += packet.bytes.length;
    this.#record("sent", packet);
    return this.#pass(packet, "sent");
  }

  /** Judges a packet about to be handed to its socket; false if a filter dropped it. */
  arriving(packet: SimPacket): boolean {
    return this.#pass(packet, "delivered");
  }

  delivered(packet: SimPacket): void {
    this.stats.delivered++;
    this.stats.bytesDelivered += packet.bytes.length;
    this.#record("delivered", packet);
  }

  duplicated(): void {
    this.stats.duplicated++;
  }

  dropped(packet: SimPacket, reason: DropReason): void {
    this.stats.dropped[reason]++;
    this.#record("dropped", packet, reason);
  }

  #pass(packet: SimPacket, stage: "sent" | "delivered"): boolean {
    for (const filter of this.#filters[stage]) {
      const { from, to, bytes, sender } = packet;
      const verdict = filter({ from, to, bytes, sender: sender.name });
      if (verdict === "drop") {
        this.dropped(packet, "filter");
        return false;
      }
      if (verdict !== undefined) packet.bytes = verdict.slice();
    }
    return true;
  }

  #record(event: CaptureRecord["event"], packet: SimPacket, reason?: DropReason): void {
    if (this.#captures.size === 0) return;
    packet.isShared = true;
    const { from, to, bytes, sender } = packet;
    const record: CaptureRecord = { time: this.#clock.now, event, reason, from, to, bytes, sender: sender.name };
    for (const take of this.#captures) take(record);
  }
}
