/** Puts fragments together into messages and finds the ones given up (§3.6.3.3). § means RFC 7016. */
import { FragmentControl } from "./chunk/types.ts";
import { MAX_HELD_RUNS } from "./params.ts";

/** Bytes that are held until their message is complete; those of small fragments share memory. */
interface Part {
  readonly bytes: Uint8Array;
  /** How many of `bytes` hold data. */
  used: number;
  /** The next of its segment. */
  behind: Part | undefined;
}

/** Fragments with successive numbers that belong to one message. */
interface Segment {
  first: number;
  last: number;
  /** It has the beginning of its message, and the end. */
  begins: boolean;
  ends: boolean;
  front: Part;
  back: Part;
  length: number;
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

/** Who takes complete messages. */
export interface MessageSink {
  deliver(message: ReceivedMessage): void;
}

/**
 * Holds the fragments of one flow. In sequence order, messages come out ascending, up to the contiguous run; in
 * network order, each as soon as it is complete. Far ends choose the order in which fragments arrive: one costs a search
 * among the runs and at most a move of those behind it, which {@link isFullFor} bounds; to take runs from the front
 * moves none.
 */
export class Reassembly {
  /** Bytes held. */
  heldBytes = 0;
  /** Fragments held. */
  heldCount = 0;
  /** From `#head` on by ascending numbers, each two with a gap between them. */
  #runs: (Run | undefined)[] = [];
  /** The first of the runs: those before it have been taken. */
  #head = 0;
  readonly #discard: ((memory: Uint8Array) => void) | undefined;
  /** Where the fragment went that was added last. */
  #latest: Segment | undefined;
  /** First number after the highest message that came out; flows start with number 1 (§3.6.2). */
  #expected = 1;
  /** Numbers given up since the last message that came out. */
  #missing = 0;

  /** `discard` is told of large pieces of memory that held fragments and that nothing here uses any more. */
  constructor(discard?: (memory: Uint8Array) => void) {
    this.#discard = discard;
  }

  /** Takes a fragment whose number is new. Keeps `data`, or a copy if it would keep a packet that is much larger. */
  add(sn: number, control: FragmentControl, data: Uint8Array): void {
    this.heldCount++;
    this.heldBytes += data.length;
    const runs = this.#runs;
    const i = this.#runsUpTo(sn);
    const before = this.#run(i - 1);
    const after = this.#run(i);
    const follows = before?.last.last === sn - 1;
    const precedes = after?.first.first === sn + 1;
    if (follows && continues(before.last, control)) {
      grow(before.last, sn, control, data);
      this.#latest = before.last;
    } else {
      const segment = segmentOf(sn, control, data);
      this.#latest = segment;
      if (follows) append(before, segment, segment);
      else if (precedes) {
        prepend(after, segment);
        return;
      } else runs.splice(i, 0, { first: segment, last: segment });
    }
    if (!follows || !precedes) return;
    append(before, after.first, after.last);
    runs.splice(i, 1);
  }

