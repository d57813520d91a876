/** Priorities of sending flows and messages. The upper four are time critical (RFC 7016 §3.5.2.1). */

/** From lowest to highest. */
export type Priority = "background" | "bulk" | "data" | "routine" | "high" | "immediate" | "flash" | "flashOverride";

/** Rank 0 (lowest) to 7. */
export function priorityRank(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

/** True for the upper four (RFC 7016 §3.5.2.1). */
export function isTimeCritical(priority: Priority): boolean {
  return priorityRank(priority) >= 4;
}

/** All priorities, lowest first. */
export const PRIORITIES: readonly Priority[] = [
  "background",
  "bulk",
  "data",
  "routine",
  "high",
  "immediate",
  "flash",
  "flashOverride",
];
