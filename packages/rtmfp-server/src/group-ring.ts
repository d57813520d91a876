/** The members of one group in the order of their group addresses, which makes them a ring. */

/** What the ring needs to know of a member. */
export interface RingMember {
  /** Its group address as lower-case hex digits; equal only for one and the same peer. */
  readonly address: string;
}

/** Members by group address. */
export class GroupRing<M extends RingMember> {
  readonly #members: M[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** All of them, by address. Owned by the ring; do not modify. */
  get members(): readonly M[] {
    return this.#members;
  }

  /** The member with that address. */
  at(address: string): M | undefined {
    const found = this.#members[this.#placeOf(address)];
    return found?.address === address ? found : undefined;
  }

  /** Puts a member in its place; nobody there has its address. */
  add(member: M): void {
    this.#members.splice(this.#placeOf(member.address), 0, member);
  }

  /** Takes out a member that is there. */
  remove(member: M): void {
    this.#members.splice(this.#placeOf(member.address), 1);
  }

  /** Up to `reach` members on each side of an address, the nearest first; whoever has that address is left out. */
  neighbours(address: string, reach: number): M[] {
    const at = this.#placeOf(address);
    const after = this.#members[at]?.address === address ? at + 1 : at;
    const near = new Set<M>();
    const others = this.size - (after - at);
    for (let step = 0; step < reach && near.size < others; step++) {
      for (const index of [at - 1 - step, after + step]) {
        near.add(this.#members[(index + this.size) % this.size] as M);
      }
    }
    return [...near];
  }

  /**
   * Pairs that have come within `reach` of each other since whoever had that address is gone, the outermost first: each
   * had one member too many between them. None while everybody is within reach of everybody.
   */
  broughtTogether(address: string, reach: number): (readonly [M, M])[] {
    if (this.size <= 2 * reach) return [];
    const at = this.#placeOf(address);
    return Array.from({ length: reach }, (_, step) => [
      this.#members[(at - reach + step + this.size) % this.size] as M,
      this.#members[(at + step) % this.size] as M,
    ]);
  }

  /** Where the first member is whose address is not less. */
  #placeOf(address: string): number {
    let low = 0;
    let high = this.#members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#members[middle] as M).address < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
