/** Sessions that an initiator opened and then said nothing in: how many one address may have. § means RFC 7016. */
import type { Address } from "../address.ts";
import { MAX_UNHEARD_SESSIONS } from "../params.ts";
import type { Session } from "../session.ts";

/** Counts per host, whatever the port. A host without such sessions takes no room. */
export class UnheardSessions {
  readonly #counts = new Map<string, number>();

  /** False if the host has its fill of them. */
  mayOpen(from: Address): boolean {
    return (this.#counts.get(from.host) ?? 0) < MAX_UNHEARD_SESSIONS;
  }

  /** Counts a session until its far end speaks, or it ends: keepalive sees to that (§3.5.4.1). */
  add(session: Session, { host }: Address): void {
    this.#counts.set(host, (this.#counts.get(host) ?? 0) + 1);
    session.onHeard = () => {
      session.onHeard = undefined;
      const left = (this.#counts.get(host) ?? 0) - 1;
      if (left > 0) this.#counts.set(host, left);
      else this.#counts.delete(host);
    };
  }
}
