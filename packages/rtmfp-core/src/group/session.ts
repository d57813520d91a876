/**
 * What a group needs of the sessions, flows and clock under it. `rtmfp-core`'s Session, SendFlow, RecvFlow and WriteReceipt
 * have these shapes; a test may bring its own.
 */
import type { Address } from "../proto/address.ts";
import type { Priority } from "../proto/priority.ts";

/** A session with another peer; groups share it with each other and with streams. */
export interface GroupSession {
  /** False once the session has ended or is closing. */
  readonly isOpen: boolean;
  /** Whether we opened it; who did speaks first. Left out, we did. */
  readonly isInitiator?: boolean;
  /** The far end's identity: 64 lower-case hex digits. */
  readonly peerId: string;
  /** Where the far end is now. */
  readonly address: Address;
  /** Session-unique secrets, mirrored at the far end (RFC 7425 §4.6.5). Owned by the session; do not modify. */
  readonly nearNonce: Uint8Array;
  /** The far end's counterpart. Owned by the session; do not modify. */
  readonly farNonce: Uint8Array;
  /** Idle time before a keepalive Ping, ms; a group lowers it. Left out where nobody pings. */
  keepaliveMs?: number;
  /** Smoothed round trip, ms; undefined before the first sample. */
  readonly srtt: number | undefined;
  /** Opens a sending flow, by default one that answers none. `metadata` is kept. Throws SESSION_CLOSED, FLOW_CLOSED. */
  openFlow(metadata: Uint8Array, options?: GroupFlowOptions): GroupSendFlow;
}

/** Options of a sending flow. */
export interface GroupFlowOptions {
  /** Default "routine"; "high" and above are time critical. */
  priority?: Priority;
  /** The far end's flow that this one is associated with. Default: none. */
  answers?: GroupRecvFlow;
}

/** A sending flow. */
export interface GroupSendFlow {
  /** Set by the group: whom the flow belongs to. */
  context?: unknown;
  /** True while messages may be written. */
  readonly isOpen: boolean;
  /** Bytes written and neither delivered nor abandoned. */
  readonly bufferedBytes: number;
  /** Bytes delivered, in all. */
  readonly deliveredBytes: number;
  /** Called as a method when the far end rejects the flow, with its code. */
  onException: ((code: number) => void) | undefined;
  /** Called once, as a method, when nothing is left to deliver, the flow was rejected, or its session ended. */
  onClosed: (() => void) | undefined;
  /** Queues a message; `data` is kept, not copied, until its fate is decided. Throws FLOW_CLOSED and FLOW_BUFFER_FULL. */
  write(data: Uint8Array, options?: GroupWriteOptions): unknown;
  /** No further messages. */
  close(): unknown;
}

/** Options of a write; ms from the write, default no limit. */
export interface GroupWriteOptions {
  /** Abandon the message unless its transmission has begun within this time. Default: no limit. */
  startWithinMs?: number;
  /** Abandon the message unless it is delivered within this time. Default: no limit. */
  finishWithinMs?: number;
}

/** A receiving flow. */
export interface GroupRecvFlow {
  /** Set by the group: whom the flow belongs to. */
  context?: unknown;
  /** What the sender says the flow is for. Owned by the flow; do not modify. */
  readonly metadata: Uint8Array;
  /** Our sending flow that this one answers, if any. */
  readonly answers: GroupSendFlow | undefined;
  /** Takes the flow; the handler owns `data`. `missing` counts fragments given up before it. Called as a method. */
  onMessage: ((data: Uint8Array, missing: number) => void) | undefined;
  /** Called once, as a method, when everything has been read and nothing follows, or the session ended. */
  onEnd: (() => void) | undefined;
  /** Takes the flow and chooses the order of its messages: as sent, or as they arrive. */
  accept(options: { order: "sequence" | "network" }): unknown;
  /** Refuses the flow, by default with code 0. */
  reject(code?: number): void;
}

/** Time and timers. */
export interface GroupClock {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once after `ms`, unless the function returned is called before. */
  after(ms: number, run: () => void): () => void;
}
