/** Where members live: access links and NATs, drawn by the seed. */
import type { NatKind, Prng, SimHost, SimWorld } from "rtmfp-core/testing";

/** What is in front of a member; "none" is a host on the internet. */
export type Access = "none" | NatKind;

/** A member's machine. */
export interface Home {
  readonly host: SimHost;
  readonly access: Access;
}

/** The mix, in shares of the members. */
export const NAT_MIX: readonly (readonly [Access, number])[] = [
  ["none", 0.15],
  ["full-cone", 0.15],
  ["restricted-cone", 0.3],
  ["port-restricted-cone", 0.3],
  ["symmetric", 0.1],
];

/** A machine for one member. `upBits` is what it can send, bit/s. */
export function makeHome(world: SimWorld, prng: Prng, name: string, loss: number, upBits: number): Home {
  const access = drawAccess(prng);
  const latencyMs = LEAST_DOWN_MS + prng.next() * (MOST_DOWN_MS - LEAST_DOWN_MS);
  const link = {
    // All of it on the way down: then it is known longest before what is on its way arrives.
    up: { latencyMs: 0, loss, bitsPerSecond: upBits },
    down: { latencyMs, loss, bitsPerSecond: DOWN_BITS },
  };
  if (access === "none") return { access, host: world.host(name, link) };
  const behind = world.nat(`${name} nat`, { kind: access, link: { latencyMs: 0 } });
  return { access, host: world.host(name, { ...link, behind }) };
}

/** True if hole punching can open a path between the two: a symmetric NAT shows each stranger another port. */
export function canMeet(a: Access, b: Access): boolean {
  const strict = (access: Access): boolean => access === "symmetric" || access === "port-restricted-cone";
  return !((a === "symmetric" && strict(b)) || (b === "symmetric" && strict(a)));
}

function drawAccess(prng: Prng): Access {
  let draw = prng.next();
  for (const [access, share] of NAT_MIX) {
    if (draw < share) return access;
    draw -= share;
  }
  return "none";
}

/** Half of the shortest and longest round trip between two members: 20 and 150 ms. */
export const LEAST_DOWN_MS = 10;
const MOST_DOWN_MS = 75;
const DOWN_BITS = 20e6;
/** What members and the publisher can send, bit/s. */
export const MEMBER_UP_BITS = 2e6;
export const PUBLISHER_UP_BITS = 4e6;
