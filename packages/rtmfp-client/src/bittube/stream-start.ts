/** Where somebody who joins a stream can begin (P-4). */
import {
  type FlvTag,
  GopCache,
  isKeyFrame,
  isMetadata,
  isPicture,
  isSequenceHeader,
  needsSequenceHeader,
} from "rtmfp-core/flv";
import { PATIENCE_MS, SOUND_ALONE_MS } from "../group/start-gate.ts";

/**
 * Holds a stream back until it can be shown: to a key frame, and the codec configuration of every kind that needs one. Then
 * metadata and configuration come first, at the key frame's time. A stream of sound alone begins when no picture has come
 * for a second of it. What is still missing after 10 s of the stream is not waited for: a configuration, or, where there is sound,
 * a key frame. Pictures that come after sound begin with their first key frame.
 */
export class StreamStart {
  readonly #cache = new GopCache(undefined, MAX_GROUP_BYTES);
  /** Kinds that have come: true once they can be decoded. */
  readonly #decodable = new Map<"audio" | "video", boolean>();
  #firstAt: number | undefined;
  #started = false;
  /** Sound has begun alone. */
  #awaitsKeyFrame = false;
  /** Tags that came too early. */
  skipped = 0;

  /** Whether the stream has begun. */
  get started(): boolean {
    return this.#started;
  }

  /** The tags to pass on now that this one has come, in order; a new array. */
  take(tag: FlvTag): FlvTag[] {
    if (this.#started) return this.#follow(tag);
    this.#note(tag);
    this.#cache.add(tag);
    if (!this.#isReady(tag)) {
      this.skipped++;
      return [];
    }
    this.#started = true;
    this.#awaitsKeyFrame = !this.#hasGroup;
    const { opening } = this.#cache;
    const isIn = isHeader(tag) || opening.includes(tag);
    const tags = isIn ? opening : [...opening, tag];
    this.skipped -= tags.length - 1;
    return tags;
  }

  #follow(tag: FlvTag): FlvTag[] {
    if (isKeyFrame(tag)) this.#awaitsKeyFrame = false;
    if (!this.#awaitsKeyFrame || tag.type !== "video" || isSequenceHeader(tag)) return [tag];
    this.skipped++;
    return [];
  }

  #note(tag: FlvTag): void {
    const configures = isSequenceHeader(tag);
    if (tag.type === "data" || (tag.type === "video" && !configures && !isPicture(tag))) return;
    this.#decodable.set(tag.type, configures || this.#decodable.get(tag.type) === true || !needsSequenceHeader(tag));
    if (!configures) this.#firstAt ??= tag.timestamp;
  }

  #isReady(tag: FlvTag): boolean {
    if (this.#firstAt === undefined) return false;
    const waitedMs = (tag.timestamp - this.#firstAt) | 0;
    const isDecodable = waitedMs >= PATIENCE_MS || [...this.#decodable.values()].every((decodable) => decodable);
    if (this.#hasGroup) return isDecodable;
    // A configuration alone says that pictures are on their way: servers may have kept it while the camera is off.
    const soundWaitsMs = this.#decodable.has("video") ? PATIENCE_MS : SOUND_ALONE_MS;
    return isDecodable && tag.type === "audio" && waitedMs >= soundWaitsMs;
  }

  /** Whether there are pictures to begin with. */
  get #hasGroup(): boolean {
    return this.#decodable.has("video") && !this.#cache.awaitsKeyFrame;
  }
}

/** Metadata or codec configuration: what comes before the media. */
export function isHeader(tag: FlvTag): boolean {
  return isMetadata(tag) || isSequenceHeader(tag);
}

/** A longer group is not kept: the stream begins with the next one. */
export const MAX_GROUP_BYTES: number = 16 * 1024 * 1024;
