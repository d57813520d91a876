/** SEQUENCE_SET of a receiving flow (§3.6.3): which numbers have been seen. § means RFC 7016. */

/** A set of numbers from 0: everything up to {@link contiguous}, and ranges above it. Starts as {0}. */
export class RangeSet {
  /** Top of the contiguous run from 0: the CSN of §3.6.3.3. */
  contiguous = 0;
  /** `[first, last]` pairs above `contiguous + 1`, ascending, flat: first0, last0, first1, last1, … */
  readonly #above: number[] = [];

  /** True if numbers above {@link contiguous} have been seen, so that there is a gap. */
  get hasGap(): boolean {
    return this.#above.length > 0;
  }

  /** Number of ranges above the contiguous run. */
  get rangeCount(): number {
    return this.#above.length >> 1;
  }

  /** Bounds of the range `index` above the contiguous run. */
  first(index: number): number {
    return this.#above[2 * index] as number;
  }

  last(index: number): number {
    return this.#above[2 * index + 1] as number;
  }

  has(value: number): boolean {
    if (value <= this.contiguous) return true;
    const i = this.#rangesFrom(value);
    return i > 0 && value <= (this.#above[i - 1] as number);
  }

  /** True if {@link add} would make one more range: the value is new, and touches no other. */
  opensRange(value: number): boolean {
    if (value <= this.contiguous + 1) return false;
    const above = this.#above;
    const i = this.#rangesFrom(value);
    return (
      (i === 0 || value > (above[i - 1] as number) + 1) && (i === above.length || value < (above[i] as number) - 1)
    );
  }

  add(value: number): void {
    if (value <= this.contiguous) return;
    if (value === this.contiguous + 1) {
      this.contiguous = value;
      this.#absorb();
      return;
    }
    const above = this.#above;
    const i = this.#rangesFrom(value);
    if (i > 0 && value <= (above[i - 1] as number)) return;
    const joinsBefore = i > 0 && (above[i - 1] as number) === value - 1;
    const joinsAfter = i < above.length && (above[i] as number) === value + 1;
    if (joinsBefore && joinsAfter) above.splice(i - 1, 2);
    else if (joinsBefore) above[i - 1] = value;
    else if (joinsAfter) above[i] = value;
    else above.splice(i, 0, value, value);
  }

  /** Adds 0 to `value`; returns how many of these were missing. */
  addUpTo(value: number): number {
    if (value <= this.contiguous) return 0;
    let missing = value - this.contiguous;
    for (let i = 0; i < this.#above.length; i += 2) {
      const first = this.#above[i] as number;
      if (first > value) break;
      missing -= Math.min(value, this.#above[i + 1] as number) - first + 1;
    }
    this.contiguous = value;
    this.#absorb();
    return missing;
  }

  /** Index into {@link #above} behind the ranges that begin at or before `value`: most arrive at the top. */
  #rangesFrom(value: number): number {
    const above = this.#above;
    if (above.length === 0 || (above[above.length - 2] as number) <= value) return above.length;
    let low = 0;
    let high = this.rangeCount - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.first(middle) <= value) low = middle + 1;
      else high = middle;
    }
    return 2 * low;
  }

  /** Takes ranges that now touch the contiguous run into it. */
  #absorb(): void {
    let taken = 0;
    while (taken < this.#above.length && (this.#above[taken] as number) <= this.contiguous + 1) {
      this.contiguous = Math.max(this.contiguous, this.#above[taken + 1] as number);
      taken += 2;
    }
    if (taken > 0) this.#above.splice(0, taken);
  }
}
