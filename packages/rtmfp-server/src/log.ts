/** What a server tells about its work: one entry per connect, introduction, publish, play and disconnect. */

/** From the gravest to the least. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
/** How much is logged, least first. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One line of the log. */
export interface LogEntry {
  /** How serious it is. */
  readonly level: LogLevel;
  /** A short stable name, such as "connect". */
  readonly event: string;
  /** Facts beside the name, in the order in which they read best. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** Takes entries; must not throw. */
export type Logger = (entry: LogEntry) => void;

/** The start of an identity, enough to tell one from another; "nobody" if there is none. */
export function shortId(id: string | undefined): string {
  return id === undefined || id === "" ? "nobody" : `${id.slice(0, 8)}…`;
}
