/** What the word of a neighbour is worth: whether its copies of fragments were those that others had. */
import { BAR_MS, CAREFUL_COPIES, FORGIVE_MS, MAX_BAR_MS, MAX_STANDINGS } from "./params.ts";

/** Of one neighbour, for one stream. Times in ms. */
export class Standing {
  /** Copies that others confirmed since the last that they did not, and how many it takes to be believed. */
  #agreed = 0;
  #needed: number;
  #strikes = 0;
  #barredUntil: number = Number.NEGATIVE_INFINITY;

  /** `needed` copies must agree before it is believed. */
  constructor(needed = 1) {
    this.#needed = needed;
  }

  /** Whether as many copies as it takes agreed with those of others. */
  get isProven(): boolean {
    return this.#agreed >= this.#needed;
  }

  /** Whether it was found wrong before. */
  get isStruck(): boolean {
    return this.#strikes > 0;
  }

  /** Whether nothing is taken from it at present. */
  isBarred(now: number): boolean {
    return now < this.#barredUntil;
  }

  /** It was struck because another was wrong: that is forgotten. */
  pardon(): void {
    this.#strikes = 0;
    this.#barredUntil = Number.NEGATIVE_INFINITY;
    this.#needed = CAREFUL_COPIES;
  }

  /** A copy of it agreed with that of another neighbour. */
  agree(): void {
    this.#agreed++;
  }

  /**
   * Its copy was not that of the others: it is barred, for the longer the more often it happens, and believed later. False
   * where it is barred already. An honest neighbour that passed on what it was sent is back within seconds.
   */
  strike(now: number): boolean {
    if (this.isBarred(now)) return false;
    const forgiven = Math.floor((now - this.#barredUntil) / FORGIVE_MS);
    this.#strikes = Math.max(0, this.#strikes - forgiven) + 1;
    this.#barredUntil = now + Math.min(BAR_MS * 2 ** (this.#strikes - 1), MAX_BAR_MS);
    this.#agreed = 0;
    this.#needed = CAREFUL_COPIES * Math.min(this.#strikes, MAX_CARE);
    return true;
  }
}

/** By peer ID: who was found wrong is remembered when it comes back. */
export class Standings {
  readonly #byPeer = new Map<string, Standing>();

  /** That of a neighbour, which is new or has come back; see {@link Standing} for `needed`. */
  of(peerId: string, needed: number): Standing {
    const known = this.#byPeer.get(peerId);
    if (known !== undefined) return known;
    const standing = new Standing(needed);
    this.#byPeer.set(peerId, standing);
    return standing;
  }

  /** The neighbour is gone. */
  left(peerId: string): void {
    const standing = this.#byPeer.get(peerId);
    if (standing === undefined) return;
    this.#byPeer.delete(peerId);
    if (!standing.isStruck) return;
    this.#byPeer.set(peerId, standing);
    if (this.#byPeer.size <= MAX_STANDINGS) return;
    for (const oldest of this.#byPeer.keys()) {
      this.#byPeer.delete(oldest);
      return;
    }
  }
}

/** Times that {@link CAREFUL_COPIES} is asked of one that was found wrong again and again. */
const MAX_CARE = 4;
