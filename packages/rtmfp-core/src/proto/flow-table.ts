/** The flows of one direction of a session, by ID. Takes next to no room while there are none. */

/** A map that exists only while something is in it. */
export class FlowTable<F> {
  #flows: Map<number, F> | undefined;

  get size(): number {
    return this.#flows?.size ?? 0;
  }

  get(id: number): F | undefined {
    return this.#flows?.get(id);
  }

  set(id: number, flow: F): void {
    this.#flows ??= new Map();
    this.#flows.set(id, flow);
  }

  delete(id: number): void {
    this.#flows?.delete(id);
    if (this.#flows?.size === 0) this.#flows = undefined;
  }

  clear(): void {
    this.#flows = undefined;
  }

  /** In the order in which they were added. */
  values(): Iterable<F> {
    return this.#flows?.values() ?? [];
  }
}
