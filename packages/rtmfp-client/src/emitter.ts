/** Typed events: names and the arguments of their listeners. */
export class Emitter<Events extends Record<keyof Events, readonly unknown[]>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<Events[keyof Events]>>>();

  /** Calls `listener` each time; the same listener is added once. What it throws is an uncaught exception of its own. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(name, listeners);
    }
    listeners.add(listener as Listener<Events[keyof Events]>);
    return this;
  }

  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this {
    this.#listeners.get(name)?.delete(listener as Listener<Events[keyof Events]>);
    return this;
  }

  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) tellListener(listener, ...args);
  }
}

/** Calls an application's function. One that throws must not keep others, and what is told them, from going on. */
export function tellListener<Args extends readonly unknown[]>(listener: (...args: Args) => void, ...args: Args): void {
  try {
    listener(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

type Listener<Args extends readonly unknown[]> = (...args: Args) => void;
