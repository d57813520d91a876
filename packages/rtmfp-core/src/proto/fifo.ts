/** A first-in first-out queue on an array: shift costs no move of the rest. */
export class Fifo<T> {
  /** Undefined while there are none, for most queues of an idle session are empty. */
  #items: (T | undefined)[] | undefined;
  #head = 0;

  get length(): number {
    return this.#items === undefined ? 0 : this.#items.length - this.#head;
  }

  push(item: T): void {
    if (this.#items === undefined) this.#items = [item];
    else this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items?.[this.#head];
  }

  shift(): T | undefined {
    const items = this.#items;
    if (items === undefined) return undefined;
    const item = items[this.#head];
    items[this.#head++] = undefined;
    if (this.#head === items.length) this.clear();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The item `index` places behind the head. */
  at(index: number): T | undefined {
    return this.#items?.[this.#head + index];
  }

  clear(): void {
    this.#items = undefined;
    this.#head = 0;
  }
}

const COMPACT_AT = 64;
