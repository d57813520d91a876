/** When a client's time is up: it has been idle for too long, or its token has expired. */
import type { TreeClock } from "rtmfp-core/tc";

/** What ends a client's time. */
export interface ClientTimersOptions {
  /** See ApplicationLimits.idleTimeoutMs; 0 is never. */
  readonly idleMs: number;
  /** How long its token holds; ms, Infinity is for ever. */
  readonly lifeMs: number;
  /** A number that differs whenever the client has done something since; undefined while it does something. */
  activity(): number | undefined;
  onIdle(): void;
  onExpired(): void;
}

/** No timer runs for a client whose time is not limited. */
export class ClientTimers {
  readonly #clock: TreeClock;
  readonly #options: ClientTimersOptions;
  #cancelIdle = (): void => {};
  #cancelLife = (): void => {};

  /** Starts. */
  constructor(clock: TreeClock, options: ClientTimersOptions) {
    this.#clock = clock;
    this.#options = options;
    if (options.idleMs > 0) this.#watch(options.activity(), 0);
    if (options.lifeMs < Number.POSITIVE_INFINITY) this.#live(clock.now() + options.lifeMs);
  }

  stop(): void {
    this.#cancelIdle();
    this.#cancelLife();
  }

  /** Looks eight times in an idle time whether anything was heard: a client is idle for at most an eighth more. */
  #watch(seen: number | undefined, quiet: number): void {
    const { idleMs, activity, onIdle } = this.#options;
    this.#cancelIdle = this.#clock.after(idleMs / LOOKS, () => {
      const now = activity();
      const isQuiet = now !== undefined && now === seen;
      if (isQuiet && quiet + 1 >= LOOKS) onIdle();
      else this.#watch(now, isQuiet ? quiet + 1 : 0);
    });
  }

  #live(until: number): void {
    const left = until - this.#clock.now();
    if (left <= 0) {
      // Not before whoever made this has it.
      this.#cancelLife = this.#clock.after(0, () => this.#options.onExpired());
      return;
    }
    this.#cancelLife = this.#clock.after(Math.min(left, MAX_WAIT_MS), () => this.#live(until));
  }
}

const LOOKS = 8;
/** What a timer can wait for. */
const MAX_WAIT_MS = 2 ** 31 - 1;
