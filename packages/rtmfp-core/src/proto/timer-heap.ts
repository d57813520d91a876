/** One deadline table per endpoint: a binary heap of everything that can wake it. */

/** Something with a deadline. The heap owns {@link heapIndex}; -1 means not in the heap. */
export interface TimerNode {
  /** When the heap will wake the node, ms; Infinity if never. Written by the heap. */
  heapDeadline: number;
  /** Place in the heap; -1 outside. Written by the heap. */
  heapIndex: number;
  /** The heap's deadline has come; `now` in ms. The node does what is due and schedules itself again if need be. */
  onTimer(now: number): void;
}

/**
 * Min-heap of timer nodes. A node moves to an earlier deadline at once; moved later it stays where it is, wakes
 * early, finds nothing due and schedules itself again, which costs less than moving it on every packet.
 */
export class TimerHeap {
  readonly #nodes: TimerNode[] = [];
  readonly #onSooner: (() => void) | undefined;

  /** `onSooner` is called when the earliest deadline moves forward, so that whoever waits for it waits less. */
  constructor(onSooner?: () => void) {
    this.#onSooner = onSooner;
  }

  /** The earliest deadline, or Infinity. */
  get next(): number {
    return this.#nodes[0]?.heapDeadline ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Makes sure that `node` wakes at `at` or before. Infinity is no request. */
  schedule(node: TimerNode, at: number): void {
    if (at === Number.POSITIVE_INFINITY) return;
    if (node.heapIndex < 0) {
      node.heapDeadline = at;
      node.heapIndex = this.#nodes.length;
      this.#nodes.push(node);
      this.#up(node.heapIndex);
    } else if (at < node.heapDeadline) {
      node.heapDeadline = at;
      this.#up(node.heapIndex);
    } else return;
    if (node.heapIndex === 0) this.#onSooner?.();
  }

  remove(node: TimerNode): void {
    const index = node.heapIndex;
    if (index < 0) return;
    node.heapIndex = -1;
    const last = this.#nodes.pop() as TimerNode;
    if (last === node) return;
    this.#place(last, index);
    this.#up(index);
    this.#down(last.heapIndex);
  }

  /** Wakes every node whose deadline is at or before `now`. */
  run(now: number): void {
    for (let node = this.#nodes[0]; node !== undefined && node.heapDeadline <= now; node = this.#nodes[0]) {
      this.remove(node);
      node.onTimer(now);
    }
  }

  #up(index: number): void {
    const node = this.#nodes[index] as TimerNode;
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = this.#nodes[parent] as TimerNode;
      if (other.heapDeadline <= node.heapDeadline) break;
      this.#place(other, at);
      at = parent;
    }
    this.#place(node, at);
  }

  #down(index: number): void {
    const node = this.#nodes[index] as TimerNode;
    let at = index;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#nodes.length) break;
      const right = this.#nodes[child + 1];
      if (right !== undefined && right.heapDeadline < (this.#nodes[child] as TimerNode).heapDeadline) child++;
      const other = this.#nodes[child] as TimerNode;
      if (other.heapDeadline >= node.heapDeadline) break;
      this.#place(other, at);
      at = child;
    }
    this.#place(node, at);
  }

  #place(node: TimerNode, index: number): void {
    this.#nodes[index] = node;
    node.heapIndex = index;
  }
}
