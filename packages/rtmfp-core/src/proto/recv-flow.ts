/** A receiving flow (§3.6.3). § means RFC 7016. */
import type { FragmentControl } from "./chunk/types.ts";
import type { EndpointConfig } from "./config.ts";
import {
  MAX_ASSEMBLED_FRAGMENTS,
  MAX_HELD_FRAGMENTS,
  MAX_MESSAGE_BYTES,
  MAX_SEQUENCE_RANGES,
  RECEIVE_CAPACITY_BYTES,
  WINDOW_BLOCK_BYTES,
  WINDOW_TOLERANCE_BYTES,
} from "./params.ts";
import { RangeSet } from "./range-set.ts";
import { costOf, type MessageSink, Reassembly, type ReceivedMessage } from "./reassembly.ts";
import type { Borrower, SessionBudget } from "./receive-budget.ts";
import type { SendFlow } from "./send-flow.ts";
import { UnreadMessages } from "./unread.ts";

/** States of a receiving flow (§3.6.3). */
export type RecvFlowState = "RF_OPEN" | "RF_REJECTED" | "RF_COMPLETE_LINGER" | "RF_CLOSED";

/**
 * Order of delivery: ascending sequence numbers, as messages become complete, or not at all until another order is
 * chosen (backpressure: the window shrinks to nothing).
 */
export type DeliveryOrder = "sequence" | "network" | "hold";

/** What a receiving flow needs of the session's receiving side. */
export interface RecvFlowHost {
  /** What all flows of the session hold. */
  readonly budget: SessionBudget;
  /** See EndpointConfig.discard. */
  readonly discard: EndpointConfig["discard"];
  /** An acknowledgement is due; at once if `now` is true. */
  ackDue(flow: RecvFlow, now: boolean): void;
  flowReadable(flow: RecvFlow): void;
  /** The application has everything up to the flow's end. */
  flowFinished(flow: RecvFlow): void;
  /** The flow brought a message that is too large, and has rejected itself. */
  messageTooLarge(): void;
  /** Data was dropped unacknowledged that only the flows' common budget had no room for. */
  beyondBudget(flow: RecvFlow): void;
  /** Data was dropped unacknowledged because other flows remember as many runs above gaps as all may have. */
  beyondRanges(flow: RecvFlow): void;
  /** The flow holds less than before: others may have room now. */
  budgetFreed(): void;
}

/** Options of {@link RecvFlow.accept}. */
export interface AcceptOptions {
  /** Default "sequence". */
  order?: DeliveryOrder;
  /** BUFFER_CAPACITY: bytes held for the application, default 1048576. */
  capacityBytes?: number;
}

/** Receives messages in one direction. Announced by a "flow" event; accept or reject it there. */
export class RecvFlow implements Borrower, MessageSink {
  /** Flow ID that the sender chose (§2.3.11). */
  readonly id: number;
  /** What the sender says the flow is for (§2.3.11.1.1). Owned by the flow; do not modify. */
  readonly metadata: Uint8Array;
  /** Our sending flow that this one answers, if any (§2.3.11.1.2). */
  readonly association: SendFlow | undefined;
  /** For the layer above. */
  context: unknown = undefined;
  /** SHOULD_ACK: the receiving side owes an acknowledgement. */
  shouldAck = false;
  /** The receiving side counts its linger. */
  lingers = false;
  /** PREV_RWND in blocks; undefined before the first acknowledgement. */
  previousBlocks: number | undefined = undefined;
  /** Code for the Flow Exception Report once rejected; undefined if it was not. */
  exceptionCode: number | undefined = undefined;
  /** SEQUENCE_SET. */
  readonly seen: RangeSet = new RangeSet();
  readonly #host: RecvFlowHost;
  readonly #reassembly: Reassembly;
  readonly #unread = new UnreadMessages();
  #state: RecvFlowState = "RF_OPEN";
  #order: DeliveryOrder = "sequence";
  #capacityBytes: number = RECEIVE_CAPACITY_BYTES;
  /** What the session's budget has been told of. */
  #budgetedBytes = 0;
  #budgetedRanges = 0;
  #tooLarge = false;
  #finalSn: number | undefined;
  #readableTold = false;
  #finished = false;

  /** Made by the session's receiving side on the flow's first chunk. Keeps `metadata`. */
  constructor(host: RecvFlowHost, id: number, metadata: Uint8Array, association: SendFlow | undefined) {
    this.#host = host;
    this.#reassembly = new Reassembly(host.discard);
    this.id = id;
    this.metadata = metadata;
    this.association = association;
  }

  /** Where the flow stands. */
  get state(): RecvFlowState {
    return this.#state;
  }

  /** True once the sender has finished and every message has been read, or the sender broke the rules. */
  get finished(): boolean {
    return this.#finished;
  }

  /** BUFFERED_SIZE: bytes held out of order or not yet read. */
  get bufferedBytes(): number {
    return this.#reassembly.heldBytes + this.#unread.bytes;
  }

  /** Chooses order and capacity; may be called again to change them. */
  accept(options: AcceptOptions = {}): void {
    if (options.capacityBytes !== undefined) this.#capacityBytes = options.capacityBytes;
    if (options.order !== undefined && options.order !== this.#order) {
      this.#order = options.order;
      this.#release();
    }
  }

