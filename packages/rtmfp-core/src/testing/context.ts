import type { SimClock } from "./clock.ts";
import { type LinkOptions, SimLink, SimPipe } from "./link.ts";
import type { SimNode, SimPacket } from "./packet.ts";
import type { Prng } from "./prng.ts";
import type { SimTraffic } from "./traffic.ts";

/** What the parts of one world share. */
export interface SimContext {
  readonly clock: SimClock;
  readonly traffic: SimTraffic;
  /** The world's random source; parts draw from forks of it, named for them. */
  readonly prng: Prng;
  /** Host names and their IP addresses. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** False if a partition or outage keeps packets of `sender` from `receiver`. */
  reaches(sender: SimNode, receiver: SimNode): boolean;
}

/** Link settings of a node: of both directions, and of one direction where they differ. */
export interface AccessOptions {
  /** Both ways at once; `up` and `down` override it. Default: that of {@link LinkOptions}. */
  readonly link?: Partial<LinkOptions>;
  /** From the node into the network. Default: as `link`. */
  readonly up?: Partial<LinkOptions>;
  /** From the network to the node. Default: as `link`. */
  readonly down?: Partial<LinkOptions>;
}

/**
 * Makes a node's access link; each end is where that direction's packets come out, at once where nothing delays them and
 * `mayBeAtOnce`: not for a host, whose own code may be the one that sends.
 */
export function makeLink(
  context: SimContext,
  name: string,
  options: AccessOptions,
  upEnd: (packet: SimPacket) => void,
  downEnd: (packet: SimPacket) => void,
  mayBeAtOnce: boolean,
): SimLink {
  const { clock, traffic, prng } = context;
  const up = new SimPipe(clock, traffic, prng.fork(`${name} up`), upEnd, mayBeAtOnce);
  const down = new SimPipe(clock, traffic, prng.fork(`${name} down`), downEnd, mayBeAtOnce);
  up.set({ ...options.link, ...options.up });
  down.set({ ...options.link, ...options.down });
  return new SimLink(up, down);
}
