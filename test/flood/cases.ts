/** The cases: which counter must name each flood, and where the rate or the time to settle is not the usual one. */

/** What is told of a flood. */
export interface FloodCase {
  /** Counters of endpoint or sessions; each must rise. */
  readonly counters: readonly string[];
  /** From within sessions: ended again and again, kept because none can be ended, or left after the first word. */
  readonly sessions?: "reopened" | "kept" | "left";
  /** What is under attack, where it is not a bare endpoint: rtmfp-server, while a NetConnection transfers. */
  readonly target?: "rtmfp-server";
  /** Datagrams per second, where it is not the command's. */
  readonly rate?: number;
  /** How long what the flood opened lives on by right, ms. */
  readonly settleMs?: number;
}

/** Names of the cases. */
export type CaseName = keyof typeof CASES;

/** Sessions whose initiators are gone end by keepalive; their handshakes are remembered as long as cookies live. */
const HANDSHAKES = { rate: 500, settleMs: 150_000 };

/** See {@link FloodCase}. */
export const CASES = {
  hellos: { counters: ["ihellos", "rateLimited"] },
  introductions: { counters: ["introductions", "rateLimited"] },
  "forged-cookies": { counters: ["badCookie", "rateLimited"] },
  "good-cookies": { counters: ["sessionsOpened", "unheardRefused"], ...HANDSHAKES },
  "one-ping": { counters: ["sessionsOpened", "rateLimited"], sessions: "left", ...HANDSHAKES },
  "replayed-keyings": { counters: ["repeatedKeyings", "rateLimited"] },
  "unknown-sessions": { counters: ["unknownSession"] },
  "startup-fragments": { counters: ["reassembliesDropped", "rateLimited"] },
  flows: { counters: ["flowsRefused", "sessionsAbused"], sessions: "reopened" },
  "endless-message": { counters: ["beyondWindow", "sessionsAbused"], sessions: "reopened" },
  gaps: { counters: ["beyondWindow", "sessionsAbused"], sessions: "reopened" },
  "beyond-window": { counters: ["beyondWindow", "sessionsAbused"], sessions: "reopened" },
  pings: { counters: ["pingsRefused", "sessionsAbused"], sessions: "reopened" },
  "forwarded-hellos": { counters: ["forwardedHellosRefused", "sessionsAbused"], sessions: "reopened" },
  "patient-flows": { counters: ["flowsRefused", "leftUnread"], sessions: "kept" },
  "patient-endless-message": { counters: ["beyondWindow", "leftUnread"], sessions: "kept" },
  "patient-gaps": { counters: ["beyondBudget"], sessions: "kept" },
  "patient-beyond-window": { counters: ["beyondWindow", "leftUnread"], sessions: "kept" },
  "patient-pings": { counters: ["pingsRefused", "leftUnread"], sessions: "kept" },
  "patient-forwarded-hellos": { counters: ["forwardedHellosRefused", "leftUnread"], sessions: "kept" },
  "unnumbered-flows": { counters: ["flowsRefused"], sessions: "kept" },
  "unnumbered-endless-message": { counters: ["beyondWindow"], sessions: "kept" },
  "unnumbered-gaps": { counters: ["beyondWindow"], sessions: "kept" },
  "unnumbered-beyond-window": { counters: ["beyondWindow"], sessions: "kept" },
  "unnumbered-pings": { counters: ["pingsRefused"], sessions: "kept" },
  "unnumbered-forwarded-hellos": { counters: ["forwardedHellosRefused"], sessions: "kept" },
  "server-hellos": { counters: ["ihellos", "rateLimited"], target: "rtmfp-server" },
  "server-introductions": { counters: ["introductions", "rateLimited"], target: "rtmfp-server" },
  "server-flows": { counters: ["sessionsAbused"], sessions: "reopened", target: "rtmfp-server" },
} as const satisfies Readonly<Record<string, FloodCase>>;
