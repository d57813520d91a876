/** What shall happen when. */
export interface SimEvent {
  /** Virtual milliseconds. */
  time: number;
  /** Order within one instant: network and alarms 0, deferred turns 1. */
  phase: number;
  /** Order of scheduling, the last tie-break. */
  sequence: number;
  /** Called with {@link argument}. */
  run: (argument: never) => void;
  argument: unknown;
  /** Nobody holds it: it may stand for another event once it has run. */
  readonly isReusable: boolean;
  cancelled: boolean;
}

/** Events in order of time, phase and scheduling: a binary heap. */
export class EventQueue {
  readonly #heap: SimEvent[] = [];

  /** Time of the next event; Infinity if there is none. */
  get nextTime(): number {
    while (this.#heap[0]?.cancelled) this.#removeFirst();
    return this.#heap[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent] as SimEvent)) break;
      heap[at] = heap[parent] as SimEvent;
      at = parent;
    }
    heap[at] = event;
  }

  /** Removes and returns the next event that was not cancelled; undefined if there is none. */
  pop(): SimEvent | undefined {
    return this.nextTime === Number.POSITIVE_INFINITY ? undefined : this.#removeFirst();
  }

  #removeFirst(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as SimEvent, heap[child] as SimEvent)) child++;
      if (!before(heap[child] as SimEvent, last)) break;
      heap[at] = heap[child] as SimEvent;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: SimEvent, b: SimEvent): boolean {
  if (a.time !== b.time) return a.time < b.time;
  return a.phase !== b.phase ? a.phase < b.phase : a.sequence < b.sequence;
}
