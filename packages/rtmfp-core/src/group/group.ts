/** A group as one of its members sees it: it finds the others, keeps neighbours, and lets services use them. */
import type { Address, WireAddress } from "../proto/address.ts";
import { toHex } from "../proto/bytes.ts";
import { Chance } from "./chance.ts";
import { Dialer, type DialerHost } from "./dialer.ts";
import { canonicalPart, groupAddressOf, groupIdOf, type Sha256 } from "./group-id.ts";
import { type GroupStats, newGroupStats } from "./group-stats.ts";
import { parseGroupspec } from "./groupspec.ts";
import { Link, type LinkHost, readControl } from "./link.ts";
import { Member, MemberList } from "./member-list.ts";
import type { GroupService } from "./neighbour.ts";
import { OwnAddresses } from "./own-addresses.ts";
import {
  ASK_CLOSE_MS,
  BLOCKED_MS,
  BOOTSTRAP_MS,
  CLEANING_MS,
  GLARE_MS,
  GREET_MS,
  MAX_LINKS,
  MAX_RING_LINKS,
  NEIGHBOUR_KEEPALIVE_MS,
  NEWS_MS,
  PROOF_MS,
  REPORT_JITTER,
  REPORT_MS,
  REPORT_OVERDUE_MS,
  RING_REPORT_MS,
  TICK_MS,
} from "./params.ts";
import { makeReport, type ReportingHost, takeReport } from "./reporting.ts";
import type { GroupClock, GroupRecvFlow, GroupSession } from "./session.ts";
import { Topology } from "./topology.ts";
import type { ConnectMessage } from "./wire/control.ts";
import { groupProof, type Hmac, isGroupProof } from "./wire/group-proof.ts";

/** Primitives, and a source of chance. */
export interface GroupCrypto {
  /** Hashes identities and places in the ring. */
  readonly sha256: Sha256;
  /** Makes proofs. */
  readonly hmac: Hmac;
  /** `length` bytes that nobody can foresee, the caller's own. */
  readonly random: (length: number) => Uint8Array;
}

/** What a {@link Group} is made of. */
export interface GroupOptions {
  /** The groupspec with its end marker; opaque but for its identity, its bootstrap peers, and whether peers meet at all. */
  readonly groupspec: string;
  /** Our own peer ID: 64 lower-case hex digits. */
  readonly nearId: string;
  /** Primitives, and a source of chance. */
  readonly crypto: GroupCrypto;
  /** Time and timers. */
  readonly clock: GroupClock;
  /** The endpoint under the group. */
  readonly host: GroupHost;
  /** What neighbours do for each other; no two take the same kind of flow. */
  readonly services: readonly GroupService[];
}

/** What a group needs of the endpoint under it. */
export interface GroupHost {
  /**
   * Gives the open session with that peer, or opens one: at its addresses, of which those of origin `relay` are servers that can
   * introduce it, and by our own server. Rejects where there is none within `timeoutMs`.
   */
  connect(peerId: string, addresses: readonly WireAddress[], timeoutMs: number): Promise<GroupSession>;
  /** This group uses the session, by whomever it was opened, until {@link release}. */
  hold(session: GroupSession): void;
  /** This group needs the session no longer; others may. */
  release(session: GroupSession): void;
  /** Addresses of servers that can introduce others to us. */
  introducers(): readonly Address[];
  /** News of the group, in the middle of its work: the handler must neither throw nor call the group. */
  event(event: GroupEvent): void;
}

/** News of a group. */
export type GroupEvent = NeighbourConnectedEvent | NeighbourDisconnectedEvent | LocalCoverageEvent;

/** A member has become our neighbour. */
export interface NeighbourConnectedEvent extends NeighbourEvent {
  /** Which event it is. */
  readonly type: "neighbourConnected";
}

/** A member is our neighbour no longer. */
export interface NeighbourDisconnectedEvent extends NeighbourEvent {
  /** Which event it is. */
  readonly type: "neighbourDisconnected";
}

