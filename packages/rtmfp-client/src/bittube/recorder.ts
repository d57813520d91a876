/** Writes what passes by to a file. */

import type { FlvTag } from "rtmfp-core/flv";
import { type FlvFileInfo, writeFlv } from "../files.ts";
import { GopQueue } from "./gop-queue.ts";

/** Takes tags as they come; what writes them may be slow, or fail, and holds nobody up. */
export class TagSink {
  readonly #queue = new GopQueue(MAX_WAITING_BYTES);
  readonly #done: Promise<FlvFileInfo | undefined>;
  #failed = false;

  /** `write` takes the tags to their end; `onFailure` is told once if it rejects, and what follows is left out. */
  constructor(write: (tags: AsyncIterable<FlvTag>) => Promise<FlvFileInfo>, onFailure: (error: unknown) => void) {
    this.#done = write(this.#queue).catch((error: unknown) => {
      this.#failed = true;
      onFailure(error);
      return undefined;
    });
  }

  /** True once writing has failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Tags that were not written because writing was too slow. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** What to tell of them, in one line; undefined if there are none. */
  get holes(): string | undefined {
    return this.dropped === 0 ? undefined : `${this.dropped} tags came faster than they could be written`;
  }

  /** Adds a tag, whose data is kept until it is written. */
  add(tag: FlvTag): void {
    this.#queue.push(tag);
  }

  /** Resolves when everything is written, with how much; with undefined if it failed. */
  close(): Promise<FlvFileInfo | undefined> {
    this.#queue.end();
    return this.#done;
  }
}

/** Records into an FLV file, which the first tag makes or replaces. */
export function recordFlv(path: string, onFailure: (error: unknown) => void): TagSink {
  return new TagSink((tags) => writeFlv(path, tags), onFailure);
}

/** Of a disk, or a program behind a pipe, that is slow for a while. */
export const MAX_WAITING_BYTES: number = 32 * 1024 * 1024;
