/** Whether somebody publishes what is played, and when to wait no longer. */
import type { StatusEvent } from "../net-connection.ts";
import type { Reporter } from "./reporter.ts";
import { Timer } from "./timer.ts";

export interface PublisherWatchOptions {
  /** Of the stream. */
  readonly name: string;
  /** It is played from a group: whoever is lost there may come back, and anybody may take over. */
  readonly isInGroup: boolean;
  /** Seconds to wait for that; undefined: as long as it takes. */
  readonly wait: number | undefined;
  readonly reporter: Reporter;
  /** Called when the stream is over. */
  readonly onOver: () => void;
}

/** See the file's head. */
export class PublisherWatch {
  readonly #options: PublisherWatchOptions;
  readonly #timer = new Timer();
  #end: "ended" | "lost" | "removed" | undefined;

  constructor(options: PublisherWatchOptions) {
    this.#options = options;
  }

  /** What became of the publisher: it has ended the stream, it is lost, or the server took the stream from it; undefined while it is there. */
  get end(): "ended" | "lost" | "removed" | undefined {
    return this.#end;
  }

  onStatus(event: StatusEvent): void {
    if (event.code === "NetStream.Play.UnpublishNotify") this.#onUnpublish(event.reason);
    else if (event.code === "NetStream.Play.PublishNotify") this.#onPublish();
  }

  /** A tag has come: what was sent before the end may still be under way. */
  onTag(): void {
    if (this.#end !== undefined) this.#wait();
  }

  clear(): void {
    this.#timer.clear();
  }

  #onUnpublish(reason: string | undefined): void {
    this.#end = reason === "lost" || reason === "removed" ? reason : "ended";
    if (this.#mayComeBack) {
      const message = `nothing comes of "${this.#options.name}" any more; waiting for its publisher to come back`;
      this.#options.reporter.log("warn", "interrupted", { stream: this.#options.name, message }, message);
    }
    this.#wait();
  }

  #onPublish(): void {
    if (this.#mayComeBack) {
      const message = `"${this.#options.name}" goes on`;
      this.#options.reporter.log("info", "resumed", { stream: this.#options.name, message }, message);
    }
    this.#end = undefined;
    this.#timer.clear();
  }

  #wait(): void {
    const { wait, onOver } = this.#options;
    if (!this.#mayComeBack) this.#timer.set(UNPUBLISHED_MS, onOver);
    else if (wait !== undefined) this.#timer.set(wait * 1_000, onOver);
  }

  get #mayComeBack(): boolean {
    return this.#options.isInGroup && this.#end === "lost";
  }
}

/** How long after a publisher's end nothing must come: another one may follow at once; ms. */
const UNPUBLISHED_MS = 2_000;
