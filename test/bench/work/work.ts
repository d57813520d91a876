/** What the processes of a benchmark do. Every work is one file of this folder; `child.ts` runs one side of it. */
import type { Address } from "rtmfp-core";

/** Named numbers that a side tells. */
export type Figures = Readonly<Record<string, number>>;

/** How long, and whatever else the work wants to know. Plain data. */
export interface Settings {
  /** Time that counts, s. */
  readonly seconds: number;
  /** Time before it, for the compiler; s. */
  readonly warmUp: number;
  /** Datagram size to keep to, bytes; without it the library's own choice. */
  readonly datagramBytes?: number;
  /** HMAC-16 and session sequence numbers instead of the checksum. Default false. */
  readonly hmac?: boolean;
  /** Share of the datagrams lost at each sender's output. Default 0. */
  readonly loss?: number;
  /** Default 1. */
  readonly flows?: number;
  /** Diffie-Hellman group. Default: the library's favourite. */
  readonly group?: number;
  /** Sessions that do nothing. Default 0. */
  readonly idle?: number;
  /** Clients that play a stream. Default 2. */
  readonly players?: number;
}

/** The side that waits. */
export interface Serving {
  readonly address: Address;
  /** The time that counts begins. */
  mark?(): void | Promise<void>;
  /** What it saw since. */
  report?(): Figures | Promise<Figures>;
}

/** One work in two processes, or in one if nothing serves. */
export interface Work {
  serve?(settings: Settings): Promise<Serving>;
  /** Connects and warms up; the function returned is what counts. */
  drive(settings: Settings, address: Address): Promise<() => Promise<Figures>>;
}
