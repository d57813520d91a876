/**
 * Path MTU discovery (§3.5.4.3): probes of Padding and a Ping behind it, larger step by step, while a session has bulk
 * data to send. No user data rides in a probe, so one that is lost costs nothing. § means RFC 7016.
 *
 * The search only goes up and ends at the first size without an answer: the kernel that met a narrow link sends larger
 * datagrams in fragments from then on, without a word, and they would seem to fit.
 */
import { type Address, isLoopback } from "./address.ts";
import { concatBytes, equalBytes } from "./bytes.ts";
import type { EndpointConfig } from "./config.ts";
import type { CongestionController } from "./congestion/controller.ts";
import { RtmfpError } from "./errors.ts";
import {
  BLACK_HOLE_TIMEOUTS,
  INITIAL_DATAGRAM_BYTES,
  LOST_SIZE_MS,
  MAX_DATAGRAM_BYTES,
  MAX_LOST_SIZES,
  PROBE_AFTER_BYTES,
} from "./params.ts";
import type { RoundTripTimer } from "./rtt.ts";
import type { SessionHost } from "./session-host.ts";

/** What the discovery needs of its session. */
export interface PathMtuHost {
  readonly address: Address | undefined;
  readonly rtt: RoundTripTimer;
  readonly sends: { readonly stats: { readonly bytesAcked: number }; readonly congestion: CongestionController };
  /** Size of the datagrams that the session sends. */
  datagramBytes: number;
  requestTransmit(): void;
  wakeAt(at: number): void;
}

/** Datagram sizes that went unanswered, by host: neither they nor larger ones are tried for 10 minutes. Bounded. */
export class LostSizes {
  readonly #entries = new Map<string, { readonly bytes: number; readonly until: number }>();

