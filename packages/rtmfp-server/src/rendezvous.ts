/**
 * Introductions: an IHello that asks for a peer connected here is answered with where that peer is, and passed on to it
 * at once, so that both ends send to each other (RFC 7016 §3.5.1.4 to §3.5.1.6). § means RFC 7016.
 */
import { type Address, formatAddress, type Introduction, type Session } from "rtmfp-core";
import { parseEpd } from "rtmfp-core/crypto";
import { isLoopback, networkOf, Origin, toHex, type WireAddress } from "rtmfp-core/proto";
import type { IntroductionAnswer } from "./counters.ts";
import { type Asker, asAsker, type Introductions } from "./introductions.ts";
import type { Decision, PeerLookup } from "./lookup-policy.ts";
import { reachOf } from "./nat.ts";
import type { Peer, PeerEntry, Peers } from "./peers.ts";
import { type Rate, TokenBuckets } from "./token-buckets.ts";

/** How often introductions are made. */
export interface IntroductionRates {
  /** Asked for by one IP address, or IPv6 network of 64 bits. Default 100 per second, burst 1000. */
  readonly perAsker?: Rate;
  /**
   * To one peer, which takes no more from one introducer. Half of it is for askers with a session alone. Default 50 per
   * second, burst 500.
   */
  readonly perTarget?: Rate;
}

/** What a rendezvous needs of the server. */
export interface RendezvousHost {
  readonly peers: Peers;
  readonly introductions: Introductions;
  now(): number;
  /** Open sessions with that identity, oldest first. */
  sessionsWith(peerId: string): readonly Session[];
  /** Public IP addresses of the server's own network, by which those outside reach it. */
  publicHosts(): readonly string[];
  /** The applications' answer. */
  decide(asker: Peer, target: Peer, lookup: PeerLookup): Decision | Promise<Decision>;
  /** Where the asker's application says that a peer is who is not here. */
  locate(asker: Peer, lookup: PeerLookup): Decision | Promise<Decision>;
  /** Told of the answer to every request. */
  answered(answer: IntroductionAnswer, asker: Peer, targetId: string): void;
  /** An application threw, or gave what is no answer. */
  onHandlerError(error: unknown): void;
}

/** Answers introductions; a peer nobody knows gets silence (AMB-20). */
export class Rendezvous {
  readonly #host: RendezvousHost;
  readonly #perAsker = new TokenBuckets(ASKER_RATE);
  readonly #perTarget = new TokenBuckets(TARGET_RATE);
  /** Addresses without a session cost nothing to have: they do not keep clients from a peer. */
  readonly #perTargetOfStrangers = new TokenBuckets(TARGET_RATE);
  readonly #recorded = new TokenBuckets(RECORDED_RATE);

  constructor(host: RendezvousHost, rates: IntroductionRates = {}) {
    this.#host = host;
    this.setRates(rates);
  }

  /** Takes other rates from now on. */
  setRates({ perAsker, perTarget }: IntroductionRates): void {
    this.#perAsker.rate = perAsker ?? ASKER_RATE;
    this.#perTarget.rate = perTarget ?? TARGET_RATE;
    const { perSecond, burst } = this.#perTarget.rate;
    this.#perTargetOfStrangers.rate = { perSecond: perSecond / 2, burst: Math.ceil(burst / 2) };
  }

