/**
 * rtmfp-server: introduces RTMFP peers to each other, relays live streams, and runs applications.
 * @module
 */

/** Applications, their clients, and peers to be introduced. */
export type { Application, ApplicationFactory, ApplicationHandlers } from "./application.ts";
export type { Client, Exposed } from "./client.ts";
export type { KeepaliveTimes } from "./connection-host.ts";
/** Counts. */
export type { IntroductionAnswer, IntroductionStats, RecentIntroduction, ServerStats } from "./counters.ts";
/** Identities that outlive a restart. */
export { loadIdentity } from "./identity-file.ts";
/** Introductions: what became of them, and policies. */
export type {
  IntroductionEnd,
  IntroductionOutcome,
  IntroductionReason,
  IntroductionRow,
} from "./introduction-row.ts";
/** The log. */
export { LOG_LEVELS, type LogEntry, type Logger, type LogLevel } from "./log.ts";
export type { LookupAnswer, PeerLookup } from "./lookup-policy.ts";
export type { NatVerdict } from "./nat.ts";
export type { Peer } from "./peers.ts";
export { Reject } from "./reject.ts";
export type { IntroductionRates } from "./rendezvous.ts";
/** The server. */
export { createServer, type Listening, type Server, type ServerOptions } from "./server.ts";
export type { Rate } from "./token-buckets.ts";
