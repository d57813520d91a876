/** Endpoint addresses: text form inside, §2.1.5 on the wire. § means RFC 7016. */
import type { ByteReader, ByteWriter } from "./bytes.ts";

/**
 * An IPv4 or IPv6 address and UDP port. `host` is canonical text: dotted quad, or RFC 5952 lower case without
 * brackets, as the operating system reports it; so equal addresses are equal strings.
 */
export interface Address {
  /** Canonical text, see {@link Address}. */
  readonly host: string;
  /** UDP port, 1 to 65535; 0 only where a socket is yet to be bound. */
  readonly port: number;
}

/**
 * How an address became known (§2.1.5): `unknown`, `local` to the host that names it, `observed` from outside by
 * another, or a `relay`'s.
 */
export const Origin = { unknown: 0, local: 1, observed: 2, relay: 3 } as const;
export type Origin = (typeof Origin)[keyof typeof Origin];

/** An address as it stands in a chunk, with its origin. */
export interface WireAddress extends Address {
  /** What whoever sent the chunk says of it. */
  readonly origin: Origin;
}

/** True if host and port are equal. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.host === b.host;
}

/** A string that is equal exactly for equal addresses; also the text form `host:port` / `[v6]:port` (RFC 7425 §5.3.3). */
export function formatAddress(address: Address): string {
  const { host, port } = address;
  // Joined, it is one string of its own rather than a tree of the parts, which tables would keep.
  return (host.includes(":") ? ["[", host, "]:", port] : [host, ":", port]).join("");
}

/** Parses `a.b.c.d:port` or `[v6]:port`; undefined if it is neither, or the port is not 1 to 65535. */
export function parseAddressText(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  const host = canonicalHost(match[1] ?? match[2] ?? "", match[1] !== undefined);
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port };
}

/** Canonical text of an IP literal; undefined if it is none. A zone such as %eth0 is dropped. */
export function canonicalHost(host: string, ipv6: boolean = host.includes(":")): string | undefined {
  const bytes = ipv6 ? parseIpv6(host.replace(/%.*$/, "")) : parseIpv4(host);
  return bytes === undefined ? undefined : formatHost(bytes);
}

/** True for an address that nobody can be reached at: unspecified, multicast, broadcast, or port 0 (AMB-11). */
export function isUnusable(address: Address): boolean {
  if (address.port === 0) return true;
  const host = unmapped(address.host);
  if (host.includes(":")) return host === "::" || /^ff[0-9a-f]{2}:/.test(host);
  const first = Number.parseInt(host, 10);
  return first === 0 || first >= 224;
}

/** True for 127.0.0.0/8, also in IPv4-mapped form, and ::1. */
export function isLoopback(address: Address): boolean {
  return address.host === "::1" || /^127\./.test(unmapped(address.host));
}

export function readAddress(reader: ByteReader): WireAddress {
  const flags = reader.u8();
  if (flags & ADDRESS_RESERVED) reader.canonical = false;
  const bytes = reader.take(flags & 0x80 ? 16 : 4);
  const port = reader.u16();
  return { host: reader.failed ? "0.0.0.0" : formatHost(bytes), port, origin: (flags & 3) as Origin };
}

/** Throws RangeError if `host` is not an IP literal. */
export function writeAddress(writer: ByteWriter, address: WireAddress): void {
  const ipv6 = address.host.includes(":");
  const bytes = ipv6 ? parseIpv6(address.host.replace(/%.*$/, "")) : parseIpv4(address.host);
  if (bytes === undefined) throw new RangeError(`expected an IP address, got "${address.host}"`);
  writer.u8((ipv6 ? 0x80 : 0) | address.origin);
  writer.put(bytes);
  writer.u16(address.port);
}

/** Wire size of an address: 7 bytes for IPv4, 19 for IPv6. */
export function addressSize(address: Address): number {
  return address.host.includes(":") ? 19 : 7;
}

/**
 * What rates and caps are counted by: an IPv4 host (also in IPv4-mapped form), or the first 64 bits of an IPv6 host, behind
 * which one subscriber has all addresses there are. `host` is canonical text.
 */
export function networkOf(host: string): string {
  const v4 = unmapped(host);
  if (!v4.includes(":")) return v4;
  const bytes = parseIpv6(host.replace(/%.*$/, ""));
  return bytes === undefined ? host : `${formatHost(bytes.fill(0, 8))}/64`;
}

/** The IPv4 address inside an IPv4-mapped one, which a dual-stack socket sends to; any other host as it is. */
function unmapped(host: string): string {
  return /^::ffff:.*\./.test(host) ? host.slice(7) : host;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^[0-9]{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  const embedded = /^(.*:)([0-9]+(?:\.[0-9]+){3})$/.exec(text);
  if (embedded !== null) {
    const v4 = parseIpv4(embedded[2] as string);
    if (v4 === undefined) return undefined;
    const [a, b, c, d] = v4 as unknown as [number, number, number, number];
    return parseIpv6(`${embedded[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":"))) as [string[], string[]?];
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<string>(missing).fill("0"), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >>> 8;
    bytes[2 * i + 1] = value;
  });
  return bytes;
}

function formatHost(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] as number) * 256 + (bytes[2 * i + 1] as number));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [bestStart, bestLength] = [i, length];
  }
  const text = groups.map((group) => group.toString(16));
  if (bestStart < 0) return text.join(":");
  return `${text.slice(0, bestStart).join(":")}::${text.slice(bestStart + bestLength).join(":")}`;
}

/** Reserved flag bits of an address (§2.1.5). */
const ADDRESS_RESERVED = 0x7c;
