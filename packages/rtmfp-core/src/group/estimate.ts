/** How many members a group has, as far as one of them can tell. */
import { type Member, nearest } from "./member-list.ts";
import { RING_KEPT, RING_REACH } from "./params.ts";
import { distanceUp } from "./ring-space.ts";

/**
 * Estimated number of members, ourselves included, from how close those are who stand next to us: whoever is three places away
 * is known, however large the group is. Where those farther away agree with them, these count: the more gaps, the less chance.
 * Members known are counted, too: a group has no fewer. `isComplete` says that all of them are neighbours, and then there are no
 * others that anybody has told of.
 */
export function estimateMembers(ring: readonly Member[], own: string, isComplete: boolean): number {
  const counted = ring.length + 1;
  if (isComplete || ring.length < 2 * RING_REACH) return counted;
  const near = density(ring, own, RING_REACH);
  const far = density(ring, own, Math.min(RING_KEPT, ring.length >> 1));
  return Math.max(counted, 4 * far >= near ? far : near);
}

/** From the `reach` members on each side. */
function density(ring: readonly Member[], own: string, reach: number): number {
  const near = nearest(ring, own, reach);
  // The last two are the farthest below and above.
  const [below, above] = near.slice(-2) as [Member, Member];
  const span = distanceUp(below.address, own) + distanceUp(own, above.address);
  // One less than the gaps between them: the mean of what N members at random places give is N.
  return Number((BigInt(near.length - 1) << BITS) / (span === 0n ? 1n : span));
}

const BITS = 256n;
