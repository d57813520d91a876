/** Settings of an endpoint. Times in milliseconds, sizes in bytes. § means RFC 7016. */
import type { Address, WireAddress } from "./address.ts";
import type { CongestionFactory } from "./congestion/controller.ts";
import type { CryptoProfile, SessionKeys } from "./crypto-profile.ts";

/** What an endpoint needs, and may be told. */
export interface EndpointConfig {
  /** Identity and cryptography of this endpoint (§3.2). */
  readonly profile: CryptoProfile;
  /** `length` unpredictable bytes. The endpoint owns them. */
  readonly random: (length: number) => Uint8Array;
  /** A 32-bit session ID, not 0, to receive on; asked again if it is taken. Default: random. */
  readonly allocateSessionId?: () => number;
  /**
   * Secret of the cookies, to share between processes on one address; kept, not copied. Default: random, and renewed.
   */
  readonly cookieSecret?: Uint8Array;
  /**
   * The socket to reach an address by that the far end of socket `via` named; undefined if there is none for its
   * family. Default: `via`.
   */
  readonly viaFor?: (address: Address, via: number) => number | undefined;
  /** Answer IHellos that select our certificate. Default true. */
  readonly listen?: boolean;
  /**
   * Where an initiator is sent whose IHello selects our certificate (§3.5.1.4), from that address; undefined or none answers
   * it ourselves. The discriminator is borrowed for the call; must not throw. Default: answer all ourselves.
   */
  readonly redirectHello?: (epd: Uint8Array, from: Address) => readonly WireAddress[] | undefined;
  /** Datagram size to send with, whatever the path. Default: 1200, and from there what path MTU discovery finds (§3.5.4.3). */
  readonly datagramBytes?: number;
  /**
   * Largest datagram that path MTU discovery tries; 1200 to 65507, where 1200 turns it off. Default 1472 over IPv4,
   * 1452 over IPv6, 8192 on loopback. More than the local link carries travels in IP fragments.
   */
  readonly maxDatagram?: number;
  /** Spread what the window permits over time, instead of bursts limited by §3.5.2.3 alone. Default true. */
  readonly pacing?: boolean;
  /** Default: {@link CubicCongestion}, Appendix A with CUBIC for bulk data. */
  readonly congestion?: CongestionFactory;
  /** Idle time before a keepalive Ping; 0 is none. Default 30000. */
  readonly keepaliveMs?: number;
  /**
   * Follow the far end to a new address after a secret Ping: always, only on sessions whose far end sends an HMAC, or
   * never. Default "probe": always; without HMAC at most one move per 10 s (a recorded departure from §5).
   */
  readonly mobility?: "probe" | "hmac" | "off";
  /** Probe for loss at the end of a flight before the timeout, an addition to §3.6.2.6. Default true. */
  readonly tailLossProbe?: boolean;
  /** Largest number of sessions; beyond it IIKeyings are dropped. Default 1000000. */
  readonly maxSessions?: number;
  /**
   * Received bytes held for all sessions together, unfinished or unread. Beyond it data is dropped unacknowledged, save
   * one message at a time and a little for each session; docs/limits.md has the rule. Default 536870912.
   */
  readonly maxReceiveBytes?: number;
  /** Called for every packet, decrypted; costs a copy of each. Default: none. */
  readonly trace?: (record: TraceRecord) => void;
  /**
   * Called when a session opens, before its first packet; the keys carry secrets if the profile exposes them. Default:
   * none.
   */
  readonly traceSession?: (record: SessionTraceRecord) => void;
  /**
   * Owns from now on whole pieces of memory in which packets were opened and that nothing here uses any more once the
   * current call has returned, to give them back early. Default: none; they are garbage.
   */
  readonly discard?: (memory: Uint8Array) => void;
  /**
   * Called when something is to transmit or an event to poll; may be called often. Default: none; poll after every
   * input.
   */
  readonly wake?: () => void;
}

/** One packet for {@link EndpointConfig.trace}. The bytes are borrowed for the call. */
export interface TraceRecord {
  /** Endpoint's clock, ms. */
  readonly now: number;
  /** Received, or sent. */
  readonly direction: "in" | "out";
  /** Socket that received or sent it. */
  readonly via: number;
  /** The other end's address. */
  readonly peer: Address;
  /** Unsigned 32-bit session ID on the wire, unscrambled. */
  readonly sessionId: number;
  /** The open session it belongs to, by its receive ID, unsigned; 0 for startup packets. */
  readonly session: number;
  /** Under the Default Session Key. */
  readonly startup: boolean;
  /** The datagram as on the wire. */
  readonly datagram: Uint8Array;
  /** The RTMFP packet: flags byte, chunks, and on receipt the padding. */
  readonly packet: Uint8Array;
}

/** A session that opens, for {@link EndpointConfig.traceSession}. */
export interface SessionTraceRecord {
  /** Endpoint's clock, ms. */
  readonly now: number;
  /** Which end of the handshake we were. */
  readonly role: "initiator" | "responder";
  /** Unsigned 32-bit session IDs: ours, in what we receive, and the far end's, in what we send. */
  readonly nearId: number;
  /** ID that the far end receives on: unsigned 32 bits. */
  readonly farId: number;
  /** Address of the far end. */
  readonly peer: Address;
  /** Identity of the far end. */
  readonly peerId: string;
  /** What the key agreement gave; `secrets` in it only if the profile exposes them. */
  readonly keys: SessionKeys;
}
