/** The members that a group knows: in the order of their group addresses, which makes them a ring. */
import type { WireAddress } from "../proto/address.ts";
import type { Link } from "./link.ts";
import { LOST_MS, MAX_MEMBERS, MAX_TOLD_BY_ONE, NEWS_MS, RING_KEPT } from "./params.ts";

/** Another member of the group, or a peer said to be one. Times are in ms of the group's clock. */
export class Member {
  /** 64 lower-case hex digits. */
  readonly peerId: string;
  /** Its place in the ring: 64 lower-case hex digits. */
  readonly address: string;
  /** The only one who told of it; undefined where there are two, or the server, the application or itself did. */
  toldBy: Member | undefined;
  /** Members of the list that it alone told of. */
  told = 0;
  /** Where it was said to be. */
  addresses: readonly WireAddress[] = [];
  /** It said so itself, over a session of ours, and has not been missed there since: no other's word counts. */
  isOwnWord = false;
  /** When it was first told of, or last known to live; after {@link NEWS_MS} it is forgotten. */
  knownAt: number;
  /** When somebody last had news of it; none while it is a mere hint. */
  heardAt: number = Number.NEGATIVE_INFINITY;
  /** Our session with it. */
  link: Link | undefined;
  /** A session is being opened. */
  isDialing = false;
  /** Somebody asked for it by name: it is tried whatever its place. */
  isWanted = false;
  /** It was a neighbour until its session was lost: it is tried again for long, or two who miss each other never would. */
  isLost = false;
  /** It gave a wrong proof, or sends what nobody can read. */
  isBlocked = false;
  /** Attempts that failed since it was last a neighbour. */
  failures = 0;
  /** When the last of them did. */
  failedAt: number = Number.NEGATIVE_INFINITY;
  /** It is left alone before. */
  notBefore: number = Number.NEGATIVE_INFINITY;

  constructor(peerId: string, address: string, now: number) {
    this.peerId = peerId;
    this.address = address;
    this.knownAt = now;
  }

  /** Our neighbour, or we have no better news of it than that it lives. */
  get isAlive(): boolean {
    return this.link !== undefined || this.heardAt > this.failedAt || this.failures === 0;
  }

  /**
   * Whether it counts for more than one neighbour's invention: it spoke for itself, or two had news of it since we failed to
   * reach it. Only then others are told of it, or one liar would fill everybody's list.
   */
  get isKnown(): boolean {
    return this.link?.isConnected === true || (this.toldBy === undefined && this.heardAt > this.failedAt);
  }

  /** Whether it may be our neighbour now, or already is. */
  isUsable(now: number): boolean {
    return this.link !== undefined || this.isDialing || (this.isAlive && now >= this.notBefore);
  }
}

/** At most {@link MAX_MEMBERS} members. Neighbours and those next to us in the ring give way to nobody. */
export class MemberList {
  /** All members, by group address. Do not modify. */
  readonly ring: Member[] = [];
  readonly #own: string;
  readonly #byPeer = new Map<string, Member>();

  /** `own` is our own group address. */
  constructor(own: string) {
    this.#own = own;
  }

  get size(): number {
    return this.ring.length;
  }

  get(peerId: string): Member | undefined {
    return this.#byPeer.get(peerId);
  }

  /** Takes a member in that is not there; false if nobody gives way to it. */
  add(member: Member): boolean {
    const { toldBy } = member;
    if (toldBy !== undefined && toldBy.told >= MAX_TOLD_BY_ONE && !this.#makeRoom(member, toldBy)) return false;
    if (this.size >= MAX_MEMBERS && !this.#makeRoom(member)) return false;
    if (toldBy !== undefined) toldBy.told++;
    this.#byPeer.set(member.peerId, member);
    this.ring.splice(placeOf(this.ring, member.address), 0, member);
    return true;
  }

  /** Takes out a member that is there. */
  remove(member: Member): void {
    this.confirm(member);
    this.#byPeer.delete(member.peerId);
    this.ring.splice(placeOf(this.ring, member.address), 1);
  }

  /** It is no longer one neighbour's word alone. */
  confirm(member: Member): void {
    if (member.toldBy !== undefined) member.toldBy.told--;
    member.toldBy = undefined;
  }

  /** Removes those of whom there was no news for too long, neighbours and attempts apart; gives their number. */
  expire(now: number): number {
    const old = this.ring.filter((member) => {
      const at = Math.max(member.knownAt, member.heardAt);
      const isOld = now - at >= (member.isLost ? LOST_MS : NEWS_MS);
      return member.link === undefined && !member.isDialing && isOld && now >= member.notBefore;
    });
    for (const member of old) this.remove(member);
    return old.length;
  }

  /** Removes the one of oldest news, of those that `teller` told of or of all; false if all are to stay. */
  #makeRoom(newcomer: Member, teller?: Member): boolean {
    const kept = new Set(nearest(this.ring, this.#own, RING_KEPT));
    let oldest: Member | undefined;
    for (const member of this.ring) {
      if (member.link !== undefined || member.isDialing || member.isWanted || member === newcomer.toldBy) continue;
      if (teller !== undefined ? member.toldBy !== teller : kept.has(member)) continue;
      if (oldest === undefined || member.heardAt < oldest.heardAt) oldest = member;
    }
    if (oldest !== undefined) this.remove(oldest);
    return oldest !== undefined;
  }
}

/** Where in a ring the first member is whose address is not less; the ring's size if there is none. */
export function placeOf(ring: readonly Member[], address: string): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring[middle] as Member).address < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Up to `reach` members on each side of an address, in turns, the nearest first; whoever has that address is left out. */
export function nearest(ring: readonly Member[], address: string, reach: number): Member[] {
  const at = placeOf(ring, address);
  const after = ring[at]?.address === address ? at + 1 : at;
  const others = ring.length - (after - at);
  const near = new Set<Member>();
  for (let step = 0; step < reach && near.size < others; step++) {
    near.add(ring[(at - 1 - step + 2 * ring.length) % ring.length] as Member);
    near.add(ring[(after + step) % ring.length] as Member);
  }
  return [...near];
}
