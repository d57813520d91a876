/** Where among the tags of a group's stream another publication of it begins. */
import type { FlvTag } from "rtmfp-core/flv";
import type { NetStream } from "../net-stream.ts";

/** NetStream.MulticastStream.Reset comes as soon as it happens, when tags in front of it may still wait to be read. */
export class Restarts {
  /** Bytes that had come when it happened, each time. */
  readonly #marks: number[] = [];
  #taken = 0;

  /** Of a stream that is played once, from its first tag on. */
  constructor(stream: NetStream) {
    stream.on("status", ({ code }) => {
      if (code === "NetStream.MulticastStream.Reset") this.#marks.push(stream.bytesLoaded);
    });
  }

  /** How often it has happened right in front of this tag; to be asked for each tag that is read, once. */
  before(tag: FlvTag): number {
    let count = 0;
    for (; this.#marks[0] !== undefined && this.#marks[0] <= this.#taken; this.#marks.shift()) count++;
    this.#taken += tag.data.length;
    return count;
  }
}
