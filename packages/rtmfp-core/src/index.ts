/**
 * rtmfp-core: encrypted, multiplexed, partially reliable datagram sessions between peers (RFC 7016, RFC 7425).
 * @module
 */

/** Carriers: UDP, or your own. */
export type { Carrier, CarrierSocket } from "./node/carrier.ts";
export type { JobRunner } from "./node/driver.ts";
/** For programs whose process is their own. */
export { letHeapGrow } from "./node/heap-growth.ts";
/** A bad network for programs under test. */
export { LinkCarrier, type LinkImpairment, parseLink } from "./node/link-carrier.ts";
export {
  type ConnectOptions,
  type ConnectTarget,
  type Introduction,
  PeerEndpoint,
  type PeerEndpointOptions,
  peerEpd,
} from "./node/peer-endpoint.ts";
export { type MessageHandler, RecvFlow } from "./node/recv-flow.ts";
export { SendFlow, type WriteOptions } from "./node/send-flow.ts";
/** Sessions, flows and messages. */
export { type OpenFlowOptions, Session } from "./node/session.ts";
/** Traces for `vectors`. */
export { openTrace, type Trace, type TraceOptions } from "./node/trace.ts";
export { openUdpCarrier, type UdpBinding, UdpCarrier, type UdpCarrierOptions } from "./node/udp-carrier.ts";
/** An endpoint on UDP sockets, and what it is made of. */
export { UdpEndpoint, type UdpEndpointOptions } from "./node/udp-endpoint.ts";
export { type WriteOutcome, WriteReceipt } from "./node/write-handle.ts";
/** Shared types. */
export { type Address, formatAddress, parseAddressText } from "./proto/address.ts";
export type { ChunkName, ChunksByType } from "./proto/chunk-counts.ts";
export type { SessionTraceRecord, TraceRecord } from "./proto/config.ts";
export { RtmfpError, type RtmfpErrorCode } from "./proto/errors.ts";
export type { CloseReason } from "./proto/events.ts";
export { PRIORITIES, type Priority } from "./proto/priority.ts";
export type { IntroductionMode } from "./proto/session-options.ts";
export type { SessionStats } from "./proto/session-stats.ts";
export type { EndpointStats } from "./proto/stats.ts";
