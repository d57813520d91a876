/** Counts of times in whole ms, for quantiles of more values than can be kept. */
export class Histogram {
  /** How often each time came; what is longer than two minutes counts as that. */
  readonly counts: Uint32Array = new Uint32Array(MOST_MS + 1);

  /** Takes a time of 0 or more, ms. */
  add(ms: number): void {
    const at = Math.min(MOST_MS, Math.max(0, Math.round(ms)));
    this.counts[at] = (this.counts[at] as number) + 1;
  }

  /** Takes the times of another. */
  addAll(counts: Uint32Array): void {
    counts.forEach((count, ms) => {
      this.counts[ms] = (this.counts[ms] as number) + count;
    });
  }

  /** The least time that `share` (0 to 1) of them do not exceed; 0 if there are none. ms. */
  quantile(share: number): number {
    const total = this.counts.reduce((sum, count) => sum + count, 0);
    const wanted = Math.ceil(share * total);
    let seen = 0;
    return Math.max(
      0,
      this.counts.findIndex((count) => {
        seen += count;
        return total > 0 && seen >= wanted;
      }),
    );
  }
}

const MOST_MS = 120_000;
