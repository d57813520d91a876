/** What an endpoint tells the layer above, through pollEvent. § means RFC 7016. */
import type { Address } from "./address.ts";
import type { PublicKeyJob } from "./crypto-profile.ts";
import type { RecvFlow } from "./recv-flow.ts";
import type { SendFlow } from "./send-flow.ts";
import type { Session } from "./session.ts";

/**
 * One event, about a `session` or one `flow` of it. Objects in it stay valid. Bytes are owned by the receiver of the
 * event; those of an introduction are shared until it is decided, and not to be modified.
 */
export type EndpointEvent =
  /** Public-key work (`job`) to run; answer with `completeJob(id, result)`, `id` being this one. */
  | { readonly type: "job"; readonly id: number; readonly job: PublicKeyJob }
  /**
   * An IHello that selects nothing here, with its `epd` and `tag`, by socket `via` `from` the initiator; answer to its
   * `id` within 5 s with `redirect`, `forward`, both, or `ignore`.
   */
  | {
      readonly type: "introduction";
      readonly id: number;
      readonly epd: Uint8Array;
      readonly tag: Uint8Array;
      readonly from: Address;
      readonly via: number;
    }
  /** A far end opened a session to us. */
  | { readonly type: "incoming"; readonly session: Session }
  /** A session we opened reached S_OPEN. */
  | { readonly type: "open"; readonly session: Session }
  /** A session we were opening gave way to another one (`by`) with the same peer: by glare, or as a duplicate. */
  | { readonly type: "superseded"; readonly session: Session; readonly by: Session }
  /** A session ended, or never opened, for `reason`. */
  | { readonly type: "closed"; readonly session: Session; readonly reason: CloseReason }
  /** The far end moved to a new address (§3.5.4.2): `from` is the one before. */
  | { readonly type: "moved"; readonly session: Session; readonly from: Address }
  /** The far end opened a flow; accept or reject it. */
  | { readonly type: "flow"; readonly session: Session; readonly flow: RecvFlow }
  /** `flow.read()` has something; told again only after it has run empty. */
  | { readonly type: "readable"; readonly flow: RecvFlow }
  /** Everything of the flow has been read and nothing follows. */
  | { readonly type: "finished"; readonly flow: RecvFlow }
  /** The send buffer fell below its low-water mark. */
  | { readonly type: "writable"; readonly flow: SendFlow }
  /** The far end rejected the flow (§3.6.2.10) with its application's `code`. */
  | { readonly type: "exception"; readonly flow: SendFlow; readonly code: number }
  /** A closed flow has nothing left to deliver (§3.6.2.11). */
  | { readonly type: "complete"; readonly flow: SendFlow }
  /** Every Ping Reply but those of mobility probes: `message` is the Ping's. */
  | { readonly type: "pong"; readonly session: Session; readonly message: Uint8Array };

/**
 * Why a session ended: by us, by the far end, by silence, replaced by a newer one, out of sequence numbers, for abuse by
 * the far end; or why it never opened.
 */
export type CloseReason =
  | "near"
  | "far"
  | "timeout"
  | "overridden"
  | "exhausted"
  | "abusive"
  | "no-answer"
  | "aborted"
  | "unacceptable";
