/**
 * Introductions: an IHello that asks for a peer connected here is answered with where that peer is, and passed on to it
 * at once, so that both ends send to each other (RFC 7016 §3.5.1.4 to §3.5.1.6). § means RFC 7016.
 */
import { type Address, formatAddress, type Introduction, type Session } from "rtmfp-core";
import { parseEpd } from "rtmfp-core/crypto";
import { isLoopback, networkOf, Origin, toHex, type WireAddress } from "rtmfp-core/proto";
import type { IntroductionOutcome } from "./counters.ts";
import type { Peer, PeerEntry, Peers } from "./peers.ts";
import { TokenBuckets } from "./token-buckets.ts";

/** What a rendezvous needs of the server. */
export interface RendezvousHost {
  readonly peers: Peers;
  now(): number;
  /** Open sessions with that identity, oldest first. */
  sessionsWith(peerId: string): readonly Session[];
  /** The applications' answer. */
  mayIntroduce(asker: Peer, target: Peer): Promise<boolean> | boolean;
  /** Told of every answer, and of every silence; `isRepeat` if the same IHello has been here before. */
  introduced(outcome: IntroductionOutcome, asker: Peer, targetId: string, isRepeat: boolean): void;
}

/** Answers introductions; a peer nobody knows gets silence (AMB-20). */
export class Rendezvous {
  readonly #host: RendezvousHost;
  readonly #perSource = new TokenBuckets(SOURCE_PER_SECOND, SOURCE_BURST);
  readonly #perTarget = new TokenBuckets(TARGET_PER_SECOND, TARGET_BURST);
  readonly #recentTags = new Set<string>();

  constructor(host: RendezvousHost) {
    this.#host = host;
  }

  /** Decides on one IHello, at once unless an application takes its time. */
  onIntroduction(introduction: Introduction): void {
    const fingerprint = parseEpd(introduction.epd)?.fingerprint;
    const targetId = fingerprint === undefined ? "" : toHex(fingerprint);
    const asker = this.#askerAt(introduction.from);
    const isRepeat = this.#isRepeat(introduction.tag);
    const tell = (outcome: IntroductionOutcome): void => {
      introduction.ignore();
      this.#host.introduced(outcome, asker, targetId, isRepeat);
    };
    const target = this.#target(targetId);
    const refusal = this.#refusal(introduction.from, targetId, target);
    if (refusal !== undefined || target === undefined) tell(refusal ?? "unknown");
    else this.#consult(asker, target, (yes) => tell(yes ? introduce(introduction, asker, target) : "denied"));
  }

  /** Why there will be no introduction, whatever the applications say. */
  #refusal(from: Address, targetId: string, target: PeerEntry | undefined): IntroductionOutcome | undefined {
    const now = this.#host.now();
    if (!this.#perSource.allow(now, networkOf(from.host))) return "limited";
    if (target === undefined) return "unknown";
    return this.#perTarget.allow(now, targetId) ? undefined : "limited";
  }

  #consult(asker: Peer, target: Peer, decide: (yes: boolean) => void): void {
    try {
      const answer = this.#host.mayIntroduce(asker, target);
      if (typeof answer === "boolean") decide(answer);
      else answer.then(decide, () => decide(false));
    } catch {
      decide(false);
    }
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

  /** An initiator repeats an IHello until it is answered, with the same tag. */
  #isRepeat(tag: Uint8Array): boolean {
    const key = toHex(tag);
    if (this.#recentTags.has(key)) return true;
    this.#recentTags.add(key);
    if (this.#recentTags.size > RECENT_TAGS) this.#recentTags.delete(this.#recentTags.values().next().value as string);
    return false;
  }
}

/** Somebody who asks without a session here. */
interface Stranger extends Peer {
  readonly reported: undefined;
}

/** What can be known of either end. */
interface Place {
  readonly address: Address;
  readonly reported: readonly Address[] | undefined;
}

/** Redirects the asker to the target and forwards the IHello to the target, each as far as it is of use. */
function introduce(introduction: Introduction, asker: Place, target: PeerEntry): IntroductionOutcome {
  const addresses = addressesFor(asker, target);
  const redirected = addresses.length > 0 && introduction.redirect(addresses);
  const reply = addressesFor(target, asker)[0];
  if (reply === undefined) return redirected ? "introduced" : "unreachable";
  if (formatAddress(reply) === formatAddress(introduction.from)) introduction.forward(target.session);
  else target.session.sendFIHello(introduction.epd, { host: reply.host, port: reply.port }, introduction.tag);
  return "introduced";
}

/**
 * Where `seeker` may find `sought`: the observed address first, then those reported (AMB-62, AMB-63). Left out are
 * loopback addresses unless the seeker is on loopback itself, and addresses of a family that the seeker, to our
 * knowledge, has not.
 */
function addressesFor(seeker: Place, sought: Place): WireAddress[] {
  const families = new Set([seeker.address, ...(seeker.reported ?? [])].map(isIpv6));
  const usable = (address: Address): boolean =>
    families.has(isIpv6(address)) && (!isLoopback(address) || isLoopback(seeker.address));
  const observed = { ...sought.address, origin: Origin.observed };
  const reported = (sought.reported ?? [])
    .filter((address) => formatAddress(address) !== formatAddress(observed))
    .map((address) => ({ ...address, origin: Origin.local }));
  return [observed, ...reported].filter(usable);
}

function isIpv6(address: Address): boolean {
  return address.host.includes(":");
}

/** Introductions asked for by one IP address: per second, and burst. */
export const SOURCE_PER_SECOND = 100;
export const SOURCE_BURST = 1_000;
/** Introductions to one peer; a peer takes no more from one introducer. */
export const TARGET_PER_SECOND = 50;
export const TARGET_BURST = 500;
/** Tags remembered to tell a repetition. */
const RECENT_TAGS = 4_096;
