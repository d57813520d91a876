/** Arguments of NetStream.play and play2, as Adobe has them. */
import { RtmfpError } from "rtmfp-core";

/** What {@link playArguments} takes for Adobe's `reset`: true, or 1, ends what is played before; false adds to it. */
export type Reset = boolean | number;

/** ActionScript's NetStreamPlayOptions: what `play2` takes. */
export interface NetStreamPlayOptions {
  /** Name of the stream to play, or to change to. */
  readonly streamName: string;
  /** Name of the stream that is played now. Default: that one; a NetStream plays one. */
  readonly oldStreamName?: string;
  /** Where to start; as in `play`. Default -2. */
  readonly start?: number;
  /** How long to play; as in `play`. Default -1. */
  readonly len?: number;
  /** Where in a recording to change over, s; live streams have no such place. Default -1. */
  readonly offset?: number;
  /**
   * "reset" (default), "switch" and "swap" play the new stream in place of the old one, "append" and "appendAndWait" have
   * the server add it to what is played, "stop" plays nothing, "resume" plays the stream anew.
   */
  readonly transition?: "append" | "appendAndWait" | "reset" | "resume" | "stop" | "swap" | "switch";
}

/** The arguments after the name, as many as were given; those in between have Adobe's defaults. Throws BAD_ARGUMENT. */
export function playArguments(
  start: number | undefined,
  len: number | undefined,
  reset: Reset | undefined,
): (number | boolean)[] {
  for (const [name, value] of Object.entries({ start, len })) {
    if (value !== undefined && !Number.isFinite(value))
      throw new RtmfpError("BAD_ARGUMENT", `play: expected ${name} in seconds, got ${String(value)}`);
  }
  if (reset !== undefined && typeof reset !== "boolean" && !Number.isFinite(reset))
    throw new RtmfpError("BAD_ARGUMENT", `play: expected true or false for reset, got ${String(reset)}`);
  const given = [start, len, reset];
  const count = given.findLastIndex((value) => value !== undefined) + 1;
  return DEFAULTS.map((value, i) => given[i] ?? value).slice(0, count);
}

/** Whether what play2 asks for is added to what is played. Throws BAD_ARGUMENT for a transition that Adobe does not have. */
export function resetOf(transition: NetStreamPlayOptions["transition"]): boolean {
  if (transition === undefined || REPLACES.has(transition)) return true;
  if (transition === "append" || transition === "appendAndWait") return false;
  throw new RtmfpError("BAD_ARGUMENT", `play2: "${String(transition)}" is no transition`);
}

/** Adobe's: live or else recorded, all of it, in place of what is played. */
const DEFAULTS: readonly (number | boolean)[] = [-2, -1, true];
const REPLACES: ReadonlySet<string> = new Set(["reset", "switch", "swap", "resume"]);
