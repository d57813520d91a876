/** The public form of a receiving flow: callbacks or async iteration around the core's. */
import type { AcceptOptions, RecvFlow as ProtoRecvFlow } from "../proto/recv-flow.ts";
import { checkInteger } from "./arguments.ts";
import type { SendFlow } from "./send-flow.ts";
import type { OpenFlowOptions, Session } from "./session.ts";

/**
 * Takes one message; `missing` is how many fragment numbers were given up since the one before. The handler owns
 * `data`, and its `this` is the flow.
 */
export type MessageHandler = (data: Uint8Array, missing: number) => void;

/**
 * Receives messages one way. Read it by `for await`, or set {@link onMessage}; not both. Data that is not read holds
 * the sender back once the flow's buffer is full.
 */
export class RecvFlow implements AsyncIterable<Uint8Array> {
  /** For the layer above. */
  context: unknown = undefined;
  /** Called once when everything has been read and nothing follows, or the session ended; `this` is the flow. */
  onEnd: (() => void) | undefined;
  /** The core's flow. */
  readonly inner: ProtoRecvFlow;
  /** The session that carries the flow. */
  readonly session: Session;
  #onMessage: MessageHandler | undefined;
  #paused = false;
  #ended = false;
  #wake: (() => void) | undefined;
  /** True once the application has shown interest in the flow. */
  taken = false;

  /** Made by the session for each flow that the far end opens. */
  constructor(inner: ProtoRecvFlow, session: Session) {
    this.inner = inner;
    this.session = session;
    inner.context = this;
  }

  /** Flow ID that the sender chose; unique among the far end's flows at a time. */
  get id(): number {
    return this.inner.id;
  }

  /** What the sender says the flow is for, as bytes. Owned by the flow; do not modify. */
  get metadata(): Uint8Array {
    return this.inner.metadata;
  }

  /** The metadata as UTF-8 text. */
  get name(): string {
    return new TextDecoder().decode(this.inner.metadata);
  }

  /** Our sending flow that this one answers, if any. */
  get answers(): SendFlow | undefined {
    return this.inner.association?.context as SendFlow | undefined;
  }

  /** True once {@link onEnd} is due. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes the flow, and chooses order ("sequence", or "network": as messages arrive) and receive buffer. Throws
   * BAD_ARGUMENT unless `capacityBytes` is an integer of 0 or more.
   */
  accept(options: Omit<AcceptOptions, "order"> & { order?: "sequence" | "network" } = {}): this {
    checkInteger("capacityBytes", options.capacityBytes);
    this.taken = true;
    this.inner.accept(options);
    return this;
  }

  /** Takes the flow; each message goes to the handler as soon as it may be delivered. */
  set onMessage(handler: MessageHandler | undefined) {
    this.taken = true;
    this.#onMessage = handler;
    this.#pump();
  }

  get onMessage(): MessageHandler | undefined {
    return this.#onMessage;
  }

  /** Stops delivery; the sender is held back once the buffer is full. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on after {@link pause}: what has waited is told at once, in this call. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#notify();
    this.#pump();
  }

  /**
   * Refuses the flow: the sender gets a Flow Exception Report with `code`, an integer from 0 (default) to 2^53 - 1.
   * Throws BAD_ARGUMENT for any other.
   */
  reject(code = 0): void {
    checkInteger("code", code);
    this.taken = true;
    this.inner.reject(code);
    this.tellFinished();
  }

  /**
   * Opens a flow the other way that is bound to this one (§2.3.11.1.2). Arguments and errors as of Session.openFlow:
   * throws SESSION_CLOSED, FLOW_CLOSED, BAD_ARGUMENT. `metadata` is kept until the far end has acknowledged it.
   */
  openReturn(metadata: string | Uint8Array, options: Omit<OpenFlowOptions, "answers"> = {}): SendFlow {
    this.taken = true;
    return this.session.openFlow(metadata, { ...options, answers: this });
  }

  /**
   * Messages in the flow's order, until its end. Leaving the loop rejects the flow with code 0. The reader owns each
   * message.
   */
  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.taken = true;
    try {
      for (;;) {
        const message = this.#paused ? undefined : this.inner.read();
        if (message !== undefined) yield message.data;
        else if (this.#ended) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      if (!this.#ended) this.reject(0);
    }
  }

  /** The driver's news. */
  tellReadable(): void {
    if (this.#wake !== undefined) this.#notify();
    else this.#pump();
  }

  /** The driver's news: the flow has ended. */
  tellFinished(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#notify();
    this.onEnd?.();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #pump(): void {
    const handler = this.#onMessage;
    if (handler === undefined) return;
    while (!this.#paused) {
      const message = this.inner.read();
      if (message === undefined) return;
      handler.call(this, message.data, message.missingBefore);
    }
  }
}
