/** The group as it is meant to be: a ring in the order of group addresses, in one piece. */

/** A member as the others see it. */
export interface RingMember {
  /** Its place: 64 hex digits. */
  readonly address: string;
  /** Those it is connected to, by address. */
  readonly neighbours: ReadonlySet<string>;
}

/** How well the members are connected. */
export interface RingState {
  /** Members, and those of them that are connected to the next on either side. */
  readonly members: number;
  readonly right: number;
  /** Pairs of members next to each other, of those that can meet, and those of them that are connected. */
  readonly pairs: number;
  readonly connected: number;
  /** Sets of members with no way from one to the other; 1 is as it should be. */
  readonly pieces: number;
}

/** Looks at all members; `canMeet` tells pairs that no path can lead between from others. */
export function inspectRing<M extends RingMember>(members: readonly M[], canMeet: (a: M, b: M) => boolean): RingState {
  const ring = [...members].sort((a, b) => (a.address < b.address ? -1 : 1));
  const linked = (a: M, b: M): boolean => a.neighbours.has(b.address) && b.neighbours.has(a.address);
  let right = 0;
  let pairs = 0;
  let connected = 0;
  ring.forEach((member, i) => {
    const before = ring[(i + ring.length - 1) % ring.length] as M;
    const after = ring[(i + 1) % ring.length] as M;
    const isAlone = before === member;
    if (isAlone || (linked(member, before) && linked(member, after))) right++;
    if (isAlone || !canMeet(member, after)) return;
    pairs++;
    if (linked(member, after)) connected++;
  });
  return { members: ring.length, right, pairs, connected, pieces: countPieces(ring) };
}

function countPieces(members: readonly RingMember[]): number {
  const unseen = new Map(members.map((member) => [member.address, member]));
  let pieces = 0;
  for (const first of members) {
    if (!unseen.delete(first.address)) continue;
    pieces++;
    const reached = [first];
    for (let member = reached.pop(); member !== undefined; member = reached.pop()) {
      for (const address of member.neighbours) {
        const next = unseen.get(address);
        if (next === undefined) continue;
        unseen.delete(address);
        reached.push(next);
      }
    }
  }
  return pieces;
}
