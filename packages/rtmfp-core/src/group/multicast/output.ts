/** Gives a stream's messages in order: waits for what is missing as long as the window says, and goes on without it. */
import { decodeFragment } from "../wire/fragment.ts";
import type { FragmentStore } from "./fragment-store.ts";
import { START_HOLE_MS } from "./params.ts";
import { type MediaMessage, Reassembler } from "./reassembler.ts";
import type { MulticastStats } from "./stats.ts";

/** The way out of a store. */
export class Output {
  readonly #store: FragmentStore;
  readonly #stats: MulticastStats;
  readonly #reassembler: Reassembler;
  #next = 0;
  #given = 0;
  #left = 0;
  #holeMs: number = START_HOLE_MS;
  /** A message has come out. */
  #begun = false;

  /** `missing` counts fragments lost before a message. */
  constructor(store: FragmentStore, stats: MulticastStats, deliver: (message: MediaMessage, missing: number) => void) {
    this.#store = store;
    this.#stats = stats;
    this.#reassembler = new Reassembler((message, missing) => {
      const isFirst = !this.#begun;
      this.#begun = true;
      deliver(message, isFirst ? 0 : missing);
    });
  }

  /** The fragment that comes out next; 0 before {@link begin}. */
  get next(): number {
    return this.#next;
  }

  /** The last fragment that came out and was not missing; 0 before. */
  get given(): number {
    return this.#given;
  }

  /** The fragment that would have come out next when it was stopped; 0 before, and after {@link forget}. */
  get left(): number {
    return this.#left;
  }

  /** Begins with a fragment; until the first message is out, holes are waited for so long, ms, if the window is no shorter. */
  begin(id: number, holeMs: number = START_HOLE_MS): void {
    this.#holeMs = holeMs;
    this.#next = id;
    this.#given = Math.min(this.#given, id - 1);
  }

  /** Gives nothing until another {@link begin}. */
  stop(): void {
    if (this.#next !== 0) {
      this.#reassembler.skip(0);
      this.#left = this.#next;
    }
    this.#next = 0;
    this.#begun = false;
  }

  /** Where it was stopped is of no use any more. */
  forget(): void {
    this.#left = 0;
  }

  /** Nothing beyond `id` exists: what was left behind as lost may still come. */
  goBack(id: number): void {
    const next = (this.#given === 0 ? id : Math.min(id, this.#given)) + 1;
    if (this.#left > id) this.#left = next;
    if (this.#next > id) this.begin(next);
  }

  /** Gives what can be given; holes first heard of before `now` less the window are left behind. */
  drain(now: number, windowMs: number): void {
    if (this.#next === 0) return;
    const store = this.#store;
    if (this.#next < store.oldest) this.#skipTo(store.oldest);
    // Who takes a message may stop us.
    while (this.#next !== 0 && this.#next <= store.newest) {
      const bytes = store.get(this.#next);
      if (bytes === undefined) {
        const patienceMs = this.#begun ? windowMs : Math.min(windowMs, this.#holeMs);
        if (now - store.heardAt(this.#next) < patienceMs) return;
        this.#skipTo(this.#next + 1);
        continue;
      }
      this.#given = this.#next++;
      const fragment = decodeFragment(bytes);
      if (fragment !== undefined) this.#reassembler.add(fragment);
    }
  }

  #skipTo(id: number): void {
    const count = id - this.#next;
    this.#next = id;
    if (this.#begun) this.#stats.lost += count;
    this.#reassembler.skip(count);
  }
}
