/** Calls that wait for their answers. */
import { RtmfpError } from "rtmfp-core";
import { type AmfValue, type Command, namedValues } from "rtmfp-core/tc";
import { makeStatus, statusOf, statusText } from "./status-error.ts";

interface Pending {
  readonly name: string;
  readonly resolve: (value: AmfValue) => void;
  readonly reject: (error: RtmfpError) => void;
}

/** Numbers calls, and settles them by `_result` and `_error`. */
export class Calls {
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  /** Registers a call; `send` gets its transaction ID. */
  start(name: string, send: (transactionId: number) => void): Promise<AmfValue> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { name, resolve, reject });
      try {
        send(id);
      } catch (error) {
        this.#pending.delete(id);
        reject(error);
      }
    });
  }

  /** True if the command answers a call. An answer to none is swallowed. */
  settle(command: Command): boolean {
    const failed = command.name === "_error";
    if (!failed && command.name !== "_result") return false;
    const pending = this.#pending.get(command.transactionId);
    this.#pending.delete(command.transactionId);
    const value = command.args[0];
    if (!failed) pending?.resolve(value);
    else pending?.reject(callError(pending.name, value));
    return true;
  }

  /** No answers will come. */
  failAll(why: string): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { name, reject } of waiting) reject(callError(name, `${why} before "${name}" was answered`));
  }
}

function callError(name: string, value: AmfValue): RtmfpError {
  const event = statusOf(value, "NetConnection.Call.Failed");
  const text = statusText(namedValues(value) ?? {}) || event.description || `the call of "${name}" failed`;
  return new RtmfpError(event.code, text, value ?? makeStatus(event.code));
}
