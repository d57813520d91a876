import type { SimClock } from "./clock.ts";
import { fragmentCount, isIpv6, type SimPacket, wireBytes } from "./packet.ts";
import type { Prng } from "./prng.ts";
import type { SimTraffic } from "./traffic.ts";

/** How one direction of a link behaves. Probabilities run from 0 to 1. */
export interface LinkOptions {
  /** Propagation delay. Default 5 ms, which makes 20 ms of round trip between two hosts. */
  readonly latencyMs: number;
  /** Further delay, uniform from 0 to this; keeps the order. Default 0. */
  readonly jitterMs: number;
  /** Random loss of each fragment. Default 0. */
  readonly loss: number;
  /** Loss in bursts (Gilbert model), besides random loss. Default undefined: none. */
  readonly burst: BurstLoss | undefined;
  /** Probability that a datagram is held back by {@link reorderMs}, while others overtake it. Default 0. */
  readonly reorder: number;
  /** Default 10 ms. */
  readonly reorderMs: number;
  /** Probability that a datagram arrives twice. Default 0. */
  readonly duplicate: number;
  /** Largest IP packet in bytes: 28 more than the UDP payload on IPv4, 48 more on IPv6. Default 1500. */
  readonly mtu: number;
  /**
   * Tell the sender of a datagram that is larger, as routers should: its kernel then sends in fragments, each of which
   * may be lost. False is a black hole: larger datagrams vanish every time. Default true.
   */
  readonly reportsMtu: boolean;
  /** Rate, UDP and IP headers included. Default Infinity: no queue forms. */
  readonly bitsPerSecond: number;
  /** Drop-tail limit of bytes waiting, headers included; the datagram being sent does not wait. Default 150,000. */
  readonly queueBytes: number;
}

/** Gilbert loss: a good and a bad state, with a chance to change at each fragment. */
export interface BurstLoss {
  /** Probability to go from good to bad. */
  readonly enter: number;
  /** Probability to go from bad to good; 1 / leave is the mean length of a burst in fragments. */
  readonly leave: number;
  /** Loss while bad. Default 1. */
  readonly loss?: number;
}

/** One direction of a link. Settings may change at any time and hold for datagrams that enter afterwards. */
export class SimPipe {
  readonly #clock: SimClock;
  readonly #traffic: SimTraffic;
  readonly #prng: Prng;
  readonly #arrive: (packet: SimPacket) => void;
  readonly #mayBeAtOnce: boolean;
  readonly #waiting: { packet: SimPacket; wire: number }[] = [];
  #options: LinkOptions = DEFAULT_LINK;
  #queued = 0;
  /** When what does not wait has been sent. */
  #busyUntil = 0;
  #lastArrival = 0;
  #bad = false;

  /** Made by the world; `arrive` takes what comes out, and while it is pushed, too, if `mayBeAtOnce`. */
  constructor(
    clock: SimClock,
    traffic: SimTraffic,
    prng: Prng,
    arrive: (packet: SimPacket) => void,
    mayBeAtOnce: boolean,
  ) {
    this.#mayBeAtOnce = mayBeAtOnce;
    this.#clock = clock;
    this.#traffic = traffic;
    this.#prng = prng;
    this.#arrive = arrive;
  }

  /** As set; times in ms. */
  get options(): LinkOptions {
    return this.#options;
  }

  /** Bytes waiting in the queue, headers included. */
  get queuedBytes(): number {
    return this.#queued;
  }

  /** Changes the named settings. Throws RangeError on a value that makes no sense. */
  set(change: Partial<LinkOptions>): void {
    this.#options = checkOptions({ ...this.#options, ...change });
  }

  /** Takes a packet at this end. */
  push(packet: SimPacket): void {
    const { mtu, reportsMtu, bitsPerSecond, queueBytes } = this.#options;
    const ipv6 = isIpv6(packet.to.host);
    if (fragmentCount(packet.bytes.length, ipv6, mtu) > 1 && !packet.mayFragment) {
      if (reportsMtu) packet.sender.learnMtu(packet.target, mtu);
      this.#traffic.dropped(packet, "mtu");
      return;
    }
    packet.mtu = Math.min(packet.mtu, mtu);
    const now = packet.cameAt ?? this.#clock.now;
    const isBusy = this.#busyUntil > now || this.#waiting.length > 0;
    if (bitsPerSecond === Number.POSITIVE_INFINITY && !isBusy) {
      this.#propagate(packet, now);
      return;
    }
    const wire = wireBytes(packet.bytes.length, ipv6, fragmentCount(packet.bytes.length, ipv6, packet.mtu));
    if (!isBusy) {
      this.#transmit(packet, wire, now);
    } else if (this.#queued + wire > queueBytes) {
      this.#traffic.dropped(packet, "queue");
    } else {
      this.#queued += wire;
      if (this.#waiting.push({ packet, wire }) === 1) this.#clock.post(this.#busyUntil, this.#next, undefined, 0);
    }
  }

  /** The line is free for the first that waits. */
  readonly #next = (): void => {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#queued -= next.wire;
    this.#transmit(next.packet, next.wire, this.#clock.now);
    if (this.#waiting.length > 0) this.#clock.post(this.#busyUntil, this.#next, undefined, 0);
  };

  #transmit(packet: SimPacket, wire: number, now: number): void {
    this.#busyUntil = now + (wire * 8000) / this.#options.bitsPerSecond;
    this.#propagate(packet, this.#busyUntil);
  }

