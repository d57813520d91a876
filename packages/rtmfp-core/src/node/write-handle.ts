/** The public handle of a written message. */
import type { WriteReceipt as ProtoReceipt } from "../proto/write-receipt.ts";

/** What became of a message. */
export type WriteOutcome = "delivered" | "abandoned";

/** Returned by every write. Times are absolute, in the endpoint's clock (`endpoint.now()`), ms. */
export class WriteReceipt {
  /** The core's receipt, to be named as parent of later messages. */
  readonly inner: ProtoReceipt;
  #done: Promise<WriteOutcome> | undefined;

  /** Made by SendFlow.write. */
  constructor(inner: ProtoReceipt) {
    this.inner = inner;
  }

  /** Resolves once the far end has the whole message or it is given up. Never rejects. */
  get done(): Promise<WriteOutcome> {
    this.#done ??= new Promise((resolve) => {
      const { state } = this.inner;
      if (state === "queued") this.inner.onDone = resolve;
      else resolve(state);
    });
    return this.#done;
  }

  /** Where the message stands now. */
  get state(): "queued" | WriteOutcome {
    return this.inner.state;
  }

  /** The message is abandoned unless its transmission has begun by then; may be changed. */
  get startBy(): number {
    return this.inner.startBy;
  }

  set startBy(at: number) {
    this.inner.startBy = at;
  }

  /** The message is abandoned unless it is delivered by then; may be changed. */
  get finishBy(): number {
    return this.inner.finishBy;
  }

  set finishBy(at: number) {
    this.inner.finishBy = at;
  }

  /** Gives the message up, with all that depend on it. */
  abandon(): void {
    this.inner.abandon();
  }
}
