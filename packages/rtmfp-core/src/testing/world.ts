import { type Address, canonicalHost } from "../proto/address.ts";
import { SimClock } from "./clock.ts";
import type { SimContext } from "./context.ts";
import { type HostOptions, SimHost } from "./host.ts";
import { type NatOptions, SimNat } from "./nat.ts";
import { SimNetwork } from "./network.ts";
import { foreignPacket, type SimNode } from "./packet.ts";
import { Prng } from "./prng.ts";
import { type Capture, type CaptureRecord, type Filter, type SimStats, SimTraffic } from "./traffic.ts";

/** Settings of a world. */
export interface WorldOptions {
  /** First two bytes of the IPv4 addresses that it gives to hosts on its internet. Default "198.18". */
  readonly prefix?: string;
  /**
   * Takes what is sent to addresses that nobody here has, such as those of another world that is run beside this one; it owns
   * the bytes. Default: such datagrams are dropped as unroutable.
   */
  readonly beyond?: (datagram: ForeignDatagram) => void;
}

/** A datagram on its way from one world to another. */
export interface ForeignDatagram {
  /** Source, behind all NATs. */
  readonly from: Address;
  /** Destination, in front of all NATs. */
  readonly to: Address;
  /** UDP payload; who takes the datagram owns it. */
  readonly bytes: Uint8Array;
}

/** A standing partition or outage. */
export interface Block {
  /** Ends it before its time. */
  lift(): void;
}

/**
 * A network in virtual time: one clock, an ideal internet in the middle, hosts and NATs on access links around it.
 * The same seed and the same calls give the same run, byte for byte, as long as the endpoints are deterministic too
 * (take their random bytes from {@link SimHost.random}).
 */
export class SimWorld extends SimClock {
  readonly #prng: Prng;
  readonly #traffic: SimTraffic = new SimTraffic(this);
  readonly #internet: SimNetwork;
  readonly #names = new Map<string, readonly string[]>([["localhost", ["127.0.0.1", "::1"]]]);
  readonly #blocks = new Set<{ readonly from: readonly SimNode[]; readonly to: readonly SimNode[] }>();
  readonly #context: SimContext;
  #nats = 0;

  /** Equal seeds and equal calls give equal runs, datagram by datagram. */
  constructor(seed: number | string, { prefix = "198.18", beyond }: WorldOptions = {}) {
    super();
    this.#prng = new Prng(seed);
    this.#internet = new SimNetwork(this.#traffic, prefix, beyond);
    this.#context = {
      clock: this,
      traffic: this.#traffic,
      prng: this.#prng,
      names: this.#names,
      reaches: (sender, receiver) => this.#reaches(sender, receiver),
    };
  }

  /** Counts of datagrams so far; live. */
  get stats(): Readonly<SimStats> {
    return this.#traffic.stats;
  }

  /** Bytes of the world's own random source. A new array. */
  random(length: number): Uint8Array {
    return this.#prng.bytes(length);
  }

  /**
   * A datagram of another world's arrives on the internet, or has arrived at `cameAt`, ms: then it goes on as if it had been
   * told in time, as far as that is possible. Default: now. The world owns its bytes from then on.
   */
  receive({ from, to, bytes }: ForeignDatagram, cameAt: number = this.now): void {
    this.#internet.routeInside(foreignPacket(from, to, bytes, cameAt));
  }

  /** Adds a host. Its name seeds its links and random source, so give each another. */
  host(name: string, options: HostOptions = {}): SimHost {
    return new SimHost(this.#context, name, this.#internet, options);
  }

  /** Adds a NAT box. */
  nat(name: string, options: NatOptions): SimNat {
    this.#nats++;
    const insidePrefix = `10.${this.#nats % 256}`;
    return new SimNat(this.#context, name, this.#internet, insidePrefix, options);
  }

  /** Gives a host name IP addresses; an empty list takes the name away. Throws RangeError on a bad address. */
  name(hostName: string, addresses: readonly string[]): void {
    const canonical = addresses.map((address) => {
      const host = canonicalHost(address);
      if (host === undefined) throw new RangeError(`expected an IP address, got "${address}"`);
      return host;
    });
    this.#names.set(hostName.toLowerCase(), canonical);
  }

  /**
   * Drops what `from` sends to `to` (a NAT stands for all behind it), judged on arrival, for `ms` or until lifted: a
   * one-way outage. Default: until lifted.
   */
  block(from: readonly SimNode[], to: readonly SimNode[], ms: number = Number.POSITIVE_INFINITY): Block {
    const rule = { from, to };
    this.#blocks.add(rule);
    const lift = (): void => void this.#blocks.delete(rule);
    const cancel = this.after(ms, lift);
    return {
      lift: () => {
        cancel();
        lift();
      },
    };
  }

  /** {@link block} both ways: no datagram between the two groups. Default: until lifted. */
  partition(a: readonly SimNode[], b: readonly SimNode[], ms: number = Number.POSITIVE_INFINITY): Block {
    const ways = [this.block(a, b, ms), this.block(b, a, ms)];
    return {
      lift: () => {
        for (const way of ways) way.lift();
      },
    };
  }

  /**
   * Shows every datagram to `filter`, which may drop or alter it: as its host sends it (before NAT), or as it is about
   * to be delivered (after NAT). Gives back what removes the filter. Default: "sent".
   */
  filter(filter: Filter, stage: "sent" | "delivered" = "sent"): () => void {
    return this.#traffic.filter(filter, stage);
  }

  /** Records what is sent, delivered and dropped from now on. Default: all of it. */
  capture(wanted: (record: CaptureRecord) => boolean = () => true): Capture {
    return this.#traffic.capture(wanted);
  }

  #reaches(sender: SimNode, receiver: SimNode): boolean {
    for (const { from, to } of this.#blocks) {
      if (within(from, sender) && within(to, receiver)) return false;
    }
    return true;
  }
}

/** True if the host, or a NAT in front of it, is one of the nodes. */
function within(nodes: readonly SimNode[], host: SimNode): boolean {
  for (let node: SimNode | undefined = host; node !== undefined; node = node.behind) {
    if (nodes.includes(node)) return true;
  }
  return false;
}
