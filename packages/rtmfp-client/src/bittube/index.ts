/**
 * Channels: live media from any source to a group of viewers, and to players that know HTTP-FLV. Imported as
 * `rtmfp-client/bittube`; the main entry does not load it.
 * @module
 */

/** The group of a channel. */
export { CHANNEL_STREAM, channelGroupspec, DEFAULT_GROUP_NAME } from "./channel-group.ts";
/** What viewers are shown. */
export { ChannelOutput } from "./channel-output.ts";
/** Sources. */
export { FileSource, type FileSourceOptions } from "./file-source.ts";
/** Queues that lose old groups of pictures. */
export { GopQueue } from "./gop-queue.ts";
export { GrowingFileSource } from "./growing-file-source.ts";
/** Players. */
export { type HttpFlvOptions, HttpFlvServer } from "./http-flv-server.ts";
export type { HttpPlace } from "./http-place.ts";
export { HttpSource, type HttpSourceOptions } from "./http-source.ts";
/** Who is on air, and what is read. */
export { isOnAir } from "./on-air.ts";
export { type OpenedSource, type OpenSourceOptions, openSource } from "./open-source.ts";
/** At the speed of their time. */
export { type RealtimeOptions, realtime } from "./realtime.ts";
/** Recording. */
export { recordFlv, TagSink } from "./recorder.ts";
export { type Source, SourceError, type SourceOptions, type SourceStats } from "./source.ts";
/** Where viewers can begin. */
export { StreamStart } from "./stream-start.ts";
/** Time that goes on. */
export { Timeline } from "./timeline.ts";