  /** True if there are {@link MAX_HELD_RUNS} and the fragment `sn` would be one more: to insert it moves those behind it. */
  isFullFor(sn: number): boolean {
    if (this.#runs.length - this.#head < MAX_HELD_RUNS) return false;
    const i = this.#runsUpTo(sn);
    return this.#run(i - 1)?.last.last !== sn - 1 && this.#run(i)?.first.first !== sn + 1;
  }

  /** In sequence order: gives every message that is complete up to `csn` to `to`. */
  takeInSequence(csn: number, to: MessageSink): void {
    for (let front = this.#front; front !== undefined && front.first <= csn; front = this.#front) {
      const { first, last } = front;
      const complete = isMessage(front);
      if (complete ? last > csn : front.begins && last >= csn) return;
      this.#remove(front);
      if (!complete) continue;
      this.#missing += Math.max(0, first - this.#expected);
      this.#deliver(front, to);
    }
  }

  /** In network order: gives the message that the fragment added last completes, if it does, to `to`. */
  takeCompleted(to: MessageSink): void {
    const segment = this.#latest;
    if (segment === undefined || !isMessage(segment)) return;
    this.#remove(segment);
    this.#deliver(segment, to);
  }

  /** In network order: gives every complete message to `to`, ascending. */
  takeAllCompleted(to: MessageSink): void {
    const complete: Segment[] = [];
    const left: Run[] = [];
    for (let i = this.#head; i < this.#runs.length; i++) {
      let run: Run | undefined;
      let next: Segment | undefined = this.#run(i)?.first;
      for (let each = next; each !== undefined; each = next) {
        next = each.behind;
        each.before = undefined;
        each.behind = undefined;
        if (isMessage(each)) {
          complete.push(each);
          run = undefined;
        } else if (run === undefined) {
          run = { first: each, last: each };
          left.push(run);
        } else append(run, each, each);
      }
    }
    this.#runs = left;
    this.#head = 0;
    for (const segment of complete) {
      this.#release(segment);
      this.#deliver(segment, to);
    }
  }

  /** In network order: drops segments that can no longer be completed, and counts `missing` numbers as given up. */
  dropAbandoned(csn: number, missing: number): void {
    this.#missing += missing;
    for (let front = this.#front; front !== undefined && front.first <= csn; front = this.#front) {
      if (front.begins && front.last >= csn) return;
      this.#missing += front.last - front.first + 1;
      this.#remove(front);
    }
  }

  clear(): void {
    this.#runs = [];
    this.#head = 0;
    this.#latest = undefined;
    this.heldBytes = 0;
    this.heldCount = 0;
  }

  get #front(): Segment | undefined {
    return this.#run(this.#head)?.first;
  }

  /** The run at a place, which may be one before the first or behind the last. */
  #run(index: number): Run | undefined {
    return index < this.#head ? undefined : this.#runs[index];
  }

  /** The place behind the runs that begin at or before `sn`: most fragments arrive at the top. */
  #runsUpTo(sn: number): number {
    const { length } = this.#runs;
    const top = this.#run(length - 1);
    if (top === undefined || top.first.first <= sn) return length;
    let low = this.#head;
    let high = length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#run(middle) as Run).first.first <= sn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(segment: Segment): void {
    const { first, before, behind } = segment;
    const i = this.#runsUpTo(first) - 1;
    const run = this.#run(i) as Run;
    if (before !== undefined) before.behind = undefined;
    if (behind !== undefined) behind.before = undefined;
    if (before !== undefined && behind !== undefined) this.#runs.splice(i + 1, 0, { first: behind, last: run.last });
    if (before !== undefined) run.last = before;
    else if (behind !== undefined) run.first = behind;
    else if (i === this.#head) this.#takeFirstRun();
    else this.#runs.splice(i, 1);
    this.#release(segment);
  }

  #takeFirstRun(): void {
    if (this.#runs.length === 1) {
      this.#runs.pop();
      return;
    }
    this.#runs[this.#head++] = undefined;
    if (this.#head * 2 < this.#runs.length) return;
    this.#runs = this.#runs.slice(this.#head);
    this.#head = 0;
  }

  /** The segment is no longer held. */
  #release(segment: Segment): void {
    const { first, last } = segment;
    this.heldBytes -= segment.length;
    this.heldCount -= last - first + 1;
    if (this.#latest === segment) this.#latest = undefined;
  }

