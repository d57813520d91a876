/** How an introduction ended, in a form for machines and in words. */
import type { IntroductionAnswer } from "./counters.ts";
import type { NatVerdict } from "./nat.ts";

/** How it ended. "forwarded" is all that is known where no client has told, and nobody asked again and again. */
export type IntroductionOutcome = "connected" | "refused" | "failed" | "forwarded";

/** Why it failed or was refused. */
export type IntroductionReason =
  | "target-gone"
  | "denied"
  | "rate"
  | "no-common-address"
  | "target-silent"
  | "symmetric-both"
  | "symmetric-and-filter"
  | "same-nat"
  | "no-udp"
  | "consent"
  | "limit";

/** An outcome with its reason. */
export type IntroductionEnding =
  | { readonly outcome: "connected" | "forwarded"; readonly reason?: undefined }
  | { readonly outcome: "refused" | "failed"; readonly reason: IntroductionReason };

/** One end of an introduction. */
export interface IntroductionEnd extends NatVerdict {
  /** Its identity, 64 hex digits; `""` for an asker without a session here. */
  readonly id: string;
  /** Where the server sees it, as `host:port`; undefined for a target that is not here. */
  readonly address: string | undefined;
}

/** One introduction that has ended. */
export interface IntroductionRow {
  /** When it was found out, ms since 1970. */
  readonly endedAt: number;
  /** From the first request until the ends were connected, or else until it was judged; ms. */
  readonly tookMs: number;
  /** How often the asker asked. */
  readonly requests: number;
  /** Who asked. */
  readonly asker: IntroductionEnd;
  /** Whom it asked for. */
  readonly target: IntroductionEnd;
  /** How it ended. */
  readonly outcome: IntroductionOutcome;
  /** Why it failed or was refused; undefined where it was not. */
  readonly reason: IntroductionReason | undefined;
  /** Outcome and reason in words. */
  readonly explanation: string;
  /** What to try next; undefined where there is nothing to try. */
  readonly next: string | undefined;
}

/** The reason behind each answer that is not an introduction. */
export const REASON_OF: Readonly<Record<Exclude<IntroductionAnswer, "introduced" | "redirected">, IntroductionReason>> =
  {
    unknown: "target-gone",
    denied: "denied",
    limited: "rate",
    unreachable: "no-common-address",
  };

/** An ending with its words. */
export function explain({
  outcome,
  reason,
}: IntroductionEnding): Pick<IntroductionRow, "outcome" | "reason" | "explanation" | "next"> {
  if (reason === undefined) return { outcome, reason, explanation: PLAIN[outcome as "connected"], next: undefined };
  const [explanation, next] = REASONS[reason];
  return { outcome, reason, explanation, next };
}

const PLAIN = {
  connected: "the two are connected, as one of them says",
  forwarded: "passed on to the target; whether the two met, neither has said",
} as const;

const REASONS: Readonly<Record<IntroductionReason, readonly [explanation: string, next: string]>> = {
  "target-gone": [
    "nobody with that peer ID is connected",
    "check the ID, and that its client is still connected: it changes with every connection",
  ],
  denied: [
    "onPeerLookup of an application refused it",
    "let both connect to the same application, or change its policy",
  ],
  rate: ["too many requests from that address, or for that target", "ask less often, or raise the introduction rates"],
  "no-common-address": [
    "neither end has an address that the other could use",
    "have both reach the server over the same IP version, and not over loopback",
  ],
  "target-silent": [
    "the target has not answered the server either",
    "look whether its program still runs and its network is up",
  ],
  "symmetric-both": [
    "both ends are behind symmetric NATs: neither can know the port that the other will take",
    "change one end's network, forward a UDP port to it, or publish through the server",
  ],
  "symmetric-and-filter": [
    "one end is behind a symmetric NAT, and the other's takes packets only from ports it has sent to",
    "forward a UDP port to either end, change one end's network, or publish through the server",
  ],
  "same-nat": [
    "both ends are behind one NAT, which does not turn packets back inside, and see no local address of each other's",
    "let both clients report their local addresses and the local network pass UDP between them",
  ],
  "no-udp": [
    "both ends talk to the server, but no packet of one reaches the other",
    "let both firewalls pass UDP to any port; run rtmfp-client check at both ends",
  ],
  consent: ["the target's onPeerConnect refused", "ask the other side to accept"],
  limit: [
    "one end has as many peers as its maxPeerConnections allows, 8 unless it is set",
    "raise maxPeerConnections, or close connections that are not needed",
  ],
};
