/** Sessions that an initiator opened and then said nothing in: how many one address may have. § means RFC 7016. */
import { type Address, networkOf } from "../address.ts";
import { MAX_UNHEARD_SESSIONS } from "../params.ts";
import type { Session } from "../session.ts";

/** Counts per network, see {@link networkOf}, whatever the port. One without such sessions takes no room. */
export class UnheardSessions {
  readonly #counts = new Map<string, number>();

  /** False if the address's network has its fill of them. */
  mayOpen(from: Address): boolean {
    return (this.#counts.get(networkOf(from.host)) ?? 0) < MAX_UNHEARD_SESSIONS;
  }

  /** Counts a session until its far end speaks, or it ends: keepalive sees to that (§3.5.4.1). */
  add(session: Session, from: Address): void {
    const network = networkOf(from.host);
    this.#counts.set(network, (this.#counts.get(network) ?? 0) + 1);
    session.onHeard = () => {
      session.onHeard = undefined;
      const left = (this.#counts.get(network) ?? 0) - 1;
      if (left > 0) this.#counts.set(network, left);
      else this.#counts.delete(network);
    };
  }
}
