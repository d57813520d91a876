/**
 * RTMP over RTMFP (RFC 7425 §5), sans-IO: messages and metadata of flows, AMF0 and AMF3, commands, flow
 * synchronization, NetStatus codes and URIs. Imported as `rtmfp-core/tc`.
 * @module
 */

/** What AMF values are in TypeScript, and the one error of the codecs. */
export {
  AMF_LIMITS,
  type AmfArray,
  AmfEcmaArray,
  AmfError,
  type AmfLimits,
  type AmfMap,
  type AmfObject,
  AmfTyped,
  type AmfValue,
  AmfVector,
  type AmfVectorKind,
  AmfXml,
  isAmfObject,
  namedValues,
} from "./amf.ts";
/** AMF0. */
export { Amf0Reader, decodeAmf0, decodeAmf0All } from "./amf0-reader.ts";
export { Amf0Writer, encodeAmf0 } from "./amf0-writer.ts";
/** AMF3. */
export { decodeAmf3 } from "./amf3-reader.ts";
export { encodeAmf3 } from "./amf3-writer.ts";
/** Commands and data messages (§5.3.3). */
export {
  type Command,
  type CommandEncoding,
  type DataMessage,
  decodeCommand,
  decodeData,
  encodeCommand,
  encodeData,
  type ObjectEncoding,
} from "./command.ts";
/** Barriers across flows (§5.2). */
export { FLOW_SYNC_TIMEOUT_MS, FlowSync, type FlowSyncOptions, MAX_BARRIERS } from "./flow-sync.ts";
/** Limits of the keepalive periods that a server may set (§5.3.4). */
export { clampKeepalive, KEEPALIVE_RANGE, type KeepaliveRange } from "./keepalive.ts";
/** Media that is given up when it is late (§5.1.1). */
export { GopChain, type MediaLifetimes, RELIABLE, writeWithin } from "./media-chain.ts";
/** RTMP messages in flows (§5.1.2). */
export {
  decodeMessage,
  encodeMessage,
  isProtocolControl,
  MAX_PAYLOAD_BYTES,
  MessageType,
  type RtmpMessage,
} from "./message.ts";
/** Trees of flows: a NetConnection, or a direct stream, on either side (§5.3, §5.4). */
export { MessageTree, type TreeEnd, type TreeMessageHandler, type TreeOwner, type TreeStats } from "./message-tree.ts";
export { MessageTrees } from "./message-trees.ts";
/** Metadata of flows (§5.1.1). */
export { decodeMetadata, encodeMetadata, type FlowMetadata, MAX_STREAM_ID, type ReceiveIntent } from "./metadata.ts";
/** The setPeerInfo command (§5.3.3). */
export { encodeSetPeerInfo, MAX_PEER_ADDRESSES, setPeerInfoAddresses } from "./peer-info.ts";
/** NetStatus events. */
export {
  isBeyondAdobe,
  isStatusCode,
  type LevelOf,
  levelOf,
  type PayloadOf,
  parseStatus,
  type StatusCode,
  type StatusEvent,
  type StatusLevel,
  statusInfo,
} from "./status.ts";
/** What trees need of sessions and clocks. */
export type {
  TreeClock,
  TreeFlowOptions,
  TreeReceipt,
  TreeRecvFlow,
  TreeSendFlow,
  TreeSession,
  TreeWriteOptions,
} from "./tree-session.ts";
/** rtmfp URIs (§6.1). */
export {
  DEFAULT_PORT,
  parseRtmfpUri,
  type RtmfpUri,
  RtmfpUriError,
  type ServerlessUri,
  type ServerUri,
} from "./uri.ts";
/** User Control messages (§5.2, §5.3.4). */
export { decodeUserControl, encodeUserControl, type UserControl } from "./user-control.ts";
