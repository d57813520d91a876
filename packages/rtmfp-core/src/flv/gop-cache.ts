import type { FlvTag } from "./flv-tag.ts";
import { isKeyFrame, isMetadata, isSequenceHeader } from "./tag-info.ts";

/**
 * What a viewer who joins late needs first: metadata, codec configuration, and everything since the last key frame as
 * long as that is not too much. Tags of a group are kept as they are, up to 512 KiB, or as told, 4,096 of them, and 60 s; metadata
 * and configurations up to 64 KiB each, copied out of larger memory, for they may be kept for hours.
 */
export class GopCache<T extends FlvTag = FlvTag> {
  readonly #remake: (tag: T, timestamp: number, data: Uint8Array) => T;
  readonly #maxGroupBytes: number;
  #metadata: T | undefined;
  #videoHeader: T | undefined;
  #audioHeader: T | undefined;
  #group: T[] = [];
  #groupBytes = 0;
  #hasGroup = false;
  #hasVideo = false;
  #timestamp = 0;

  /**
   * `remake` gives a tag at another timestamp, in ms, with these data: its own, or a copy of them, not to be copied again.
   * Default: a new tag. A group of more than `maxGroupBytes`, by default 512 KiB, is not kept.
   */
  constructor(
    remake: (tag: T, timestamp: number, data: Uint8Array) => T = (tag, timestamp, data) => ({
      ...tag,
      timestamp,
      data,
    }),
    maxGroupBytes: number = MAX_GROUP_BYTES,
  ) {
    this.#remake = remake;
    this.#maxGroupBytes = maxGroupBytes;
  }

  /** Remembers a tag of the stream. */
  add(tag: T): void {
    this.#timestamp = tag.timestamp;
    if (tag.type === "video") this.#hasVideo = true;
    if (isMetadata(tag)) this.#metadata = this.#toKeep(tag);
    else if (!isSequenceHeader(tag)) this.#addToGroup(tag);
    else if (tag.type === "audio") this.#audioHeader = this.#toKeep(tag);
    else {
      this.#videoHeader = this.#toKeep(tag);
      // Pictures from before it cannot be decoded with it.
      this.#dropGroup();
    }
  }

  /**
   * Tags to send first, in order, a new array. Metadata and configuration come at the time of the key frame that follows
   * them; without one, at that of the last tag.
   */
  get opening(): T[] {
    const timestamp = this.#group[0]?.timestamp ?? this.#timestamp;
    const first = [this.#metadata, this.#videoHeader, this.#audioHeader].filter((tag) => tag !== undefined);
    return [
      ...first.map((tag) => (tag.timestamp === timestamp ? tag : this.#remake(tag, timestamp, tag.data))),
      ...this.#group,
    ];
  }

  /** True if pictures flow and {@link opening} has none: the viewer's pictures begin with the next key frame. */
  get awaitsKeyFrame(): boolean {
    return this.#hasVideo && !this.#hasGroup;
  }

  /** One that is too long to keep replaces the one before it all the same, which no longer holds. */
  #toKeep(tag: T): T | undefined {
    const { data, timestamp } = tag;
    if (data.length > MAX_HEADER_BYTES) return undefined;
    return data.length === data.buffer.byteLength ? tag : this.#remake(tag, timestamp, new Uint8Array(data));
  }

  #addToGroup(tag: T): void {
    if (isKeyFrame(tag)) {
      this.#dropGroup();
      this.#hasGroup = true;
    }
    if (!this.#hasGroup) return;
    this.#group.push(tag);
    this.#groupBytes += tag.data.length;
    const lengthMs = (tag.timestamp - (this.#group[0] ?? tag).timestamp) | 0;
    const isTooLong = lengthMs > MAX_GROUP_MS || this.#group.length > MAX_GROUP_TAGS;
    if (isTooLong || this.#groupBytes > this.#maxGroupBytes) this.#dropGroup();
  }

  #dropGroup(): void {
    this.#group = [];
    this.#groupBytes = 0;
    this.#hasGroup = false;
  }
}

/** A longer group is not kept: late viewers begin with the next key frame. It must fit a flow's send buffer. */
export const MAX_GROUP_BYTES: number = 512 * 1024;
/** Longer metadata and configurations are not kept: real ones have a few hundred bytes. */
export const MAX_HEADER_BYTES: number = 64 * 1024;
/** Tags of a group, however small. */
export const MAX_GROUP_TAGS = 4_096;
/** Who begins with a group is as far behind: sound may go on for hours after the last picture. */
const MAX_GROUP_MS = 60_000;
