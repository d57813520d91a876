/** The links of a group: who may have one, which of two stays, when each begins and ends, and who is told. */
import { toHex } from "../proto/bytes.ts";
import type { GroupHost } from "./group-options.ts";
import { Link, type LinkHost, readControl } from "./link.ts";
import type { Member, MemberList } from "./member-list.ts";
import type { GroupService } from "./neighbour.ts";
import type { OwnAddresses } from "./own-addresses.ts";
import {
  BLOCKED_MS,
  GLARE_MS,
  GREET_MS,
  MAX_LINKS,
  MAX_RING_LINKS,
  NEIGHBOUR_KEEPALIVE_MS,
  NEWS_MS,
  PROOF_MS,
} from "./params.ts";
import type { GroupClock, GroupRecvFlow, GroupSession } from "./session.ts";
import type { Topology } from "./topology.ts";

/** What the links need of their group. */
export interface LinksHost extends LinkHost {
  readonly members: MemberList;
  readonly topology: Topology;
  readonly own: OwnAddresses;
  /** The member of that ID, new or known; undefined where a cap keeps it out. */
  learn(peerId: string): Member | undefined;
  /** An attempt at a member has failed, or its link was lost. */
  rest(member: Member): void;
  /** There is one neighbour more or less. */
  changed(link: Link): void;
  /** A link is gone that was not given up by choice. */
  lost(): void;
}

/** What the links are made of. */
export interface LinksOptions {
  readonly parts: LinksHost;
  readonly clock: GroupClock;
  readonly host: GroupHost;
  readonly services: readonly GroupService[];
}

/** See the head of the file. */
export class Links {
  readonly #parts: LinksHost;
  readonly #clock: GroupClock;
  readonly #host: GroupHost;
  readonly #services: readonly GroupService[];
  readonly #all = new Set<Link>();
  #connected = 0;
  #isClosed = false;

  constructor({ parts, clock, host, services }: LinksOptions) {
    this.#parts = parts;
    this.#clock = clock;
    this.#host = host;
    this.#services = services;
  }

  /** Links, those among them that are not neighbours yet. */
  get size(): number {
    return this.#all.size;
  }

  /** Neighbours. */
  get connectedCount(): number {
    return this.#connected;
  }

