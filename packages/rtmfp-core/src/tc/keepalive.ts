/** How far a client follows a server's Set Keepalive Timers (§5.3.4). § means RFC 7425. */

/** The range of keepalive periods that a client will use, in milliseconds. */
export interface KeepaliveRange {
  /** Default 5 s, the least that §5.3.4 recommends. */
  readonly minMs: number;
  /** Default 10 min. */
  readonly maxMs: number;
}

/** The period to use when the server asks for `askedMs`, within `range`. Default: {@link KEEPALIVE_RANGE}. */
export function clampKeepalive(askedMs: number, range: KeepaliveRange = KEEPALIVE_RANGE): number {
  return Math.min(Math.max(askedMs, range.minMs), range.maxMs);
}

/** The default range. */
export const KEEPALIVE_RANGE: KeepaliveRange = { minMs: 5_000, maxMs: 600_000 };
