/** The signals that end a command. */

/** Exit codes by signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Aborts {@link signal} at the first signal; a second one ends the process at once. */
export class Signals {
  readonly #abort = new AbortController();
  readonly #off: () => void;
  /** 130 or 143 once a signal has come. */
  exitCode: number | undefined;

  constructor() {
    const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
    const onSignal = (name: keyof typeof EXIT_CODES): void => {
      if (this.exitCode !== undefined) process.exit(this.exitCode);
      this.exitCode = EXIT_CODES[name];
      this.#abort.abort();
    };
    for (const name of names) process.on(name, onSignal);
    this.#off = () => {
      for (const name of names) process.off(name, onSignal);
    };
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  release(): void {
    this.#off();
  }
}
