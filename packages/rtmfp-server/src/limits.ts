/** What one application instance, and each of its clients, may have. */
import { RtmfpError } from "rtmfp-core";
import type { AuthKeys } from "./access.ts";

/** Limits of each instance of an application; a client beyond one gets a status that says so, and nobody else notices. */
export interface ApplicationLimits {
  /** Clients accepted at a time; beyond it `Connect.Rejected`. Default: any number. */
  readonly maxClients?: number;
  /** Streams published at a time; beyond it `Publish.Denied`. Default: any number. */
  readonly maxPublishers?: number;
  /** Streams played at a time, counted once for each client that plays one; beyond it `Play.Failed`. Default: any number. */
  readonly maxPlayers?: number;
  /** Streams that one client may have created at a time, at most 256; beyond it `createStream` fails. Default 256. */
  readonly maxStreams?: number;
  /**
   * Highest priority by which a client may publish, unless its token says otherwise: a publisher of higher priority takes
   * a name over. -Infinity lets nobody take a name over. Default 0.
   */
  readonly maxPriority?: number;
  /**
   * A client that has sent nothing for so long, and neither publishes nor plays, gets `Connect.IdleTimeout` and is closed;
   * ms, 0 is never. For clients that connect from then on. Default 0.
   */
  readonly idleTimeoutMs?: number;
}

/** What an application has of its own. */
export interface ApplicationOptions extends ApplicationLimits {
  /** Keys of its tokens, in the place of the server's; "off": it asks for no token. Default: the server's. */
  readonly authKeys?: AuthKeys | "off";
}

/** Limits with the defaults in place. */
export type SettledLimits = Required<ApplicationLimits>;

/** The limits with what `more` says put over them. Throws BAD_ARGUMENT, naming the limit, for a value it cannot have. */
export function settleLimits(more: ApplicationLimits, base: SettledLimits = DEFAULT_LIMITS): SettledLimits {
  const settled: Record<string, number> = { ...base };
  for (const [name, value] of Object.entries(more)) {
    if (value === undefined) continue;
    if (!(name in base)) throw new RtmfpError("BAD_ARGUMENT", `limits: there is no "${name}"`);
    const what = problemOf(name, value);
    if (what !== undefined) throw new RtmfpError("BAD_ARGUMENT", `limits: ${name} must be ${what}, got ${value}`);
    settled[name] = value as number;
  }
  return settled as unknown as SettledLimits;
}

function problemOf(name: string, value: unknown): string | undefined {
  if (typeof value !== "number" || Number.isNaN(value)) return "a number";
  if (name === "maxPriority") return undefined;
  if (name === "idleTimeoutMs") return value >= 0 && value <= MAX_IDLE_MS ? undefined : `from 0 to ${MAX_IDLE_MS} ms`;
  if (name === "maxStreams") return isCount(value) && value <= MAX_STREAMS ? undefined : `from 0 to ${MAX_STREAMS}`;
  return isCount(value) || value === Number.POSITIVE_INFINITY ? undefined : "an integer of 0 or more";
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Streams that one client may have at a time, whatever else is said. */
export const MAX_STREAMS = 256;
/** What a timer can wait for, 24 days. */
const MAX_IDLE_MS = 2 ** 31 - 1;
const DEFAULT_LIMITS: SettledLimits = {
  maxClients: Number.POSITIVE_INFINITY,
  maxPublishers: Number.POSITIVE_INFINITY,
  maxPlayers: Number.POSITIVE_INFINITY,
  maxStreams: MAX_STREAMS,
  maxPriority: 0,
  idleTimeoutMs: 0,
};
