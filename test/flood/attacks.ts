/** Every flood by name. */
import type { Address } from "rtmfp-core";
import type { CaseName } from "./cases.ts";
import * as session from "./session-attacks.ts";
import * as startup from "./startup-attacks.ts";

/** A flood, ready to run. */
export interface Attack {
  /** Sends one more datagram. */
  send(): void;
  end(): unknown;
}

/** Names of floods. */
export type AttackName = CaseName;

/** Each prepares itself against an address: sockets, sealed packets, a session if it needs one. */
export const attacks: Readonly<Record<AttackName, (target: Address) => Promise<Attack>>> = {
  hellos: startup.hellos,
  introductions: startup.introductions,
  "forged-cookies": startup.forgedCookies,
  "good-cookies": startup.goodCookies,
  "replayed-keyings": startup.replayedKeyings,
  "unknown-sessions": startup.unknownSessions,
  "startup-fragments": startup.startupFragments,
  flows: session.flows,
  "endless-message": session.endlessMessage,
  gaps: session.gaps,
  "beyond-window": session.beyondWindow,
  pings: session.pings,
  "forwarded-hellos": session.forwardedHellos,
};
