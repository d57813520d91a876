/**
 * rtmfp-core/proto: RFC 7016 without input or output. No socket, clock, timer or random source inside.
 * @module
 */

/** Codec: bytes, options, addresses, packets, chunks. */
export {
  type Address,
  canonicalHost,
  formatAddress,
  isLoopback,
  isUnusable,
  networkOf,
  Origin,
  parseAddressText,
  sameAddress,
  type WireAddress,
} from "./address.ts";
export {
  ByteReader,
  ByteWriter,
  concatBytes,
  equalBytes,
  equalConstantTime,
  fromHex,
  toHex,
  vluSize,
} from "./bytes.ts";
export { type DecodedPacket, decodePacket, encodePacket, writeChunk } from "./chunk/codec.ts";
export { forEachAckedRange } from "./chunk/flow.ts";
export * from "./chunk/types.ts";
export type { ChunkName, ChunksByType } from "./chunk-counts.ts";
export type { EndpointConfig, SessionTraceRecord, TraceRecord } from "./config.ts";
/** Congestion control: the interface and Appendix A. */
export type { AckEvent, CongestionController, CongestionFactory } from "./congestion/controller.ts";
export { CubicCongestion } from "./congestion/cubic.ts";
export { Rfc7016Congestion } from "./congestion/rfc7016.ts";
/** What a cryptography profile implements. */
export type {
  CryptoProfile,
  FarCertificate,
  InitiatorKeying,
  KeyingStep,
  OpenFailure,
  PacketCipher,
  PublicKeyJob,
  PublicKeyResult,
  ResponderKeying,
  SessionKeys,
  SessionSecrets,
} from "./crypto-profile.ts";
/** The protocol machine and what it takes and gives. */
export { type Datagram, Endpoint, type EndpointLoad, type OpenOptions, TRANSMIT_BUFFER_BYTES } from "./endpoint.ts";
/** Errors that a caller can cause. */
export { RtmfpError, type RtmfpErrorCode } from "./errors.ts";
export type { CloseReason, EndpointEvent } from "./events.ts";
export { encodeOptions, type Option, readOption, readOptionList } from "./option.ts";
export {
  HeaderFlag,
  Mode,
  type PacketHeader,
  SESSION_ID_BYTES,
  scrambleSessionId,
  unscrambleSessionId,
} from "./packet.ts";
export { isTimeCritical, PRIORITIES, type Priority, priorityRank } from "./priority.ts";
export type { ReceivedMessage } from "./reassembly.ts";
export type { AcceptOptions, DeliveryOrder, RecvFlow, RecvFlowState } from "./recv-flow.ts";
export type { SendFlow, SendFlowOptions, SendFlowState, WriteOptions } from "./send-flow.ts";
/** Sessions, flows, messages. */
export type { Session } from "./session.ts";
export type { IntroductionMode, OpenFlowOptions, SessionState } from "./session-options.ts";
export type { SessionStats } from "./session-stats.ts";
export type { Transmit } from "./session-transmit.ts";
export type { Candidate } from "./startup/initiator.ts";
export type { EndpointStats } from "./stats.ts";
export type { ReceiptState, WriteReceipt } from "./write-receipt.ts";
