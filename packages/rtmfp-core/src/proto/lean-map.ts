/** A map for tables that mostly hold one entry, and of which there are very many. */

/** As a Map; the first entry costs no hash table. Values are never undefined. */
export class LeanMap<K, V> {
  #key: K | undefined;
  #value: V | undefined;
  /** All entries, from the second on until there is none. */
  #all: Map<K, V> | undefined;

  get size(): number {
    return this.#all?.size ?? (this.#value === undefined ? 0 : 1);
  }

  get(key: K): V | undefined {
    if (this.#all !== undefined) return this.#all.get(key);
    return this.#key === key ? this.#value : undefined;
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  set(key: K, value: V): void {
    if (this.#all === undefined && (this.#value === undefined || this.#key === key)) {
      this.#key = key;
      this.#value = value;
      return;
    }
    if (this.#all === undefined) {
      this.#all = new Map(this.entries());
      this.#key = undefined;
      this.#value = undefined;
    }
    this.#all.set(key, value);
  }

  /** True if there was such an entry. */
  delete(key: K): boolean {
    const had = this.has(key);
    if (had && (this.#all === undefined || this.#all.size === 1)) this.clear();
    else this.#all?.delete(key);
    return had;
  }

  clear(): void {
    this.#key = undefined;
    this.#value = undefined;
    this.#all = undefined;
  }

  /** In the order in which they were added. What is deleted meanwhile may still be told. */
  entries(): Iterable<[K, V]> {
    if (this.#all !== undefined) return this.#all;
    return this.#value === undefined ? [] : [[this.#key as K, this.#value]];
  }

  /** As {@link entries}. */
  keys(): Iterable<K> {
    if (this.#all !== undefined) return this.#all.keys();
    return this.#value === undefined ? [] : [this.#key as K];
  }

  /** As {@link entries}. */
  values(): Iterable<V> {
    if (this.#all !== undefined) return this.#all.values();
    return this.#value === undefined ? [] : [this.#value];
  }
}
