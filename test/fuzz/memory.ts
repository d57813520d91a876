/** Whether memory stays what it is while rounds go by. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What the check found; "unjudged" if there were too few rounds to say. */
export interface MemoryVerdict {
  readonly outcome: "passed" | "failed" | "unjudged";
  /** One line. */
  readonly text: string;
}

/** Compares the memory after the last round with that after the first rounds. */
export class MemoryCheck {
  readonly #bytes: () => number;
  #rounds = 0;
  #baseline: number | undefined;

  /** `bytes` says how much is in use; by default the heap and array buffers of this process, after a collection. */
  constructor(bytes: () => number = usedBytes) {
    this.#bytes = bytes;
  }

  /** Call after each round. */
  onRound(): void {
    if (++this.#rounds === WARM_UP_ROUNDS) this.#baseline = this.#bytes();
  }

  /** Enough rounds have run for a verdict. */
  get hasEnough(): boolean {
    return this.#rounds >= LEAST_ROUNDS;
  }

  /** What can be said now. */
  verdict(): MemoryVerdict {
    if (this.#baseline === undefined || !this.hasEnough)
      return {
        outcome: "unjudged",
        text: `memory not judged: ${this.#rounds} rounds, at least ${LEAST_ROUNDS} needed`,
      };
    const grown = this.#bytes() - this.#baseline;
    const text = `heap growth=${Math.round(grown / 1024)} KiB from round ${WARM_UP_ROUNDS} to ${this.#rounds}`;
    return { outcome: grown > ALLOWED_GROWTH_BYTES ? "failed" : "passed", text };
  }
}

function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

/** By then every target has run all that it is made of several times. */
const WARM_UP_ROUNDS = 60;
/** So many must follow that what a round leaves behind adds up. */
const LEAST_ROUNDS = 90;
/**
 * More than twice what sound runs show: 3.2 MiB after 460 rounds at most, compiled code and what the collector frees late.
 * Worlds, endpoints and sessions of earlier rounds must not stay: 60 KiB of each of 150 rounds are more than this.
 */
const ALLOWED_GROWTH_BYTES = 8 * 1024 * 1024;
