/** The end of a stream, as far as it is known, and who is told of it. */
import type { MediaLink } from "./link.ts";
import { END_AGAIN_MS, END_GRACE_MS } from "./params.ts";

/** Anybody can tell of an end: it holds as long as nothing newer comes. Times in ms. */
export class Ending {
  #last: number | undefined;
  #heardAt = 0;
  /** Which end we told others of last, and when. */
  #told: number | undefined;
  #toldAt: number = Number.NEGATIVE_INFINITY;

  /** The publisher's last fragment, once it has ended. */
  get last(): number | undefined {
    return this.#last;
  }

  /** Nothing has belied for a moment that it has ended. */
  isOver(now: number): boolean {
    return this.#last !== undefined && now - this.#heardAt >= END_GRACE_MS;
  }

  /** Nothing follows this fragment, somebody says. */
  hear(last: number, now: number): void {
    this.#last = last;
    this.#heardAt = now;
  }

  /** There is a fragment with this id. */
  belie(id: number): void {
    if (this.#last !== undefined && id > this.#last) this.#last = undefined;
  }

  /** There is no fragment beyond this id. */
  deny(id: number): void {
    if (this.#last !== undefined && this.#last > id) this.#last = undefined;
  }

  /** Tells neighbours, once for each end that is told of, but not all the time. */
  tell(links: readonly MediaLink[], now: number): void {
    const last = this.#last;
    if (last === undefined || last === this.#told || now - this.#toldAt < END_AGAIN_MS) return;
    this.#told = last;
    this.#toldAt = now;
    for (const link of links) if (link.isAnnounced) link.send({ type: "end", last });
  }
}
