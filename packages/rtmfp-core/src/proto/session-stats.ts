/** Counters and path figures of a session. § means RFC 7016. */
import type { ChunksByType } from "./chunk-counts.ts";
import type { ReceiveStats } from "./receive-side.ts";
import type { SendStats } from "./send-side.ts";

/** See {@link Session.stats}. */
export interface SessionStats extends SendStats, ReceiveStats {
  /** Smoothed round-trip time, ms (§3.5.2.2); undefined before the first sample. */
  srtt: number | undefined;
  /** Variation of the round-trip time, ms. */
  rttvar: number;
  /** Effective retransmission timeout, ms. */
  erto: number;
  /** Congestion window, bytes (§A.2). */
  cwnd: number;
  /** User data in flight, bytes. */
  outstandingBytes: number;
  /** Datagram size that the session sends with, bytes. */
  datagramBytes: number;
  /** Chunks in packets of the open session that were accepted, by type; those of its handshake came before. */
  chunksReceived: ChunksByType;
  /** Chunks sent in it, by type; what is sent again counts again. */
  chunksSent: ChunksByType;
}