/** Something about a neighbour. */
export interface NeighbourEvent {
  /** 64 lower-case hex digits. */
  readonly peerId: string;
  /** Its group address: 64 lower-case hex digits. */
  readonly address: string;
}

/** The range of group addresses has changed of which we are the nearest of ourselves and our neighbours. */
export interface LocalCoverageEvent {
  /** Which event it is. */
  readonly type: "localCoverage";
  /** As {@link Group.localCoverageFrom}. */
  readonly from: string;
  /** As {@link Group.localCoverageTo}. */
  readonly to: string;
}

/** See the head of the file. For one membership: after {@link close} it is of no use. Times are in ms of its clock. */
export class Group {
  /** The group's identity, 32 bytes. Owned by the group; do not modify. */
  readonly groupId: Uint8Array;
  /** Our own place in the ring: 64 lower-case hex digits. */
  readonly address: string;
  /** Our own peer ID. */
  readonly nearId: string;
  /** Live counters. */
  readonly stats: GroupStats = newGroupStats();
  readonly #members: MemberList;
  readonly #topology: Topology;
  readonly #own = new OwnAddresses();
  readonly #canonical: string;
  readonly #crypto: GroupCrypto;
  readonly #clock: GroupClock;
  readonly #host: GroupHost;
  readonly #services: readonly GroupService[];
  readonly #hasPeers: boolean;
  readonly #bootstrap: Set<string>;
  readonly #chance: Chance;
  readonly #dialer: Dialer;
  /** What our parts need of us. */
  readonly #parts: LinkHost & DialerHost & ReportingHost;
  readonly #links = new Set<Link>();
  #neighbours = 0;
  #coverage: { readonly from: string; readonly to: string };
  #cancelTick: (() => void) | undefined;
  #isClosed = false;
  #reportAt = 0;
  #cleanAt = 0;
  #bootstrapAt = 0;
  #ringReportAt = 0;
  #ringChanged = false;

  /** @throws GroupspecError for a groupspec that is none, or has no end marker; RangeError for a `nearId` that is none. */
  constructor(options: GroupOptions) {
    const { groupspec, nearId, crypto } = options;
    const { bootstrapPeers, peerToPeerDisabled } = parseGroupspec(groupspec);
    this.groupId = groupIdOf(groupspec, crypto.sha256);
    this.address = toHex(groupAddressOf(nearId, crypto.sha256));
    this.nearId = nearId;
    this.#members = new MemberList(this.address);
    this.#chance = new Chance(crypto.random);
    this.#topology = new Topology(this.#members, this.address, this.#chance);
    this.#canonical = canonicalPart(groupspec);
    this.#crypto = crypto;
    this.#clock = options.clock;
    this.#host = options.host;
    this.#services = options.services;
    this.#hasPeers = !peerToPeerDisabled;
    this.#bootstrap = new Set(bootstrapPeers);
    this.#coverage = this.#topology.coverage;
    this.#parts = this.#makeParts();
    this.#dialer = new Dialer(this.#parts);
  }

  /** Begins to look for neighbours; call once. */
  start(): void {
    const now = this.#clock.now();
    this.#reportAt = now + this.#reportPause();
    this.#cleanAt = now + CLEANING_MS;
    this.#tick();
  }

  /** The server told of a member: connects to it. */
  memberTold(peerId: string): void {
    this.addNeighbor(peerId);
  }

  /** Connects to a member; the group may drop it later. False if that is nobody: us, or no peer ID. */
  addNeighbor(peerId: string): boolean {
    const member = this.#hint(peerId);
    if (member === undefined) return false;
    member.isWanted = true;
    if (!member.isBlocked) member.notBefore = Number.NEGATIVE_INFINITY;
    this.#plan();
    return true;
  }

  /** Remembers a member, to connect to it when its place asks for that. False if that is nobody: us, or no peer ID. */
  addMemberHint(peerId: string): boolean {
    return this.#hint(peerId) !== undefined;
  }

