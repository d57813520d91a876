/** Whom a member of the group best has as neighbours: those next to it in the ring, those near it in time, one by chance, and some far away. */
import { type Member, nearest, placeOf } from "./member-list.ts";
import { FULL_MESH, NEAR_LINKS, RING_REACH } from "./params.ts";

/** What a best list is made of. */
export interface BestListInput {
  /** Candidates by group address. */
  readonly ring: readonly Member[];
  /** Whose list it is; a candidate at this address is left out. */
  readonly address: string;
  /** How many members the list shall have, see {@link bestListSize}. */
  readonly size: number;
  /** Candidates by latency, the quickest first. */
  readonly quickest: readonly Member[];
  /** A candidate taken by chance, where there is one. */
  readonly chance: Member | undefined;
}

/** Neighbours for a member of a group of that estimated size, of which `known` others are known. */
export function bestListSize(estimate: number, known: number): number {
  return Math.min(Math.floor(Math.log2(Math.max(1, estimate))) + BASE_SIZE, known);
}

/** The list, in the order of importance: those next in the ring come first. */
export function bestList(input: BestListInput): Set<Member> {
  const { ring, address, size, quickest, chance } = input;
  const at = placeOf(ring, address);
  const others = ring.length - (ring[at]?.address === address ? 1 : 0);
  if (others <= FULL_MESH) return new Set(ring.filter((member) => member.address !== address));
  const best = new Set(nearest(ring, address, RING_REACH));
  const nearEnd = best.size + NEAR_LINKS;
  for (const member of quickest) {
    if (best.size >= Math.min(nearEnd, size)) break;
    if (member.address !== address) best.add(member);
  }
  if (chance !== undefined && chance.address !== address && best.size < size) best.add(chance);
  addFar(best, input, at);
  return best;
}

/**
 * Long links: jumps of a growing part of the ring, the last of half of it. Where neighbours are about where a jump leads, one
 * of them is taken, so that lists do not change with every member that comes or goes.
 */
function addFar(best: Set<Member>, { ring, address, size }: BestListInput, at: number): void {
  const missing = size - best.size;
  // From the place of the list's owner, or the one before where it has none.
  let place = ring[at]?.address === address ? at : at - 1;
  for (let m = missing; m > 0 && best.size < size; m--) {
    const jump = Math.max(1, Math.floor(ring.length / 2 ** m));
    place += jump;
    const far = aboutPlace(best, ring, address, place, jump >> 1);
    if (far !== undefined) best.add(far);
  }
}

/** A neighbour at most `reach` places off, or else the first member from there on, that is not in the list. */
function aboutPlace(
  best: ReadonlySet<Member>,
  ring: readonly Member[],
  address: string,
  place: number,
  reach: number,
): Member | undefined {
  const isFree = (member: Member) => member.address !== address && !best.has(member);
  for (let off = 0; off <= reach; off++) {
    for (const index of [place + off, place - off]) {
      const member = ring[(index + ring.length) % ring.length] as Member;
      if (member.link !== undefined && isFree(member)) return member;
    }
  }
  for (let off = 0; off < ring.length; off++) {
    const member = ring[(place + off) % ring.length] as Member;
    if (isFree(member)) return member;
  }
  return undefined;
}

/** What the list of a group of one would have: three next in the ring on each side, six near, one by chance. */
const BASE_SIZE = 13;
