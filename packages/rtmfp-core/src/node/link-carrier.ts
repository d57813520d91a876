/** A debug aid: latency and loss inside the process's own socket layer, to see a program on a bad network. */
import type { Address } from "../proto/address.ts";
import { RtmfpError } from "../proto/errors.ts";
import type { Carrier, CarrierSocket } from "./carrier.ts";

/** How bad the link is. */
export interface LinkImpairment {
  /** Delay of every datagram sent; ms, default 0. */
  readonly delayMs?: number;
  /** Share of the datagrams sent that are lost, 0 to 1; default 0. */
  readonly loss?: number;
  /** The same seed loses the same datagrams, by count. Default 1. */
  readonly seed?: number;
}

/**
 * Impairs what `carrier` sends, and passes on what it receives: between two processes that do so, each leg is impaired
 * once each way. The wrapped carrier belongs to the wrapper.
 */
export class LinkCarrier implements Carrier {
  readonly #carrier: Carrier;
  readonly #delayMs: number;
  readonly #loss: number;
  #random: number;
  #waiting: { readonly at: number; readonly bytes: Uint8Array; readonly via: number; readonly to: Address }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastSentAt = 0;

  /** Takes `carrier` over: closing this closes it. */
  constructor(carrier: Carrier, link: LinkImpairment) {
    this.#carrier = carrier;
    this.#delayMs = link.delayMs ?? 0;
    this.#loss = link.loss ?? 0;
    this.#random = link.seed ?? 1;
  }

  now(): number {
    return this.#carrier.now();
  }

  setAlarm(at: number): void {
    this.#carrier.setAlarm(at);
  }

  defer(turn: () => void): void {
    this.#carrier.defer(turn);
  }

  send(datagram: Uint8Array, via: number, to: Address): void {
    if (this.#nextRandom() < this.#loss) return;
    this.#lastSentAt = this.now() + this.#delayMs;
    this.#waiting.push({ at: this.#lastSentAt, bytes: datagram.slice(), via, to });
    if (this.#timer === undefined) this.#schedule();
  }

  get sockets(): readonly CarrierSocket[] {
    return this.#carrier.sockets;
  }

  get onDatagram(): Carrier["onDatagram"] {
    return this.#carrier.onDatagram;
  }

  set onDatagram(handler: Carrier["onDatagram"]) {
    this.#carrier.onDatagram = handler;
  }

  get onAlarm(): () => void {
    return this.#carrier.onAlarm;
  }

  set onAlarm(handler: () => void) {
    this.#carrier.onAlarm = handler;
  }

  interfaceAddresses(): readonly Address[] {
    return this.#carrier.interfaceAddresses();
  }

  resolve(host: string, port: number): Promise<readonly Address[]> {
    return this.#carrier.resolve(host, port);
  }

  /** What is under way still arrives, goodbyes included. */
  async close(): Promise<void> {
    const left = this.#lastSentAt - this.now();
    if (this.#waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(Math.max(0, left))));
    // Node's timers may fire up to a millisecond before that time by this clock.
    this.#flush(Number.POSITIVE_INFINITY);
    clearTimeout(this.#timer);
    await this.#carrier.close();
  }

  #schedule(): void {
    const next = this.#waiting[0];
    this.#timer = undefined;
    if (next === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#flush();
        this.#schedule();
      },
      Math.max(0, next.at - this.now()),
    );
  }

  /** Sends what is due by then. */
  #flush(by = this.now()): void {
    let due = 0;
    for (const { at, bytes, via, to } of this.#waiting) {
      if (at > by) break;
      this.#carrier.send(bytes, via, to);
      due++;
    }
    this.#waiting.splice(0, due);
  }

  /** 0 to 1, by the 32-bit generator called mulberry32. */
  #nextRandom(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), this.#random | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Reads `delay=40,loss=0.02,seed=7`, each part optional. Throws BAD_ARGUMENT in one line for anything else. */
export function parseLink(text: string): LinkImpairment {
  const link: { delayMs?: number; loss?: number; seed?: number } = {};
  for (const part of text.split(",")) {
    const [name = "", digits = ""] = part.split("=");
    const value = Number(digits);
    const isNumber = digits.trim() !== "" && value >= 0 && Number.isFinite(value);
    if (name === "delay" && isNumber) link.delayMs = value;
    else if (name === "loss" && isNumber && value <= 1) link.loss = value;
    else if (name === "seed" && Number.isInteger(value) && isNumber) link.seed = value;
    else throw new RtmfpError("BAD_ARGUMENT", `expected a link such as delay=40,loss=0.02,seed=7, got "${text}"`);
  }
  return link;
}
