import { canonicalHost } from "../proto/address.ts";
import type { SimLink } from "./link.ts";
import type { SimPacket } from "./packet.ts";
import type { SimTraffic } from "./traffic.ts";

/** A host, or the outer face of a NAT, as a network sees it. */
export interface Attachment {
  readonly name: string;
  readonly link: SimLink;
}

/** Addresses that reach each other without translation: the internet, or the inside of a NAT. */
export class SimNetwork {
  /** Where packets to foreign addresses go; undefined on an internet that has nothing beyond it. */
  readonly gateway: ((packet: SimPacket) => void) | undefined;
  readonly #traffic: SimTraffic;
  readonly #prefix: string;
  readonly #byHost = new Map<string, Attachment>();
  #assigned = 0;

  /** `prefix` is the first two bytes of the IPv4 addresses that {@link attach} assigns. */
  constructor(traffic: SimTraffic, prefix: string, gateway?: (packet: SimPacket) => void) {
    this.#traffic = traffic;
    this.#prefix = prefix;
    this.gateway = gateway;
  }

  /**
   * Gives a node its addresses, an unused IPv4 one if none are named; gives them back in canonical form. Throws
   * RangeError if one is no IP address or is taken.
   */
  attach(node: Attachment, hosts: readonly string[] | undefined): readonly string[] {
    const canonical = (hosts ?? [this.#unused()]).map(canonicalOrThrow);
    for (const host of canonical) {
      const holder = this.#byHost.get(host);
      if (holder !== undefined && holder !== node) throw new RangeError(`${host} already belongs to "${holder.name}"`);
    }
    for (const host of canonical) this.#byHost.set(host, node);
    return canonical;
  }

  /** Takes a node's addresses away. */
  detach(node: Attachment): void {
    for (const [host, holder] of this.#byHost) if (holder === node) this.#byHost.delete(host);
  }

  /** Carries a packet towards its destination address. */
  route(packet: SimPacket): void {
    if (this.#byHost.has(packet.to.host) || this.gateway === undefined) this.routeInside(packet);
    else this.gateway(packet);
  }

  /** {@link route} that never leaves by the gateway. */
  routeInside(packet: SimPacket): void {
    const node = this.#byHost.get(packet.to.host);
    if (node === undefined) this.#traffic.dropped(packet, "unroutable");
    else node.link.down.push(packet);
  }

  #unused(): string {
    for (;;) {
      const count = ++this.#assigned;
      const host = `${this.#prefix}.${count >>> 8}.${count & 0xff}`;
      if ((count & 0xff) !== 0 && (count & 0xff) !== 0xff && !this.#byHost.has(host)) return host;
    }
  }
}

function canonicalOrThrow(host: string): string {
  const canonical = canonicalHost(host);
  if (canonical === undefined) throw new RangeError(`expected an IP address, got "${host}"`);
  return canonical;
}
