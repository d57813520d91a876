/** What the server can know of the NAT in front of a peer. */
import { isLoopback } from "rtmfp-core/proto";

/** Each is undefined while it is not known. */
export interface NatVerdict {
  /** The address seen is none of those that the peer reported (RFC 7425 §5.3.3). */
  readonly behindNat: boolean | undefined;
  /** The port seen is one of those that it reported. */
  readonly keepsPort: boolean | undefined;
  /** It answers another of the server's sockets from another outer address or port. */
  readonly symmetric: boolean | undefined;
  /** It does not hear another port of the server's, though it can answer one. */
  readonly filtersPorts: boolean | undefined;
}

/** The verdict in one word. */
export type NatKind = "none" | "nat" | "symmetric" | "unknown";

/** See {@link NatKind}. */
export function natKind({ behindNat, symmetric }: NatVerdict): NatKind {
  if (symmetric === true) return "symmetric";
  if (behindNat === undefined) return symmetric === undefined ? "unknown" : "nat";
  return behindNat ? "nat" : "none";
}

/** Nothing is known. */
export const UNKNOWN_NAT: NatVerdict = {
  behindNat: undefined,
  keepsPort: undefined,
  symmetric: undefined,
  filtersPorts: undefined,
};

/** How far an IP address reaches: this host, this site, everywhere. */
export function reachOf(host: string): 0 | 1 | 2 {
  if (isLoopback({ host, port: 0 })) return 0;
  return PRIVATE.test(host) ? 1 : 2;
}

/** RFC 1918, RFC 6598, RFC 3927; RFC 4193 and RFC 4291 §2.5.6. */
const PRIVATE =
  /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/;
