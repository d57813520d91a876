/** Counts of times in whole ms, for quantiles of more values than can be kept. */
export class Histogram {
  readonly #counts = new Uint32Array(MOST_MS + 1);
  #count = 0;
  #sum = 0;

  /** Takes a time of 0 or more; what is longer than two minutes counts as that. ms. */
  add(ms: number): void {
    const at = Math.min(MOST_MS, Math.max(0, Math.round(ms)));
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count++;
    this.#sum += ms;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** The least time that `share` (0 to 1) of them do not exceed; 0 if there are none. ms. */
  quantile(share: number): number {
    const wanted = Math.ceil(share * this.#count);
    let seen = 0;
    for (let ms = 0; ms <= MOST_MS; ms++) {
      seen += this.#counts[ms] as number;
      if (seen >= wanted) return this.#count === 0 ? 0 : ms;
    }
    return MOST_MS;
  }
}

const MOST_MS = 120_000;
