/** Puts fragments together into messages and finds the ones given up (§3.6.3.3). § means RFC 7016. */
import { FragmentControl } from "./chunk/types.ts";
import { HELD_PART_COST_BYTES, HELD_SEGMENT_COST_BYTES, MAX_HELD_RUNS, UNREAD_MESSAGE_COST_BYTES } from "./params.ts";

/** Bytes that are held until their message is complete; those of small fragments share memory. */
interface Part {
  bytes: Uint8Array;
  /** Nothing else lies in the memory of `bytes`: they are a copy. */
  own: boolean;
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
  /** Memory that it keeps, itself included. */
  cost: number;
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
  /** Memory that these keep, in bytes: of what they lie in, and of the objects that hold them. */
  heldCost = 0;
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

  /** Takes a fragment whose number is new. Keeps `data`, or a copy; {@link settle} follows once what is due has come out. */
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
      this.heldCost += grow(before.last, sn, control, data);
      this.#latest = before.last;
    } else {
      const segment = segmentOf(sn, control, data);
      this.heldCost += segment.cost;
      this.#latest = segment;
      if (follows) append(before, segment, segment);
      else if (precedes) {
        this.heldCost += prepend(after, segment);
        return;
      } else runs.splice(i, 0, { first: segment, last: segment });
    }
    if (!follows || !precedes) return;
    this.heldCost += append(before, after.first, after.last);
    runs.splice(i, 1);
  }

  /** Copies the message that was added last, if it is still here and would keep the memory of others. */
  settle(): void {
    const front = this.#latest?.front;
    if (front === undefined || front.own || !isSmall(front.bytes)) return;
    front.bytes = front.bytes.slice();
    front.own = true;
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
    this.heldCost = 0;
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
    this.heldCost -= segment.cost;
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

/** What a fragment costs by itself while it is held, in bytes of memory. */
export function costOf(data: Uint8Array): number {
  return HELD_SEGMENT_COST_BYTES + (isSmall(data) ? data.length : data.buffer.byteLength);
}

/** What a message costs that came out and is not read yet, in bytes of memory. */
export function unreadCostOf(data: Uint8Array): number {
  const { length } = data;
  return UNREAD_MESSAGE_COST_BYTES + (length <= HEAP_BYTES ? length * COMPACT_RATIO : data.buffer.byteLength);
}

function segmentOf(sn: number, control: FragmentControl, data: Uint8Array): Segment {
  // A whole message may come out at once, as it is.
  const own = control !== FragmentControl.whole && isSmall(data);
  const part: Part = { bytes: own ? data.slice() : data, own, used: data.length, behind: undefined };
  return {
    first: sn,
    last: sn,
    begins: begins(control),
    ends: ends(control),
    front: part,
    back: part,
    length: data.length,
    cost: costOf(data),
    before: undefined,
    behind: undefined,
  };
}

/**
 * Takes the next fragment of a segment's message; gives what more that costs. Small ones go where others are, else thousands would be as many objects;
 * the room that waits for more is no larger than what is held already. Others are kept as they are: in a row they fill the
 * memory that they have in common, and if they do not, it is no more than twice what the segment holds.
 */
function grow(segment: Segment, sn: number, control: FragmentControl, data: Uint8Array): number {
  const { back, length } = segment;
  segment.last = sn;
  segment.ends = ends(control);
  segment.length += data.length;
  if (data.length <= back.bytes.length - back.used) {
    back.bytes.set(data, back.used);
    back.used += data.length;
    return 0;
  }
  const memory = !back.own && back.bytes.buffer === data.buffer ? 0 : data.buffer.byteLength;
  const own = isSmall(data) && (isTiny(data) || segment.cost + memory > 2 * (length + data.length) + SLACK_BYTES);
  const bytes = own ? new Uint8Array(Math.max(data.length, Math.min(SHARED_BYTES, length))) : data;
  if (own) bytes.set(data);
  segment.back = { bytes, own, used: data.length, behind: undefined };
  back.behind = segment.back;
  const more = HELD_PART_COST_BYTES + (own ? bytes.length : memory);
  segment.cost += more;
  return more;
}

/** Appends the chain of segments from `first` to `last` to a run that they follow on; gives what more that costs. */
function append(run: Run, first: Segment, last: Segment): number {
  const end = run.last;
  if (!sameMessage(end, first)) {
    end.behind = first;
    first.before = end;
    run.last = last;
    return 0;
  }
  if (first !== last) run.last = last;
  return absorb(end, first);
}

/** Puts a segment in front of a run that follows on it; gives what more that costs. */
function prepend(run: Run, segment: Segment): number {
  const next = run.first;
  run.first = segment;
  if (sameMessage(segment, next)) {
    if (run.last === next) run.last = segment;
    return absorb(segment, next);
  }
  segment.behind = next;
  next.before = segment;
  return 0;
}

/** Takes the fragments of the segment behind over, and its place; gives what more that costs. */
function absorb(segment: Segment, next: Segment): number {
  segment.last = next.last;
  segment.ends = next.ends;
  segment.length += next.length;
  segment.back.behind = next.front;
  segment.back = next.back;
  segment.behind = next.behind;
  if (next.behind !== undefined) next.behind.before = segment;
  const saved = HELD_SEGMENT_COST_BYTES - HELD_PART_COST_BYTES;
  segment.cost += next.cost - saved;
  return -saved;
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
  if (front.bytes.length === length) return front.own ? front.bytes : compact(front.bytes);
  const data = new Uint8Array(length);
  let at = 0;
  for (let part: Part | undefined = front; part !== undefined; part = part.behind) {
    data.set(part.used === part.bytes.length ? part.bytes : part.bytes.subarray(0, part.used), at);
    at += part.used;
    if (part.bytes.buffer.byteLength > SHARED_PACKETS_BYTES) discard?.(new Uint8Array(part.bytes.buffer));
  }
  return data;
}

/** What is handed out: the bytes as they are, or a copy if they would keep memory that is much larger than they are. */
function compact(data: Uint8Array): Uint8Array {
  return isTiny(data) ? data.slice() : data;
}

/** Others may be as large in the same memory. */
function isSmall(data: Uint8Array): boolean {
  return data.length * 2 <= data.buffer.byteLength;
}

/** Of the memory of a large packet no two pieces are kept as they are, so that it is free once one of them is copied. */
function isTiny(data: Uint8Array): boolean {
  const { byteLength } = data.buffer;
  return byteLength > SHARED_PACKETS_BYTES ? isSmall(data) : data.length * COMPACT_RATIO < byteLength;
}

/** A few small packets of a turn lie in common memory (PacketCipher.openAll), which has no more bytes than these. */
const COMPACT_RATIO = 5;
const SHARED_PACKETS_BYTES = 6_144;
/** V8 keeps arrays of no more than these on its heap until somebody asks for their buffer, which costs more than they do. */
const HEAP_BYTES = 64;
/** Small fragments of a message share so much memory at a time, at most. */
const SHARED_BYTES = 4_096;
/** What a segment may keep beyond twice its bytes before small fragments are copied. */
const SLACK_BYTES = 8_192;
