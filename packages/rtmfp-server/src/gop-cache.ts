/** What a late subscriber needs to begin at once. */
import type { StreamMessage } from "./stream-message.ts";

/** Decoder configuration, and everything since the last key frame as long as that is not too much. */
export class GopCache {
  #audioHeader: StreamMessage | undefined;
  #videoHeader: StreamMessage | undefined;
  #group: StreamMessage[] | undefined;
  #groupBytes = 0;
  #hasVideo = false;

  /** True once a picture or its decoder configuration has come. */
  get hasVideo(): boolean {
    return this.#hasVideo;
  }

  /** Remembers a message of the stream. */
  add(message: StreamMessage): void {
    if (message.kind === "video") this.#hasVideo = true;
    if (message.isSequenceHeader) {
      if (message.kind === "audio") this.#audioHeader = message;
      else this.#videoHeader = message;
      return;
    }
    if (message.isKeyFrame) {
      this.#group = [];
      this.#groupBytes = 0;
    }
    if (this.#group === undefined) return;
    this.#group.push(message);
    this.#groupBytes += message.payloadBytes;
    if (this.#groupBytes > MAX_GROUP_BYTES || this.#group.length > MAX_GROUP_MESSAGES) this.#group = undefined;
  }

  /** Decoder configurations, told at `timestamp`. */
  headers(timestamp: number): StreamMessage[] {
    const known = [this.#audioHeader, this.#videoHeader].filter((header) => header !== undefined);
    return known.map((header) => (header.timestamp === timestamp ? header : header.at(timestamp)));
  }

  /** From the last key frame to now; undefined if there was none, or too much came after it. */
  group(): readonly StreamMessage[] | undefined {
    return this.#group;
  }
}

/** A group of pictures beyond this is not kept: late subscribers then wait for the next key frame. */
export const MAX_GROUP_BYTES: number = 512 * 1024;
export const MAX_GROUP_MESSAGES = 4_096;
