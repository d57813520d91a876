/**
 * rtmfp-client: NetConnection and NetStream with Adobe's names, to a server and from peer to peer.
 * @module
 */

/** Errors of everything here. */
export { RtmfpError } from "rtmfp-core";
/** Tags. */
export type { FlvTag, FlvTagType } from "rtmfp-core/flv";
/** Groups. */
export type { MulticastInfo as NetStreamMulticastInfo } from "rtmfp-core/group";
/** Values of calls and events. */
export type { AmfValue, StatusCode } from "rtmfp-core/tc";
/** Tokens. */
export type { ConnectionAuth } from "./auth.ts";
/** Streams. */
export type { Clock } from "./clock.ts";
export type { PeerStream } from "./direct-publication.ts";
export type { FeedOptions, FeedResult, TagOutcome, TagReceipt } from "./feed.ts";
/** FLV files. */
export { type FlvFileInfo, type ReadFlvOptions, readFlv, writeFlv } from "./files.ts";
export { GroupSpecifier } from "./group/group-specifier.ts";
export { MulticastStreamSettings } from "./group/multicast-settings.ts";
export { NetGroup, type NetGroupEvents, type NetGroupNeighbor, type NetGroupOptions } from "./group/net-group.ts";
/** Connections. */
export { MeasuredStream } from "./measured-stream.ts";
export { NetConnection, type NetConnectionEvents, type StatusEvent } from "./net-connection.ts";
export { NetStream } from "./net-stream.ts";
export type { NetConnectionOptions } from "./options.ts";
export type { NetStreamPlayOptions, Reset } from "./play-arguments.ts";
export type { ReconnectOptions } from "./reconnect.ts";
export { Responder, type ResponderOptions } from "./responder.ts";
export type { NetStreamInfo } from "./stream-info.ts";
export type { NetStreamEvents, NetStreamOptions, PublishType } from "./stream-options.ts";
export { type Reliability, StreamSettings } from "./stream-settings.ts";
