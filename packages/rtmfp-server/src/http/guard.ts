/** Who may use the HTTP side. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";

/**
 * With a token, whoever bears it. Without one the side is reached from this host alone, and then a web page must not use it
 * through the browser of whoever sits here: requests by another name than this host's, and changes that a page of another
 * origin asks for, are refused.
 */
export function guard(token: () => string | undefined): MiddlewareHandler {
  return async (c, next) => {
    const expected = token();
    if (expected !== undefined) {
      const given = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
      if (given === undefined || !isSame(given, expected)) {
        return c.json({ error: "a bearer token is needed" }, 401, {
          "www-authenticate": 'Bearer realm="rtmfp-server"',
        });
      }
    } else {
      const { host } = new URL(c.req.url);
      const origin = c.req.header("origin");
      if (!LOOPBACK_HOST.test(host)) return c.json({ error: `this is not ${host}; use 127.0.0.1` }, 403);
      if (origin !== undefined && origin !== `http://${host}`) {
        return c.json({ error: "pages of other origins may not use this" }, 403);
      }
    }
    await next();
    return undefined;
  };
}

/** Compares digests, so that neither contents nor length show in the time taken. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
