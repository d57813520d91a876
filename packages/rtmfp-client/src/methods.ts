/** Functions that the far end may call by name. */
import type { AmfValue } from "rtmfp-core/tc";

/** A function to be called from afar; what it returns, or what its promise gives, is the reply. */
export type Method = (...args: unknown[]) => unknown;

/** Only what was given can be called: own functions of an object, never inherited ones. */
export class Methods {
  readonly #exposed = new Map<string, Method>();
  #client: object | undefined;

  /** Adds the own functions of `methods`, or replaces those of the same name. They are called as its methods. */
  expose(methods: object): void {
    for (const name of Object.keys(methods)) {
      const method = ownMethod(methods, name);
      if (method !== undefined) this.#exposed.set(name, method);
    }
  }

  /** Forgets all methods; from now on the functions that `client` has at each call can be called. */
  replace(client: object): void {
    this.#exposed.clear();
    this.#client = client;
  }

  get(name: string): Method | undefined {
    return this.#exposed.get(name) ?? (this.#client === undefined ? undefined : ownMethod(this.#client, name));
  }

  /** Calls a method for a data message, which nobody answers; `onError` gets what it throws, or that there is none. */
  notify(name: string, args: readonly AmfValue[], onError: (error: unknown) => void): void {
    const method = this.get(name);
    if (method === undefined) {
      onError(new Error(`the far end called "${name}", which the client object does not have`));
      return;
    }
    try {
      const result = method(...args);
      if (result instanceof Promise) result.catch(onError);
    } catch (error) {
      onError(error);
    }
  }
}

function ownMethod(object: object, name: string): Method | undefined {
  if (!Object.hasOwn(object, name)) return undefined;
  const value: unknown = (object as Readonly<Record<string, unknown>>)[name];
  return typeof value === "function" ? value.bind(object) : undefined;
}
