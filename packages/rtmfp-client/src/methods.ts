/** Functions that the far end may call by name. */
import type { AmfValue } from "rtmfp-core/tc";

/** A function to be called from afar; what it returns, or what its promise gives, is the reply. */
export type Method = (...args: unknown[]) => unknown;

/** Only what was given can be called: own functions of an object, never inherited ones. */
export class Methods {
  readonly #methods = new Map<string, Method>();

  /** Adds the own functions of `methods`, or replaces those of the same name. They are called as its methods. */
  expose(methods: object): void {
    for (const [name, value] of Object.entries(methods)) {
      if (typeof value === "function") this.#methods.set(name, value.bind(methods));
    }
  }

  /** Forgets all methods, then exposes these. */
  replace(methods: object): void {
    this.#methods.clear();
    this.expose(methods);
  }

  get(name: string): Method | undefined {
    return this.#methods.get(name);
  }

  /** Calls a method for a data message, which nobody answers; what it throws is the caller's to report. */
  notify(name: string, args: readonly AmfValue[]): boolean {
    const method = this.#methods.get(name);
    if (method === undefined) return false;
    const result = method(...args);
    if (result instanceof Promise) result.catch(() => {});
    return true;
  }
}
