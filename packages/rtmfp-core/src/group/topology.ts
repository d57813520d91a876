/** Whom we want as neighbours, whom we tell others of, and what can be told of the group from those we know. */
import { bestList, bestListSize } from "./best-list.ts";
import type { Chance } from "./chance.ts";
import { estimateMembers } from "./estimate.ts";
import { type Member, type MemberList, nearest, placeOf } from "./member-list.ts";
import { NEWS_MS, RING_DIALS, RING_REACH } from "./params.ts";
import { coverageOf } from "./ring-space.ts";

/** See the head of the file. Times are in ms of the group's clock. */
export class Topology {
  readonly #members: MemberList;
  readonly #own: string;
  readonly #chance: Chance;
  #quickest: readonly Member[] = [];
  /** The member that chance gave us: it stays while it lives, or links would change all the time. */
  #lot: Member | undefined;
  #best: ReadonlySet<Member> = new Set();

  constructor(members: MemberList, own: string, chance: Chance) {
    this.#members = members;
    this.#own = own;
    this.#chance = chance;
  }

  /** Whom we want, as of the last {@link update}; the most important first. */
  get best(): ReadonlySet<Member> {
    return this.#best;
  }

  /** Neighbours by latency, as of the last {@link takeStock}; some may be gone. */
  get quickest(): readonly Member[] {
    return this.#quickest;
  }

  /** Estimated number of members, ourselves included. */
  get estimate(): number {
    const alive = this.#members.ring.filter((member) => member.isAlive && member.toldBy === undefined);
    const isComplete = alive.every(({ link }) => link?.isConnected === true);
    return estimateMembers(alive, this.#own, isComplete);
  }

  /** What we are the nearest to of ourselves and our neighbours. */
  get coverage(): { readonly from: string; readonly to: string } {
    const connected = this.#connected;
    const at = placeOf(connected, this.#own);
    const before = connected.at(at - 1)?.address ?? this.#own;
    const after = (connected[at] ?? connected[0])?.address ?? this.#own;
    return coverageOf(before, this.#own, after);
  }

  /** Measures anew who is quick. */
  takeStock(): void {
    this.#quickest = this.#connected
      .map((member) => ({ member, srtt: member.link?.session.srtt ?? Number.POSITIVE_INFINITY }))
      .sort((a, b) => a.srtt - b.srtt)
      .map(({ member }) => member);
  }

  /** Chooses anew whom we want. */
  update(now: number): void {
    const ring = this.#members.ring.filter((member) => member.isUsable(now));
    if (this.#lot?.isUsable(now) !== true || this.#members.get(this.#lot.peerId) !== this.#lot)
      this.#lot = this.#chance.one(ring);
    this.#best = bestList({
      ring,
      address: this.#own,
      size: bestListSize(this.estimate, ring.length),
      quickest: this.#quickest.filter(({ link }) => link !== undefined),
      chance: this.#lot,
    });
  }

  /**
   * Members to try because they are, or may be, next to us: on each side all that come before the third neighbour there.
   * Several are tried at once, since after many have gone at a time most of the next may be gone, too.
   */
  ringCandidates(now: number): Member[] {
    const ring = this.#members.ring.filter((member) => member.isUsable(now));
    const at = placeOf(ring, this.#own);
    const sides = [1, -1].map((step) => {
      const found: Member[] = [];
      let neighbours = 0;
      for (let i = 0; i < ring.length && neighbours < RING_REACH && found.length < RING_DIALS; i++) {
        const index = step > 0 ? at + i : at - 1 - i;
        const member = ring[(index + ring.length) % ring.length] as Member;
        if (member.link?.isConnected === true) neighbours++;
        else if (member.link === undefined) found.push(member);
      }
      return found;
    });
    const [up, down] = sides as [Member[], Member[]];
    return [...new Set(Array.from({ length: RING_DIALS }, (_, i) => [up[i], down[i]]).flat())].filter(
      (member) => member !== undefined,
    );
  }

  /** Whether a peer there would be next to us in the ring. */
  isNear(address: string): boolean {
    const count = this.#connected.length;
    const steps = placeOf(this.#connected, address) - placeOf(this.#connected, this.#own);
    const up = address > this.#own ? steps : count + steps;
    return Math.min(up, count - up) < RING_REACH;
  }

  /** Neighbours next to us in the ring, one on each side. */
  get beside(): Member[] {
    return nearest(this.#connected, this.#own, 1);
  }

  /** Whom to tell a member at that address of. */
  listFor(address: string, now: number): Set<Member> {
    const ring = this.#members.ring.filter((member) => member.isKnown && now - member.heardAt < NEWS_MS);
    const size = bestListSize(this.estimate, ring.length);
    return bestList({ ring, address, size, quickest: this.#quickest, chance: this.#chance.one(ring) });
  }

  /** Neighbours by group address. */
  get #connected(): Member[] {
    return this.#members.ring.filter(({ link }) => link?.isConnected === true);
  }
}
