/** The circle of group addresses: numbers modulo 2^256, written as 64 lower-case hex digits. */

/** Steps from `from` up to `to` around the circle. */
export function distanceUp(from: string, to: string): bigint {
  return BigInt.asUintN(BITS, number(to) - number(from));
}

/**
 * The addresses of which a member is the nearest, both ends included, between the members before and after it; alone (its own
 * address both times) it has the whole circle. Where an address is as far from two members, the one before it has it.
 */
export function coverageOf(before: string, own: string, after: string): { from: string; to: string } {
  const self = number(own);
  const down = before === own ? CIRCLE : distanceUp(before, own);
  const up = after === own ? CIRCLE : distanceUp(own, after);
  return { from: text(self - down + down / 2n + 1n), to: text(self + up / 2n) };
}

function number(address: string): bigint {
  return BigInt(`0x${address}`);
}

function text(value: bigint): string {
  return BigInt.asUintN(BITS, value).toString(16).padStart(64, "0");
}

const BITS = 256;
const CIRCLE = 1n << 256n;
