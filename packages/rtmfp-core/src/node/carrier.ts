import type { Address } from "../proto/address.ts";

/**
 * What carries an endpoint's datagrams and tells it the time: UDP sockets in a Node process, or a simulated host
 * in virtual time. One carrier belongs to one endpoint; the driver sets the two callbacks before anything arrives.
 */
export interface Carrier {
  /** Monotonic milliseconds, fractional, from any origin. */
  now(): number;
  /** Calls {@link onAlarm} once when `now()` reaches `at`; each call replaces the former, Infinity cancels. */
  setAlarm(at: number): void;
  /** Runs `turn` once after the datagrams of this turn of the loop have been handed over, before time passes. */
  defer(turn: () => void): void;
  /** Sends one datagram by the socket `via`. The bytes are borrowed for the call. Never throws; a failure is a loss. */
  send(datagram: Uint8Array, via: number, to: Address): void;
  /** The carrier owns these bytes from now on: those of {@link onDatagram}, or memory in which they were decrypted. */
  release?(bytes: Uint8Array): void;
  /** The sockets: opaque id and the address each is bound to (the unspecified address if bound to all). */
  readonly sockets: readonly CarrierSocket[];
  /** Set by the driver, which owns `bytes` from then on. */
  onDatagram: (bytes: Uint8Array, from: Address, via: number) => void;
  /** Set by the driver. */
  onAlarm: () => void;
  /** Own addresses that peers might reach directly, without loopback and link-local ones (RFC 7425 §5.3.3). */
  interfaceAddresses(): readonly Address[];
  /** Candidate addresses of a host name or IP literal; rejects if there is none. */
  resolve(host: string, port: number): Promise<readonly Address[]>;
  /** Releases sockets and timers. */
  close(): Promise<void>;
}

/** One bound socket of a carrier. */
export interface CarrierSocket {
  /** Opaque socket id, the `via` of the sans-IO contract. */
  readonly via: number;
  /** Where it is bound; the host may be the wildcard 0.0.0.0 or ::, the port is the real one. */
  readonly address: Address;
}
