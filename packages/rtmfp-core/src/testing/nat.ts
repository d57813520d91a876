import type { Address } from "../proto/address.ts";
import { AddressMap } from "./address-map.ts";
import { type AccessOptions, makeLink, type SimContext } from "./context.ts";
import type { SimLink } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { isIpv6, type SimPacket } from "./packet.ts";
import type { Prng } from "./prng.ts";

/**
 * NAT kinds in the classic names. The three cones keep one outer port for an inside socket, whatever the
 * destination, and let in: everybody (full); addresses already sent to (restricted); addresses and ports already
 * sent to (port-restricted). A symmetric NAT takes an outer port per destination, and lets in that one alone.
 */
export type NatKind = "full-cone" | "restricted-cone" | "port-restricted-cone" | "symmetric";

/** Settings of a NAT box. */
export interface NatOptions extends AccessOptions {
  /** How it maps and filters. */
  readonly kind: NatKind;
  /** Outer addresses, at most one per family. Default: an unused IPv4 one of the network in front. */
  readonly addresses?: readonly string[];
  /** The NAT in front of this one. Default: none, it faces the internet. */
  readonly behind?: SimNat;
  /** A mapping, and each permission in it, ends so long after the last packet out. Default 120,000. */
  readonly mappingTimeoutMs?: number;
  /** True if packets in refresh a mapping too. Default false. */
  readonly refreshInbound?: boolean;
  /** True if inside hosts reach each other by their outer addresses. Default false. */
  readonly hairpin?: boolean;
  /** True to take the inside port as the outer one while it is free. Default false: random ports. */
  readonly preservePorts?: boolean;
}

/** One mapping, for tests to look at. */
export interface NatMapping {
  /** Address behind the NAT. */
  readonly inside: Address;
  /** The one that the network sees. */
  readonly outside: Address;
}

/** A NAT box: a network of its own inside, one or two addresses outside. */
export class SimNat {
  /** As given; seeds its links and ports. */
  readonly name: string;
  /** How it maps and filters. */
  readonly kind: NatKind;
  /** The NAT in front of this one, if any. */
  readonly behind: SimNat | undefined;
  /** The outer access link. */
  readonly link: SimLink;
  /** The network inside. */
  readonly network: SimNetwork;
  readonly #context: SimContext;
  readonly #options: NatOptions;
  readonly #outer: SimNetwork;
  readonly #prng: Prng;
  /** By inside address and, of a symmetric NAT, destination. */
  readonly #byInside = new AddressMap<AddressMap<Mapping>>();
  readonly #byOutside = new AddressMap<Mapping>();
  #retired = new AddressMap<Mapping>();
  /** Nothing expires before. */
  #expiresAt = Number.POSITIVE_INFINITY;
  #addresses: readonly string[];

