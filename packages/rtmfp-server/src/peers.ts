/** Who is where: every open session, whether it ever sent `connect` or not. § means RFC 7425. */
import { type Address, formatAddress, parseAddressText, type Session } from "rtmfp-core";
import { isLoopback, isUnusable } from "rtmfp-core/proto";
import type { Application } from "./application.ts";
import type { Client } from "./client.ts";
import type { NatVerdict } from "./nat.ts";

/** An end of an introduction, as `onPeerLookup` sees it. */
export interface Peer {
  /** Its identity, 64 lower-case hex digits; `""` for an asker that has no session here. */
  readonly farID: string;
  /** Where the server sees it. */
  readonly address: Address;
  /** The application instance that it is connected to; undefined for a peer that has not sent `connect`. */
  readonly app: Application | undefined;
  /** Its client object, once it is connected to an application. */
  readonly client: Client | undefined;
}

/** A session and what is known of its far end. */
export class PeerEntry implements Peer {
  readonly session: Session;
  /** Set while the peer is connected to an application. */
  client: Client | undefined;
  /** What setPeerInfo reported last (§5.3.3), usable addresses only; undefined before. */
  reported: readonly Address[] | undefined;
  /** Called for each setPeerInfo. */
  onReport: (() => void) | undefined;
  /** Ends the wait for its `connect`; undefined when nothing waits. */
  stopWaiting: (() => void) | undefined;
  /** When it last answered a Ping of ours, by the server's clock; ms. */
  heardAt: number = Number.NEGATIVE_INFINITY;
  /** When it was last asked for a sign of life, likewise. */
  pingedAt: number = Number.NEGATIVE_INFINITY;
  /** What other sockets of ours have shown of its NAT; undefined while nobody has looked since it came here. */
  examined: Partial<Pick<NatVerdict, "symmetric" | "filtersPorts">> | undefined;

  constructor(session: Session) {
    this.session = session;
  }

  get farID(): string {
    return this.session.peerId;
  }

  get address(): Address {
    return this.session.address;
  }

  get app(): Application | undefined {
    return this.client?.app;
  }

  /** Takes the texts of a setPeerInfo command; entries that are no usable address are skipped. */
  report(texts: readonly string[]): void {
    const addresses = texts.map(parseAddressText).filter((address) => address !== undefined);
    this.reported = addresses.filter((address) => !isUnusable(address));
    this.onReport?.();
  }

  /** What is known of the NAT in front of it. */
  get nat(): NatVerdict {
    const ports = this.reported?.map(({ port }) => port) ?? [];
    return {
      // Loopback addresses are never reported.
      behindNat: isLoopback(this.address) ? false : this.behindNat,
      keepsPort: ports.length === 0 ? undefined : ports.includes(this.address.port),
      symmetric: this.examined?.symmetric,
      filtersPorts: this.examined?.filtersPorts,
    };
  }

  /**
   * Whether the peer is taken to be behind a NAT: its observed address is missing from those it reported (§5.3.3).
   * Undefined before it has reported any.
   */
  get behindNat(): boolean | undefined {
    if (this.reported === undefined) return undefined;
    const observed = formatAddress(this.address);
    return !this.reported.some((address) => formatAddress(address) === observed);
  }
}

/** The entries, by session and by observed address. */
export class Peers {
  readonly #bySession = new Map<Session, PeerEntry>();
  readonly #byAddress = new Map<string, PeerEntry>();

  get size(): number {
    return this.#bySession.size;
  }

  add(session: Session): PeerEntry {
    const entry = new PeerEntry(session);
    this.#bySession.set(session, entry);
    this.#byAddress.set(formatAddress(session.address), entry);
    return entry;
  }

  /** The far end has moved from there to where its session says. */
  moved(entry: PeerEntry, from: Address): void {
    this.#forget(entry, from);
    entry.examined = undefined;
    this.#byAddress.set(formatAddress(entry.address), entry);
  }

  remove(entry: PeerEntry): void {
    this.#bySession.delete(entry.session);
    this.#forget(entry, entry.address);
  }

  of(session: Session): PeerEntry | undefined {
    return this.#bySession.get(session);
  }

  /** The newest peer seen there. */
  at(address: Address): PeerEntry | undefined {
    return this.#byAddress.get(formatAddress(address));
  }

  #forget(entry: PeerEntry, address: Address): void {
    const key = formatAddress(address);
    if (this.#byAddress.get(key) === entry) this.#byAddress.delete(key);
  }
}
