import { type Address, canonicalHost } from "../proto/address.ts";
import type { Cancel } from "./clock.ts";
import type { SimContext } from "./context.ts";

/** Where a carrier's socket is bound. */
export interface SocketOptions {
  /** An own address, a loopback address, or "0.0.0.0" or "::" for all of the family. Default "0.0.0.0". */
  readonly host?: string;
  /** Default 0: an unused one. */
  readonly port?: number;
}

/** One bound socket, in the shape of the carrier contract. */
export interface SimSocket {
  /** Index among the carrier's sockets. */
  readonly via: number;
  /** Where it is bound. */
  readonly address: Address;
}

/** What a carrier needs of its host. */
export interface CarrierHost {
  readonly context: SimContext;
  /** The host's own clock: `offsetMs + rate * virtual time`. */
  readonly clockOffsetMs: number;
  readonly clockRate: number;
  /** Its processes are stopped. */
  readonly isFrozen: boolean;
  /** Sends a copy of the bytes from a bound address. */
  transmit(bytes: Uint8Array, bound: Address, to: Address): void;
  reachableAddresses(bound: Address): readonly Address[];
  release(carrier: SimCarrier): void;
}

/**
 * A carrier of datagrams on a simulated host: fulfils the `Carrier` contract of the endpoint driver, in virtual time.
 * Made by SimHost.open. As a kernel would, it copies what is sent, and hands over bytes that nobody else has.
 */
export class SimCarrier {
  /** In the order in which they were bound. */
  readonly sockets: readonly SimSocket[];
  /** Set by the driver. */
  onDatagram: (bytes: Uint8Array, from: Address, via: number) => void = () => {};
  /** Set by the driver. */
  onAlarm: () => void = () => {};
  readonly #host: CarrierHost;
  /** The deadline, by the host's clock. */
  #alarm = Number.POSITIVE_INFINITY;
  /** Virtual time of the scheduled wake-up. */
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWake: Cancel = () => {};
  #closed = false;
  readonly #missedTurns: (() => void)[] = [];
  readonly #run = (turn: () => void): void => {
    if (this.#host.isFrozen) this.#missedTurns.push(turn);
    else if (!this.#closed) {
      this.#host.context.clock.calledOut();
      turn();
    }
  };

  /** Made by SimHost.open. */
  constructor(host: CarrierHost, bound: readonly Address[]) {
    this.#host = host;
    this.sockets = bound.map((address, via) => ({ via, address }));
  }

  /** The host's clock: milliseconds, fractional. */
  now(): number {
    return this.#hostTime(this.#host.context.clock.now);
  }

  /** Calls {@link onAlarm} once when `now()` reaches `at`, ms; each call replaces the former, Infinity cancels. */
  setAlarm(at: number): void {
    if (this.#closed) return;
    this.#alarm = at;
    let time = (at - this.#host.clockOffsetMs) / this.#host.clockRate;
    // Rounding must not wake the driver just before its deadline.
    while (this.#hostTime(time) < at) time += Math.max(Math.abs(time), 1) * Number.EPSILON;
    // A deadline that moves away, as most do, leaves the old wake-up standing: it will look again then.
    if (time >= this.#wakeAt) return;
    this.#cancelWake();
    this.#wakeAt = time;
    this.#cancelWake = this.#host.context.clock.schedule(time, () => this.#wake(), 0);
  }

  /** Runs `turn` once after all datagrams of this instant have been handed over. */
  defer(turn: () => void): void {
    const { clock } = this.#host.context;
    clock.post(clock.now, this.#run, turn, DEFERRED_PHASE);
  }

  /** Sends a copy of the datagram by the socket `via`. Never throws; a failure is a loss. */
  send(datagram: Uint8Array, via: number, to: Address): void {
    const socket = this.sockets[via];
    if (!this.#closed && socket !== undefined) this.#host.transmit(datagram, socket.address, to);
  }

  /** Own addresses that others might reach directly, without loopback and link-local ones. */
  interfaceAddresses(): readonly Address[] {
    return this.sockets.flatMap((socket) => this.#host.reachableAddresses(socket.address));
  }

  /** Rejects, with `code` ENOTFOUND as Node's DNS does, for a name that SimWorld.name did not give an address. */
  async resolve(host: string, port: number): Promise<readonly Address[]> {
    const literal = canonicalHost(host);
    const hosts = literal === undefined ? this.#host.context.names.get(host.toLowerCase()) : [literal];
    if (hosts !== undefined && hosts.length > 0) return hosts.map((address) => ({ host: address, port }));
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND", hostname: host });
  }

  /** Frees the ports; what is on the way to them is dropped. */
  close(): Promise<void> {
    this.#closed = true;
    this.#cancelWake();
    this.#host.release(this);
    return Promise.resolve();
  }

  /** Hands a datagram to the driver, which owns its bytes from then on. Called by the host. */
  deliver(bytes: Uint8Array, from: Address, via: number): void {
    this.onDatagram(bytes, from, via);
  }

  /** The host's clock was set: the alarm rings when it shows the deadline. Called by the host. */
  clockStepped(): void {
    this.#cancelWake();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.setAlarm(this.#alarm);
  }

  /** The host's processes go on: what they missed is made up for. Called by the host. */
  thawed(): void {
    for (const turn of this.#missedTurns.splice(0)) this.defer(turn);
    this.setAlarm(this.#alarm);
  }

  #wake(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY;
    if (this.#host.isFrozen) return;
    const alarm = this.#alarm;
    if (this.now() < alarm) {
      this.setAlarm(alarm);
      return;
    }
    this.#alarm = Number.POSITIVE_INFINITY;
    this.#host.context.clock.calledOut();
    this.onAlarm();
  }

  #hostTime(time: number): number {
    return this.#host.clockOffsetMs + time * this.#host.clockRate;
  }
}

/** Deferred turns run after all that the network brings at the same instant. */
const DEFERRED_PHASE = 1;