  /** The next message, or undefined. A "readable" event follows when there is one again. */
  read(): ReceivedMessage | undefined {
    const message = this.#order === "hold" ? undefined : this.#unread.shift();
    if (message === undefined) {
      this.#readableTold = false;
      this.#checkFinished();
      return undefined;
    }
    this.#tellBudget();
    this.#reopenWindow();
    this.#checkFinished();
    return message;
  }

  /**
   * Rejects the flow (§3.6.3.7): data is discarded, the sender gets an exception with `code` (0 to 2^53 - 1). A flow
   * that is complete by then is only discarded. Default 0.
   */
  reject(code = 0): void {
    if (this.#state !== "RF_OPEN") {
      this.#clear();
      this.#checkFinished();
      return;
    }
    this.#state = "RF_REJECTED";
    this.exceptionCode = code;
    this.#clear();
    this.#host.ackDue(this, true);
    this.#checkComplete();
  }

  /** Rejects the flow for what its sender did, and tells its reader that nothing follows (§3.6.3.2). */
  breakOff(): void {
    this.reject(0);
    this.#finish();
  }

  /** The session is gone: nothing more arrives. What was complete may still be read. */
  abort(): void {
    if (this.#state === "RF_CLOSED") return;
    this.#state = "RF_CLOSED";
    if (this.#order !== "network") this.#deliverInSequence();
    this.#reassembly.clear();
    this.#checkFinished();
  }

  /** A message is complete, and its turn has come. */
  deliver(message: ReceivedMessage): void {
    this.#unread.push(message);
    this.#tellReadable();
  }

  /** Linger is over (§3.6.3.8). Messages not yet read stay readable. */
  onLingerEnd(): void {
    this.#state = "RF_CLOSED";
    this.#tellBudget();
  }

  /**
   * A (Next) User Data chunk for this flow (§3.6.3.2). False if the sender should have known that it is refused: it was
   * beyond the window and dropped unacknowledged, or follows on a message that is too large. `data` is borrowed: what is
   * held is copied.
   */
  onData(
    sn: number,
    fsn: number,
    control: FragmentControl,
    abandoned: boolean,
    final: boolean,
    data: Uint8Array,
  ): boolean {
    const seen = this.seen;
    const isNew = sn > fsn && !seen.has(sn);
    const beyondEnd = this.#finalSn !== undefined && sn > this.#finalSn;
    const keep = isNew && !abandoned && !beyondEnd && this.#state === "RF_OPEN";
    if (keep && this.#isOverfull(sn, data.length)) return false;
    if (keep && !this.#fitsBudget(sn, data)) return true;
    const isBeyondGap = sn > Math.max(seen.contiguous, fsn) + 1;
    if (isBeyondGap && this.#isFullOfRanges && seen.opensRange(sn)) {
      if (seen.rangeCount >= MAX_SEQUENCE_RANGES) return false;
      this.#host.beyondRanges(this);
      return true;
    }
    if (isBeyondGap && keep && this.#reassembly.isFullFor(sn)) return false;
    let ackNow =
      this.#state !== "RF_OPEN" ||
      (this.previousBlocks !== undefined && this.previousBlocks < 2) ||
      abandoned ||
      seen.hasGap ||
      seen.has(sn);
    if (final && this.#finalSn === undefined && !seen.has(sn)) {
      this.#finalSn = sn;
      ackNow = true;
    }
    const missing = seen.addUpTo(fsn);
    if (!beyondEnd) seen.add(sn);
    if (keep) this.#reassembly.add(sn, control, data);
    if (seen.hasGap) ackNow = true;
    if (this.#order === "network") this.#deliverCompleted(keep, missing);
    else if (this.#order === "sequence") this.#deliverInSequence();
    if (keep) this.#reassembly.settle();
    this.#tellBudget();
    if (this.#freeBytes < WINDOW_BLOCK_BYTES) ackNow = true;
    this.#host.ackDue(this, ackNow);
    this.#checkComplete();
    this.#checkFinished();
    return !this.#tooLarge;
  }

  /** True if nothing up to the flow's end is missing once this chunk is taken (§3.6.3.8). Takes nothing. */
  endsWith(sn: number, fsn: number, final: boolean): boolean {
    const { seen } = this;
    const end = this.#finalSn ?? (final && !seen.has(sn) ? sn : undefined);
    if (end === undefined) return false;
    let top = Math.max(seen.contiguous, fsn);
    if (sn === top + 1) top = sn;
    const last = seen.rangeCount - 1;
    return top >= end || (last >= 0 && seen.first(last) <= top + 1 && seen.last(last) >= end);
  }

  /** Blocks of 1,024 bytes to advertise (§3.6.3.5). */
  get windowBlocks(): number {
    if (this.#heldCount * 2 >= MAX_HELD_FRAGMENTS && this.#isSuspended) return 0;
    const blocks = Math.ceil(this.#freeBytes / WINDOW_BLOCK_BYTES);
    if (blocks > 0 || this.#capacityBytes === 0) return blocks;
    return this.#isSuspended || !this.#host.budget.welcomes(this) ? 0 : 1;
  }

  /** A message is being put together and nothing waits to be read, so that data in order frees what is held. */
  get assembles(): boolean {
    return this.#state === "RF_OPEN" && this.#reassembly.heldCount > 0 && !this.#isSuspended;
  }

  /** Room for data, whatever its place. */
  get #freeBytes(): number {
    return Math.max(0, Math.min(this.#capacityBytes - this.bufferedBytes, this.#host.budget.freeBytes));
  }

  /** Complete messages wait for the application, so that a full buffer is its doing (§3.6.3.5). */
  get #isSuspended(): boolean {
    return this.#order === "hold" || this.#unread.length > 0;
  }

  get #isFullOfRanges(): boolean {
    return this.seen.rangeCount >= MAX_SEQUENCE_RANGES || !this.#host.budget.admitsRange;
  }

  /** Fragments and messages held, whatever their size. */
  get #heldCount(): number {
    return this.#reassembly.heldCount + this.#unread.length;
  }

  /** What comes next in order is not bound to the window, for a message may be larger, but to the largest message. */
  #isOverfull(sn: number, length: number): boolean {
    const held = this.bufferedBytes + length;
    const window = this.#capacityBytes + WINDOW_TOLERANCE_BYTES;
    if (!this.#isNext(sn)) return this.#heldCount >= MAX_HELD_FRAGMENTS || held > window;
    if (this.#heldCount < MAX_ASSEMBLED_FRAGMENTS && held <= MAX_MESSAGE_BYTES + window) return false;
    this.#tooLarge = true;
    this.#host.messageTooLarge();
    this.breakOff();
    return true;
  }

  #fitsBudget(sn: number, data: Uint8Array): boolean {
    if (this.#host.budget.admits(this, costOf(data), this.#isNext(sn))) return true;
    this.#host.beyondBudget(this);
    this.#host.ackDue(this, true);
    return false;
  }

  /** The number that the message in front waits for. */
  #isNext(sn: number): boolean {
    return sn === this.seen.contiguous + 1 && !this.#isSuspended;
  }

  #tellBudget(): void {
    const ranges = this.#state === "RF_CLOSED" ? 0 : this.seen.rangeCount;
    if (ranges !== this.#budgetedRanges) {
      this.#host.budget.addRanges(ranges - this.#budgetedRanges);
      this.#budgetedRanges = ranges;
    }
    const bytes = this.#reassembly.heldCost + this.#unread.cost;
    const more = bytes - this.#budgetedBytes;
    if (more === 0) return;
    this.#budgetedBytes = bytes;
    this.#host.budget.add(more);
    if (more < 0) this.#host.budgetFreed();
  }

  #deliverInSequence(): void {
    this.#reassembly.takeInSequence(this.#settledSn, this);
  }

  #deliverCompleted(added: boolean, missing: number): void {
    if (added) this.#reassembly.takeCompleted(this);
    this.#reassembly.dropAbandoned(this.#settledSn, missing);
  }

  /** No fragment up to this number is still to come: CSN, or everything once the final number is reached. */
  get #settledSn(): number {
    const csn = this.seen.contiguous;
    return this.#finalSn !== undefined && csn >= this.#finalSn ? Number.POSITIVE_INFINITY : csn;
  }

  /** The order changed: hands over what the new one allows. */
  #release(): void {
    if (this.#order === "hold") return;
    if (this.#order === "network") {
      this.#reassembly.takeAllCompleted(this);
      this.#reassembly.dropAbandoned(this.#settledSn, 0);
    } else this.#deliverInSequence();
    if (this.#unread.length > 0) this.#tellReadable();
    this.#tellBudget();
    this.#reopenWindow();
    this.#checkFinished();
  }

  #tellReadable(): void {
    if (this.#readableTold || this.#order === "hold") return;
    this.#readableTold = true;
    this.#host.flowReadable(this);
  }

  /** The application made room after a small advertisement: tell the sender without waiting for its probe. */
  #reopenWindow(): void {
    const advertised = (this.previousBlocks ?? 0) * WINDOW_BLOCK_BYTES;
    if (this.previousBlocks === undefined || this.#state !== "RF_OPEN" || advertised * 4 > this.#capacityBytes) return;
    if (this.#freeBytes * 2 >= this.#capacityBytes) this.#host.ackDue(this, true);
  }

  /** All of 0 to RF_FINAL_SN seen (§3.6.3.8). */
  #checkComplete(): void {
    if (this.#finalSn === undefined || this.seen.contiguous < this.#finalSn) return;
    if (this.#state !== "RF_OPEN" && this.#state !== "RF_REJECTED") return;
    this.#state = "RF_COMPLETE_LINGER";
    this.#host.ackDue(this, true);
  }

  #checkFinished(): void {
    if (this.#heldCount === 0 && (this.#state === "RF_COMPLETE_LINGER" || this.#state === "RF_CLOSED")) this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#host.flowFinished(this);
  }

  #clear(): void {
    this.#reassembly.clear();
    this.#unread.clear();
    this.#tellBudget();
  }
}
