/** Settings of a NetConnection that ActionScript does not have. */
import { type Carrier, type PeerEndpointOptions, RtmfpError } from "rtmfp-core";
import type { CryptoProvider, FlashIdentity } from "rtmfp-core/crypto";
import type { ConnectionAuth } from "./auth.ts";
import type { Clock } from "./clock.ts";
import type { ReconnectOptions } from "./reconnect.ts";

/** Options of a NetConnection; times in ms. */
export interface NetConnectionOptions {
  /** Closes the connection, or ends the attempt. Default: none. */
  readonly signal?: AbortSignal;
  /** How long to try, for the server and for each peer; ms, default 90000, at most 2147483647 (24 days). */
  readonly timeoutMs?: number;
  /** The server must have this identity: 64 hex digits, as `rtmfp-server` prints it. Default: any server. */
  readonly fingerprint?: string;
  /** Lets us in at a server that asks for a token, which then must show that it knows it too. Default: none. */
  readonly auth?: ConnectionAuth;
  /**
   * Default: a new one for every connection, so that no two share a peer ID (RFC 7425 §5.3). `"legacy"` makes one that
   * librtmfp, MonaServer and AMS accept; it is chosen by itself when the server's certificate shows one of these, and
   * when the server says that its other clients are such: then `connect` connects a second time before it resolves.
   */
  readonly identity?: FlashIdentity | "legacy";
  /**
   * Connect anew, to the same URI with the same arguments, when the connection ends by itself or the server announces its
   * end by NetConnection.Shutdown.Notify; after a random part of a wait that doubles, and until the server refuses. The
   * first attempt, that of `connect`, is not repeated. Streams end with their connection: make them again on
   * NetConnection.Connect.Success, and tell others the new `nearID`. While a group has neighbours the connection does not end:
   * the server is looked for, and found again under the same `nearID`. Default: false; true has the default times.
   */
  readonly reconnect?: boolean | ReconnectOptions;
  /**
   * False: peers are never sent a Buffer Probe, which librtmfp does not survive. It cannot be told from Flash Player, which
   * needs one when the news of an opened window is lost. Default true.
   */
  readonly bufferProbe?: boolean;
  /** Primitives. Default: node:crypto, and noble where that lacks one. */
  readonly crypto?: CryptoProvider;
  /** Makes what carries datagrams, once per attempt; default UDP sockets on any free port, IPv4 and IPv6. */
  readonly carrier?: () => Carrier | Promise<Carrier>;
  /** Default: the process's. Bring the carrier's own when it has one. */
  readonly clock?: Clock;
  /** Random bytes, which the connection then owns, for runs that can be repeated. Default: the provider's. */
  readonly random?: (length: number) => Uint8Array;
  /** Gets every packet, decrypted, and the secrets of every session. Default: none. */
  readonly trace?: Pick<PeerEndpointOptions, "trace" | "traceSession">;
}

/** Adobe's patience. */
const DEFAULT_TIMEOUT_MS = 90_000;
/** What a timer of the process can wait for: longer ones would fire at once. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/** The patience asked for, in what a timer can take; ms. Throws BAD_ARGUMENT for a time below 0. */
export function timeoutOf({ timeoutMs }: NetConnectionOptions): number {
  if (timeoutMs !== undefined && !(timeoutMs >= 0))
    throw new RtmfpError("BAD_ARGUMENT", `timeoutMs: expected a time of 0 ms or more, got ${timeoutMs}`);
  return Math.min(timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
}
