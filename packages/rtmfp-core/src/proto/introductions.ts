/** IHellos that select nothing local, while the application decides (§3.5.1.4, §3.5.1.5). § means RFC 7016. */
import { type Address, addressSize, networkOf, type WireAddress } from "./address.ts";
import { ChunkType } from "./chunk/types.ts";
import { Fifo } from "./fifo.ts";
import {
  INTRODUCTION_DECISION_MS,
  MAX_EPD_BYTES,
  MAX_PENDING_INTRODUCTIONS,
  MAX_PENDING_OF_NETWORK,
  MAX_PENDING_OF_STRANGERS,
} from "./params.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session-host.ts";
import type { StartupSender } from "./startup/sender.ts";

interface Pending {
  readonly epd: Uint8Array;
  readonly tag: Uint8Array;
  readonly from: Address;
  readonly via: number;
  readonly until: number;
  readonly isStranger: boolean;
}

/** A bounded table of undecided introductions; each is forgotten after 5 s. */
export class Introductions {
  readonly #host: SessionHost;
  readonly #sender: StartupSender;
  readonly #pending = new Map<number, Pending>();
  /** How many of them each network has asked for. */
  readonly #byNetwork = new Map<string, number>();
  /** How many have come from addresses without a session. */
  #ofStrangers = 0;
  readonly #order = new Fifo<number>();
  #nextId = 1;

  constructor(host: SessionHost, sender: StartupSender) {
    this.#host = host;
    this.#sender = sender;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Emits the event; drops and counts the IHello if it is too large, the table is full, or its network has its share of it,
   * or strangers theirs: those without a session at `from`. The bytes are copied.
   */
  add(epd: Uint8Array, tag: Uint8Array, from: Address, via: number, isStranger: boolean, now: number): void {
    this.#expire(now);
    const { stats } = this.#host;
    const network = networkOf(from.host);
    const ofNetwork = this.#byNetwork.get(network) ?? 0;
    const isFull =
      this.#pending.size >= MAX_PENDING_INTRODUCTIONS ||
      ofNetwork >= MAX_PENDING_OF_NETWORK ||
      (isStranger && this.#ofStrangers >= MAX_PENDING_OF_STRANGERS);
    if (isFull || epd.length > MAX_EPD_BYTES) {
      stats.introductionsRefused++;
      return;
    }
    stats.introductions++;
    const id = this.#nextId++;
    const source = { host: from.host, port: from.port };
    const until = now + INTRODUCTION_DECISION_MS;
    const pending = { epd: epd.slice(), tag: tag.slice(), from: source, via, until, isStranger };
    this.#pending.set(id, pending);
    if (isStranger) this.#ofStrangers++;
    this.#byNetwork.set(network, ofNetwork + 1);
    this.#order.push(id);
    this.#host.emit({ type: "introduction", id, epd: pending.epd, tag: pending.tag, from: source, via });
  }

  /**
   * Answers with a Redirect that lists the addresses, as many as keep it within six times the request
   * and one datagram; false if the introduction is no longer open.
   */
  redirect(id: number, addresses: readonly WireAddress[], now: number): boolean {
    const pending = this.#open(id, now);
    if (pending === undefined) return false;
    const destinations = destinationsFor(pending.epd, pending.tag, addresses);
    if (destinations.length === 0) return false;
    this.#sender.send(
      { type: ChunkType.redirect, tagEcho: pending.tag, destinations },
      pending.from,
      pending.via,
      0,
      now,
    );
    return true;
  }

  /** Forwards the IHello to the far end of `session`; false if the introduction is no longer open. */
  forward(id: number, session: Session, now: number): boolean {
    const pending = this.#open(id, now);
    if (pending === undefined || !session.isOpen) return false;
    session.sendForwardedHello(pending.epd, pending.from, pending.tag);
    return true;
  }

  /** The introduction is decided: later answers are refused. */
  done(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (pending.isStranger) this.#ofStrangers--;
    const network = networkOf(pending.from.host);
    const left = (this.#byNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }

  #open(id: number, now: number): Pending | undefined {
    this.#expire(now);
    return this.#pending.get(id);
  }

  #expire(now: number): void {
    for (let id = this.#order.peek(); id !== undefined; id = this.#order.peek()) {
      const pending = this.#pending.get(id);
      if (pending !== undefined && pending.until > now) return;
      this.done(id);
      this.#order.shift();
    }
  }
}

/** Addresses for a Redirect: as many as keep it within six times the IHello and one datagram. */
export function destinationsFor(epd: Uint8Array, tag: Uint8Array, addresses: readonly WireAddress[]): WireAddress[] {
  const destinations: WireAddress[] = [];
  let room = Math.min(MAX_AMPLIFICATION * (epd.length + tag.length), MAX_REDIRECT_BYTES) - tag.length;
  for (const address of addresses) {
    room -= addressSize(address);
    if (room < 0) break;
    destinations.push(address);
  }
  return destinations;
}

const MAX_AMPLIFICATION = 6;
const MAX_REDIRECT_BYTES = 1_100;
