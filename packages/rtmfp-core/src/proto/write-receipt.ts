/** One message on its way: its data, its deadlines and its fate (§3.6.2.7). § means RFC 7016. */
import { EMPTY } from "./bytes.ts";
import type { TimerNode } from "./timer-heap.ts";

/** What a receipt needs of the flow that carries it. */
export interface ReceiptOwner {
  /** The fate is decided; `bytes` of payload are released. */
  onReceiptDone(receipt: WriteReceipt, bytes: number): void;
  /** A deadline was set or changed. */
  scheduleReceipt(receipt: WriteReceipt): void;
}

/** Where a message stands. */
export type ReceiptState = "queued" | "delivered" | "abandoned";

/**
 * The handle of a written message. It is delivered when every fragment is acknowledged, abandoned when a deadline
 * passes, its parent is abandoned, {@link abandon} is called, or its flow ends first.
 */
export class WriteReceipt implements TimerNode {
  heapDeadline: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  /** Called once when the fate is decided. For the layer above. */
  onDone: ((state: "delivered" | "abandoned") => void) | undefined;
  /** The payload; released as soon as the fate is decided. Borrowed from the writer until then. */
  data: Uint8Array;
  /** True once a fragment has been sent. */
  started = false;
  /** Fragments in the flow's queue that are not acknowledged. */
  openFragments = 0;
  /** True once no part of the message is left to be cut into fragments. */
  fragmented = false;
  readonly #owner: ReceiptOwner;
  #state: ReceiptState = "queued";
  #startBy: number;
  #finishBy: number;
  #children: WriteReceipt[] | undefined;

  /**
   * `startBy` and `finishBy` are absolute, in the endpoint's clock (ms); Infinity is no deadline. Without `parent`, no
   * other message takes this one along. Borrows `data` until the fate is decided.
   */
  constructor(owner: ReceiptOwner, data: Uint8Array, startBy: number, finishBy: number, parent?: WriteReceipt) {
    this.#owner = owner;
    this.data = data;
    this.#startBy = startBy;
    this.#finishBy = finishBy;
    if (parent !== undefined && parent.#state !== "delivered") {
      parent.#children ??= [];
      parent.#children.push(this);
    }
  }

  /** Where the message stands. */
  get state(): ReceiptState {
    return this.#state;
  }

  /** True once the message was given up. */
  get abandoned(): boolean {
    return this.#state === "abandoned";
  }

  /** The message is abandoned if its first fragment has not been sent by then. Endpoint clock, ms. */
  get startBy(): number {
    return this.#startBy;
  }

  set startBy(at: number) {
    this.#startBy = at;
    this.#owner.scheduleReceipt(this);
  }

  /** The message is abandoned if it has not been delivered by then. Endpoint clock, ms. */
  get finishBy(): number {
    return this.#finishBy;
  }

  set finishBy(at: number) {
    this.#finishBy = at;
    this.#owner.scheduleReceipt(this);
  }

  /** The next deadline that still matters, ms, or Infinity. */
  get nextDeadline(): number {
    if (this.#state !== "queued") return Number.POSITIVE_INFINITY;
    return this.started ? this.#finishBy : Math.min(this.#startBy, this.#finishBy);
  }

  /** Gives the message up, and with it every message that names it as parent, theirs included. Irreversible. */
  abandon(): void {
    const stack: WriteReceipt[] = [this];
    for (let receipt = stack.pop(); receipt !== undefined; receipt = stack.pop()) {
      for (const child of receipt.#children?.reverse() ?? []) stack.push(child);
      receipt.#settle("abandoned");
    }
  }

  /** A fragment was acknowledged or one was cut; settles as delivered when nothing is left. */
  checkDelivered(): void {
    if (this.fragmented && this.openFragments === 0) this.#settle("delivered");
  }

  onTimer(now: number): void {
    if (this.nextDeadline <= now) this.abandon();
    else this.#owner.scheduleReceipt(this);
  }

  #settle(state: "delivered" | "abandoned"): void {
    if (this.#state !== "queued") return;
    this.#state = state;
    this.#children = undefined;
    const bytes = this.data.length;
    this.data = EMPTY;
    this.#owner.onReceiptDone(this, bytes);
    this.onDone?.(state);
    this.onDone = undefined;
  }
}
