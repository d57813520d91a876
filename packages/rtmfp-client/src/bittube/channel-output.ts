/** What a viewer of a channel gets: a stream that can be shown from its first tag on, whoever sends it. */
import { FlvError, type FlvTag } from "rtmfp-core/flv";
import { StreamStart } from "./stream-start.ts";
import { Timeline } from "./timeline.ts";

/** Begins at a key frame with its configuration (P-4), and does so again, time going on, when the sender has started over. */
export class ChannelOutput {
  readonly #timeline = new Timeline();
  readonly #onRestart: () => void;
  #start = new StreamStart();
  /** How often the sender has started over. */
  restarts = 0;

  /** `onRestart`: what has been taken so far is of no use to those who come later. Default: does nothing. */
  constructor(onRestart: () => void = () => {}) {
    this.#onRestart = onRestart;
  }

  /** What follows is of a sender that begins anew. */
  restart(): void {
    this.restarts++;
    this.#start = new StreamStart();
    this.#timeline.restart();
    this.#onRestart();
  }

  /** The tags to show now that this one has come, in order; a new array. */
  take(tag: FlvTag): FlvTag[] {
    return this.#start.take(tag).flatMap((each) => this.#place(each));
  }

  #place(tag: FlvTag): FlvTag[] {
    try {
      return [this.#timeline.place(tag)];
    } catch (error) {
      if (!(error instanceof FlvError)) throw error;
      // Time that goes back without a word is a beginning too.
      this.restart();
      return this.take(tag);
    }
  }
}
