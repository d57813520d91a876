import { type Address, canonicalHost, formatAddress, isLoopback, isUnusable } from "../proto/address.ts";
import { SimCarrier, type SocketOptions } from "./carrier.ts";
import { type AccessOptions, makeLink, type SimContext } from "./context.ts";
import type { SimLink } from "./link.ts";
import type { SimNat } from "./nat.ts";
import type { SimNetwork } from "./network.ts";
import { copyDatagram, fragmentCount, isIpv6, MAX_UDP_PAYLOAD, type SimPacket } from "./packet.ts";
import type { Prng } from "./prng.ts";

/** Settings of a host. */
export interface HostOptions extends AccessOptions {
  /** Its addresses besides loopback. Default: an unused IPv4 one of its network. */
  readonly addresses?: readonly string[];
  /** The NAT in front of it. Default: none, it is on the internet. */
  readonly behind?: SimNat;
  /** Its clock reads `clockOffsetMs + clockRate * virtual time`. Default 0. */
  readonly clockOffsetMs?: number;
  /**
   * Milliseconds of the host's clock per millisecond of virtual time, no rate per second. Default 1; 1.08 is a clock
   * that is 8 % fast.
   */
  readonly clockRate?: number;
}

/** A machine with addresses, an access link and any number of carriers. */
export class SimHost {
  /** As given; seeds its links and random source. */
  readonly name: string;
  /** Its access to the network. */
  readonly link: SimLink;
  /** The world's clock, traffic and random source. */
  readonly context: SimContext;
  /** Milliseconds of its clock per millisecond of virtual time. */
  readonly clockRate: number;
  readonly #internet: SimNetwork;
  readonly #prng: Prng;
  /** By port. */
  readonly #sockets = new Map<number, readonly BoundSocket[]>();
  readonly #pathMtu = new Map<string, { mtu: number; until: number }>();
  #behind: SimNat | undefined;
  #addresses: readonly string[];
  #nextPort = FIRST_EPHEMERAL_PORT;
  #clockOffsetMs: number;
  #frozen: { readonly datagrams: (() => void)[]; bytes: number } | undefined;

