/** What ends a command from outside: signals, and a reader of its stdout that has had enough. */
import { fileError } from "../files.ts";

/** Exit codes by signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Aborts {@link signal} at the first signal; a second one ends the process at once. Aborts too when stdout cannot be
 * written any more, which is no failure if its reader has gone.
 */
export class Signals {
  readonly #abort = new AbortController();
  readonly #off: () => void;
  /** 130 or 143 once a signal has come; 0 or 1 once stdout is lost. */
  exitCode: number | undefined;

  constructor() {
    const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
    const onSignal = (name: keyof typeof EXIT_CODES): void => {
      if (this.exitCode !== undefined) process.exit(this.exitCode);
      this.exitCode = EXIT_CODES[name];
      this.#abort.abort();
    };
    const onLost = (error: NodeJS.ErrnoException): void => {
      if (this.exitCode !== undefined) return;
      this.exitCode = error.code === "EPIPE" ? 0 : 1;
      if (this.exitCode === 1) {
        const { message } = fileError("standard output", error, "write") as Error;
        process.stderr.write(`rtmfp-client: ${message}\n`);
      }
      this.#abort.abort();
    };
    for (const name of names) process.on(name, onSignal);
    process.stdout.on("error", onLost);
    this.#off = () => {
      for (const name of names) process.off(name, onSignal);
      process.stdout.off("error", onLost);
    };
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  release(): void {
    this.#off();
  }
}
