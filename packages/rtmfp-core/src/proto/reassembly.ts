/** Puts fragments together into messages and finds the ones given up (§3.6.3.3). § means RFC 7016. */
import { FragmentControl } from "./chunk/types.ts";

/** A fragment that is held until its message is complete. */
interface Held {
  readonly sn: number;
  readonly control: FragmentControl;
  readonly data: Uint8Array;
  /** The next of its segment. */
  behind: Held | undefined;
}

/** Fragments with successive numbers that belong to one message. */
interface Segment {
  first: Held;
  last: Held;
  bytes: number;
  /** Its neighbours in its run. */
  before: Segment | undefined;
  behind: Segment | undefined;
}

/** Segments without a number missing between them. */
interface Run {
  first: Segment;
  last: Segment;
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
 * network order, each as soon as it is complete. A fragment costs a search among runs, however many are held: far ends
 * choose the order in which theirs arrive.
 */
export class Reassembly {
  /** Bytes held. */
  heldBytes = 0;
  /** Fragments held. */
  heldCount = 0;
  /** By ascending numbers, each two with a gap between them. */
  readonly #runs: Run[] = [];
  /** Where the fragment went that was added last. */
  #latest: Segment | undefined;
  /** First number after the highest message that came out; flows start with number 1 (§3.6.2). */
  #expected = 1;
  /** Numbers given up since the last message that came out. */
  #missing = 0;

  /** Takes a fragment whose number is new. Keeps `data`. */
  add(sn: number, control: FragmentControl, data: Uint8Array): void {
    this.heldCount++;
    this.heldBytes += data.length;
    const held: Held = { sn, control, data, behind: undefined };
    const segment: Segment = { first: held, last: held, bytes: data.length, before: undefined, behind: undefined };
    const runs = this.#runs;
    const i = this.#runsUpTo(sn);
    const before = runs[i - 1];
    const after = runs[i];
    const follows = before?.last.last.sn === sn - 1;
    const precedes = after?.first.first.sn === sn + 1;
    this.#latest = segment;
    if (follows) this.#latest = append(before as Run, segment, segment);
    if (follows && precedes) {
      append(before as Run, (after as Run).first, (after as Run).last);
      runs.splice(i, 1);
    } else if (precedes) this.#latest = prepend(after as Run, segment);
    else if (!follows) runs.splice(i, 0, { first: segment, last: segment });
  }

  /** In sequence order: gives every message that is complete up to `csn` to `deliver`. */
  takeInSequence(csn: number, deliver: (message: ReceivedMessage) => void): void {
    for (let front = this.#front; front !== undefined && front.first.sn <= csn; front = this.#front) {
      const { first, last } = front;
      const complete = isMessage(front);
      if (complete ? last.sn > csn : beginsMessage(first) && last.sn >= csn) return;
      this.#remove(front);
      if (!complete) continue;
      this.#missing += Math.max(0, first.sn - this.#expected);
      this.#deliver(front, deliver);
    }
  }

  /** In network order: gives the message that the fragment added last completes, if it does, to `deliver`. */
  takeCompleted(deliver: (message: ReceivedMessage) => void): void {
    const segment = this.#latest;
    if (segment === undefined || !isMessage(segment)) return;
    this.#remove(segment);
    this.#deliver(segment, deliver);
  }

  /** In network order: gives every complete message to `deliver`, ascending. */
  takeAllCompleted(deliver: (message: ReceivedMessage) => void): void {
    const complete: Segment[] = [];
    for (const { first } of this.#runs) {
      for (let each: Segment | undefined = first; each !== undefined; each = each.behind)
        if (isMessage(each)) complete.push(each);
    }
    for (const segment of complete) {
      this.#remove(segment);
      this.#deliver(segment, deliver);
    }
  }

  /** In network order: drops segments that can no longer be completed, and counts `missing` numbers as given up. */
  dropAbandoned(csn: number, missing: number): void {
    this.#missing += missing;
    for (let front = this.#front; front !== undefined && front.first.sn <= csn; front = this.#front) {
      if (beginsMessage(front.first) && front.last.sn >= csn) return;
      this.#missing += front.last.sn - front.first.sn + 1;
      this.#remove(front);
    }
  }

  clear(): void {
    this.#runs.length = 0;
    this.#latest = undefined;
    this.heldBytes = 0;
    this.heldCount = 0;
  }

  get #front(): Segment | undefined {
    return this.#runs[0]?.first;
  }

  /** Number of runs that begin at or before `sn`: most fragments arrive at the top. */
  #runsUpTo(sn: number): number {
    const runs = this.#runs;
    const top = runs[runs.length - 1];
    if (top === undefined || top.first.first.sn <= sn) return runs.length;
    let low = 0;
    let high = runs.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((runs[middle] as Run).first.first.sn <= sn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(segment: Segment): void {
    const { first, last, before, behind } = segment;
    const i = this.#runsUpTo(first.sn) - 1;
    const run = this.#runs[i] as Run;
    if (before !== undefined) before.behind = undefined;
    if (behind !== undefined) behind.before = undefined;
    if (before !== undefined && behind !== undefined) this.#runs.splice(i + 1, 0, { first: behind, last: run.last });
    if (before !== undefined) run.last = before;
    else if (behind !== undefined) run.first = behind;
    else this.#runs.splice(i, 1);
    this.heldBytes -= segment.bytes;
    this.heldCount -= last.sn - first.sn + 1;
    if (this.#latest === segment) this.#latest = undefined;
  }

  #deliver(segment: Segment, deliver: (message: ReceivedMessage) => void): void {
    const missingBefore = this.#missing;
    this.#missing = 0;
    this.#expected = Math.max(this.#expected, segment.last.sn + 1);
    deliver({ data: join(segment), missingBefore });
  }
}

/** Appends the chain of segments from `first` to `last` to a run that they follow on; gives where `first` went. */
function append(run: Run, first: Segment, last: Segment): Segment {
  const end = run.last;
  if (!sameMessage(end, first)) {
    end.behind = first;
    first.before = end;
    run.last = last;
    return first;
  }
  absorb(end, first);
  if (first !== last) run.last = last;
  return end;
}

/** Puts a segment in front of a run that follows on it; gives where it went. */
function prepend(run: Run, segment: Segment): Segment {
  const next = run.first;
  run.first = segment;
  if (sameMessage(segment, next)) {
    if (run.last === next) run.last = segment;
    absorb(segment, next);
  } else {
    segment.behind = next;
    next.before = segment;
  }
  return segment;
}

/** Takes the fragments of the segment behind over, and its place. */
function absorb(segment: Segment, next: Segment): void {
  segment.last.behind = next.first;
  segment.last = next.last;
  segment.bytes += next.bytes;
  segment.behind = next.behind;
  if (next.behind !== undefined) next.behind.before = segment;
}

function sameMessage(segment: Segment, next: Segment): boolean {
  return !endsMessage(segment.last) && !beginsMessage(next.first);
}

function isMessage({ first, last }: Segment): boolean {
  return beginsMessage(first) && endsMessage(last);
}

function beginsMessage(held: Held): boolean {
  return held.control === FragmentControl.whole || held.control === FragmentControl.begin;
}

function endsMessage(held: Held): boolean {
  return held.control === FragmentControl.whole || held.control === FragmentControl.end;
}

function join({ first, last, bytes }: Segment): Uint8Array {
  if (first === last) return first.data;
  const data = new Uint8Array(bytes);
  let at = 0;
  for (let held: Held | undefined = first; held !== undefined; held = held.behind) {
    data.set(held.data, at);
    at += held.data.length;
  }
  return data;
}