  /** Tries a peer, which may be a member, whenever there is no neighbour. False if that is nobody: us, or no peer ID. */
  addBootstrapPeer(peerId: string): boolean {
    if (!isPeerId(peerId) || peerId === this.nearId) return false;
    this.#bootstrap.add(peerId.toLowerCase());
    this.#bootstrapAt = 0;
    return true;
  }

  /** A control flow of a member of ours or of somebody who says so, and its first message; see GroupDoor. */
  accept(session: GroupSession, flow: GroupRecvFlow, connect: ConnectMessage): void {
    const isOurs = connect.target === this.nearId && session.peerId !== this.nearId;
    if (!isOurs || !isGroupProof(connect.proof, this.#canonical, session.nearNonce, this.#crypto.hmac)) {
      this.stats.wrongProofs++;
      flow.reject();
      const member = this.#members.get(session.peerId);
      if (member !== undefined && member.link === undefined) this.#block(member);
      return;
    }
    const isHeld = this.#members.get(session.peerId)?.link?.session === session;
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

  /** Leaves: neighbours and services are told. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelTick?.();
    for (const link of [...this.#links]) this.#drop(link);
    for (const service of this.#services) service.close();
  }

  /** Neighbours now. */
  get neighborCount(): number {
    return this.#neighbours;
  }

  /** Members of the group as far as we can tell, ourselves included. */
  get estimatedMemberCount(): number {
    return this.#topology.estimate;
  }

  /** First of the group addresses of which we are the nearest of ourselves and our neighbours. */
  get localCoverageFrom(): string {
    return this.#coverage.from;
  }

  /** Last of these addresses; it may be less than the first, since they are a ring. */
  get localCoverageTo(): string {
    return this.#coverage.to;
  }

  /** Our neighbours, in no order. */
  get neighbours(): Link[] {
    return [...this.#links].filter(({ isConnected }) => isConnected);
  }

  #makeParts(): LinkHost & DialerHost & ReportingHost {
    return {
      stats: this.stats,
      nearId: this.nearId,
      members: this.#members,
      own: this.#own,
      topology: this.#topology,
      now: () => this.#clock.now(),
      introducers: () => this.#host.introducers(),
      learn: (peerId, toldBy) => this.#learn(peerId, toldBy),
      connect: (peerId, addresses, timeoutMs) => this.#host.connect(peerId, addresses, timeoutMs),
      opened: (member, session) => this.#opened(member, session),
      failed: () => this.#plan(),
      connectMessage: ({ peerId, session }) => ({
        type: "connect",
        groupId: this.groupId,
        proof: groupProof(this.#canonical, session.farNonce, this.#crypto.hmac),
        target: peerId,
      }),
      reportFor: (link) => makeReport(this.#parts, link),
      reported: (link, report) => {
        if (takeReport(this.#parts, link, report)) this.#plan();
      },
      connected: (link) => this.#connected(link),
      askedToClose: (link) => this.#onAskClose(link),
      flowOpened: (link, kind, flow) =>
        this.#services.find(({ kinds }) => kinds.includes(kind))?.flowOpened(link, kind, flow) === true,
      ended: (link, isBlocked) => {
        if (isBlocked) this.#block(link.member);
        this.#lose(link);
      },
    };
  }

  // Members.

  /** A member that somebody named who is none. */
  #hint(peerId: string): Member | undefined {
    const id = peerId.toLowerCase();
    if (!isPeerId(id) || id === this.nearId) return undefined;
    const member = this.#learn(id);
    if (member !== undefined) member.knownAt = this.#clock.now();
    return member;
  }

  /** The member of that ID, new or known; undefined where a cap keeps it out. */
  #learn(peerId: string, toldBy?: Member): Member | undefined {
    const known = this.#members.get(peerId);
    if (known !== undefined) return known;
    const address = toHex(groupAddressOf(peerId, this.#crypto.sha256));
    const member = new Member(peerId, address, this.#clock.now());
    member.toldBy = toldBy;
    if (this.#members.add(member)) return member;
    this.stats.membersRefused++;
    return undefined;
  }

  #block(member: Member): void {
    member.isBlocked = true;
    member.notBefore = this.#clock.now() + BLOCKED_MS;
  }

  // Sessions.

  /** A session that we asked for. */
  #opened(member: Member, session: GroupSession): void {
    const isOurs = !this.#isClosed && this.#members.get(member.peerId) === member && session.peerId === member.peerId;
    if (!isOurs || !session.isOpen) {
      this.#dialer.rest(member);
      if (member.link?.session !== session) this.#host.release(session);
      return;
    }
    if (member.link === undefined) {
      this.#host.hold(session);
      const link = this.#link(member, session);
      // Live members expect the first word of whoever opened the session; it may have been opened for something else, though.
      if (session.isInitiator !== false) link.greet();
      else this.#clock.after(GREET_MS, () => link.greet());
    } else if (member.link.session !== session) this.#host.release(session);
  }

  /** Who is behind a session with a proof, if there may be a link; links that give way to it are dropped. */
  #linkable(session: GroupSession): Member | undefined {
    const member = this.#isClosed || !this.#hasPeers ? undefined : this.#learn(session.peerId);
    if (member === undefined) return undefined;
    if (member.isBlocked && this.#clock.now() < member.notBefore) {
      this.stats.refused++;
      return undefined;
    }
    const { link } = member;
    if (link === undefined) {
      const room = MAX_LINKS + (this.#topology.isNear(member.address) ? MAX_RING_LINKS : 0);
      if (this.#links.size < room) return member;
      this.stats.refused++;
      return undefined;
    }
    if (link.session === session) {
      if (!link.isProven) return member;
      // It has left and joined again, and its new flow came before the end of the old.
      if (this.#clock.now() - link.since >= REJOIN_MS) {
        this.#drop(link, false);
        return member;
      }
      this.stats.refused++;
      return undefined;
    }
    this.stats.glares++;
    const isGlare = link.session.isOpen && this.#clock.now() - link.since < GLARE_MS;
    if (isGlare && comesFirst(link.session, session)) return undefined;
    this.#drop(link);
    return member;
  }

  #link(member: Member, session: GroupSession): Link {
    const link = new Link(this.#parts, member, session);
    member.link = link;
    this.#links.add(link);
    if (!((session.keepaliveMs ?? 0) <= NEIGHBOUR_KEEPALIVE_MS && session.keepaliveMs !== 0))
      session.keepaliveMs = NEIGHBOUR_KEEPALIVE_MS;
    return link;
  }

  #connected(link: Link): void {
    const { member } = link;
    member.isWanted = false;
    member.failures = 0;
    member.isBlocked = false;
    this.#members.confirm(member);
    this.#neighbours++;
    for (const service of this.#services) service.connected(link);
    link.giveHeld();
    this.#host.event({ type: "neighbourConnected", peerId: link.peerId, address: link.address });
    this.#onChange(link);
  }

  /** The far end left or was lost. */
  #lose(link: Link): void {
    if (link.isGone) return;
    // Until somebody has newer news of it, it is not there; unless it only did what we asked for.
    if (this.#clock.now() - link.askedAt >= ASKED_MS) this.#dialer.rest(link.member);
    this.#drop(link);
    this.#plan();
  }

  /** Ends a link; the session is released unless another link is to use it. */
  #drop(link: Link, isLast = true): void {
    if (link.isGone) return;
    const { member } = link;
    if (link.isConnected) for (const service of this.#services) service.disconnected(link);
    link.close();
    member.link = undefined;
    this.#links.delete(link);
    this.#own.forget(link);
    if (link.isConnected) {
      link.isConnected = false;
      this.#neighbours--;
      this.#host.event({ type: "neighbourDisconnected", peerId: link.peerId, address: link.address });
      this.#onChange(link);
    }
    if (isLast) this.#host.release(link.session);
  }

  #onChange(link: Link): void {
    if (this.#topology.isNear(link.address)) this.#ringChanged = true;
    const coverage = this.#topology.coverage;
    if (coverage.from === this.#coverage.from && coverage.to === this.#coverage.to) return;
    this.#coverage = coverage;
    this.#host.event({ type: "localCoverage", ...coverage });
  }

  #onAskClose(link: Link): void {
    this.#topology.update(this.#clock.now());
    const { best } = this.#topology;
    if (best.size === 0 || this.#neighbours <= best.size || best.has(link.member)) return;
    this.stats.closesGranted++;
    this.#drop(link);
  }

  // What is due.

  #tick(): void {
    const now = this.#clock.now();
    for (const link of [...this.#links]) this.#checkLink(link, now);
    if (now >= this.#cleanAt) {
      this.#cleanAt = now + CLEANING_MS;
      this.stats.expired += this.#members.expire(now);
    }
    if (this.#neighbours === 0 && now >= this.#bootstrapAt) {
      this.#bootstrapAt = now + BOOTSTRAP_MS;
      for (const peerId of this.#bootstrap) this.addNeighbor(peerId);
    }
    if (now >= this.#reportAt) {
      this.#reportAt = now + this.#reportPause();
      this.#topology.takeStock();
      this.#report(now);
      this.#askTooMany(now);
    }
    this.#plan();
    if (!this.#isClosed) this.#cancelTick = this.#clock.after(TICK_MS, () => this.#tick());
  }

  #checkLink(link: Link, now: number): void {
    if (link.isGone) return;
    if (!link.isConnected) {
      if (now - link.since < PROOF_MS) return;
      this.stats.unproven++;
      this.#lose(link);
    } else if (now - Math.max(link.heardAt, link.since) >= NEWS_MS) {
      this.stats.expired++;
      this.#lose(link);
    }
  }

  /** To one neighbour by chance, or the one that has been silent for too long. */
  #report(now: number): void {
    const { neighbours } = this;
    const silent = neighbours.reduce<Link | undefined>(
      (oldest, link) => (oldest === undefined || link.heardAt < oldest.heardAt ? link : oldest),
      undefined,
    );
    if (silent !== undefined && now - silent.heardAt >= REPORT_OVERDUE_MS) silent.report(true);
    else this.#chance.one(neighbours)?.report(true);
  }

  /** The slowest first. */
  #askTooMany(now: number): void {
    const { best, quickest } = this.#topology;
    let excess = this.#neighbours - best.size;
    for (const member of [...quickest].reverse()) {
      const { link } = member;
      if (excess <= 0) return;
      if (link === undefined || best.has(member) || now - link.askedAt < ASK_CLOSE_MS) continue;
      link.askToClose();
      excess--;
    }
  }

  /** Looks for the neighbours that are missing, those in the ring first. */
  #plan(): void {
    if (this.#isClosed || !this.#hasPeers) return;
    const now = this.#clock.now();
    this.#topology.update(now);
    for (const member of this.#members.ring) if (member.isWanted) this.#dialer.dial(member, true);
    for (const member of this.#topology.ringCandidates(now)) this.#dialer.dial(member, true);
    const { best } = this.#topology;
    for (const member of best) {
      if (this.#links.size + this.#dialer.active >= best.size) break;
      this.#dialer.dial(member, false);
    }
    if (this.#ringChanged && now - this.#ringReportAt >= RING_REPORT_MS) {
      this.#ringChanged = false;
      this.#ringReportAt = now;
      for (const { link } of this.#topology.beside) link?.report(true);
    }
  }

  #reportPause(): number {
    return REPORT_MS * (1 + REPORT_JITTER * (2 * this.#chance.next() - 1));
  }
}

/** Of two sessions with one peer both ends choose the same: their nonces are the same pair, the other way round. */
function comesFirst(a: GroupSession, b: GroupSession): boolean {
  const key = ({ nearNonce, farNonce }: GroupSession) => [toHex(nearNonce), toHex(farNonce)].sort().join();
  return key(a) < key(b);
}

function isPeerId(text: string): boolean {
  return /^[0-9a-fA-F]{64}$/.test(text);
}

/** A member that ends its link so soon after it was asked to has not left the group. */
const ASKED_MS = 10_000;
/** A member that joins again sooner has to wait. */
const REJOIN_MS = 1_000;
