import type { FlvTag } from "./flv-tag.ts";
import { isKeyFrame, isMetadata, isSequenceHeader } from "./tag-info.ts";

/**
 * What a viewer who joins late needs first: metadata, codec configuration, and everything since the last key frame as
 * long as that is not too much. Tags are kept as they are, up to 512 KiB and 4,096 of a group; metadata and configurations up
 * to 64 KiB each.
 */
export class GopCache<T extends FlvTag = FlvTag> {
  readonly #retime: (tag: T, timestamp: number) => T;
  #metadata: T | undefined;
  #videoHeader: T | undefined;
  #audioHeader: T | undefined;
  #group: T[] = [];
  #groupBytes = 0;
  #hasGroup = false;
  #hasVideo = false;
  #timestamp = 0;

  /** `retime` gives a tag another timestamp, in ms. Default: a new tag that shares the data. */
  constructor(retime: (tag: T, timestamp: number) => T = (tag, timestamp) => ({ ...tag, timestamp })) {
    this.#retime = retime;
  }

  /** Remembers a tag of the stream. */
  add(tag: T): void {
    this.#timestamp = tag.timestamp;
    if (tag.type === "video") this.#hasVideo = true;
    // One that is too long to keep replaces the one before it all the same, which no longer holds.
    const kept = tag.data.length <= MAX_HEADER_BYTES ? tag : undefined;
    if (isMetadata(tag)) this.#metadata = kept;
    else if (!isSequenceHeader(tag)) this.#addToGroup(tag);
    else if (tag.type === "audio") this.#audioHeader = kept;
    else {
      this.#videoHeader = kept;
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
    return [...first.map((tag) => (tag.timestamp === timestamp ? tag : this.#retime(tag, timestamp))), ...this.#group];
  }

  /** True if pictures flow and {@link opening} has none: the viewer's pictures begin with the next key frame. */
  get awaitsKeyFrame(): boolean {
    return this.#hasVideo && !this.#hasGroup;
  }

  #addToGroup(tag: T): void {
    if (isKeyFrame(tag)) {
      this.#dropGroup();
      this.#hasGroup = true;
    }
    if (!this.#hasGroup) return;
    this.#group.push(tag);
    this.#groupBytes += tag.data.length;
    if (this.#groupBytes > MAX_GROUP_BYTES || this.#group.length > MAX_GROUP_TAGS) this.#dropGroup();
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
