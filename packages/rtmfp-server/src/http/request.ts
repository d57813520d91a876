/** What routes read of a request, and say of one that cannot be served. */
import type { Context } from "hono";

/** A request that cannot be served: told as JSON with this status. */
export class HttpError extends Error {
  readonly status: 400 | 404 | 409;

  constructor(status: 400 | 404 | 409, message: string) {
    super(message);
    this.status = status;
  }
}

/** The one that the request names, by its ID of 64 hex digits or by as many of the first as the log shows. Throws HttpError. */
export function findById<T>(c: Context, what: string, items: readonly T[], idOf: (item: T) => string): T {
  const id = (c.req.param("id") ?? "").toLowerCase();
  if (!/^[0-9a-f]{8,64}$/.test(id)) throw new HttpError(400, `a ${what}'s id is 8 to 64 hex digits`);
  const [found, other] = items.filter((item) => idOf(item).startsWith(id));
  if (found === undefined) throw new HttpError(404, `there is no ${what} ${id} here`);
  if (other !== undefined) throw new HttpError(409, `more than one ${what}'s id begins with ${id}; give all 64 digits`);
  return found;
}

/** A part of a list, by `?limit=` and `?offset=`, with the number of all. */
export function page<T>(c: Context, items: readonly T[], describe: (item: T) => object): object {
  const limit = countIn(c, "limit", DEFAULT_LIMIT);
  if (limit > MAX_LIMIT) throw new HttpError(400, `limit is at most ${MAX_LIMIT}`);
  const offset = countIn(c, "offset", 0);
  return { total: items.length, items: items.slice(offset, offset + limit).map(describe) };
}

function countIn(c: Context, name: string, otherwise: number): number {
  const text = c.req.query(name);
  if (text === undefined) return otherwise;
  if (!/^[0-9]{1,9}$/.test(text)) throw new HttpError(400, `${name} is a whole number of 0 or more, got "${text}"`);
  return Number(text);
}

/** Rows of a list unless a request says otherwise, and at most. */
const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 10_000;