  /** `at` is when the last of it is sent. */
  #propagate(packet: SimPacket, at: number): void {
    const { reorder, duplicate } = this.#options;
    const fragments = fragmentCount(packet.bytes.length, isIpv6(packet.to.host), packet.mtu);
    let lost = false;
    for (let i = 0; i < fragments; i++) if (this.#loses()) lost = true;
    if (lost) {
      this.#traffic.dropped(packet, "loss");
      return;
    }
    this.#deliver(packet, at, this.#prng.chance(reorder));
    if (!this.#prng.chance(duplicate)) return;
    this.#traffic.duplicated();
    packet.isShared = true;
    this.#deliver({ ...packet }, at, false);
  }

  #deliver(packet: SimPacket, at: number, heldBack: boolean): void {
    const { latencyMs, jitterMs, reorderMs } = this.#options;
    const jitter = jitterMs > 0 ? this.#prng.next() * jitterMs : 0;
    let arrival = Math.max(at + latencyMs + jitter, this.#lastArrival);
    if (heldBack) arrival += reorderMs;
    else this.#lastArrival = arrival;
    if (this.#mayBeAtOnce && arrival <= this.#clock.now) this.#arrive(packet);
    else {
      packet.cameAt = undefined;
      this.#clock.post(arrival, this.#arrive, packet, 0);
    }
  }

  #loses(): boolean {
    const { loss, burst } = this.#options;
    if (burst === undefined) return this.#prng.chance(loss);
    this.#bad = this.#prng.chance(this.#bad ? 1 - burst.leave : burst.enter);
    return this.#prng.chance(this.#bad ? (burst.loss ?? 1) : 0) || this.#prng.chance(loss);
  }
}

/** A node's access link: both directions, set apart or together. */
export class SimLink {
  /** From the node into the network. */
  readonly up: SimPipe;
  /** From the network to the node. */
  readonly down: SimPipe;

  /** Made by the world. */
  constructor(up: SimPipe, down: SimPipe) {
    this.up = up;
    this.down = down;
  }

  /** Changes the named settings of both directions. */
  set(change: Partial<LinkOptions>): void {
    this.up.set(change);
    this.down.set(change);
  }
}

function checkOptions(options: LinkOptions): LinkOptions {
  const { loss, reorder, duplicate, burst } = options;
  const probabilities = {
    loss,
    reorder,
    duplicate,
    enter: burst?.enter ?? 0,
    leave: burst?.leave ?? 0,
    "burst loss": burst?.loss ?? 0,
  };
  for (const [name, value] of Object.entries(probabilities)) {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`expected ${name} from 0 to 1, got ${value}`);
  }
  const { latencyMs, jitterMs, reorderMs, queueBytes } = options;
  for (const [name, value] of Object.entries({ latencyMs, jitterMs, reorderMs, queueBytes })) {
    if (!(value >= 0)) throw new RangeError(`expected ${name} of 0 or more, got ${value}`);
  }
  if (!(options.bitsPerSecond > 0))
    throw new RangeError(`expected bitsPerSecond above 0, got ${options.bitsPerSecond}`);
  if (!(options.mtu >= MIN_MTU)) throw new RangeError(`expected mtu of at least ${MIN_MTU}, got ${options.mtu}`);
  return options;
}

const DEFAULT_LINK: LinkOptions = {
  latencyMs: 5,
  jitterMs: 0,
  loss: 0,
  burst: undefined,
  reorder: 0,
  reorderMs: 10,
  duplicate: 0,
  mtu: 1500,
  reportsMtu: true,
  bitsPerSecond: Number.POSITIVE_INFINITY,
  queueBytes: 150_000,
};

/** The least that IPv4 promises (RFC 791 §3.2). */
const MIN_MTU = 68;
