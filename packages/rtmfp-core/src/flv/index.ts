/**
 * FLV tags in and out, sans-IO and on its own. Imported as `rtmfp-core/flv`.
 * @module
 */

/** Tags out of messages that carry several. */
export { aggregateTags } from "./aggregate.ts";
/** Tags out of bytes that are cut anywhere. */
export { decodeFlv, FlvReader, type FlvReaderOptions } from "./flv-reader.ts";
/** The tag, and the one error. */
export { FlvError, type FlvTag, type FlvTagType } from "./flv-tag.ts";
/** Bytes out of tags. */
export { encodeFlv, encodeFlvHeader, encodeFlvTag, type FlvContent } from "./flv-writer.ts";
/** Streams that are joined late, or lose something. */
export { GopCache, MAX_GROUP_BYTES } from "./gop-cache.ts";
export { GopGuard } from "./gop-guard.ts";
/** Timestamps that begin where you say. */
export { TimestampRebaser } from "./rebase.ts";
/** What a tag is. */
export {
  type AudioInfo,
  type DataInfo,
  isKeyFrame,
  isMetadata,
  isPicture,
  isSequenceHeader,
  needsSequenceHeader,
  type TagInfo,
  tagInfo,
  type VideoInfo,
} from "./tag-info.ts";
