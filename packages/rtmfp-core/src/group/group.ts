/** A group as one of its members sees it: it finds the others, keeps neighbours, and lets services use them. */
import { toHex } from "../proto/bytes.ts";
import { Chance } from "./chance.ts";
import { Dialer, type DialerHost } from "./dialer.ts";
import { canonicalPart, groupAddressOf, groupIdOf } from "./group-id.ts";
import type { GroupCrypto, GroupHost, GroupOptions } from "./group-options.ts";
import { type GroupStats, newGroupStats } from "./group-stats.ts";
import { parseGroupspec } from "./groupspec.ts";
import type { Link } from "./link.ts";
import { Links, type LinksHost } from "./links.ts";
import { Member, MemberList } from "./member-list.ts";
import type { GroupService } from "./neighbour.ts";
import { OwnAddresses } from "./own-addresses.ts";
import {
  ASK_CLOSE_MS,
  BOOTSTRAP_MS,
  CLEANING_MS,
  MAX_BUSY_LINKS,
  MAX_LOST_DIALS,
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
import { groupProof, isGroupProof } from "./wire/group-proof.ts";

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
  readonly #parts: Parts;
  readonly #links: Links;
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
    this.#links = new Links({
      parts: this.#parts,
      clock: options.clock,
      host: options.host,
      services: options.services,
    });
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
      if (member !== undefined && member.link === undefined) this.#links.block(member);
    } else if (this.#hasPeers) this.#links.accept(session, flow);
    else flow.reject();
  }

  /** Leaves: neighbours and services are told. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelTick?.();
    this.#links.close();
    for (const service of this.#services) service.close();
  }

  /** Neighbours now. */
  get neighborCount(): number {
    return this.#links.connectedCount;
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
    return this.#links.connected;
  }

  #makeParts(): Parts {
    return {
      stats: this.stats,
      nearId: this.nearId,
      members: this.#members,
      own: this.#own,
      topology: this.#topology,
      now: () => this.#clock.now(),
      introducers: () => this.#host.introducers(),
      learn: (peerId: string, toldBy?: Member) => this.#learn(peerId, toldBy),
      connect: (peerId, addresses, timeoutMs) => this.#host.connect(peerId, addresses, timeoutMs),
      opened: (member, session) => this.#links.opened(member, session),
      failed: () => this.#plan(),
      rest: (member) => this.#dialer.rest(member),
      lost: () => this.#plan(),
      changed: (link) => this.#onChange(link),
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
      connected: (link) => this.#links.onConnected(link),
      askedToClose: (link) => this.#links.onAskClose(link),
      flowOpened: (link, kind, flow) =>
        this.#services.find(({ kinds }) => kinds.includes(kind))?.flowOpened(link, kind, flow) === true,
      ended: (link, isBlocked) => this.#links.end(link, isBlocked),
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

  #onChange(link: Link): void {
    if (this.#topology.isNear(link.address)) this.#ringChanged = true;
    const coverage = this.#topology.coverage;
    if (coverage.from === this.#coverage.from && coverage.to === this.#coverage.to) return;
    this.#coverage = coverage;
    this.#host.event({ type: "localCoverage", ...coverage });
  }

  // What is due.

  #tick(): void {
    const now = this.#clock.now();
    this.#links.check();
    if (now >= this.#cleanAt) {
      this.#cleanAt = now + CLEANING_MS;
      this.stats.expired += this.#members.expire(now);
    }
    if (this.neighborCount === 0 && now >= this.#bootstrapAt) {
      this.#bootstrapAt = now + BOOTSTRAP_MS;
      for (const peerId of this.#bootstrap) this.addNeighbor(peerId);
    }
    if (now >= this.#reportAt) {
      this.#reportAt = now + this.#reportPause();
      this.#topology.takeStock();
      this.#report(now);
    }
    this.#askTooMany(now);
    this.#plan();
    if (!this.#isClosed) this.#cancelTick = this.#clock.after(TICK_MS, () => this.#tick());
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

  /**
   * One at a time, the slowest first, and nobody over whose link something runs as long as there is room for others: streams
   * would stop in all of the group at once, and again and again.
   */
  #askTooMany(now: number): void {
    const { best, quickest } = this.#topology;
    const count = this.neighborCount;
    if (count <= best.size) return;
    const isIdle = (link: Link): boolean => this.#services.every((service) => service.load(link) === 0);
    for (const member of [...quickest].reverse()) {
      const { link } = member;
      if (link === undefined || best.has(member) || now - link.askedAt < ASK_CLOSE_MS) continue;
      if (count <= MAX_BUSY_LINKS && !isIdle(link)) continue;
      link.askToClose();
      return;
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
    for (const member of this.#members.ring) {
      if (this.neighborCount > 0 && this.#dialer.active >= MAX_LOST_DIALS) break;
      if (member.isLost) this.#dialer.dial(member, false);
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

/** What the parts of a group need of it. */
type Parts = LinksHost & DialerHost & ReportingHost;

function isPeerId(text: string): boolean {
  return /^[0-9a-fA-F]{64}$/.test(text);
}
