import type { Address } from "../proto/address.ts";

/** A host or a NAT, and the NAT in front of it. */
export interface SimNode {
  /** As given to the world. */
  readonly name: string;
  /** The NAT that it is behind, if any. */
  readonly behind: SimNode | undefined;
}

/** Who sent a packet: told when a link on the way was too narrow for it. */
export interface PacketSender extends SimNode {
  /** A packet to the address `target` met a link of `mtu` bytes. */
  learnMtu(target: string, mtu: number): void;
}

/** A datagram on its way. NATs rewrite the addresses; the bytes never change in place. */
export interface SimPacket {
  from: Address;
  to: Address;
  bytes: Uint8Array;
  readonly sender: PacketSender;
  /** The address the sender sent it to. */
  readonly target: string;
  /** Largest IP packet that its fragments fit: the least of the path so far. */
  mtu: number;
  /** True if the sender's kernel already knew the path as too narrow and so allowed fragments. */
  readonly mayFragment: boolean;
  /** Somebody keeps the bytes: a capture, or a copy of the packet. */
  isShared: boolean;
  /** When it came here, where that was told later; ms. */
  cameAt: number | undefined;
}

/** A packet that another world's host sent, and that came here at `cameAt`. */
export function foreignPacket(from: Address, to: Address, bytes: Uint8Array, cameAt: number): SimPacket {
  const mtu = Number.POSITIVE_INFINITY;
  return { from, to, bytes, sender: FOREIGNER, target: to.host, mtu, mayFragment: false, isShared: false, cameAt };
}

/**
 * A copy of a datagram, which is the caller's; a small one lies in memory that others lie in, too, as memory of its own costs more than the copy. The
 * memory is of a kind that V8 does not count: by the bytes that it counts it looks through all of the heap again and again.
 */
export function copyDatagram(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > SMALL_BYTES) {
    const own = new Uint8Array(new SharedArrayBuffer(length));
    own.set(bytes);
    return own;
  }
  if (length > SLAB_BYTES - slabUsed) {
    slab = new SharedArrayBuffer(SLAB_BYTES);
    slabUsed = 0;
  }
  const copy = new Uint8Array(slab, slabUsed, length);
  copy.set(bytes);
  slabUsed += length;
  return copy;
}

/** Fragments of a packet that fits IP packets of `mtu` bytes. */
export function fragmentCount(bytes: number, ipv6: boolean, mtu: number): number {
  if (bytes + UDP_HEADER + ipHeader(ipv6) <= mtu) return 1;
  const perFragment = (mtu - ipHeader(ipv6) - (ipv6 ? IPV6_FRAGMENT_HEADER : 0)) & ~7;
  return Math.ceil((bytes + UDP_HEADER) / Math.max(8, perFragment));
}

/** Bytes on the wire, with UDP and IP headers, of a packet sent in `fragments`. */
export function wireBytes(bytes: number, ipv6: boolean, fragments: number): number {
  const extra = ipv6 && fragments > 1 ? IPV6_FRAGMENT_HEADER : 0;
  return bytes + UDP_HEADER + fragments * (ipHeader(ipv6) + extra);
}

/** True for an IPv6 address. */
export function isIpv6(host: string): boolean {
  return host.includes(":");
}

function ipHeader(ipv6: boolean): number {
  return ipv6 ? 40 : 20;
}

/** Largest UDP payload, whatever the path. */
export const MAX_UDP_PAYLOAD = 65507;
const FOREIGNER: PacketSender = { name: "beyond", behind: undefined, learnMtu: () => {} };
const SMALL_BYTES = 512;
const SLAB_BYTES = 16_384;
let slab = new SharedArrayBuffer(SLAB_BYTES);
let slabUsed = 0;
const UDP_HEADER = 8;
const IPV6_FRAGMENT_HEADER = 8;
