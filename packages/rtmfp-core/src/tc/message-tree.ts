/** One association tree of flows that carry RTMP messages (§5.1, §5.3, §5.4). § means RFC 7425. */
import { isGone, RtmfpError } from "../proto/errors.ts";
import { LeanMap } from "../proto/lean-map.ts";
import { AmfError } from "./amf.ts";
import { FlowSync } from "./flow-sync.ts";
import { decodeMessage, MessageType, type RtmpMessage } from "./message.ts";
import { encodeMetadata, type FlowMetadata, type ReceiveIntent } from "./metadata.ts";
import type { TreeClock, TreeFlowOptions, TreeRecvFlow, TreeSendFlow, TreeSession } from "./tree-session.ts";
import { decodeUserControl, encodeUserControl } from "./user-control.ts";

/**
 * How a tree ended: `closed` in good order by either end, `rejected` by the far end (§5.3.6, §5.4.3), with the `session`
 * under it, or `aborted` here.
 */
export type TreeEnd = "closed" | "rejected" | "session" | "aborted";

/**
 * Takes a message; `streamId` is that of the flow's metadata, `missing` counts fragments of the flow that were given up since
 * the message before. An AmfError that it throws is counted as `malformed`, FLOW_BUFFER_FULL as `unanswered`.
 */
export type TreeMessageHandler = (streamId: number, message: RtmpMessage, flow: TreeRecvFlow, missing: number) => void;

/** Counters of a tree. */
export interface TreeStats {
  /** Messages received, the others counted here included. */
  messages: number;
  /** Messages that are none (under 5 bytes), and protocol control messages (§5.1). */
  ignored: number;
  /** Messages whose content the handler could not read. */
  malformed: number;
  /** Messages whose answer the far end had no room for: it sends and does not receive. */
  unanswered: number;
  /** Barriers that opened by timeout. */
  syncTimeouts: number;
  /** Flow Synchronization messages that passed because their barrier was refused: more flows, or barriers, than may be. */
  syncsRefused: number;
}

/** What a tree needs of MessageTrees, which makes trees and finds the one that a flow belongs to. */
export interface TreeOwner {
  /** The session that carries the trees. */
  readonly session: TreeSession;
  /** Time for barriers and closing. */
  readonly clock: TreeClock;
  /** The tree has ended and may be forgotten. */
  ended(tree: MessageTree): void;
}

/**
 * A tree has one control flow at its root, opened by its initiator: stream 0 for a NetConnection, the stream's own ID for
 * a direct peer-to-peer stream. The four uses:
 *
 * | Who                 | Made by                         | Near control             | Far control                     |
 * |---------------------|---------------------------------|--------------------------|---------------------------------|
 * | client              | `trees.open(0)`                 | opened at once           | first return flow of stream 0   |
 * | server              | `trees.answer(flow)`            | opened on first use      | the flow                        |
 * | P2P subscriber      | `trees.open(id)`                | opened at once           | none: it opens no further flows |
 * | P2P publisher       | `trees.answer(flow)`            | opened on first use      | the flow                        |
 *
 * Set the callbacks, {@link onMessage} last: delivery begins with it.
 */
