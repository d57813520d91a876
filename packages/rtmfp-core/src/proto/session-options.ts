/** What is said of sessions: states, and what may be chosen. § means RFC 7016. */
import type { RecvFlow } from "./recv-flow.ts";
import type { SendFlowOptions } from "./send-flow.ts";

/** States of a session (§3.5). */
export type SessionState =
  | "S_IHELLO_SENT"
  | "S_KEYING_SENT"
  | "S_OPEN"
  | "S_NEARCLOSE"
  | "S_FARCLOSE_LINGER"
  | "S_CLOSED"
  | "S_OPEN_FAILED";

/** How FIHellos that a session's far end sends are taken: not at all, answered by RHello, or by Implied Redirect. */
export type IntroductionMode = "ignore" | "rhello" | "redirect";

/** Options of Session.openFlow. */
export interface OpenFlowOptions extends SendFlowOptions {
  /** The receiving flow of this session that the new one answers (§2.3.11.1.2). Default: none. */
  answers?: RecvFlow;
}
