import {
  FILE_HEADER_BYTES,
  FlvError,
  type FlvTag,
  HAS_AUDIO,
  HAS_VIDEO,
  MAX_TAG_BYTES,
  TAG_HEADER_BYTES,
  TAG_TYPES,
  TRAILER_BYTES,
} from "./flv-tag.ts";

/** What a file header says about the tags that follow. */
export interface FlvContent {
  /** Default true. */
  readonly audio?: boolean;
  /** Default true. */
  readonly video?: boolean;
}

/**
 * A file header and the size of nothing that follows it, 13 bytes; the first bytes of any FLV stream. A new array.
 * Without `content` it promises neither sound nor pictures.
 */
export function encodeFlvHeader(content: FlvContent = {}): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES + TRAILER_BYTES);
  bytes.set([0x46, 0x4c, 0x56, 1]); // "FLV", version 1
  bytes[4] = (content.audio === false ? 0 : HAS_AUDIO) | (content.video === false ? 0 : HAS_VIDEO);
  bytes[8] = FILE_HEADER_BYTES;
  return bytes;
}

/**
 * A tag with its header and trailing size, in a new array; `tag.data` is copied. The timestamp is taken modulo 2^32.
 * @throws FlvError when the data is longer than FLV can say.
 */
export function encodeFlvTag(tag: FlvTag): Uint8Array {
  const size = tag.data.length;
  if (size > MAX_TAG_BYTES) throw new FlvError(`a tag of ${size} bytes is longer than FLV's ${MAX_TAG_BYTES}`);
  const bytes = new Uint8Array(TAG_HEADER_BYTES + size + TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  const timestamp = tag.timestamp >>> 0;
  view.setUint32(0, size); // its high byte is 0, the place of the type
  bytes[0] = TAG_TYPES[tag.type];
  view.setUint32(4, ((timestamp << 8) | (timestamp >>> 24)) >>> 0);
  bytes.set(tag.data, TAG_HEADER_BYTES);
  view.setUint32(TAG_HEADER_BYTES + size, TAG_HEADER_BYTES + size);
  return bytes;
}

/**
 * A whole file, in a new array: a header that says what the tags are, and the tags. @throws FlvError as {@link
 * encodeFlvTag}.
 */
export function encodeFlv(tags: readonly FlvTag[]): Uint8Array {
  const header = encodeFlvHeader({
    audio: tags.some((tag) => tag.type === "audio"),
    video: tags.some((tag) => tag.type === "video"),
  });
  const parts = [header, ...tags.map(encodeFlvTag)];
  const file = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
