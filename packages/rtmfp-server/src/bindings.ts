/** Where a server listens, and the URLs that lead there. */
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { type Address, formatAddress, RtmfpError, type UdpBinding } from "rtmfp-core";
import { DEFAULT_PORT } from "rtmfp-core/tc";

/** One binding per host. Default: all IPv4 addresses, and all IPv6 ones if this machine has IPv6. */
export function bindingsFor(hosts: readonly string[] | undefined, port: number): readonly UdpBinding[] {
  if (hosts === undefined || hosts.length === 0) {
    const interfaces = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    const hasIpv6 = interfaces.some((entry) => entry.family === "IPv6");
    return (hasIpv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"]).map((host) => ({ host, port }));
  }
  return hosts.map((text) => {
    const host = hostOf(text);
    if (host === undefined) throw new RtmfpError("BAD_ARGUMENT", `expected an IP address to listen on, got "${text}"`);
    return { host, port };
  });
}

/** The IP address in a text such as `127.0.0.1`, `::1` or `[::1]`; undefined if it is none. */
export function hostOf(text: string): string | undefined {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? undefined : host;
}

/**
 * URLs of a server, the best first: the public one, then each address that can be reached. `reachable` are addresses that
 * others may reach; sockets bound to all addresses are also reached by loopback.
 */
export function urlsOf(
  publicHost: string | undefined,
  sockets: readonly Address[],
  reachable: readonly Address[],
): readonly string[] {
  const local = sockets.map(({ host, port }) => {
    if (host === "0.0.0.0") return { host: "127.0.0.1", port };
    return { host: host === "::" ? "::1" : host, port };
  });
  const texts = [...local, ...reachable].map(formatAddress);
  if (publicHost !== undefined) texts.unshift(withPort(publicHost, sockets[0]?.port ?? DEFAULT_PORT));
  return [...new Set(texts)].map((text) => `rtmfp://${text}`);
}

/** True for `host`, `host:port`, `v6`, `[v6]` or `[v6]:port`. */
export function isPublicHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const match = /^(\[([^\]]*)\]|[^:[\]\s/]+)(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null) return false;
  const [, , ipv6, port] = match;
  if (ipv6 !== undefined && isIP(ipv6) !== 6) return false;
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
}

/** A public host without its port. */
export function hostPart(publicHost: string): string {
  if (isIP(publicHost) !== 0) return publicHost;
  return publicHost.replace(/:[0-9]+$/, "").replace(/^\[(.*)\]$/, "$1");
}

function withPort(publicHost: string, port: number): string {
  if (isIP(publicHost) === 6) return `[${publicHost}]:${port}`;
  return /:[0-9]+$/.test(publicHost.replace(/^\[[^\]]*\]/, "")) ? publicHost : `${publicHost}:${port}`;
}
