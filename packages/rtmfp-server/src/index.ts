/**
 * rtmfp-server: introduces RTMFP peers to each other, relays live streams, and runs applications.
 * @module
 */

export type { AuthKeyFile, AuthKeys } from "./access.ts";
/** Applications, their clients, and peers to be introduced. */
export type {
  AppExposed,
  Application,
  ApplicationFactory,
  ApplicationHandlers,
  ApplicationStats,
  ApplicationStatus,
} from "./application.ts";
export type { Client, Exposed } from "./client.ts";
export type { KeepaliveTimes } from "./connection-host.ts";
/** Counts. */
export type { IntroductionAnswer, IntroductionStats, RecentIntroduction, ServerStats } from "./counters.ts";
/** Calls between clients of developer keys. */
export type { RelaySender } from "./developer-key.ts";
/** NetGroups. */
export type { GroupControl } from "./group-control.ts";
export type { GroupStats, GroupsStats } from "./groups.ts";
/** Redirects of first hellos. */
export type { Hello, HelloRedirect } from "./hello-redirect.ts";
/** Identities that outlive a restart. */
export { loadIdentity } from "./identity-file.ts";
/** Introductions: what became of them, and policies. */
export type {
  IntroductionEnd,
  IntroductionOutcome,
  IntroductionReason,
  IntroductionRow,
} from "./introduction-row.ts";
/** What applications, and users with tokens, may have. */
export type { ApplicationLimits, ApplicationOptions } from "./limits.ts";
/** The log. */
export { LOG_LEVELS, type LogEntry, type Logger, type LogLevel } from "./log.ts";
export type { LookupAnswer, PeerLookup } from "./lookup-policy.ts";
export type { NatVerdict } from "./nat.ts";
export type { Peer } from "./peers.ts";
export { Reject } from "./reject.ts";
export type { IntroductionRates } from "./rendezvous.ts";
/** The server. */
export { createServer, type Server } from "./server.ts";
export type { Listening, ServerOptions } from "./server-options.ts";
/** Names of streams. */
export type { StreamName } from "./stream-name.ts";
export type { Rate } from "./token-buckets.ts";
/** Traffic of an instance. */
export type { TrafficStats } from "./traffic-meter.ts";
export type { User } from "./user.ts";