  add(host: string, bytes: number, now: number): void {
    const least = Math.min(bytes, this.#get(host, now)?.bytes ?? bytes);
    this.#entries.delete(host);
    if (this.#entries.size >= MAX_LOST_SIZES) this.#entries.delete(this.#entries.keys().next().value as string);
    this.#entries.set(host, { bytes: least, until: now + LOST_SIZE_MS });
  }

  /** A probe of that size was answered after all. */
  remove(host: string, bytes: number): void {
    if (this.#entries.get(host)?.bytes === bytes) this.#entries.delete(host);
  }

  /** Until when datagrams of that size are not to be tried; 0 if they may be. */
  blockedUntil(host: string, bytes: number, now: number): number {
    const entry = this.#get(host, now);
    return entry !== undefined && bytes >= entry.bytes ? entry.until : 0;
  }

  #get(host: string, now: number): { readonly bytes: number; readonly until: number } | undefined {
    const entry = this.#entries.get(host);
    return entry !== undefined && entry.until > now ? entry : undefined;
  }
}

/** The discovery of one session; made with its first full packet, if the datagram size is not fixed. */
export class PathMtu {
  /** A probe of {@link probeBytes} is to go out. */
  due = false;
  /** When the probe that is out counts as lost, or Infinity. */
  at: number = Number.POSITIVE_INFINITY;
  /** Datagram size of the probe that is due or out; 0 is none. */
  probeBytes = 0;
  readonly #session: PathMtuHost;
  readonly #host: SessionHost;
  /** Leads the messages of our probes, so that their replies are told from those of other Pings. */
  readonly #nonce: Uint8Array;
  /** Message and datagram size of the last probe on this path; a late answer to it counts too. */
  #message: Uint8Array | undefined;
  #messageBytes = 0;
  #serial = 0;
  /** The host being probed, and the largest size to try there. */
  #target = "";
  #ceiling = 0;
  /** `bytesAcked` when this path was taken up. */
  #ackedBefore = 0;
  #notBefore = 0;
  /** Times that only large packets were lost since one was acknowledged, and when last. */
  #largeLosses = 0;
  #largeLostAt: number = Number.NEGATIVE_INFINITY;

  constructor(session: PathMtuHost, host: SessionHost) {
    this.#session = session;
    this.#host = host;
    this.#nonce = host.config.random(NONCE_BYTES);
    this.#aim();
  }

  /** The path is another: back to the size that passes nearly everywhere. */
  restart(): void {
    this.#ackedBefore = this.#session.sends.stats.bytesAcked;
    this.#aim();
    this.#endProbe();
    this.#message = undefined;
    this.#largeLosses = 0;
    this.#set(INITIAL_DATAGRAM_BYTES);
  }

  /** A packet was filled to the brim with user data: larger ones would be of use. Takes the next step of the search. */
  onFullPacket(now: number): void {
    if (this.probeBytes !== 0 || this.#session.datagramBytes >= this.#ceiling || now < this.#notBefore) return;
    if (this.#session.sends.stats.bytesAcked - this.#ackedBefore < PROBE_AFTER_BYTES) return;
    const larger = STEPS.find((step) => step > this.#session.datagramBytes) ?? this.#ceiling;
    const next = Math.min(larger, this.#ceiling);
    this.#notBefore = this.#host.lostSizes.blockedUntil(this.#target, next, now);
    if (this.#notBefore !== 0) return;
    this.probeBytes = next;
    this.due = true;
    this.#session.requestTransmit();
  }

  /** The Ping message of the probe that is due, which now goes out. */
  takeProbe(now: number): Uint8Array {
    this.due = false;
    this.at = now + this.#session.rtt.erto;
    this.#session.wakeAt(this.at);
    this.#host.stats.mtuProbes++;
    this.#messageBytes = this.probeBytes;
    this.#message = concatBytes(this.#nonce, Uint8Array.of(this.#serial++));
    return this.#message;
  }

  /** A Ping Reply; true if it answers a probe of ours, whichever. */
  onPingReply(message: Uint8Array): boolean {
    if (!equalBytes(message.subarray(0, this.#nonce.length), this.#nonce)) return false;
    if (this.#message === undefined || !equalBytes(message, this.#message)) return true;
    this.#message = undefined;
    this.#host.lostSizes.remove(this.#target, this.#messageBytes);
    this.#notBefore = 0;
    this.#set(this.#messageBytes);
    this.#endProbe();
    return true;
  }

  /** The session woke: a probe may have gone unanswered for ERTO. Nothing changes but that larger ones are not tried. */
  onTimer(now: number): void {
    if (this.at > now) return;
    this.#host.lostSizes.add(this.#target, this.probeBytes, now);
    this.#host.stats.mtuProbesLost++;
    this.#endProbe();
  }

  /** A packet larger than 1200-byte datagrams was acknowledged. */
  onLargeAcked(): void {
    this.#largeLosses = 0;
  }

  /** Of what was sent only packets larger than that were lost, by timeout or negative acknowledgement. */
  onLargeLost(now: number): void {
    const { datagramBytes, rtt } = this.#session;
    if (datagramBytes === INITIAL_DATAGRAM_BYTES || now - this.#largeLostAt < rtt.mrto) return;
    this.#largeLostAt = now;
    if (++this.#largeLosses < BLACK_HOLE_TIMEOUTS) return;
    this.#host.lostSizes.add(this.#target, datagramBytes, now);
    this.#host.stats.mtuBlackHoles++;
    this.restart();
  }

  #aim(): void {
    const { address } = this.#session;
    this.#target = address?.host ?? "";
    this.#ceiling = this.#host.config.maxDatagram ?? (address === undefined ? 0 : ceilingFor(address));
    this.#notBefore = 0;
  }

  #endProbe(): void {
    this.probeBytes = 0;
    this.due = false;
    this.at = Number.POSITIVE_INFINITY;
  }

  #set(bytes: number): void {
    this.#session.datagramBytes = bytes;
    this.#session.sends.congestion.onDatagramBytes?.(bytes);
  }
}

/** Throws BAD_ARGUMENT for datagram sizes that make no sense. */
export function checkDatagramSizes(config: EndpointConfig): void {
  const { datagramBytes, maxDatagram } = config;
  if (maxDatagram !== undefined && !isSize(maxDatagram, INITIAL_DATAGRAM_BYTES))
    throw new RtmfpError(
      "BAD_ARGUMENT",
      `expected maxDatagram from ${INITIAL_DATAGRAM_BYTES} to ${MAX_DATAGRAM_BYTES}, got ${maxDatagram}`,
    );
  if (datagramBytes !== undefined && maxDatagram !== undefined)
    throw new RtmfpError("BAD_ARGUMENT", "datagramBytes fixes the size: leave out either it or maxDatagram");
}

function isSize(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= MAX_DATAGRAM_BYTES;
}

/** An Ethernet's worth, or on loopback what peers have buffers for. */
function ceilingFor(address: Address): number {
  if (isLoopback(address)) return LOOPBACK_CEILING;
  return address.host.includes(":") && !address.host.startsWith("::ffff:") ? IPV6_CEILING : IPV4_CEILING;
}

const NONCE_BYTES = 8;
const IPV4_CEILING = 1_472;
const IPV6_CEILING = 1_452;
const LOOPBACK_CEILING = 8_192;
/** Sizes to try: what links of 1400, 1450, 1480 and 1500 bytes carry over IPv4, and powers of two beyond. */
const STEPS: readonly number[] = [1_280, 1_372, 1_422, 1_452, 1_472, 4_096, 8_192, 16_384, 32_768];
