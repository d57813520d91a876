/** The fragments of a stream that are at hand, as they came, and when each was first heard of. */
import type { MediaLink } from "./link.ts";

/** A window over the ids of a stream. */
export class FragmentStore {
  /** The lowest id that is kept or waited for. */
  oldest = 1;
  /** The highest id that anybody has told of; one less than {@link oldest} before. */
  newest = 0;
  /** The highest id that is here; 0 for none. */
  newestHere = 0;
  /** Bytes held. */
  bytes = 0;
  /** Grows with every fragment that is put in. */
  version = 0;
  readonly #maxBytes: number;
  #slots: (Uint8Array | undefined)[] = new Array<undefined>(MIN_SLOTS).fill(undefined);
  #from: (MediaLink | undefined)[] = new Array<undefined>(MIN_SLOTS).fill(undefined);
  #heard = new Float64Array(MIN_SLOTS);

  /** Holds at most `maxBytes`, and 65,536 fragments. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Forgets everything and begins with `id`. */
  begin(id: number): void {
    while (this.oldest <= this.newest) this.#dropOldest();
    this.oldest = id;
    this.newest = id - 1;
    this.newestHere = 0;
  }

  /** Ids up to this one exist; those that are news have been heard of `now` (ms). */
  hear(id: number, now: number): void {
    if (id <= this.newest) return;
    if (id - this.newest > MAX_SLOTS) this.begin(id - MAX_SLOTS + 1);
    while (id - this.oldest >= MAX_SLOTS) this.#dropOldest();
    if (id - this.oldest >= this.#slots.length) this.#grow(id - this.oldest + 1);
    for (let each = this.newest + 1; each <= id; each++) {
      this.#heard[each % this.#slots.length] = now;
    }
    this.newest = id;
  }

  /** The fragment's bytes, undefined while it is not here. They belong to the store. */
  get(id: number): Uint8Array | undefined {
    return id < this.oldest || id > this.newest ? undefined : this.#slots[id % this.#slots.length];
  }

  /** Whether the fragment is here. */
  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  /** When the id was first heard of, ms; only for ids from {@link oldest} to {@link newest}. */
  heardAt(id: number): number {
    return this.#heard[id % this.#slots.length] as number;
  }

  /** Who brought a fragment that is here; undefined where {@link put} was told of nobody. */
  fromOf(id: number): MediaLink | undefined {
    return id < this.oldest || id > this.newest ? undefined : this.#from[id % this.#slots.length];
  }

  /** Keeps a fragment that is not here and not below {@link oldest}; `bytes` are the store's from now on. */
  put(id: number, bytes: Uint8Array, now: number, from?: MediaLink): void {
    this.hear(id, now);
    this.#slots[id % this.#slots.length] = bytes;
    this.#from[id % this.#slots.length] = from;
    this.bytes += bytes.length;
    this.version++;
    if (id > this.newestHere) this.newestHere = id;
    while (this.bytes > this.#maxBytes) this.#dropOldest();
  }

  /** A fragment that is here has other bytes, and is somebody else's; they are the store's from now on. */
  replace(id: number, bytes: Uint8Array, from: MediaLink | undefined): void {
    const before = this.get(id);
    if (before === undefined) return;
    this.#slots[id % this.#slots.length] = bytes;
    this.#from[id % this.#slots.length] = from;
    this.bytes += bytes.length - before.length;
  }

  /** Drops all that somebody brought: it is missing again. */
  dropFrom(from: MediaLink): void {
    for (let id = this.oldest; id <= this.newest; id++) {
      if (this.#from[id % this.#slots.length] === from) this.#clear(id);
    }
    this.#findNewestHere();
    this.version++;
  }

  /** Drops what was first heard of before `before`, ms. */
  expire(before: number): void {
    while (this.oldest <= this.newest && this.heardAt(this.oldest) < before) this.#dropOldest();
  }

  /** Nothing beyond `id` exists, after all. */
  retract(id: number): void {
    if (id < this.oldest) {
      this.begin(id);
      return;
    }
    for (; this.newest > id; this.newest--) this.#clear(this.newest);
    this.newestHere = Math.min(this.newestHere, id);
    this.#findNewestHere();
    this.version++;
  }

  #findNewestHere(): void {
    while (this.newestHere >= this.oldest && !this.has(this.newestHere)) this.newestHere--;
    if (this.newestHere < this.oldest) this.newestHere = 0;
  }

  #dropOldest(): void {
    this.#clear(this.oldest++);
  }

  #clear(id: number): void {
    const slot = id % this.#slots.length;
    this.bytes -= this.#slots[slot]?.length ?? 0;
    this.#slots[slot] = undefined;
    this.#from[slot] = undefined;
  }

  #grow(size: number): void {
    let slots = this.#slots.length;
    while (slots < size) slots *= 2;
    const grown = new Array<Uint8Array | undefined>(slots).fill(undefined);
    const from = new Array<MediaLink | undefined>(slots).fill(undefined);
    const heard = new Float64Array(slots);
    for (let id = this.oldest; id <= this.newest; id++) {
      grown[id % slots] = this.#slots[id % this.#slots.length];
      from[id % slots] = this.#from[id % this.#slots.length];
      heard[id % slots] = this.heardAt(id);
    }
    this.#slots = grown;
    this.#from = from;
    this.#heard = heard;
  }
}

const MIN_SLOTS = 256;
/** Fragments of a window of 10 s at 50 Mbit/s. */
export const MAX_SLOTS = 65_536;