  /** Made by SimWorld.host. Throws RangeError for a clock rate or addresses that cannot be. */
  constructor(context: SimContext, name: string, internet: SimNetwork, options: HostOptions) {
    this.name = name;
    this.context = context;
    this.#clockOffsetMs = options.clockOffsetMs ?? 0;
    this.clockRate = options.clockRate ?? 1;
    if (!(this.clockRate > 0)) throw new RangeError(`expected clockRate above 0, got ${this.clockRate}`);
    this.#internet = internet;
    this.#prng = context.prng.fork(`${name} random`);
    this.#behind = options.behind;
    const upEnd = (packet: SimPacket): void => this.#network.route(packet);
    this.link = makeLink(context, name, options, upEnd, (packet) => this.#receive(packet), false);
    this.#addresses = this.#network.attach(this, options.addresses);
  }

  /** Addresses besides loopback. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** What its clock is ahead of virtual time, the rate aside. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** The NAT in front, if any. */
  get behind(): SimNat | undefined {
    return this.#behind;
  }

  /**
   * Bytes of this host's own random source: the same for the same seed and name, whatever other hosts draw. A new
   * array.
   */
  random(length: number): Uint8Array {
    return this.#prng.bytes(length);
  }

  /**
   * Binds sockets and makes a carrier of them. Default: one socket on all addresses for each family the host has.
   * Throws if an address is not the host's, or the port is taken.
   */
  open(sockets: readonly SocketOptions[] = this.#defaultSockets()): SimCarrier {
    const bound = sockets.map((socket) => this.#bind(socket, sockets));
    if (new Set(bound.map(formatAddress)).size < bound.length) throw new RangeError("expected sockets to differ");
    const carrier = new SimCarrier(this, bound);
    for (const { via, address } of carrier.sockets) {
      const { host, port } = address;
      this.#sockets.set(port, [...(this.#sockets.get(port) ?? []), { host, carrier, via }]);
    }
    return carrier;
  }

  /**
   * Changes the addresses, and the NAT in front if `behind` is named (undefined: straight on the internet). Sockets
   * bound to all addresses go on by the new ones; packets under way to the old ones are lost.
   */
  move(to: { readonly addresses?: readonly string[]; readonly behind?: SimNat | undefined }): void {
    this.#network.detach(this);
    if ("behind" in to) this.#behind = to.behind;
    this.#addresses = this.#network.attach(this, to.addresses);
  }

  /** Moves its clock at once, forward or back: alarms fire early, or late, as their deadlines then lie. */
  stepClock(ms: number): void {
    this.#clockOffsetMs += ms;
    for (const carrier of this.#carriers) carrier.clockStepped();
  }

  /**
   * Stops its processes for `ms` while the network and its clock go on, as SIGSTOP or a paused machine does: datagrams
   * wait in the sockets' buffers as far as those go, alarms ring when it is over. Throws Error while it is frozen,
   * RangeError for NaN.
   */
  freeze(ms: number): void {
    if (this.#frozen !== undefined) throw new Error(`"${this.name}" is already frozen`);
    this.#frozen = { datagrams: [], bytes: 0 };
    this.context.clock.schedule(this.context.clock.now + ms, () => this.#thaw(), 0);
  }

  /** True while {@link freeze} lasts. Asked by carriers. */
  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** Sends a datagram with any source address, as a forger or a replay does. The bytes are copied. */
  inject(from: Address, to: Address, bytes: Uint8Array): void {
    this.#launch(from, to, bytes);
  }

  /** Called by carriers. The bytes are copied. */
  transmit(bytes: Uint8Array, bound: Address, to: Address): void {
    const from = this.#sourceFor(bound, to);
    this.#launch(from ?? bound, to, bytes, from !== undefined && !isUnusable(to));
  }

  /** Own addresses that a socket can be reached at by others. Called by carriers. */
  reachableAddresses(bound: Address): readonly Address[] {
    const all = this.#hasAll(bound);
    return this.#addresses
      .filter((host) => isIpv6(host) === isIpv6(bound.host) && (all || host === bound.host) && !isLinkLocal(host))
      .map((host) => ({ host, port: bound.port }));
  }

  /** Frees a carrier's ports. Called by carriers. */
  release(carrier: SimCarrier): void {
    for (const { address } of carrier.sockets) {
      const others = this.#at(address.port).filter((socket) => socket.carrier !== carrier);
      if (others.length > 0) this.#sockets.set(address.port, others);
      else this.#sockets.delete(address.port);
    }
  }

  /** Remembers the path MTU of a destination, in bytes of IP packet, as kernels do, for 10 minutes. Called by links. */
  learnMtu(target: string, mtu: number): void {
    const until = this.context.clock.now + PATH_MTU_EXPIRES_MS;
    this.#pathMtu.set(target, { mtu: Math.min(mtu, this.#knownMtu(target) ?? mtu), until });
  }

  #launch(from: Address, to: Address, bytes: Uint8Array, routable = true): void {
    const known = this.#knownMtu(to.host);
    const packet: SimPacket = {
      from: { host: from.host, port: from.port },
      to: { host: to.host, port: to.port },
      bytes: copyDatagram(bytes),
      sender: this,
      target: to.host,
      mtu: known ?? Number.POSITIVE_INFINITY,
      mayFragment: known !== undefined && fragmentCount(bytes.length, isIpv6(to.host), known) > 1,
      isShared: false,
      cameAt: undefined,
    };
    const { traffic, clock } = this.context;
    if (!traffic.sent(packet)) return;
    if (!routable) traffic.dropped(packet, "unroutable");
    else if (packet.bytes.length > MAX_UDP_PAYLOAD) traffic.dropped(packet, "mtu");
    else if (this.#isOwn(to.host)) clock.schedule(clock.now + LOCAL_LATENCY_MS, () => this.#receive(packet), 0);
    else this.link.up.push(packet);
  }

  #receive(packet: SimPacket): void {
    const { traffic, clock } = this.context;
    if (!this.#isOwn(packet.to.host)) {
      traffic.dropped(packet, "unroutable");
      return;
    }
    if (!this.context.reaches(packet.sender, this)) {
      traffic.dropped(packet, "blocked");
      return;
    }
    clock.calledOut();
    this.#deliver(packet);
  }

  #deliver(packet: SimPacket): void {
    const { traffic } = this.context;
    if (!traffic.arriving(packet)) return;
    const { from, to } = packet;
    const all = isIpv6(to.host) ? "::" : "0.0.0.0";
    const sockets = this.#at(to.port);
    const socket = sockets.find(({ host }) => host === to.host) ?? sockets.find(({ host }) => host === all);
    if (socket === undefined) {
      traffic.dropped(packet, "closed");
      return;
    }
    const bytes = packet.bytes;
    const frozen = this.#frozen;
    if (frozen !== undefined && frozen.bytes + bytes.length > SOCKET_BUFFER_BYTES) {
      traffic.dropped(packet, "queue");
      return;
    }
    traffic.delivered(packet);
    const own = packet.isShared ? bytes.slice() : bytes;
    if (frozen === undefined) {
      socket.carrier.deliver(own, from, socket.via);
      return;
    }
    frozen.bytes += bytes.length;
    frozen.datagrams.push(() => socket.carrier.deliver(own, from, socket.via));
  }

  #at(port: number): readonly BoundSocket[] {
    return this.#sockets.get(port) ?? NOBODY;
  }

  #thaw(): void {
    const waiting = this.#frozen?.datagrams ?? [];
    this.#frozen = undefined;
    this.context.clock.calledOut();
    for (const deliver of waiting) deliver();
    for (const carrier of this.#carriers) carrier.thawed();
  }

  get #carriers(): ReadonlySet<SimCarrier> {
    return new Set([...this.#sockets.values()].flatMap((sockets) => sockets.map(({ carrier }) => carrier)));
  }

  #bind(wanted: SocketOptions, together: readonly SocketOptions[]): Address {
    const host = canonicalHost(wanted.host ?? "0.0.0.0");
    if (host === undefined || !(this.#isOwn(host) || this.#hasAll({ host, port: 0 }))) {
      throw new RangeError(
        `"${this.name}" has no address ${wanted.host}; bind to one of ${this.#addresses.join(", ")}`,
      );
    }
    if (wanted.port !== undefined && wanted.port !== 0) {
      const address = { host, port: wanted.port };
      if (this.#at(wanted.port).some((socket) => socket.host === host))
        throw new RangeError(`${formatAddress(address)} on "${this.name}" is already in use`);
      return address;
    }
    const taken = (port: number): boolean => this.#sockets.has(port) || together.some((other) => other.port === port);
    for (let i = FIRST_EPHEMERAL_PORT; i <= LAST_PORT; i++) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
      if (!taken(port)) return { host, port };
    }
    throw new RangeError(`"${this.name}" has no port left; close some carriers`);
  }

  #sourceFor(bound: Address, to: Address): Address | undefined {
    if (isIpv6(bound.host) !== isIpv6(to.host)) return undefined;
    if (!this.#hasAll(bound)) {
      const valid = this.#isOwn(bound.host) && (!isLoopback(bound) || isLoopback(to));
      return valid ? bound : undefined;
    }
    if (this.#isOwn(to.host)) return { host: to.host, port: bound.port };
    const v6 = isIpv6(to.host);
    const host = this.#addresses.find((address) => isIpv6(address) === v6);
    return host === undefined ? undefined : { host, port: bound.port };
  }

  #defaultSockets(): readonly SocketOptions[] {
    const families = new Set(this.#addresses.map((host) => (isIpv6(host) ? "::" : "0.0.0.0")));
    return [...families].map((host) => ({ host }));
  }

  #isOwn(host: string): boolean {
    // Every packet asks, and most are of IPv4.
    return this.#addresses.includes(host) || (isIpv6(host) ? isLoopback({ host, port: 0 }) : host.startsWith("127."));
  }

  #hasAll(bound: Address): boolean {
    return bound.host === "0.0.0.0" || bound.host === "::";
  }

  #knownMtu(target: string): number | undefined {
    const known = this.#pathMtu.get(target);
    return known !== undefined && known.until > this.context.clock.now ? known.mtu : undefined;
  }

  get #network(): SimNetwork {
    return this.#behind?.network ?? this.#internet;
  }
}

/** A socket: where it is bound, and whose it is. */
interface BoundSocket {
  readonly host: string;
  readonly carrier: SimCarrier;
  readonly via: number;
}

function isLinkLocal(host: string): boolean {
  return /^(169\.254\.|fe[89ab][0-9a-f]:)/.test(host);
}

const NOBODY: readonly BoundSocket[] = [];
const FIRST_EPHEMERAL_PORT = 49152;
const LAST_PORT = 65535;
/** Delay from a host to itself: some time must pass, or a busy loop on loopback would stop the clock. */
const LOCAL_LATENCY_MS = 0.05;
const PATH_MTU_EXPIRES_MS = 600_000;
/** Bytes that wait for a frozen process, in all of its sockets. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
