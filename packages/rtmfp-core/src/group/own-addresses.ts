/** Where others see us. */
import { formatAddress, isUnusable, Origin, type WireAddress } from "../proto/address.ts";
import type { Link } from "./link.ts";
import { MAX_OWN_ADDRESSES } from "./params.ts";

/** What neighbours say of our address. Each has one say, the last; it ends with the neighbour. */
export class OwnAddresses {
  readonly #said = new Map<Link, WireAddress>();

  /** A neighbour sees us there. */
  learn(link: Link, address: WireAddress): void {
    if (isUnusable(address)) return;
    this.#said.set(link, { host: address.host, port: address.port, origin: Origin.observed });
  }

  /** The neighbour is gone. */
  forget(link: Link): void {
    this.#said.delete(link);
  }

  /**
   * The addresses that most say; where two agree on one, those that one neighbour alone says are left out, so that a liar
   * cannot send others elsewhere.
   */
  get best(): WireAddress[] {
    const counts = new Map<string, { address: WireAddress; count: number }>();
    for (const address of this.#said.values()) {
      const key = formatAddress(address);
      const entry = counts.get(key) ?? { address, count: 0 };
      entry.count++;
      counts.set(key, entry);
    }
    const sorted = [...counts.values()].sort((a, b) => b.count - a.count);
    const most = sorted[0]?.count ?? 0;
    return sorted
      .filter(({ count }) => count > 1 || most <= 1)
      .slice(0, MAX_OWN_ADDRESSES)
      .map(({ address }) => address);
  }
}
