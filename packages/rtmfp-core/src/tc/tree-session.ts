/**
 * What a tree of message flows needs of the sessions, flows and clock under it. `rtmfp-core`'s Session, SendFlow, RecvFlow
 * and WriteReceipt have these shapes; a test may bring its own.
 */
import type { Priority } from "../proto/priority.ts";

/** A session that carries trees. */
export interface TreeSession {
  /** False once the session has ended or is closing. */
  readonly isOpen: boolean;
  /** Set by MessageTrees: itself. */
  context?: unknown;
  /** Set by MessageTrees: called, as a method, when the session has ended. */
  onEnded: (() => void) | undefined;
  /** Set by MessageTrees: called, as a method, for each flow that the far end opens. */
  onFlow: ((flow: never) => unknown) | undefined;
  /** Opens a sending flow, by default one that answers none. `metadata` is kept. Throws SESSION_CLOSED, FLOW_CLOSED. */
  openFlow(metadata: Uint8Array, options?: TreeFlowOptions & { answers?: TreeRecvFlow }): TreeSendFlow;
}

/** Options of a sending flow of a tree. */
export interface TreeFlowOptions {
  /** Default "routine"; "high" and above are time critical. */
  priority?: Priority;
}

/** A sending flow. */
export interface TreeSendFlow {
  /** True while messages may be written. */
  readonly isOpen: boolean;
  /** Bytes written and neither delivered nor abandoned. */
  readonly bufferedBytes: number;
  /** Bytes delivered, in all. */
  readonly deliveredBytes: number;
  /** Resolves when the send buffer is at or below its low-water mark, or the flow has ended. */
  readonly ready: Promise<void>;
  /** Resolves when the flow has nothing left to deliver, was rejected, or its session ended. */
  readonly closed: Promise<void>;
  /** Set by the tree: the tree. */
  context?: unknown;
  /** Set by the tree; called as a method. */
  onException: ((code: number) => void) | undefined;
  /** Set by the tree: called as a method when {@link closed} resolves. */
  onClosed: (() => void) | undefined;
  /** Queues a message; `data` is kept until the receipt is decided. Throws FLOW_CLOSED and FLOW_BUFFER_FULL. */
  write(data: Uint8Array, options?: TreeWriteOptions): TreeReceipt;
  /** No further messages; resolves as {@link closed} does. */
  close(): Promise<void>;
}

/** Options of a write; ms from the write, default no limit. */
export interface TreeWriteOptions {
  /** Abandon the message unless its transmission has begun within this time. Default: no limit. */
  startWithinMs?: number;
  /** Abandon the message unless it is delivered within this time. Default: no limit. */
  finishWithinMs?: number;
  /** Abandon the message when this earlier one, of the same session, is abandoned. Default: none. */
  parent?: TreeReceipt;
}

/** What becomes of a message written. */
export interface TreeReceipt {
  /** Never rejects. */
  readonly done: Promise<"delivered" | "abandoned">;
  /** Where the message stands now. */
  readonly state: "queued" | "delivered" | "abandoned";
  /** Abandoned unless its transmission has begun by then: ms of the endpoint's clock; Infinity is no limit. */
  startBy: number;
  /** Abandoned unless delivered by then: ms of the endpoint's clock; Infinity is no limit. */
  finishBy: number;
  /** Gives the message up. */
  abandon(): void;
}

/** A receiving flow. */
export interface TreeRecvFlow {
  /** What the sender says the flow is for. Owned by the flow; do not modify. */
  readonly metadata: Uint8Array;
  /** Our sending flow that this one answers, if any. */
  readonly answers: TreeSendFlow | undefined;
  /** Set by the tree: the tree. */
  context?: unknown;
  /** Set by the tree, which then owns `data`; `missing` counts fragments given up before it. Called as a method. */
  onMessage: ((data: Uint8Array, missing: number) => void) | undefined;
  /** Set by the tree: everything has been read and nothing follows. Called as a method. */
  onEnd: (() => void) | undefined;
  /** Takes the flow and chooses the order of its messages. */
  accept(options: { order: "sequence" | "network" }): unknown;
  /** No messages until {@link resume}; the sender is held back once the buffer is full. */
  pause(): void;
  /** Goes on with what has waited. */
  resume(): void;
  /** Refuses the flow, by default with code 0. */
  reject(code?: number): void;
}

/** Time and timers of whoever owns the trees. */
export interface TreeClock {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once after `ms`, unless the function returned is called before. */
  after(ms: number, run: () => void): () => void;
}
