/** Spaces out the fragments of startup packets, for nothing is known of the path yet (§3.4). § means RFC 7016. */
import { Fifo } from "../fifo.ts";
import {
  FRAGMENT_BURST_BYTES,
  FRAGMENT_BURST_PACKETS,
  FRAGMENT_INTERVAL_MS,
  MAX_STARTUP_QUEUE,
  SEAL_SPARE_BYTES,
} from "../params.ts";
import type { TimerHeap, TimerNode } from "../timer-heap.ts";

/** What is paced: anything with an RTMFP packet inside. */
interface Paced {
  readonly packet: Uint8Array;
}

interface Target<T> {
  readonly waiting: Fifo<T>;
  /** When the next burst may leave. */
  nextAt: number;
}

/** Lets one burst per interval go to each destination. */
export class FragmentPacer<T extends Paced> implements TimerNode {
  heapDeadline: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly #timers: TimerHeap;
  readonly #release: (item: T) => void;
  readonly #targets = new Map<string, Target<T>>();
  #waiting = 0;

  constructor(timers: TimerHeap, release: (item: T) => void) {
    this.#timers = timers;
    this.#release = release;
  }

  /** Takes the fragments of one packet to the destination `key`; false, and none of them, if too many wait. */
  add(key: string, items: readonly T[], now: number): boolean {
    if (this.#waiting + items.length > MAX_STARTUP_QUEUE) return false;
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = { waiting: new Fifo(), nextAt: now };
      this.#targets.set(key, target);
    }
    for (const item of items) target.waiting.push(item);
    this.#waiting += items.length;
    this.#burst(target, now);
    return true;
  }

  onTimer(now: number): void {
    for (const [key, target] of this.#targets) {
      if (target.nextAt <= now && target.waiting.length === 0) this.#targets.delete(key);
      else this.#burst(target, now);
    }
  }

  #burst(target: Target<T>, now: number): void {
    if (target.nextAt <= now) {
      let packets = 0;
      let bytes = 0;
      for (let item = target.waiting.peek(); item !== undefined; item = target.waiting.peek()) {
        bytes += item.packet.length + SEAL_SPARE_BYTES;
        if (packets > 0 && (packets >= FRAGMENT_BURST_PACKETS || bytes > FRAGMENT_BURST_BYTES)) break;
        packets++;
        target.waiting.shift();
        this.#waiting--;
        this.#release(item);
      }
      target.nextAt = now + FRAGMENT_INTERVAL_MS;
    }
    this.#timers.schedule(this, target.nextAt);
  }
}
