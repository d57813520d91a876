/** Every flood by name. */
import type { Address } from "rtmfp-core";
import type { CaseName } from "./cases.ts";
import * as session from "./session-attacks.ts";
import * as startup from "./startup-attacks.ts";

/** A flood, ready to run. */
export interface Attack {
  /** Sends one more datagram, or begins what ends with one. */
  send(): void;
  /** What has gone out, where that is not one datagram per call of `send`. */
  sent?(): number;
  /** Sessions that it has opened so far, if it works from within. */
  sessions?(): number;
  end(): unknown;
}

/** Names of floods. */
export type AttackName = CaseName;

/** Prepares a flood of so many datagrams a second against an address: sockets, sealed packets, sessions if it needs any. */
type Prepare = (target: Address, rate: number) => Promise<Attack>;

/** See {@link Prepare}. */
export const attacks: Readonly<Record<AttackName, Prepare>> = {
  hellos: startup.hellos,
  introductions: startup.introductions,
  "forged-cookies": startup.forgedCookies,
  "good-cookies": startup.goodCookies,
  "one-ping": startup.onePing,
  "replayed-keyings": startup.replayedKeyings,
  "unknown-sessions": startup.unknownSessions,
  "startup-fragments": startup.startupFragments,
  flows: reopening(session.flows),
  "endless-message": reopening(session.endlessMessage),
  gaps: reopening(session.gaps),
  "beyond-window": reopening(session.beyondWindow),
  pings: reopening(session.pings),
  "forwarded-hellos": reopening(session.forwardedHellos),
  "patient-flows": patient(session.flows),
  "patient-endless-message": patient(session.endlessMessage),
  "patient-gaps": patient(session.gaps),
  "patient-beyond-window": patient(session.beyondWindow),
  "patient-pings": patient(session.pings),
  "patient-forwarded-hellos": patient(session.forwardedHellos),
  "unnumbered-flows": unnumbered(session.flows),
  "unnumbered-endless-message": unnumbered(session.endlessMessage),
  "unnumbered-gaps": unnumbered(session.gaps),
  "unnumbered-beyond-window": unnumbered(session.beyondWindow),
  "unnumbered-pings": unnumbered(session.pings),
  "unnumbered-forwarded-hellos": unnumbered(session.forwardedHellos),
  "server-hellos": startup.hellos,
  "server-introductions": startup.introductions,
  "server-flows": reopening(session.flows),
};

function reopening(abuse: session.Abuse): Prepare {
  return (target) => session.reopening(target, abuse);
}

function patient(abuse: session.Abuse): Prepare {
  return (target, rate) => session.patient(target, abuse, rate);
}

function unnumbered(abuse: session.Abuse): Prepare {
  return (target) => session.unnumbered(target, abuse);
}
