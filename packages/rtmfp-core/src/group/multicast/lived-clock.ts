/** Time as a member lives it: it stands still while the member's process does. */
import type { GroupClock } from "../session.ts";

/**
 * A process that gets no processor time reads nothing either. When it goes on, its timers run before what has waited in its
 * sockets is read: on the clock on the wall all neighbours would have been silent for long, and what they sent be lost. So no
 * timer is ever more than a moment late here, and time waits for it.
 */
export class LivedClock implements GroupClock {
  readonly #clock: GroupClock;
  /** When timers that have not run are due. */
  readonly #due = new Set<{ readonly at: number }>();
  #earliest: number = Number.POSITIVE_INFINITY;
  /** How long it has stood still so far, ms. */
  #stoodMs = 0;

  /** `clock` goes on in any case. */
  constructor(clock: GroupClock) {
    this.#clock = clock;
  }

  now(): number {
    const now = this.#clock.now() - this.#stoodMs;
    const latest = this.#earliest + LATE_MS;
    if (now <= latest) return now;
    this.#stoodMs += now - latest;
    return latest;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.now() + ms };
    const end = (): void => {
      this.#due.delete(timer);
      this.#earliest = Math.min(Number.POSITIVE_INFINITY, ...[...this.#due].map(({ at }) => at));
    };
    let cancel: () => void;
    const wait = (left: number): void => {
      cancel = this.#clock.after(left, () => {
        const more = timer.at - this.now();
        if (more >= 1) {
          wait(more);
          return;
        }
        end();
        run();
      });
    };
    this.#due.add(timer);
    this.#earliest = Math.min(this.#earliest, timer.at);
    wait(ms);
    return () => {
      end();
      cancel();
    };
  }
}

/** So late a timer may be where others use the processor, too. */
const LATE_MS = 250;