  /** `internet` is the network in front unless the options name a NAT. Made by SimWorld.nat. */
  constructor(context: SimContext, name: string, internet: SimNetwork, insidePrefix: string, options: NatOptions) {
    this.name = name;
    this.kind = options.kind;
    this.behind = options.behind;
    this.#context = context;
    this.#options = options;
    this.#outer = options.behind?.network ?? internet;
    this.#prng = context.prng.fork(`${name} nat`);
    this.network = new SimNetwork(context.traffic, insidePrefix, (packet) => this.#outbound(packet));
    const upEnd = (packet: SimPacket): void => this.#outer.route(packet);
    this.link = makeLink(context, name, options, upEnd, (packet) => this.#inbound(packet), true);
    this.#addresses = this.#outer.attach(this, options.addresses);
  }

  /** Outer addresses. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** The mappings that have not timed out. */
  get mappings(): readonly NatMapping[] {
    this.#expire();
    return [...this.#byOutside.values()].map(({ inside, outside }) => ({ inside, outside }));
  }

  /**
   * Forgets all mappings, as a restart does: the next packets out take other ports. With `addresses`, the outer
   * addresses change too, as a provider's renumbering does. Without, they stay.
   */
  rebind(addresses?: readonly string[]): void {
    this.#retired = new AddressMap();
    for (const mapping of this.#byOutside.values()) this.#retired.set(mapping.outside, mapping);
    this.#byInside.clear();
    this.#byOutside.clear();
    if (addresses === undefined) return;
    this.#outer.detach(this);
    this.#addresses = this.#outer.attach(this, addresses);
  }

  #outbound(packet: SimPacket): void {
    const mapping = this.#mappingFor(packet);
    if (mapping === undefined) {
      this.#context.traffic.dropped(packet, "nat");
      return;
    }
    const now = this.#context.clock.now;
    mapping.lastUsed = now;
    mapping.permissions.set(this.#permissionOf(packet.to), now);
    packet.from = mapping.outside;
    if (!this.#addresses.includes(packet.to.host)) this.link.up.push(packet);
    else if (this.#options.hairpin) this.#inbound(packet);
    else this.#context.traffic.dropped(packet, "nat");
  }

  #inbound(packet: SimPacket): void {
    this.#expire();
    const now = this.#context.clock.now;
    const mapping = this.#byOutside.get(packet.to);
    const permission = this.#permissionOf(packet.from);
    if (mapping === undefined || !this.#permits(mapping, permission)) {
      this.#context.traffic.dropped(packet, "nat");
      return;
    }
    if (this.#options.refreshInbound) {
      mapping.lastUsed = now;
      if (mapping.permissions.has(permission)) mapping.permissions.set(permission, now);
    }
    packet.to = mapping.inside;
    this.network.routeInside(packet);
  }

  #permits(mapping: Mapping, permission: Address): boolean {
    const since = mapping.permissions.get(permission);
    return this.kind === "full-cone" || (since !== undefined && this.#context.clock.now - since <= this.#timeoutMs);
  }

  /** What the filter tells remote addresses apart by. */
  #permissionOf(remote: Address): Address {
    if (this.kind === "full-cone") return ANYBODY;
    return this.kind === "restricted-cone" ? { host: remote.host, port: 0 } : remote;
  }

  #mappingFor(packet: SimPacket): Mapping | undefined {
    this.#expire();
    const destination = this.kind === "symmetric" ? packet.to : ANYBODY;
    const ofSocket = this.#byInside.get(packet.from) ?? new AddressMap<Mapping>();
    const known = ofSocket.get(destination);
    if (known !== undefined) return known;
    const host = this.#addresses.find((address) => isIpv6(address) === isIpv6(packet.from.host));
    const port = host === undefined ? undefined : this.#freePort(host, packet.from.port);
    if (host === undefined || port === undefined) return undefined;
    const mapping: Mapping = {
      destination,
      inside: packet.from,
      outside: { host, port },
      lastUsed: this.#context.clock.now,
      permissions: new AddressMap(),
    };
    ofSocket.set(destination, mapping);
    this.#byInside.set(packet.from, ofSocket);
    this.#byOutside.set(mapping.outside, mapping);
    this.#expiresAt = Math.min(this.#expiresAt, mapping.lastUsed + this.#timeoutMs);
    return mapping;
  }

  #freePort(host: string, preferred: number): number | undefined {
    const free = (port: number): boolean => {
      const address = { host, port };
      return !this.#byOutside.has(address) && !this.#retired.has(address);
    };
    if (this.#options.preservePorts && free(preferred)) return preferred;
    const start = this.#prng.int(PORTS);
    for (let i = 0; i < PORTS; i++) {
      const port = FIRST_PORT + ((start + i) % PORTS);
      if (free(port)) return port;
    }
    return undefined;
  }

  #expire(): void {
    const { now } = this.#context.clock;
    if (now <= this.#expiresAt) return;
    this.#expiresAt = Number.POSITIVE_INFINITY;
    for (const mapping of [...this.#byOutside.values()]) {
      const expiresAt = mapping.lastUsed + this.#timeoutMs;
      if (now <= expiresAt) {
        this.#expiresAt = Math.min(this.#expiresAt, expiresAt);
        continue;
      }
      this.#byInside.get(mapping.inside)?.delete(mapping.destination);
      this.#byOutside.delete(mapping.outside);
    }
  }

  get #timeoutMs(): number {
    return this.#options.mappingTimeoutMs ?? DEFAULT_MAPPING_TIMEOUT_MS;
  }
}

interface Mapping extends NatMapping {
  /** What it is for, of a symmetric NAT; else {@link ANYBODY}. */
  readonly destination: Address;
  /** Time of the last packet that refreshed it. */
  lastUsed: number;
  /** Remotes already sent to, and when last. */
  readonly permissions: AddressMap<number>;
}

/** Stands for every remote where they are not told apart. */
const ANYBODY: Address = { host: "", port: 0 };
/** The least that RFC 4787 §4.3 asks of a NAT. */
const DEFAULT_MAPPING_TIMEOUT_MS = 120_000;
const FIRST_PORT = 1024;
const PORTS = 65536 - FIRST_PORT;