export class MessageTree {
  /** The stream of the control flow; 0 is a NetConnection. */
  readonly streamId: number;
  /** For the layer above: the callbacks are called as methods of the tree. */
  context: unknown = undefined;
  /** The session that carries it. */
  readonly session: TreeSession;
  /** Live counters; only the tree writes them. */
  readonly stats: TreeStats = {
    messages: 0,
    ignored: 0,
    malformed: 0,
    unanswered: 0,
    syncTimeouts: 0,
    syncsRefused: 0,
  };
  /** The client's return control flow has come, so that {@link openFlow} works. */
  onFarControl: (() => void) | undefined;
  /** The far end has begun an orderly close; {@link onEnd} follows when all its flows are read. */
  onClosing: (() => void) | undefined;
  /** The tree has ended; called once. */
  onEnd: ((end: TreeEnd) => void) | undefined;
  /** The far end rejected a flow other than the control flow; do not open another in its place (§5.3.5.3). */
  onRefused: ((streamId: number, flow: TreeSendFlow, code: number) => void) | undefined;
  readonly #owner: TreeOwner;
  // Most connections never have a barrier, a held or a refused stream, and servers have many connections.
  #sync: FlowSync<TreeRecvFlow> | undefined;
  readonly #receiving = new LeanMap<TreeRecvFlow, number>();
  readonly #sending = new LeanMap<TreeSendFlow, number>();
  #held: Set<number> | undefined;
  /** Fragments given up in front of messages that are not told, by flow. */
  #missing: Map<TreeRecvFlow, number> | undefined;
  #refusedStreams: Set<number> | undefined;
  #whenEnded: { readonly promise: Promise<TreeEnd>; readonly resolve: (end: TreeEnd) => void } | undefined;
  #onMessage: TreeMessageHandler | undefined;
  #control: TreeSendFlow | undefined;
  #farControl: TreeRecvFlow | undefined;
  #nextSyncId = 0;
  #cancelSyncTimer: (() => void) | undefined;
  #cancelCloseTimer: (() => void) | undefined;
  /** Set while the tree closes: what it will have ended as. */
  #closingAs: TreeEnd | undefined;
  #ended: TreeEnd | undefined;

  /** Called by MessageTrees. */
  constructor(owner: TreeOwner, streamId: number, farControl: TreeRecvFlow | undefined) {
    this.#owner = owner;
    this.session = owner.session;
    this.streamId = streamId;
    this.#farControl = farControl;
    if (farControl === undefined) this.#control = this.#open(streamId, "sequence", { priority: CONTROL_PRIORITY });
  }

  /** True for a direct peer-to-peer stream (§5.4), false for a NetConnection. */
  get isPeerStream(): boolean {
    return this.streamId !== 0;
  }

  /** How the tree ended; undefined while it has not. */
  get end(): TreeEnd | undefined {
    return this.#ended;
  }

