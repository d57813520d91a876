/** What a user's name grants, as tcserver reads it: `67890;name=mike;pri=5`, made unforgeable by the user's token. */

/** A user whom a token has let in. */
export interface User {
  /** The whole text that the token is for. */
  readonly text: string;
  /** `name`: how others see it, as publisher and as sender of relayed messages. Default `""`. */
  readonly publisherName: string;
  /** `pri`: the highest priority to publish by. Default: the application's. */
  readonly maxPriority: number | undefined;
  /** `xcl`: one connection at a time; a newer one ends the older. */
  readonly isExclusive: boolean;
  /** `pub`: streams that it may publish at a time. Default: any number. */
  readonly maxPublishers: number;
  /** `nbf` and `use_by`: it may connect from then on, and no later than that; ms since 1970. */
  readonly connectFrom: number;
  /** See {@link connectFrom}; ms since 1970. */
  readonly connectUntil: number;
  /** `exp`: the connection ends then; ms since 1970. */
  readonly expiresAt: number;
  /** `exi`: the connection ends after so long; ms. */
  readonly expiresInMs: number;
}

/** Reads a user's name. Settings that are not known are skipped; one that is no number grants nothing. */
export function parseUser(text: string): User {
  const settings = new Map<string, string>();
  for (const part of text.split(";")) {
    const [name = "", ...value] = part.split("=");
    settings.set(name, value.join("="));
  }
  const number = (name: string, absent: number, bad: number): number => {
    const value = settings.get(name);
    if (value === undefined) return absent;
    const parsed = value.trim() === "" ? Number.NaN : Number(value);
    return Number.isNaN(parsed) ? bad : parsed;
  };
  const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
  return {
    text,
    publisherName: settings.get("name") ?? "",
    maxPriority: settings.has("pri") ? number("pri", 0, NEGATIVE_INFINITY) : undefined,
    isExclusive: settings.has("xcl"),
    maxPublishers: number("pub", POSITIVE_INFINITY, 0),
    connectFrom: 1_000 * number("nbf", NEGATIVE_INFINITY, POSITIVE_INFINITY),
    connectUntil: 1_000 * Math.min(number("use_by", POSITIVE_INFINITY, 0), number("exp", POSITIVE_INFINITY, 0)),
    expiresAt: 1_000 * number("exp", POSITIVE_INFINITY, 0),
    expiresInMs: 1_000 * number("exi", POSITIVE_INFINITY, 0),
  };
}
