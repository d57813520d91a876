/** The public IP addresses of the network that a server is in, by the name that somebody gave. */
import { isIP } from "node:net";
import type { Carrier } from "rtmfp-core";
import { DEFAULT_PORT } from "rtmfp-core/tc";
import { hostPart } from "./bindings.ts";

/** What the search needs of the server. */
export interface PublicHostsHost {
  readonly carrier: Pick<Carrier, "resolve">;
  /** False once the server closes. */
  isListening(): boolean;
  after(ms: number, run: () => void): () => void;
}

/** Looks its name up now and again: a network at home takes other addresses from time to time. */
export class PublicHosts {
  /** What was found last; empty before, and without a name. */
  current: readonly string[] = [];

  /** Resolves when the name was looked up, or after 2 s; never rejects. `publicHost` is a host with or without a port. */
  async begin(publicHost: string | undefined, host: PublicHostsHost): Promise<void> {
    if (publicHost === undefined) return;
    const name = hostPart(publicHost);
    let cancel = (): void => {};
    const enough = new Promise<void>((resolve) => {
      cancel = host.after(PATIENCE_MS, resolve);
    });
    await Promise.race([this.#look(name, host), enough]);
    cancel();
  }

  async #look(name: string, host: PublicHostsHost): Promise<void> {
    // A name that cannot be looked up for a while still means what it did.
    const found = await host.carrier.resolve(name, DEFAULT_PORT).catch(() => undefined);
    if (found !== undefined) this.current = found.map((address) => address.host);
    if (isIP(name) === 0 && host.isListening()) host.after(PERIOD_MS, () => void this.#look(name, host));
  }
}

const PATIENCE_MS = 2_000;
/** As often as such names are allowed to change. */
const PERIOD_MS = 60_000;
