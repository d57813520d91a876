/** FLV means Adobe's public specification of the FLV file format. */

/** One tag of an FLV stream: a frame of audio or video, or a data message. */
export interface FlvTag {
  /** What the body is: sound, picture or script data. */
  readonly type: FlvTagType;
  /** Milliseconds, unsigned 32 bits, wrapping. */
  readonly timestamp: number;
  /**
   * The body of the tag, without its header; the payload of the RTMP message of the same type. Owned by the tag;
   * borrowed when it is written.
   */
  readonly data: Uint8Array;
}

/** What a tag carries. */
export type FlvTagType = "audio" | "video" | "data";

/** What is wrong with an FLV stream, in one line that names the byte. */
export class FlvError extends Error {
  override readonly name = "FlvError";
}

/** Tag type bytes. */
export const TAG_TYPES: Readonly<Record<FlvTagType, number>> = { audio: 8, video: 9, data: 18 };
/** Bytes of a tag before its body. */
export const TAG_HEADER_BYTES = 11;
/** Bytes of the size that trails every tag. */
export const TRAILER_BYTES = 4;
/** The longest body, 24 bits of size. */
export const MAX_TAG_BYTES = 0xffffff;
/** Bytes of a file header as written by everyone, without the trailing size of nothing that follows it. */
export const FILE_HEADER_BYTES = 9;
/** Bits of the header's flags. */
export const HAS_AUDIO = 0x04;
export const HAS_VIDEO = 0x01;