  /** Decides on one IHello, at once unless an application takes its time. */
  onIntroduction(introduction: Introduction): void {
    const fingerprint = parseEpd(introduction.epd)?.fingerprint;
    const targetId = fingerprint === undefined ? "" : toHex(fingerprint);
    const asker = this.#askerAt(introduction.from);
    const target = this.#target(targetId);
    const tell = (answer: IntroductionAnswer): void => {
      introduction.ignore();
      this.#host.answered(answer, asker, targetId);
      if (answer === "limited" && !this.#mayRecord(asker)) return;
      const { introductions } = this.#host;
      introductions.answered(toHex(introduction.tag), whoAsks(asker), targetId, target, answer);
    };
    const lookup: PeerLookup = { targetID: targetId, address: introduction.from, tag: introduction.tag };
    if (!this.#allows(asker, target)) tell("limited");
    else if (target === undefined) {
      this.#consult(
        () => this.#host.locate(asker, lookup),
        (decision) => tell(redirect(introduction, decision) ?? "unknown"),
      );
    } else {
      this.#consult(
        () => this.#host.decide(asker, target, lookup),
        (decision) => {
          if (decision === "introduce") tell(introduce(introduction, asker, target, this.#host.publicHosts()));
          else tell(redirect(introduction, decision) ?? "denied");
        },
      );
    }
  }

  #allows(asker: Peer, target: PeerEntry | undefined): boolean {
    const now = this.#host.now();
    if (!this.#perAsker.allow(now, networkOf(asker.address.host))) return false;
    if (target === undefined) return true;
    if (asker.farID === "" && !this.#perTargetOfStrangers.allow(now, target.farID)) return false;
    return this.#perTarget.allow(now, target.farID);
  }

  /** Who asks too often gets no row for each request: only a client, and only now and then. */
  #mayRecord(asker: Peer): boolean {
    return asker.farID !== "" && this.#recorded.allow(this.#host.now(), asker.farID);
  }

  #consult(ask: () => Decision | Promise<Decision>, take: (decision: Decision) => void): void {
    const fail = (error: unknown): void => {
      this.#host.onHandlerError(error);
      take("deny");
    };
    let decision: Decision | Promise<Decision>;
    try {
      decision = ask();
    } catch (error) {
      fail(error);
      return;
    }
    if (decision instanceof Promise) decision.then(take, fail);
    else take(decision);
  }

  /** The newest session of that identity. */
  #target(targetId: string): PeerEntry | undefined {
    const session = targetId === "" ? undefined : this.#host.sessionsWith(targetId).at(-1);
    return session === undefined ? undefined : this.#host.peers.of(session);
  }

  #askerAt(address: Address): PeerEntry | Stranger {
    return (
      this.#host.peers.at(address) ?? { farID: "", address, app: undefined, client: undefined, reported: undefined }
    );
  }
}

/** Somebody who asks without a session here. */
interface Stranger extends Peer {
  readonly reported: undefined;
}

function whoAsks(asker: PeerEntry | Stranger): Asker {
  return "session" in asker ? asAsker(asker) : { farID: "", address: asker.address, entry: undefined };
}

/** Tells the asker the addresses that an application gave; undefined if it gave none. */
function redirect(introduction: Introduction, decision: Decision): IntroductionAnswer | undefined {
  if (typeof decision === "string" || decision.length === 0) return undefined;
  introduction.redirect(decision);
  return "redirected";
}

/** What can be known of either end. */
interface Place {
  readonly address: Address;
  readonly reported: readonly Address[] | undefined;
}

/** Redirects the asker to the target and forwards the IHello to the target, each as far as it is of use. */
function introduce(
  introduction: Introduction,
  asker: Place,
  target: PeerEntry,
  publicHosts: readonly string[],
): IntroductionAnswer {
  const addresses = addressesFor(asker, target, publicHosts);
  const redirected = addresses.length > 0 && introduction.redirect(addresses);
  const reply = addressesFor(target, asker, publicHosts)[0];
  if (reply === undefined) return redirected ? "introduced" : "unreachable";
  if (formatAddress(reply) === formatAddress(introduction.from)) introduction.forward(target.session);
  else target.session.sendFIHello(introduction.epd, { host: reply.host, port: reply.port }, introduction.tag);
  return "introduced";
}

/**
 * Where `seeker` may find `sought`: the observed address first, then those reported (AMB-62, AMB-63). Left out are
 * loopback addresses unless the seeker is on loopback itself, and addresses of a family that the seeker, to our
 * knowledge, has not. Who is in the server's own network is seen from inside: to a seeker outside comes first where the
 * NAT in front of that network most likely puts it, the public address and the port that it has inside.
 */
function addressesFor(seeker: Place, sought: Place, publicHosts: readonly string[]): WireAddress[] {
  const families = new Set([seeker.address, ...(seeker.reported ?? [])].map(isIpv6));
  const usable = (address: Address): boolean =>
    families.has(isIpv6(address)) && (!isLoopback(address) || isLoopback(seeker.address));
  const observed = { ...sought.address, origin: Origin.observed };
  const reported = (sought.reported ?? [])
    .filter((address) => formatAddress(address) !== formatAddress(observed))
    .map((address) => ({ ...address, origin: Origin.local }));
  const isInside = reachOf(sought.address.host) < 2 && reachOf(seeker.address.host) === 2;
  const outer = (isInside ? publicHosts : []).map((host) => ({ ...observed, host }));
  return [...outer, observed, ...reported].filter(usable);
}

function isIpv6(address: Address): boolean {
  return address.host.includes(":");
}

const ASKER_RATE: Rate = { perSecond: 100, burst: 1_000 };
const TARGET_RATE: Rate = { perSecond: 50, burst: 500 };
/** Rows of one client about requests beyond the rates. */
const RECORDED_RATE: Rate = { perSecond: 0.1, burst: 1 };
