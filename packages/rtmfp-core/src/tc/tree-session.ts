/**
 * What a tree of message flows needs of the sessions, flows and clock under it. `rtmfp-core`'s Session, SendFlow, RecvFlow
 * and WriteReceipt have these shapes; a test may bring its own.
 */
import type { Priority } from "../proto/priority.ts";

/** A session that carries trees. */
export interface TreeSession {
  readonly isOpen: boolean;
  /** Resolves when the session has ended. */
  readonly closed: Promise<unknown>;
  /** Set by MessageTrees: called for each flow that the far end opens. */
  onFlow: ((flow: never) => unknown) | undefined;
  openFlow(metadata: Uint8Array, options?: TreeFlowOptions & { answers?: TreeRecvFlow }): TreeSendFlow;
}

/** Options of a sending flow of a tree. */
export interface TreeFlowOptions {
  /** Default "routine"; "high" and above are time critical. */
  priority?: Priority;
}

/** A sending flow. */
export interface TreeSendFlow {
  readonly isOpen: boolean;
  readonly bufferedBytes: number;
  /** Resolves when the send buffer is at or below its low-water mark, or the flow has ended. */
  readonly ready: Promise<void>;
  /** Resolves when the flow has nothing left to deliver, was rejected, or its session ended. */
  readonly closed: Promise<void>;
  /** Set by the tree. */
  onException: ((code: number) => void) | undefined;
  /** Queues a message; `data` is kept until the receipt is decided. Throws FLOW_CLOSED and FLOW_BUFFER_FULL. */
  write(data: Uint8Array, options?: TreeWriteOptions): TreeReceipt;
  close(): Promise<void>;
}

/** Options of a write; ms from the write, default no limit. */
export interface TreeWriteOptions {
  startWithinMs?: number;
  finishWithinMs?: number;
}

/** What becomes of a message written. */
export interface TreeReceipt {
  /** Never rejects. */
  readonly done: Promise<"delivered" | "abandoned">;
  readonly state: "queued" | "delivered" | "abandoned";
  /** Absolute times in the endpoint's clock; Infinity is no limit. */
  startBy: number;
  finishBy: number;
  abandon(): void;
}

/** A receiving flow. */
export interface TreeRecvFlow {
  readonly metadata: Uint8Array;
  /** Our sending flow that this one answers, if any. */
  readonly answers: TreeSendFlow | undefined;
  /** Set by the tree. */
  onMessage: ((data: Uint8Array, missing: number) => void) | undefined;
  /** Set by the tree: everything has been read and nothing follows. */
  onEnd: (() => void) | undefined;
  accept(options: { order: "sequence" | "network" }): unknown;
  pause(): void;
  resume(): void;
  reject(code?: number): void;
}

/** Time and timers of whoever owns the trees. */
export interface TreeClock {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once after `ms`, unless the function returned is called before. */
  after(ms: number, run: () => void): () => void;
}
