/** Bounds on what the receiving flows of a session, and of an endpoint, hold together (§3.6.3.5). § means RFC 7016. */
import {
  FINISHING_BYTES,
  LEAST_SESSION_RANGES,
  LEAST_SESSION_SHARE_BYTES,
  RECEIVE_TOTAL_BYTES,
  SEQUENCE_RANGES_TOTAL,
  SESSION_RECEIVE_BYTES,
  SESSION_SHARE_OF_FREE,
  SESSION_SHARE_OF_RANGES,
} from "./params.ts";

/** Who may be lent room beyond a budget. */
export interface Borrower {
  /** A message is being put together, so that more data frees what is held. */
  readonly assembles: boolean;
}

/**
 * Bytes held against a limit. Beyond the limit one borrower at a time gets room to finish its message: if nobody did,
 * unfinished messages could fill the budget and wait for each other.
 */
class Budget {
  /** Bytes held. */
  heldBytes = 0;
  /** Ranges of sequence numbers above gaps that flows remember. */
  heldRanges = 0;
  #borrower: Borrower | undefined;

  /** True if `borrower` may hold `bytes` more beyond `limit`. */
  lend(borrower: Borrower, bytes: number, limit: number): boolean {
    if (this.heldBytes + bytes > limit + FINISHING_BYTES) return false;
    if (!this.lendsTo(borrower)) return false;
    this.#borrower = borrower;
    return true;
  }

  /** True if nobody else is finishing a message on what was lent. */
  lendsTo(borrower: Borrower): boolean {
    return this.#borrower === borrower || this.#borrower?.assembles !== true;
  }

  /** Room that was lent is still in use. */
  get assembles(): boolean {
    return this.#borrower?.assembles === true;
  }
}

/** What all sessions of an endpoint hold. */
export class EndpointBudget extends Budget {
  /** Bytes that may be held. */
  readonly limitBytes: number;

  /** `limitBytes` is by default 536870912. */
  constructor(limitBytes: number = RECEIVE_TOTAL_BYTES) {
    super();
    this.limitBytes = limitBytes;
  }
}

/**
 * What the receiving flows of one session hold. A session gets no more than a part of what its endpoint has left, so
 * that the first to come cannot take everything, but always a little.
 */
export class SessionBudget extends Budget implements Borrower {
  readonly #endpoint: EndpointBudget;
  #ended = false;

  constructor(endpoint: EndpointBudget) {
    super();
    this.#endpoint = endpoint;
  }

  /** Bytes that may still be held, before anything is lent. */
  get freeBytes(): number {
    return Math.max(0, this.#limit - this.heldBytes);
  }

  /** Flows hold `bytes` more, or less if negative. */
  add(bytes: number): void {
    if (this.#ended) return;
    this.heldBytes += bytes;
    this.#endpoint.heldBytes += bytes;
  }

  /** Flows remember `ranges` more ranges above gaps, or fewer if negative. */
  addRanges(ranges: number): void {
    if (this.#ended) return;
    this.heldRanges += ranges;
    this.#endpoint.heldRanges += ranges;
  }

  /** True if one more may be remembered: many sessions with many each would make every collection and acknowledgement long. */
  get admitsRange(): boolean {
    const free = SEQUENCE_RANGES_TOTAL - (this.#endpoint.heldRanges - this.heldRanges);
    return this.heldRanges < Math.max(LEAST_SESSION_RANGES, free / SESSION_SHARE_OF_RANGES);
  }

  /** True if data of `flow` is going to be taken, be it by lending. Otherwise its window is closed. */
  welcomes(flow: Borrower): boolean {
    if (this.freeBytes > 0) return true;
    return this.lendsTo(flow) && (this.#limit === SESSION_RECEIVE_BYTES || this.#endpoint.lendsTo(this));
  }

  /** True if `flow` may hold `bytes` more; `inOrder` if they are what its message needs next. */
  admits(flow: Borrower, bytes: number, inOrder: boolean): boolean {
    const limit = this.#limit;
    if (this.heldBytes + bytes <= limit) return true;
    if (!inOrder || !this.lend(flow, bytes, limit)) return false;
    return limit === SESSION_RECEIVE_BYTES || this.#endpoint.lend(this, bytes, this.#endpoint.limitBytes);
  }

  /** The session is over: what its flows still hold is the application's. */
  end(): void {
    this.add(-this.heldBytes);
    this.addRanges(-this.heldRanges);
    this.#ended = true;
  }

  get #limit(): number {
    const { limitBytes, heldBytes } = this.#endpoint;
    const share = Math.max(LEAST_SESSION_SHARE_BYTES, (limitBytes - heldBytes) / SESSION_SHARE_OF_FREE);
    return Math.min(SESSION_RECEIVE_BYTES, share);
  }
}
