import type { Address } from "../proto/address.ts";

/** Values by address: every packet asks, and host and port by themselves are found faster than a text made of both. */
export class AddressMap<T> {
  readonly #byHost = new Map<string, Map<number, T>>();

  get({ host, port }: Address): T | undefined {
    return this.#byHost.get(host)?.get(port);
  }

  has(address: Address): boolean {
    return this.get(address) !== undefined;
  }

  set({ host, port }: Address, value: T): void {
    let byPort = this.#byHost.get(host);
    if (byPort === undefined) {
      byPort = new Map();
      this.#byHost.set(host, byPort);
    }
    byPort.set(port, value);
  }

  delete({ host, port }: Address): void {
    const byPort = this.#byHost.get(host);
    if (byPort?.delete(port) === true && byPort.size === 0) this.#byHost.delete(host);
  }

  clear(): void {
    this.#byHost.clear();
  }

  *values(): Iterable<T> {
    for (const byPort of this.#byHost.values()) yield* byPort.values();
  }
}
