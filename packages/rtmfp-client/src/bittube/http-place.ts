/** Where to serve HTTP, and who may use it. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** An address to listen on. */
export interface HttpPlace {
  /** An IP address, without brackets. */
  readonly host: string;
  /** TCP port; 0 is any free one. */
  readonly port: number;
}

/** Whether only programs on this host reach it. */
export function isLoopback({ host }: HttpPlace): boolean {
  return host.startsWith("127.") || host === "::1";
}

/** As in URLs. */
export function formatPlace({ host, port }: HttpPlace): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Why a request is refused, as status and line; undefined if it may pass. With a token, whoever bears it in the header
 * `Authorization: Bearer` or, since players cannot, in the query `?token=`. Without one, who asks on this host, but no web page
 * through the browser of whoever sits here.
 */
export function refusal(request: IncomingMessage, token: string | undefined): readonly [number, string] | undefined {
  const { host = "", origin, authorization = "" } = request.headers;
  if (token === undefined) {
    if (!LOOPBACK_HOST.test(host)) return [403, `this is not ${host}; use 127.0.0.1`];
    return origin === undefined || origin === `http://${host}`
      ? undefined
      : [403, "pages of other origins may not use this"];
  }
  const borne = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  const given = borne ?? new URLSearchParams((request.url ?? "").replace(/^[^?]*/, "")).get("token");
  return given !== null && isSame(given, token) ? undefined : [401, "a token is needed: ...?token=TOKEN"];
}

/** Compares digests, so that neither contents nor length show in the time taken. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