  /** Neighbours, in no order. */
  get connected(): Link[] {
    return [...this.#all].filter(({ isConnected }) => isConnected);
  }

  /** A control flow of somebody who has proved to be a member. */
  accept(session: GroupSession, flow: GroupRecvFlow): void {
    const isHeld = this.#parts.members.get(session.peerId)?.link?.session === session;
    const member = this.#linkable(session);
    if (member === undefined) {
      flow.reject();
      return;
    }
    if (!isHeld) this.#host.hold(session);
    member.link ??= this.#link(member, session);
    // Reading begins with what has come already: the proof counts before that.
    member.link.prove(flow);
    readControl(flow, member.link);
  }

  /** A session that we asked for. */
  opened(member: Member, session: GroupSession): void {
    const isKnown = this.#parts.members.get(member.peerId) === member && session.peerId === member.peerId;
    if (this.#isClosed || !isKnown || !session.isOpen) {
      this.#parts.rest(member);
      if (member.link?.session !== session) this.#host.release(session);
    } else if (member.link === undefined) {
      this.#host.hold(session);
      const link = this.#link(member, session);
      // Live members expect the first word of whoever opened the session; it may have been opened for something else, though.
      if (session.isInitiator !== false) link.greet();
      else this.#clock.after(GREET_MS, () => link.greet());
    } else if (member.link.session !== session) this.#host.release(session);
  }

  /** Both ends have reported. */
  onConnected(link: Link): void {
    const { member } = link;
    member.isWanted = false;
    member.isLost = false;
    member.failures = 0;
    member.isBlocked = false;
    this.#parts.members.confirm(member);
    this.#connected++;
    for (const service of this.#services) service.connected(link);
    link.giveHeld();
    this.#host.event({ type: "neighbourConnected", peerId: link.peerId, address: link.address });
    this.#parts.changed(link);
  }

  /** The far end asks to end the session: it is ended if we have more than we want, and do not want this one. */
  onAskClose(link: Link): void {
    const { topology, stats } = this.#parts;
    topology.update(this.#clock.now());
    const { best } = topology;
    if (best.size === 0 || this.#connected <= best.size || best.has(link.member)) return;
    stats.closesGranted++;
    this.#drop(link);
  }

  /** The far end left, was lost, or is given up; `isBlocked`: it misbehaves. */
  end(link: Link, isBlocked = false): void {
    if (link.isGone) return;
    if (isBlocked) this.block(link.member);
    // Until somebody has newer news of it, it is not there; unless it only did what we asked for.
    if (this.#clock.now() - link.askedAt >= ASKED_MS) {
      this.#parts.rest(link.member);
      link.member.isLost = link.isConnected && !link.session.isOpen && !isBlocked;
    }
    this.#drop(link);
    this.#parts.lost();
  }

  /** Leaves a member alone for some time. */
  block(member: Member): void {
    member.isBlocked = true;
    member.notBefore = this.#clock.now() + BLOCKED_MS;
  }

  /** Ends those that have not proved or reported in time. */
  check(): void {
    const now = this.#clock.now();
    const { stats } = this.#parts;
    for (const link of [...this.#all]) {
      const isSilent = now - Math.max(link.heardAt, link.since) >= (link.isConnected ? NEWS_MS : PROOF_MS);
      if (link.isGone || !isSilent) continue;
      if (link.isConnected) stats.expired++;
      else stats.unproven++;
      this.end(link);
    }
  }

  /** Ends all, and makes no more. */
  close(): void {
    this.#isClosed = true;
    for (const link of [...this.#all]) this.#drop(link);
  }

  /** Who is behind a session with a proof, if there may be a link; links that give way to it are dropped. */
  #linkable(session: GroupSession): Member | undefined {
    const member = this.#isClosed ? undefined : this.#parts.learn(session.peerId);
    if (member === undefined) return undefined;
    const { stats } = this.#parts;
    const now = this.#clock.now();
    const { link } = member;
    if (link === undefined ? !this.#hasRoom(member) : link.session === session && !mayJoinAgain(link, now)) {
      stats.refused++;
      return undefined;
    }
    if (link === undefined || (link.session === session && !link.isProven)) return member;
    if (link.session === session) {
      // It has left and joined again, and its new flow came before the end of the old.
      this.#drop(link, false);
      return member;
    }
    stats.glares++;
    const isGlare = link.session.isOpen && now - link.since < GLARE_MS;
    if (isGlare && comesFirst(link.session, session)) return undefined;
    this.#drop(link);
    return member;
  }

  #hasRoom(member: Member): boolean {
    if (member.isBlocked && this.#clock.now() < member.notBefore) return false;
    return this.size < MAX_LINKS + (this.#parts.topology.isNear(member.address) ? MAX_RING_LINKS : 0);
  }

  #link(member: Member, session: GroupSession): Link {
    const link = new Link(this.#parts, member, session);
    member.link = link;
    this.#all.add(link);
    // 0 is none.
    const { keepaliveMs = 0 } = session;
    if (keepaliveMs === 0 || keepaliveMs > NEIGHBOUR_KEEPALIVE_MS) session.keepaliveMs = NEIGHBOUR_KEEPALIVE_MS;
    return link;
  }

  /** Ends a link; the session is released unless another link is to use it. */
  #drop(link: Link, isLast = true): void {
    if (link.isGone) return;
    if (link.isConnected) for (const service of this.#services) service.disconnected(link);
    link.close();
    link.member.link = undefined;
    this.#all.delete(link);
    this.#parts.own.forget(link);
    if (link.isConnected) {
      link.isConnected = false;
      this.#connected--;
      this.#host.event({ type: "neighbourDisconnected", peerId: link.peerId, address: link.address });
      this.#parts.changed(link);
    }
    if (isLast) this.#host.release(link.session);
  }
}

/** Whether one who proves again over the same session may: not as often as it likes. */
function mayJoinAgain(link: Link, now: number): boolean {
  return !link.isProven || now - link.since >= REJOIN_MS;
}

/** Of two sessions with one peer both ends choose the same: their nonces are the same pair, the other way round. */
function comesFirst(a: GroupSession, b: GroupSession): boolean {
  const key = ({ nearNonce, farNonce }: GroupSession) => [toHex(nearNonce), toHex(farNonce)].sort().join();
  return key(a) < key(b);
}

/** A member that ends its link so soon after it was asked to has not left the group. */
const ASKED_MS = 10_000;
/** A member that joins again sooner has to wait. */
const REJOIN_MS = 1_000;