  /** Resolves when the tree has ended. */
  get whenEnded(): Promise<TreeEnd> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    if (this.#whenEnded === undefined) {
      let resolve: (end: TreeEnd) => void = () => {};
      const promise = new Promise<TreeEnd>((settle) => {
        resolve = settle;
      });
      this.#whenEnded = { promise, resolve };
    }
    return this.#whenEnded.promise;
  }

  /**
   * The near control flow. On the answering side the first use opens it, as a return flow. That throws FLOW_CLOSED as
   * {@link openFlow} does.
   */
  get control(): TreeSendFlow {
    this.#control ??= this.openFlow(this.streamId, { priority: CONTROL_PRIORITY });
    return this.#control;
  }

  /** The canonical control flow of the far end, to which our further flows are associated (§5.3.2). */
  get farControl(): TreeRecvFlow | undefined {
    return this.#farControl;
  }

  /** Takes messages from now on, those that have waited included. Flow Synchronization messages are not told. */
  set onMessage(handler: TreeMessageHandler) {
    this.#onMessage = handler;
    for (const flow of [...this.#receiving.keys()]) this.#deliver(flow);
  }

  /**
   * Opens a sending flow for a stream, associated to the far control flow (§5.3.5). Throws FLOW_CLOSED when there is no
   * far control flow yet, the far end has rejected a flow of that stream, or the tree has ended.
   */
  openFlow(streamId: number, options: TreeFlowOptions & { receiveIntent?: ReceiveIntent } = {}): TreeSendFlow {
    if (this.#ended !== undefined || this.#closingAs !== undefined)
      throw new RtmfpError("FLOW_CLOSED", "the connection is closed");
    if (this.#farControl === undefined)
      throw new RtmfpError("FLOW_CLOSED", "the far end has no control flow to answer: wait for its reply");
    if (this.isRefused(streamId))
      throw new RtmfpError("FLOW_CLOSED", `the far end refuses flows of stream ${streamId}`);
    const { receiveIntent, ...rest } = options;
    return this.#open(streamId, receiveIntent ?? "sequence", rest);
  }

  /** True once the far end has rejected a flow of that stream. */
  isRefused(streamId: number): boolean {
    return this.#refusedStreams?.has(streamId) === true;
  }

  /** Forgets that a stream was refused: its ID stands for another stream now. */
  clearRefused(streamId: number): void {
    this.#refusedStreams?.delete(streamId);
  }

  /** Writes one barrier to all of `flows`: nothing after it overtakes what is before it (§5.2). Less than two need none. */
  sync(flows: readonly TreeSendFlow[]): void {
    const open = flows.filter((flow) => flow.isOpen);
    if (open.length < 2) return;
    const message = encodeUserControl({ event: "flowSync", syncId: this.#nextSyncId, count: open.length });
    this.#nextSyncId = (this.#nextSyncId + 1) >>> 0;
    for (const flow of open) flow.write(message);
  }

  /** Stops delivery of a stream's messages, or lets it go on. Its senders are held back when the flows' buffers fill. */
  hold(streamId: number, held: boolean): void {
    if (held) {
      this.#held ??= new Set();
      this.#held.add(streamId);
    } else this.#held?.delete(streamId);
    for (const [flow, id] of [...this.#receiving.entries()]) if (id === streamId) this.#setPaused(flow, id);
  }

  /** Rejects all receiving flows of a stream, control flows aside (§5.3.5.3). */
  rejectStream(streamId: number): void {
    for (const [flow, id] of [...this.#receiving.entries()])
      if (id === streamId && flow !== this.#farControl) flow.reject(0);
  }

  /**
   * Ends the tree in good order (§5.3.6, §5.4.3); resolves when it has ended. A connection closes its sending flows and
   * waits for the far end to close its own, no longer than 10 s without a message. A publisher closes its flows and, when all is delivered, rejects
   * the subscriber's control flow. A subscriber closes its control flow and refuses the rest.
   */
  close(): Promise<TreeEnd> {
    if (this.#ended !== undefined || this.#closingAs !== undefined) return this.whenEnded;
    this.#closingAs = "closed";
    const delivered = this.#closeSending();
    if (!this.isPeerStream) {
      this.#watchClose();
      this.#checkDrained();
    } else if (this.#farControl === undefined) this.#finish("closed");
    else void delivered.then(() => this.#finish("closed"));
    return this.whenEnded;
  }

  /** Ends the tree at once: rejects every receiving flow, closes every sending flow (§5.3.6). */
  abort(): void {
    this.#finish("aborted");
  }

  /** Whether flows that answer `flow` belong to the tree. Called by MessageTrees. */
  owns(flow: TreeSendFlow): boolean {
    return this.#sending.has(flow);
  }

  /** A flow that answers one of ours. Called by MessageTrees. */
  accept(flow: TreeRecvFlow, metadata: FlowMetadata): void {
    if (this.#ended !== undefined) {
      flow.reject(0);
      return;
    }
    const isCanonical = this.#farControl === undefined && !this.isPeerStream && metadata.streamId === 0;
    if (isCanonical) this.#farControl = flow;
    this.#adopt(flow, metadata);
    if (isCanonical) this.onFarControl?.();
    if (this.#onMessage !== undefined) this.#deliver(flow);
  }

  /** The control flow that the tree answers. Called by MessageTrees. */
  adoptControl(flow: TreeRecvFlow, metadata: FlowMetadata): void {
    this.#adopt(flow, metadata);
  }

  /** The session under the tree is gone; what a held stream has received can still be read. Called by MessageTrees. */
  sessionEnded(): void {
    if (this.#held === undefined || this.#held.size === 0) {
      this.#finish("session");
      return;
    }
    this.#closingAs ??= "session";
    this.#watchClose();
    this.#checkDrained();
  }

  #open(streamId: number, intent: ReceiveIntent, options: TreeFlowOptions): TreeSendFlow {
    const answers = this.#farControl;
    const flow = this.session.openFlow(
      encodeMetadata(streamId, intent),
      answers === undefined ? options : { ...options, answers },
    );
    this.#sending.set(flow, streamId);
    flow.context = this;
    flow.onException = MessageTree.#tellException;
    flow.onClosed = MessageTree.#tellClosed;
    return flow;
  }

  #adopt(flow: TreeRecvFlow, { streamId, receiveIntent }: FlowMetadata): void {
    this.#receiving.set(flow, streamId);
    flow.accept({ order: receiveIntent });
    flow.context = this;
    flow.onEnd = MessageTree.#tellEnd;
    this.#setPaused(flow, streamId);
  }

  #deliver(flow: TreeRecvFlow): void {
    flow.onMessage ??= MessageTree.#tellData;
  }

  #onData(flow: TreeRecvFlow, data: Uint8Array, missing: number): void {
    const streamId = this.#receiving.get(flow);
    if (streamId === undefined) return;
    this.stats.messages++;
    const message = decodeMessage(data);
    if (message === undefined) {
      this.stats.ignored++;
      this.#keepMissing(flow, missing);
      return;
    }
    if (message.type === MessageType.userControl) {
      const control = decodeUserControl(message.payload);
      if (control?.event === "flowSync") {
        this.#keepMissing(flow, missing);
        this.#onSync(flow, streamId, control.syncId, control.count);
        return;
      }
    }
    const missingBefore = missing + (this.#missing?.get(flow) ?? 0);
    this.#missing?.delete(flow);
    try {
      this.#onMessage?.(streamId, message, flow, missingBefore);
    } catch (error) {
      if (error instanceof AmfError) this.stats.malformed++;
      else if (error instanceof RtmfpError && error.code === "FLOW_BUFFER_FULL") this.stats.unanswered++;
      else if (!isGone(error)) throw error;
    }
  }

  #keepMissing(flow: TreeRecvFlow, missing: number): void {
    if (missing === 0) return;
    this.#missing ??= new Map();
    this.#missing.set(flow, missing + (this.#missing.get(flow) ?? 0));
  }

  #onSync(flow: TreeRecvFlow, streamId: number, syncId: number, count: number): void {
    this.#sync ??= new FlowSync();
    const released = this.#sync.arrive(flow, syncId, count, this.#owner.clock.now());
    this.stats.syncsRefused = this.#sync.refused;
    this.#setPaused(flow, streamId);
    this.#release(released);
    this.#setSyncTimer();
  }

  #release(flows: readonly TreeRecvFlow[]): void {
    for (const flow of flows) {
      const streamId = this.#receiving.get(flow);
      if (streamId !== undefined) this.#setPaused(flow, streamId);
    }
  }

  #setPaused(flow: TreeRecvFlow, streamId: number): void {
    const isHeld = this.#sync?.isSuspended(flow) === true || this.#held?.has(streamId) === true;
    if (isHeld) flow.pause();
    else flow.resume();
  }

  #setSyncTimer(): void {
    this.#cancelSyncTimer?.();
    this.#cancelSyncTimer = undefined;
    const { clock } = this.#owner;
    const sync = this.#sync;
    const at = sync?.pollTimeout();
    if (sync === undefined || at === undefined || this.#ended !== undefined) return;
    this.#cancelSyncTimer = clock.after(Math.max(0, at - clock.now()), () => {
      const released = sync.handleTimeout(clock.now());
      this.stats.syncTimeouts = sync.timeouts;
      this.#release(released);
      this.#setSyncTimer();
    });
  }

  #onFlowEnd(flow: TreeRecvFlow): void {
    if (!this.#receiving.delete(flow)) return;
    this.#missing?.delete(flow);
    this.#release(this.#sync?.leave(flow) ?? []);
    if (this.#ended !== undefined) return;
    if (!this.session.isOpen) this.sessionEnded();
    else if (flow === this.#farControl) this.#onFarClose();
    this.#checkDrained();
  }

  /** The far end closed its control flow: we close ours (§5.3.6), or stop publishing to it (§5.4.3). */
  #onFarClose(): void {
    if (this.isPeerStream) {
      this.#finish("closed");
      return;
    }
    this.#closingAs ??= "closed";
    this.onClosing?.();
    void this.#closeSending();
    this.#watchClose();
  }

  #onException(flow: TreeSendFlow, code: number): void {
    const streamId = this.#sending.get(flow);
    this.#sending.delete(flow);
    if (this.#ended !== undefined || streamId === undefined) return;
    const isRoot = flow === this.#control && !(this.isPeerStream && this.#farControl !== undefined);
    if (!isRoot) {
      this.#refusedStreams ??= new Set();
      this.#refusedStreams.add(streamId);
      this.onRefused?.(streamId, flow, code);
    } else if (this.isPeerStream && this.#closingAs === undefined) {
      // The publisher ends the stream after its last message, which may still wait to be read here.
      this.#closingAs = "rejected";
      this.onClosing?.();
      this.#watchClose();
      this.#checkDrained();
    } else this.#finish("rejected");
  }

  /** Closes the control flow last: with it the far end closes the flow that ours answer, and refuses new ones. */
  async #closeSending(): Promise<void> {
    const others = [...this.#sending.keys()].filter((flow) => flow !== this.#control);
    await Promise.all(others.map((flow) => flow.close()));
    await this.#control?.close();
  }

  /** A closing tree has ended when every receiving flow has been read to its end. */
  #checkDrained(): void {
    if (this.#closingAs === undefined || this.#receiving.size > 0) return;
    const isPublisher = this.isPeerStream && this.#farControl !== undefined;
    if (!isPublisher) this.#finish(this.#closingAs);
  }

  /** Ends a close that makes no progress. */
  #watchClose(): void {
    const seen = this.stats.messages;
    this.#cancelCloseTimer?.();
    this.#cancelCloseTimer = this.#owner.clock.after(CLOSE_TIMEOUT_MS, () => {
      if (this.stats.messages > seen) this.#watchClose();
      else this.#finish(this.#closingAs ?? "closed");
    });
  }

  #finish(end: TreeEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    this.#cancelSyncTimer?.();
    this.#cancelCloseTimer?.();
    // What has come before the end of the session is still told.
    if (end !== "session") {
      const receiving = [...this.#receiving.keys()];
      this.#receiving.clear();
      for (const flow of receiving) flow.reject(0);
    }
    for (const flow of this.#sending.keys()) void flow.close();
    this.#owner.ended(this);
    this.onEnd?.(end);
    this.#whenEnded?.resolve(end);
  }

  // What flows call, as their methods: functions of their own would be a third of what an idle connection's tree takes.

  static readonly #tellData = function (this: TreeRecvFlow, data: Uint8Array, missing: number): void {
    (this.context as MessageTree).#onData(this, data, missing);
  };

  static readonly #tellEnd = function (this: TreeRecvFlow): void {
    (this.context as MessageTree).#onFlowEnd(this);
  };

  static readonly #tellException = function (this: TreeSendFlow, code: number): void {
    (this.context as MessageTree).#onException(this, code);
  };

  static readonly #tellClosed = function (this: TreeSendFlow): void {
    (this.context as MessageTree).#sending.delete(this);
  };
}

/** Commands go ahead of the media of their session. */
const CONTROL_PRIORITY = "immediate";
/** A close that makes no progress for so long is cut short; ms. */
const CLOSE_TIMEOUT_MS = 10_000;
