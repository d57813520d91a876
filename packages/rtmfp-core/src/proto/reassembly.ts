/** Puts fragments together into messages and finds the ones given up (§3.6.3.3). § means RFC 7016. */
import { FragmentControl } from "./chunk/types.ts";

/** A fragment that is held until its message is complete. */
interface Held {
  readonly sn: number;
  readonly control: FragmentControl;
  readonly data: Uint8Array;
}

/** A complete message. */
export interface ReceivedMessage {
  /** The payload. Owned by the receiver of the message. */
  readonly data: Uint8Array;
  /** Sequence numbers given up between the message before and this one; 0 if nothing was lost. */
  readonly missingBefore: number;
}

/**
 * Holds the fragments of one flow. In sequence order, messages come out ascending, up to the contiguous run; in
 * network order, each as soon as it is complete.
 */
export class Reassembly {
  /** Bytes held. */
  heldBytes = 0;
  /** Held fragments by ascending sequence number. */
  readonly #held: Held[] = [];
  /** A fragment of the segment that starts at index 0, at or before its last. */
  #frontEnd = 0;
  /** First number after the highest message that came out; flows start with number 1 (§3.6.2). */
  #expected = 1;
  /** Numbers given up since the last message that came out. */
  #missing = 0;

  get heldCount(): number {
    return this.#held.length;
  }

  add(sn: number, control: FragmentControl, data: Uint8Array): void {
    const held = this.#held;
    const i = this.#indexBehind(sn);
    if (i === held.length) held.push({ sn, control, data });
    else held.splice(i, 0, { sn, control, data });
    if (i === 0) this.#frontEnd = 0;
    this.heldBytes += data.length;
  }

  /** In sequence order: gives every message that is complete up to `csn` to `deliver`. */
  takeInSequence(csn: number, deliver: (message: ReceivedMessage) => void): void {
    const held = this.#held;
    let from = 0;
    while (from < held.length && (held[from] as Held).sn <= csn) {
      const end = this.#segmentEnd(from);
      const first = (held[from] as Held).sn;
      const last = (held[end] as Held).sn;
      const complete = this.#isMessage(from, end);
      if (!complete && beginsMessage(held[from] as Held) && last >= csn) break;
      if (complete && last > csn) break;
      if (complete) {
        this.#missing += Math.max(0, first - this.#expected);
        deliver(this.#join(from, end));
        this.#expected = last + 1;
      }
      from = end + 1;
    }
    this.#discard(0, from);
  }

  /** In network order: gives the message that the fragment `sn` completes, if it does, to `deliver`. */
  takeCompleted(sn: number, deliver: (message: ReceivedMessage) => void): void {
    const held = this.#held;
    const at = this.#indexBehind(sn) - 1;
    if (!this.#mayComplete(at)) return;
    let from = at;
    while (
      from > 0 &&
      !beginsMessage(held[from] as Held) &&
      (held[from - 1] as Held).sn === (held[from] as Held).sn - 1
    )
      from--;
    const end = this.#segmentEnd(from);
    if (end >= at) this.#takeMessage(from, end, deliver);
  }

  /** In network order: gives every complete message to `deliver`, ascending. */
  takeAllCompleted(deliver: (message: ReceivedMessage) => void): void {
    for (let from = 0; from < this.#held.length; ) {
      const end = this.#segmentEnd(from);
      if (!this.#takeMessage(from, end, deliver)) from = end + 1;
    }
  }

  /** In network order: drops segments that can no longer be completed, and counts `missing` numbers as given up. */
  dropAbandoned(csn: number, missing: number): void {
    this.#missing += missing;
    const held = this.#held;
    let i = 0;
    while (i < held.length && (held[i] as Held).sn <= csn) {
      const end = this.#segmentEnd(i);
      const hopeless =
        !beginsMessage(held[i] as Held) || (!endsMessage(held[end] as Held) && (held[end] as Held).sn < csn);
      if (hopeless) {
        this.#missing += end + 1 - i;
        this.#discard(i, end + 1);
      } else i = end + 1;
    }
  }

  clear(): void {
    this.#held.length = 0;
    this.#frontEnd = 0;
    this.heldBytes = 0;
  }

  /** Index behind the fragments up to `sn`: most arrive at the top. */
  #indexBehind(sn: number): number {
    const held = this.#held;
    if (held.length === 0 || (held[held.length - 1] as Held).sn <= sn) return held.length;
    let low = 0;
    let high = held.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((held[middle] as Held).sn <= sn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** False if a neighbour of the fragment is missing that its message needs: spares the look at all the others. */
  #mayComplete(at: number): boolean {
    const held = this.#held[at] as Held;
    const before = this.#held[at - 1];
    const after = this.#held[at + 1];
    return (beginsMessage(held) || before?.sn === held.sn - 1) && (endsMessage(held) || after?.sn === held.sn + 1);
  }

  /**
   * Index of the last fragment of the segment that starts at `from`: contiguous fragments of one message. How far the
   * first one reaches is remembered, for it is asked with every fragment of a long message.
   */
  #segmentEnd(from: number): number {
    const held = this.#held;
    let end = from === 0 ? this.#frontEnd : from;
    while (
      !endsMessage(held[end] as Held) &&
      end + 1 < held.length &&
      (held[end + 1] as Held).sn === (held[end] as Held).sn + 1 &&
      !beginsMessage(held[end + 1] as Held)
    ) {
      end++;
    }
    if (from === 0) this.#frontEnd = end;
    return end;
  }

  #takeMessage(from: number, end: number, deliver: (message: ReceivedMessage) => void): boolean {
    if (!this.#isMessage(from, end)) return false;
    this.#expected = Math.max(this.#expected, (this.#held[end] as Held).sn + 1);
    deliver(this.#join(from, end));
    this.#discard(from, end + 1);
    return true;
  }

  #isMessage(from: number, end: number): boolean {
    return beginsMessage(this.#held[from] as Held) && endsMessage(this.#held[end] as Held);
  }

  #join(from: number, end: number): ReceivedMessage {
    const missingBefore = this.#missing;
    this.#missing = 0;
    if (from === end) return { data: (this.#held[from] as Held).data, missingBefore };
    let length = 0;
    for (let i = from; i <= end; i++) length += (this.#held[i] as Held).data.length;
    const data = new Uint8Array(length);
    let at = 0;
    for (let i = from; i <= end; i++) {
      const part = (this.#held[i] as Held).data;
      data.set(part, at);
      at += part.length;
    }
    return { data, missingBefore };
  }

  #discard(from: number, to: number): void {
    if (from >= to) return;
    for (let i = from; i < to; i++) this.heldBytes -= (this.#held[i] as Held).data.length;
    this.#held.splice(from, to - from);
    if (from <= this.#frontEnd) this.#frontEnd = 0;
  }
}

function beginsMessage(held: Held): boolean {
  return held.control === FragmentControl.whole || held.control === FragmentControl.begin;
}

function endsMessage(held: Held): boolean {
  return held.control === FragmentControl.whole || held.control === FragmentControl.end;
}
