/** Completed flows that keep their IDs for a while (§3.6.2.11, §3.6.3.8). § means RFC 7016. */
import { Fifo } from "./fifo.ts";
import type { LeanMap } from "./lean-map.ts";

/** A flow that can linger. */
export interface Lingering {
  readonly id: number;
  /** The time is over: the ID is free. */
  onLingerEnd(): void;
}

/** All linger equally long, so the oldest is the first to go. */
export class LingerQueue<F extends Lingering> {
  /** Made with the first, and gone with the last. */
  #queue: Fifo<{ flow: F; until: number }> | undefined;

  get length(): number {
    return this.#queue?.length ?? 0;
  }

  /** When the first is to go, or Infinity. */
  get next(): number {
    return this.#queue?.peek()?.until ?? Number.POSITIVE_INFINITY;
  }

  add(flow: F, until: number): void {
    this.#queue ??= new Fifo();
    this.#queue.push({ flow, until });
  }

  /** Ends the linger of those whose time has come, and takes them out of `flows`. */
  release(now: number, flows: LeanMap<number, F>): void {
    while (this.next <= now) {
      const flow = this.#queue?.shift()?.flow as F;
      flows.delete(flow.id);
      flow.onLingerEnd();
    }
    if (this.length === 0) this.#queue = undefined;
  }

  clear(): void {
    this.#queue = undefined;
  }
}