  #deliver(segment: Segment, to: MessageSink): void {
    const missingBefore = this.#missing;
    this.#missing = 0;
    this.#expected = Math.max(this.#expected, segment.last + 1);
    to.deliver({ data: join(segment, this.#discard), missingBefore });
  }
}

function segmentOf(sn: number, control: FragmentControl, data: Uint8Array): Segment {
  const part: Part = { bytes: compact(data), used: data.length, behind: undefined };
  return {
    first: sn,
    last: sn,
    begins: begins(control),
    ends: ends(control),
    front: part,
    back: part,
    length: data.length,
    before: undefined,
    behind: undefined,
  };
}

/**
 * Takes the next fragment of a segment's message. Small ones go where others are, else thousands would be as many objects;
 * the room that waits for more is no larger than what is held already.
 */
function grow(segment: Segment, sn: number, control: FragmentControl, data: Uint8Array): void {
  const { back, length } = segment;
  segment.last = sn;
  segment.ends = ends(control);
  segment.length += data.length;
  if (data.length <= back.bytes.length - back.used) {
    back.bytes.set(data, back.used);
    back.used += data.length;
    return;
  }
  const bytes = isSmall(data) ? new Uint8Array(Math.max(data.length, Math.min(SHARED_BYTES, length))) : data;
  if (bytes !== data) bytes.set(data);
  segment.back = { bytes, used: data.length, behind: undefined };
  back.behind = segment.back;
}

/** Appends the chain of segments from `first` to `last` to a run that they follow on. */
function append(run: Run, first: Segment, last: Segment): void {
  const end = run.last;
  if (!sameMessage(end, first)) {
    end.behind = first;
    first.before = end;
    run.last = last;
    return;
  }
  absorb(end, first);
  if (first !== last) run.last = last;
}

/** Puts a segment in front of a run that follows on it. */
function prepend(run: Run, segment: Segment): void {
  const next = run.first;
  run.first = segment;
  if (sameMessage(segment, next)) {
    if (run.last === next) run.last = segment;
    absorb(segment, next);
  } else {
    segment.behind = next;
    next.before = segment;
  }
}

/** Takes the fragments of the segment behind over, and its place. */
function absorb(segment: Segment, next: Segment): void {
  segment.last = next.last;
  segment.ends = next.ends;
  segment.length += next.length;
  segment.back.behind = next.front;
  segment.back = next.back;
  segment.behind = next.behind;
  if (next.behind !== undefined) next.behind.before = segment;
}

function continues(segment: Segment, control: FragmentControl): boolean {
  return !segment.ends && !begins(control);
}

function sameMessage(segment: Segment, next: Segment): boolean {
  return !segment.ends && !next.begins;
}

function isMessage(segment: Segment): boolean {
  return segment.begins && segment.ends;
}

function begins(control: FragmentControl): boolean {
  return control === FragmentControl.whole || control === FragmentControl.begin;
}

function ends(control: FragmentControl): boolean {
  return control === FragmentControl.whole || control === FragmentControl.end;
}

function join({ front, length }: Segment, discard: ((memory: Uint8Array) => void) | undefined): Uint8Array {
  if (front.bytes.length === length) return front.bytes;
  const data = new Uint8Array(length);
  let at = 0;
  for (let part: Part | undefined = front; part !== undefined; part = part.behind) {
    data.set(part.used === part.bytes.length ? part.bytes : part.bytes.subarray(0, part.used), at);
    at += part.used;
    if (part.bytes.buffer.byteLength > SHARED_PACKETS_BYTES) discard?.(new Uint8Array(part.bytes.buffer));
  }
  return data;
}

/** The bytes as they are, or a copy if they would keep a packet in memory that is much larger than they are. */
function compact(data: Uint8Array): Uint8Array {
  return isSmall(data) ? data.slice() : data;
}

/** Of the memory of a large packet no two pieces are kept as they are, so that it is free once one of them is copied. */
function isSmall(data: Uint8Array): boolean {
  const { byteLength } = data.buffer;
  return byteLength > SHARED_PACKETS_BYTES ? data.length * 2 <= byteLength : data.length * COMPACT_RATIO < byteLength;
}

/** A few small packets of a turn lie in common memory (PacketCipher.openAll), which has no more bytes than these. */
const COMPACT_RATIO = 5;
const SHARED_PACKETS_BYTES = 6_144;
/** Small fragments of a message share so much memory at a time, at most. */
const SHARED_BYTES = 1_024;
