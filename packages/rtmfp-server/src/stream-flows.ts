/** The flows that carry one stream to one client. § means RFC 7425. */
import { type Priority, RtmfpError } from "rtmfp-core";
import type { MessageTree, TreeReceipt, TreeSendFlow, TreeWriteOptions } from "rtmfp-core/tc";

/** Status events and data share a flow; audio and video have one each, so that the loss of one delays no other. */
export type FlowKind = "main" | "audio" | "video";

/**
 * Opens flows as they are needed. Messages of one kind keep their order. A message on the main flow is also in order with
 * all audio and video before and after it, by a barrier on either side (§5.2); audio and video are not bound to each other.
 */
export class StreamFlows {
  readonly #tree: MessageTree;
  readonly #streamId: number;
  readonly #onWritten: (bytes: number) => void;
  readonly #flows = new Map<FlowKind, TreeSendFlow>();
  /** The far end does not want the stream, or the connection is gone. */
  #refused = false;
  /** What was written since the last barrier. */
  #since: "nothing" | "main" | "media" = "nothing";

  /** `onWritten` is told of every message that was queued, with its bytes. */
  constructor(tree: MessageTree, streamId: number, onWritten: (bytes: number) => void) {
    this.#tree = tree;
    this.#streamId = streamId;
    this.#onWritten = onWritten;
  }

  /** False once the far end has rejected a flow of the stream, or the connection has ended. */
  get isWanted(): boolean {
    return !this.#refused;
  }

  /** Bytes written and not yet delivered. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const flow of this.#flows.values()) bytes += flow.bufferedBytes;
    return bytes;
  }

  /** Queues a message; undefined if the flow's buffer is full or nobody wants it. */
  write(kind: FlowKind, message: Uint8Array, options?: TreeWriteOptions): TreeReceipt | undefined {
    const nature = kind === "main" ? "main" : "media";
    try {
      const flow = this.#flows.get(kind) ?? this.#open(kind);
      if (this.#since !== "nothing" && this.#since !== nature) this.#tree.sync([...this.#flows.values()]);
      this.#since = nature;
      const receipt = flow.write(message, options);
      this.#onWritten(message.length);
      return receipt;
    } catch (error) {
      const code = error instanceof RtmfpError ? error.code : undefined;
      if (code === "FLOW_CLOSED" || code === "SESSION_CLOSED") this.#refused = true;
      else if (code !== "FLOW_BUFFER_FULL") throw error;
      return undefined;
    }
  }

  /** Lets what follows wait for everything so far, on all flows. */
  barrier(): void {
    if (!this.#refused) this.#tree.sync([...this.#flows.values()]);
  }

  /** Ends the flows after what has been written. */
  close(): void {
    for (const flow of this.#flows.values()) void flow.close();
    this.#flows.clear();
    this.#refused = true;
  }

  #open(kind: FlowKind): TreeSendFlow {
    const flow = this.#tree.openFlow(this.#streamId, { priority: PRIORITY[kind] });
    this.#flows.set(kind, flow);
    // What the other flows carry so far comes first.
    if (this.#flows.size > 1) this.#tree.sync([...this.#flows.values()]);
    return flow;
  }
}

const PRIORITY: Readonly<Record<FlowKind, Priority>> = { main: "immediate", audio: "immediate", video: "high" };
