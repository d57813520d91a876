/** Calls that wait for their answers. */
import { RtmfpError } from "rtmfp-core";
import { type AmfValue, type Command, namedValues } from "rtmfp-core/tc";
import type { Clock } from "./clock.ts";
import { MAX_TIMEOUT_MS } from "./options.ts";
import type { ResponderOptions } from "./responder.ts";
import { statusOf, statusText } from "./status-error.ts";

interface Pending {
  readonly name: string;
  readonly resolve: (value: AmfValue) => void;
  readonly reject: (error: RtmfpError) => void;
  /** Ends the waiting for a time or signal. */
  release: () => void;
}

/** Numbers calls, and settles them by `_result` and `_error`. */
export class Calls {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Registers a call; `send` gets its transaction ID. Rejects with NetConnection.Call.Failed, also when `until` says so. */
  start(name: string, send: (transactionId: number) => void, until: ResponderOptions = {}): Promise<AmfValue> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const pending: Pending = { name, resolve, reject, release: () => {} };
      this.#pending.set(id, pending);
      try {
        send(id);
        this.#limit(id, pending, until);
      } catch (error) {
        this.#take(id);
        reject(error);
      }
    });
  }

  /** True if the command answers a call. An answer to none is swallowed. */
  settle(command: Command): boolean {
    const failed = command.name === "_error";
    if (!failed && command.name !== "_result") return false;
    const pending = this.#take(command.transactionId);
    const value = command.args[0];
    if (!failed) pending?.resolve(value);
    else pending?.reject(callError(pending.name, value));
    return true;
  }

  /** No answers will come. */
  failAll(why: string): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, (name) => `${why} before "${name}" was answered`);
  }

  #limit(id: number, pending: Pending, { signal, timeoutMs }: ResponderOptions): void {
    const onAbort = (): void => this.#fail(id, (name) => `the call of "${name}" was aborted`);
    const cancel =
      timeoutMs === undefined
        ? () => {}
        : this.#clock.after(Math.min(timeoutMs, MAX_TIMEOUT_MS), () =>
            this.#fail(id, (name) => `the server did not answer "${name}" within ${timeoutMs / 1000} s`),
          );
    pending.release = () => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  }

  #fail(id: number, why: (name: string) => string): void {
    const pending = this.#take(id);
    pending?.reject(callError(pending.name, why(pending.name)));
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.release();
    return pending;
  }
}

function callError(name: string, value: AmfValue): RtmfpError {
  const event = statusOf(value, "NetConnection.Call.Failed");
  const text = statusText(namedValues(value) ?? {}) || event.description || `the call of "${name}" failed`;
  return new RtmfpError(event.code, text, typeof value === "object" && value !== null ? value : event);
}
