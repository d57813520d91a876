/** What must hold of the calls that a round makes: they end, and fail only with errors that the API names. */
import { RtmfpError } from "rtmfp-core";
import { AmfError } from "rtmfp-core/tc";

/** Follows calls and whatever escapes from them. */
export class Watch {
  /** Calls made. */
  calls = 0;
  readonly #pending = new Set<{ readonly what: string }>();
  readonly #wrong: Error[] = [];
  readonly #onEscape = (error: unknown): void => this.blame("escaped", error);

  /** From now on errors that nobody catches are noted. Pair with {@link stop}. */
  start(): void {
    process.on("unhandledRejection", this.#onEscape);
    process.on("uncaughtException", this.#onEscape);
  }

  /** Resolves when the last errors have surfaced. */
  async stop(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", this.#onEscape);
    process.off("uncaughtException", this.#onEscape);
  }

  /** Makes a call. What it throws, now or by its promise, must be an error of the API. */
  call(what: string, run: () => unknown): void {
    this.calls++;
    let result: unknown;
    try {
      result = run();
    } catch (error) {
      this.#judge(what, error);
      return;
    }
    if (!(result instanceof Promise)) return;
    const entry = { what };
    this.#pending.add(entry);
    const settled = (): void => void this.#pending.delete(entry);
    result.then(settled, (error: unknown) => {
      settled();
      this.#judge(what, error);
    });
  }

  /** Notes that something is wrong. */
  blame(what: string, error: unknown): void {
    const found = error instanceof Error ? error : new Error(String(error));
    found.message = `${what}: ${found.message}`;
    this.#wrong.push(found);
  }

  /** The first thing that went wrong, if any. */
  get wrong(): Error | undefined {
    return this.#wrong[0];
  }

  /** Throws the first thing that went wrong, or names calls that have not ended. */
  check(): void {
    if (this.#wrong[0] !== undefined) throw this.#wrong[0];
    const [first] = this.#pending;
    if (first !== undefined) throw new Error(`${this.#pending.size} calls have not ended, among them ${first.what}`);
  }

  #judge(what: string, error: unknown): void {
    const isKnown = error instanceof RtmfpError || error instanceof AmfError;
    const isAbort = error instanceof DOMException && error.name === "AbortError";
    if (!isKnown && !isAbort) this.blame(what, error);
  }
}
