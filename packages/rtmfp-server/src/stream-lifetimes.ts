/** How long media waits for a subscriber, as the name that it plays asks for, with tcserver's parameters. */
import type { MediaLifetimes } from "rtmfp-core/tc";

/**
 * `audioLifetime` (2.2), `videoLifetime` (2), `finishByMargin` (0.25), `expirePreviousGop` (off) and
 * `previousGopStartByMargin` (0.1): seconds, at most 10. What is no number leaves the default.
 */
export function lifetimesOf(parameters: ReadonlyMap<string, string>): MediaLifetimes {
  const ms = (name: string, otherwise: number): number => {
    const text = parameters.get(name)?.trim() ?? "";
    const seconds = text === "" ? Number.NaN : Number(text);
    return seconds >= 0 ? Math.min(seconds, MAX_SECONDS) * 1_000 : otherwise;
  };
  const expires = parameters.get("expirePreviousGop") ?? "no";
  return {
    audioMs: ms("audioLifetime", 2_200),
    videoMs: ms("videoLifetime", 2_000),
    dataMs: Number.POSITIVE_INFINITY,
    finishMarginMs: ms("finishByMargin", 250),
    previousGroupMs: OFF.has(expires) ? Number.POSITIVE_INFINITY : ms("previousGopStartByMargin", 100),
  };
}

/** Longest time that may be asked for. */
const MAX_SECONDS = 10;
const OFF: ReadonlySet<string> = new Set(["0", "no", "false"]);
