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
  /** Time of each event in the heap: looked at far more often than the events, which lie all over the memory. */
  #times = new Float64Array(FIRST_SIZE);

  /** Time of the next event; Infinity if there is none. */
  get nextTime(): number {
    while (this.#heap[0]?.cancelled) this.#removeFirst();
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number);
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    const { length } = heap;
    if (length === this.#times.length) this.#grow();
    const times = this.#times;
    const { time } = event;
    let at = length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = times[parent] as number;
      if (time > other || (time === other && !before(event, heap[parent] as SimEvent))) break;
      heap[at] = heap[parent] as SimEvent;
      times[at] = other;
      at = parent;
    }
    heap[at] = event;
    times[at] = time;
  }

  /** Removes and returns the next event that was not cancelled; undefined if there is none. */
  pop(): SimEvent | undefined {
    return this.nextTime === Number.POSITIVE_INFINITY ? undefined : this.#removeFirst();
  }

  #removeFirst(): SimEvent | undefined {
    const heap = this.#heap;
    const times = this.#times;
    const first = heap[0];
    const last = heap.pop();
    const { length } = heap;
    if (last === undefined || length === 0) return first;
    const { time } = last;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#isBefore(child + 1, child)) child++;
      const other = times[child] as number;
      if (time < other || (time === other && before(last, heap[child] as SimEvent))) break;
      heap[at] = heap[child] as SimEvent;
      times[at] = other;
      at = child;
    }
    heap[at] = last;
    times[at] = time;
    return first;
  }

  #isBefore(a: number, b: number): boolean {
    const [timeA, timeB] = [this.#times[a] as number, this.#times[b] as number];
    if (timeA !== timeB) return timeA < timeB;
    return before(this.#heap[a] as SimEvent, this.#heap[b] as SimEvent);
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#times.length);
    grown.set(this.#times);
    this.#times = grown;
  }
}

/** Of two at the same time. */
function before(a: SimEvent, b: SimEvent): boolean {
  return a.phase !== b.phase ? a.phase < b.phase : a.sequence < b.sequence;
}

const FIRST_SIZE = 64;
