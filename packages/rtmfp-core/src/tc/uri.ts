/** rtmfp URIs (§6.1). § means RFC 7425. */
import { canonicalHost } from "../proto/address.ts";

/** The bare `rtmfp:`: a NetConnection without a server (§6.1). */
export interface ServerlessUri {
  readonly kind: "serverless";
  /** The text as given. */
  readonly uri: string;
}

/** `rtmfp://host[:port]/app/instance?query` (§6.1). */
export interface ServerUri {
  readonly kind: "server";
  /** The text as given; it goes unchanged into the endpoint discriminator (§4.4.2.2). */
  readonly uri: string;
  /** A name, or an IP literal in canonical form, IPv6 without brackets, IPv4-mapped IPv6 as IPv4. */
  readonly host: string;
  /** UDP port, 1 to 65535. Default 1935. */
  readonly port: number;
  /** First segment of the path, percent-decoded: the application, or a developer key; `""` when there is none. */
  readonly app: string;
  /** The other segments, percent-decoded and joined by `/`; `""` when there are none. */
  readonly instance: string;
  /** What follows `?`, as given; `""` when there is none. */
  readonly query: string;
}

/** An rtmfp URI, taken apart. */
export type RtmfpUri = ServerlessUri | ServerUri;

/** What is wrong with a URI, in one line. */
export class RtmfpUriError extends Error {
  override readonly name = "RtmfpUriError";
}

/** Takes an rtmfp URI apart. User information is refused; a fragment is left out. @throws RtmfpUriError */
export function parseRtmfpUri(uri: string): RtmfpUri {
  const scheme = /^rtmfp:/i.exec(uri);
  if (scheme === null) throw fault(uri, "it does not begin with rtmfp:");
  const rest = uri.slice(scheme[0].length);
  if (rest === "") return { kind: "serverless", uri };
  const parts = /^\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/.exec(rest);
  if (parts === null) throw fault(uri, 'after "rtmfp:" comes either nothing or //host');
  const [, authority = "", path = "", query = ""] = parts;
  const [app = "", ...others] = path
    .split("/")
    .slice(1)
    .map((segment) => percentDecode(uri, segment));
  return {
    kind: "server",
    uri,
    ...parseAuthority(uri, authority),
    app,
    instance: trimSlashes(others.join("/")),
    query,
  };
}

function parseAuthority(uri: string, authority: string): { host: string; port: number } {
  if (authority.includes("@")) throw fault(uri, "a user name has no place in it; remove what stands before the @");
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/.exec(authority);
  if (parts === null) throw fault(uri, "an IPv6 address needs brackets, as in rtmfp://[2001:db8::1]:1935/app");
  const [, host = "", port = ""] = parts;
  return { host: parseHost(uri, host), port: parsePort(uri, port) };
}

function parseHost(uri: string, text: string): string {
  if (text === "") throw fault(uri, "the host is missing");
  if (text.startsWith("[")) {
    const literal = text.slice(1, -1);
    const ipv6 = literal.includes("%") ? undefined : canonicalHost(literal, true);
    if (ipv6 === undefined) throw fault(uri, `${text} is not an IPv6 address`);
    // An IPv6 socket sends nothing to IPv4-mapped addresses; an IPv4 socket reaches whom they stand for.
    return MAPPED_IPV4.exec(ipv6)?.[1] ?? ipv6;
  }
  const name = percentDecode(uri, text);
  if (/^[0-9.]+$/.test(name)) {
    const ipv4 = canonicalHost(name, false);
    if (ipv4 === undefined) throw fault(uri, `${name} is not an IPv4 address`);
    return ipv4;
  }
  if (FORBIDDEN_IN_NAME.test(name)) throw fault(uri, `"${name}" is not a host name`);
  return name;
}

function parsePort(uri: string, text: string): number {
  if (text === "") return DEFAULT_PORT;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw fault(uri, `port ${text} is not a number from 1 to 65535`);
  return port;
}

function percentDecode(uri: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fault(uri, `"${text}" is not percent-encoded UTF-8`);
  }
}

function trimSlashes(text: string): string {
  return text.replace(/^\/+/, "").replace(/\/+$/, "");
}

function fault(uri: string, what: string): RtmfpUriError {
  const shown = what.replace(/\p{Cc}/gu, encodeURIComponent);
  return new RtmfpUriError(`${JSON.stringify(uri)} is not an rtmfp URI: ${shown}`);
}

/** UDP port when a URI names none (§6.1). */
export const DEFAULT_PORT = 1935;

/** The form that canonicalHost gives IPv4-mapped addresses (RFC 4291 §2.5.5.2). */
const MAPPED_IPV4 = /^::ffff:([0-9.]+)$/;
// Control characters, blanks and the delimiters of RFC 3986 §2.2 that no name resolver takes.
const FORBIDDEN_IN_NAME = /[\p{Cc}\s:/?#[\]@%\\<>"|^`{}]/u;
