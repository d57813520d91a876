/** The cases: which counter must name each flood, and where the rate or the time to settle is not the usual one. */

/** What is told of a flood. */
export interface FloodCase {
  /** Counters of endpoint or sessions; each must rise. */
  readonly counters: readonly string[];
  /** Datagrams per second, where it is not the command's. */
  readonly rate?: number;
  /** How long what the flood opened lives on by right, ms. */
  readonly settleMs?: number;
}

/** Names of the cases. */
export type CaseName = keyof typeof CASES;

/** See {@link FloodCase}. */
export const CASES = {
  hellos: { counters: ["ihellos", "rateLimited"] },
  introductions: { counters: ["introductions", "rateLimited"] },
  "forged-cookies": { counters: ["badCookie", "rateLimited"] },
  // Sessions without a word from their initiators end by keepalive; their handshakes are remembered as long as cookies live.
  "good-cookies": { counters: ["sessionsOpened", "unheardRefused"], rate: 500, settleMs: 150_000 },
  "replayed-keyings": { counters: ["repeatedKeyings", "rateLimited"] },
  "unknown-sessions": { counters: ["unknownSession"] },
  "startup-fragments": { counters: ["reassembliesDropped", "rateLimited"] },
  flows: { counters: ["flowsRefused", "sessionsAbused"] },
  "endless-message": { counters: ["beyondWindow", "sessionsAbused"] },
  gaps: { counters: ["beyondWindow", "sessionsAbused"] },
  "beyond-window": { counters: ["beyondWindow", "sessionsAbused"] },
  pings: { counters: ["pingsRefused", "sessionsAbused"] },
  "forwarded-hellos": { counters: ["forwardedHellosRefused", "sessionsAbused"] },
} as const satisfies Readonly<Record<string, FloodCase>>;
