/** The public form of a sending flow: promises around the core's. */
import { PRIORITIES, type Priority } from "../proto/priority.ts";
import type { SendFlow as ProtoSendFlow } from "../proto/send-flow.ts";
import { checkBytes, checkTime } from "./arguments.ts";
import { WriteReceipt } from "./write-handle.ts";

/** Options of {@link SendFlow.write}. Times count from the write, ms; default is no limit. */
export interface WriteOptions {
  /** Abandon the message unless its transmission has begun within this time. Default: no limit. */
  startWithinMs?: number;
  /** Abandon the message unless it is delivered within this time. Default: no limit. */
  finishWithinMs?: number;
  /** Abandon the message when this earlier one is abandoned (§3.6.2.7). Default: none. */
  parent?: WriteReceipt;
}

/** Sends messages one way. Made by Session.openFlow and RecvFlow.openReturn. */
export class SendFlow {
  /** For the layer above. */
  context: unknown = undefined;
  /** Called when the far end rejects the flow, with its code; the flow is closed by then, and `this`. */
  onException: ((code: number) => void) | undefined;
  /** Called once, when {@link closed} resolves: for those who have many flows. `this` is the flow. */
  onClosed: (() => void) | undefined;
  /** The core's flow. */
  readonly inner: ProtoSendFlow;
  readonly #now: () => number;
  #ready: { promise: Promise<void>; resolve: () => void } | undefined;
  /** Made when somebody asks for it. */
  #closed: { promise: Promise<void>; resolve: () => void } | undefined;
  #hasEnded = false;

  /** Made by Session.openFlow; `now` is the endpoint's clock, ms. */
  constructor(inner: ProtoSendFlow, now: () => number) {
    this.inner = inner;
    this.#now = now;
    inner.context = this;
  }

  /** Flow ID, unique among our flows in the session at a time. */
  get id(): number {
    return this.inner.id;
  }

  /** As given when the flow was opened. */
  get priority(): Priority {
    return PRIORITIES[this.inner.rank] as Priority;
  }

  /** True while messages may be written. */
  get isOpen(): boolean {
    return this.inner.state === "F_OPEN";
  }

  /** Bytes written and neither delivered nor abandoned. */
  get bufferedBytes(): number {
    return this.inner.bufferedBytes;
  }

  /** Bytes of messages that have been delivered, in all. */
  get deliveredBytes(): number {
    return this.inner.deliveredBytes;
  }

  /**
   * Queues a message. `data` is kept, not copied, until the receipt is decided. Throws FLOW_CLOSED after the flow's
   * end, FLOW_BUFFER_FULL beyond the cap: await {@link ready} between writes; BAD_ARGUMENT for more than 16777216 bytes, anything but bytes, and
   * times below 0.
   */
  write(data: Uint8Array, options: WriteOptions = {}): WriteReceipt {
    checkBytes("data", data);
    const { startWithinMs, finishWithinMs, parent } = options;
    if (startWithinMs === undefined && finishWithinMs === undefined && parent === undefined) {
      return new WriteReceipt(this.inner.write(data));
    }
    const now = this.#now();
    return new WriteReceipt(
      this.inner.write(data, {
        startBy: now + (checkTime("startWithinMs", startWithinMs) ?? Number.POSITIVE_INFINITY),
        finishBy: now + (checkTime("finishWithinMs", finishWithinMs) ?? Number.POSITIVE_INFINITY),
        ...(parent === undefined ? {} : { parent: parent.inner }),
      }),
    );
  }

  /** Resolves when the send buffer is at or below its low-water mark, or the flow has ended. */
  get ready(): Promise<void> {
    if (this.inner.isBelowLowWater || !this.isOpen) return Promise.resolve();
    if (this.#ready === undefined) {
      let resolve: () => void = () => {};
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.#ready = { promise, resolve };
    }
    return this.#ready.promise;
  }

  /** Resolves when a closed flow has nothing left to deliver, or the flow was rejected or its session ended. */
  get closed(): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    if (this.#closed === undefined) {
      let resolve: () => void = () => {};
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.#closed = { promise, resolve };
    }
    return this.#closed.promise;
  }

  /** Ends the flow after everything written; resolves as {@link closed}. */
  close(): Promise<void> {
    this.inner.close();
    return this.closed;
  }

  /** The driver's news. */
  tellWritable(): void {
    this.#ready?.resolve();
    this.#ready = undefined;
  }

  /** The driver's news: the far end rejected the flow. */
  tellException(code: number): void {
    this.onException?.(code);
    this.tellEnded();
  }

  /** The driver's news: nothing is left to deliver. */
  tellEnded(): void {
    this.tellWritable();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#closed?.resolve();
    this.onClosed?.();
  }
}
