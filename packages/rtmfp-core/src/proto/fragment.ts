/** Fragments of messages and the order in which they were sent (§3.6.2, §3.6.2.5). § means RFC 7016. */
import type { FragmentControl } from "./chunk/types.ts";
import type { SendFlow } from "./send-flow.ts";
import type { WriteReceipt } from "./write-receipt.ts";

/** A SEND_QUEUE entry. `receipt` is undefined for the empty entry that only closes a flow. */
export class Fragment {
  readonly flow: SendFlow;
  readonly sequenceNumber: number;
  readonly receipt: WriteReceipt | undefined;
  /** Bounds within the message's data. */
  readonly start: number;
  readonly end: number;
  readonly control: FragmentControl;
  inFlight = false;
  everSent = false;
  sentAbandoned = false;
  nakCount = 0;
  /** Transmission order in the session. */
  tsn = 0;
  /** Serial number of the packet that last carried it. */
  packet = 0;
  /** When it was last sent again, if it was. */
  resentAt: number | undefined = undefined;
  /** That packet needed more than a 1200-byte datagram. */
  large = false;
  /** Size of the chunk as last sent, header included (TRANSMIT_SIZE). */
  transmitSize = 0;
  previous: Fragment | undefined = undefined;
  next: Fragment | undefined = undefined;

  constructor(
    flow: SendFlow,
    sequenceNumber: number,
    receipt: WriteReceipt | undefined,
    start: number,
    end: number,
    control: FragmentControl,
  ) {
    this.flow = flow;
    this.sequenceNumber = sequenceNumber;
    this.receipt = receipt;
    this.start = start;
    this.end = end;
    this.control = control;
  }

  get abandoned(): boolean {
    return this.receipt === undefined || this.receipt.abandoned;
  }
}

/** Fragments of one flow by sequence number: a ring from {@link headSn} to {@link nextSn}, holes where acknowledged. */
export class FragmentRing {
  /** Number of the first entry; nextSn when there is none. */
  headSn = 1;
  /** Number of the next new entry. */
  nextSn = 1;
  /** Entries that are not acknowledged. */
  count = 0;
  #slots: (Fragment | undefined)[] = [];

  get isEmpty(): boolean {
    return this.count === 0;
  }

  get head(): Fragment | undefined {
    return this.isEmpty ? undefined : this.get(this.headSn);
  }

  /** The entry `sn`, undefined if it was acknowledged or is out of range. */
  get(sn: number): Fragment | undefined {
    if (sn < this.headSn || sn >= this.nextSn) return undefined;
    return this.#slots[sn & (this.#slots.length - 1)];
  }

  /** Appends the entry, whose number must be {@link nextSn}. */
  push(fragment: Fragment): void {
    if (this.nextSn - this.headSn >= this.#slots.length) this.#grow();
    this.#slots[this.nextSn & (this.#slots.length - 1)] = fragment;
    this.nextSn++;
    this.count++;
  }

  /** Puts an entry with a number that was removed back; the ring must be empty. */
  restore(fragment: Fragment): void {
    this.headSn = fragment.sequenceNumber;
    while (this.nextSn - this.headSn > this.#slots.length) this.#grow();
    this.#slots[this.headSn & (this.#slots.length - 1)] = fragment;
    this.count++;
  }

  /** Removes an entry; the head then moves past everything removed. */
  remove(sn: number): void {
    const mask = this.#slots.length - 1;
    this.#slots[sn & mask] = undefined;
    this.count--;
    while (this.headSn < this.nextSn && this.#slots[this.headSn & mask] === undefined) this.headSn++;
  }

  #grow(): void {
    const old = this.#slots;
    const size = Math.max(8, old.length * 2);
    const slots = new Array<Fragment | undefined>(size).fill(undefined);
    for (let sn = this.headSn; sn < this.nextSn; sn++) slots[sn & (size - 1)] = old[sn & (old.length - 1)];
    this.#slots = slots;
  }
}

/** Fragments in flight across the flows of a session, in transmission order. */
export class OutstandingList {
  first: Fragment | undefined = undefined;
  #last: Fragment | undefined = undefined;

  get last(): Fragment | undefined {
    return this.#last;
  }

  /** True if all of it went out in one packet. */
  get hasOnePacket(): boolean {
    return this.first?.packet === this.#last?.packet;
  }

  *[Symbol.iterator](): Generator<Fragment, void, undefined> {
    for (let fragment = this.first; fragment !== undefined; fragment = fragment.next) yield fragment;
  }

  append(fragment: Fragment): void {
    fragment.previous = this.#last;
    fragment.next = undefined;
    if (this.#last === undefined) this.first = fragment;
    else this.#last.next = fragment;
    this.#last = fragment;
  }

  remove(fragment: Fragment): void {
    if (fragment.previous === undefined) this.first = fragment.next;
    else fragment.previous.next = fragment.next;
    if (fragment.next === undefined) this.#last = fragment.previous;
    else fragment.next.previous = fragment.previous;
    fragment.previous = undefined;
    fragment.next = undefined;
  }
}
