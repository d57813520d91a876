/** Barriers that align delivery across the flows of one association tree (§5.2). § means RFC 7425. */
import { MAX_RECEIVING_FLOWS } from "../proto/params.ts";

/** Options of a {@link FlowSync}. */
export interface FlowSyncOptions {
  /** A barrier not complete after this time opens by itself. Milliseconds, default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Which receiving flows of one association tree are suspended, and until when.
 *
 * The owner reads messages flow by flow. Having read a Flow Synchronization message it calls {@link arrive}, reads no
 * further from a flow that {@link isSuspended}, and reads on from every flow that a call returns. Nothing is buffered
 * here: an unread flow holds back its sender through the receive window. No more than {@link MAX_BARRIERS} stand.
 *
 * What §5.2 leaves open: the first count of a sync ID holds, a barrier that opened leaves its ID free for another, a
 * count of 0 or 1 passes at once, and a flow that closed or was rejected counts as arrived. When a barrier opened before
 * all its syncs came, the late ones pass, lest each of them begin a barrier that nobody else comes to. A barrier of more
 * flows than a session can have, or beyond the cap, is refused: its syncs pass. `F` is the owner's handle of a flow.
 */
export class FlowSync<F> {
  readonly #timeoutMs: number;
  /** In the order in which they began, so in that of their deadlines. */
  readonly #barriers: Map<number, Barrier<F>> = new Map();
  /** Barriers that opened before all their syncs came, by sync ID; no more than {@link MAX_BARRIERS}. */
  readonly #late: Map<number, Late> = new Map();
  /** The barrier at which a flow is suspended. */
  readonly #waiting: Map<F, Barrier<F>> = new Map();
  /** Flows that left so far. */
  #gone = 0;
  #timeouts = 0;
  #refused = 0;

  /** Barriers of one connection; none stands yet. `now` of its calls must not go back. */
  constructor(options: FlowSyncOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? FLOW_SYNC_TIMEOUT_MS;
  }

  /** How many barriers opened by timeout so far. */
  get timeouts(): number {
    return this.#timeouts;
  }

  /** How many syncs so far asked for a barrier that was refused. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether `flow` waits at a barrier, so that its next message must not be read yet. */
  isSuspended(flow: F): boolean {
    return this.#waiting.has(flow);
  }

  /**
   * A Flow Synchronization message was read from `flow`. Returns the flows, other than `flow`, to read on from; `flow`
   * itself goes on unless {@link isSuspended}. `now` is monotonic milliseconds.
   */
  arrive(flow: F, syncId: number, count: number, now: number): F[] {
    if (this.#waiting.has(flow) || this.#isLate(syncId, now)) return [];
    const barrier = this.#barriers.get(syncId) ?? this.#begin(syncId, count, now);
    if (barrier === undefined) return [];
    barrier.syncs++;
    barrier.flows.add(flow);
    this.#waiting.set(flow, barrier);
    if (!this.#isComplete(barrier)) return [];
    return this.#open(barrier, barrier.deadline).filter((released) => released !== flow);
  }

  /**
   * `flow` closed or was rejected, which it does once: it counts as arrived wherever others wait. Returns the flows to
   * read on from.
   */
  leave(flow: F): F[] {
    this.#gone++;
    const own = this.#waiting.get(flow);
    if (own !== undefined) {
      this.#waiting.delete(flow);
      own.flows.delete(flow);
      if (own.flows.size === 0) this.#barriers.delete(own.syncId);
    }
    const released: F[] = [];
    for (const barrier of this.#barriers.values())
      if (this.#isComplete(barrier)) released.push(...this.#open(barrier, barrier.deadline));
    return released;
  }

  /** When {@link handleTimeout} is due, ms; `undefined` when nothing waits. */
  pollTimeout(): number | undefined {
    for (const { deadline } of this.#barriers.values()) return deadline;
    return undefined;
  }

  /** Opens the barriers that have waited too long at `now`, ms. Returns the flows to read on from. */
  handleTimeout(now: number): F[] {
    const released: F[] = [];
    for (const barrier of this.#barriers.values()) {
      if (barrier.deadline > now) break;
      this.#timeouts++;
      released.push(...this.#open(barrier, now + this.#timeoutMs));
    }
    return released;
  }

  /** A barrier for the first sync of an ID; undefined when that sync passes. */
  #begin(syncId: number, count: number, now: number): Barrier<F> | undefined {
    if (count <= 1) return undefined;
    if (count > MAX_RECEIVING_FLOWS) {
      this.#refused++;
      return undefined;
    }
    const deadline = now + this.#timeoutMs;
    if (this.#barriers.size >= MAX_BARRIERS) {
      this.#refused++;
      this.#expectLate(syncId, count - 1, deadline);
      return undefined;
    }
    const barrier = { syncId, count, goneBefore: this.#gone, syncs: 0, flows: new Set<F>(), deadline };
    this.#barriers.set(syncId, barrier);
    return barrier;
  }

  /** Whether enough flows have come or are gone. */
  #isComplete({ flows, goneBefore, count }: Barrier<F>): boolean {
    return flows.size + this.#gone - goneBefore >= count;
  }

  /** Whether a sync belongs to a barrier that is open already; it then counts as one of those missing there. */
  #isLate(syncId: number, now: number): boolean {
    const late = this.#late.get(syncId);
    if (late === undefined) return false;
    late.missing--;
    if (late.missing === 0 || late.until <= now) this.#late.delete(syncId);
    return late.until > now;
  }

  /** Lets `missing` further syncs of an ID pass, ms `until`. */
  #expectLate(syncId: number, missing: number, until: number): void {
    if (missing <= 0) return;
    if (this.#late.size >= MAX_BARRIERS) this.#late.delete(this.#late.keys().next().value as number);
    this.#late.set(syncId, { missing, until });
  }

  /** Clears a barrier; returns the flows that waited at it. */
  #open({ syncId, count, syncs, flows }: Barrier<F>, lateUntil: number): F[] {
    this.#barriers.delete(syncId);
    this.#expectLate(syncId, count - syncs, lateUntil);
    for (const flow of flows) this.#waiting.delete(flow);
    return [...flows];
  }
}

/** A barrier that opened before all its syncs came. */
interface Late {
  missing: number;
  /** When the missing syncs are no longer expected. */
  readonly until: number;
}

interface Barrier<F> {
  readonly syncId: number;
  readonly count: number;
  /** Flows that had left when it began; those that left since count as arrived. */
  readonly goneBefore: number;
  /** Syncs that came. */
  syncs: number;
  /** Flows that wait at it. */
  readonly flows: Set<F>;
  readonly deadline: number;
}

/** The default of {@link FlowSyncOptions.timeoutMs}. */
export const FLOW_SYNC_TIMEOUT_MS = 10_000;

/** Barriers of one tree that stand at a time: one for each stream that a server gives a client. */
export const MAX_BARRIERS = 256;
