/**
 * A seeded random source: the same seed gives the same numbers on every machine. Not for secrets outside tests.
 */
export class Prng {
  /** What this source was seeded with. */
  readonly seed: string;
  readonly #state: Uint32Array = new Uint32Array(4);

  /** Equal seeds give equal numbers, on every machine. */
  constructor(seed: number | string) {
    this.seed = String(seed);
    for (let word = 0; word < 3; word++) this.#state[word] = hashText(this.seed, word);
    this.#state[3] = 1;
    for (let i = 0; i < WARM_UP; i++) this.u32();
  }

  /** An independent source named by `label`: drawing from one leaves the other as it was. */
  fork(label: string): Prng {
    return new Prng(`${this.seed}/${label}`);
  }

  /** Unsigned 32-bit integer (the sfc32 generator). */
  u32(): number {
    const state = this.#state;
    const a = state[0] as number;
    const b = state[1] as number;
    const c = state[2] as number;
    const counter = state[3] as number;
    const value = (a + b + counter) >>> 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + value;
    return value;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** Integer from 0 up to, not including, `limit`. */
  int(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True with the given probability; draws nothing when it is 0. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** `length` fresh bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.u32() >>> 24;
    return bytes;
  }
}

/** FNV-1a over the text's code units, from a start that `variant` changes. */
function hashText(text: string, variant: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(variant + 1, 0x9e3779b9);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Rounds that spread the seed over the whole state. */
const WARM_UP = 15;
