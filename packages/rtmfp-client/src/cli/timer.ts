/** A timer that can be set again. */
export class Timer {
  #timer: NodeJS.Timeout | undefined;

  /** Runs `run` after `ms` instead of whatever was set before. */
  set(ms: number, run: () => void): void {
    this.clear();
    this.#timer = setTimeout(run, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
