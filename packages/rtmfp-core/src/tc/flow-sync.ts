/** Barriers that align delivery across the flows of one association tree (§5.2). § means RFC 7425. */

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
 * here: an unread flow holds back its sender through the receive window. There are never more barriers than flows.
 *
 * What §5.2 leaves open: the first count of a sync ID holds, a barrier that opened leaves its ID free for another, a
 * count of 0 or 1 passes at once, and a flow that closed or was rejected counts as arrived. When a barrier opened before
 * all its syncs came, the late ones pass, lest each of them begin a barrier that nobody else comes to. `F` is the
 * owner's handle of a flow.
 */
export class FlowSync<F> {
  readonly #timeoutMs: number;
  readonly #barriers: Map<number, Barrier<F>> = new Map();
  readonly #late: Map<number, Late> = new Map();
  readonly #suspended: Set<F> = new Set();
  #timeouts = 0;

  /** Barriers of one connection; none stands yet. */
  constructor(options: FlowSyncOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? FLOW_SYNC_TIMEOUT_MS;
  }

  /** How many barriers opened by timeout so far. */
  get timeouts(): number {
    return this.#timeouts;
  }

  /** Whether `flow` waits at a barrier, so that its next message must not be read yet. */
  isSuspended(flow: F): boolean {
    return this.#suspended.has(flow);
  }

  /**
   * A Flow Synchronization message was read from `flow`. Returns the flows, other than `flow`, to read on from; `flow`
   * itself goes on unless {@link isSuspended}. `now` is monotonic milliseconds.
   */
  arrive(flow: F, syncId: number, count: number, now: number): F[] {
    if (this.#suspended.has(flow) || this.#isLate(syncId, now)) return [];
    let barrier = this.#barriers.get(syncId);
    if (barrier === undefined) {
      if (count <= 1) return [];
      barrier = { count, syncs: 0, arrived: new Set(), deadline: now + this.#timeoutMs };
      this.#barriers.set(syncId, barrier);
    }
    barrier.syncs++;
    barrier.arrived.add(flow);
    this.#suspended.add(flow);
    if (barrier.arrived.size < barrier.count) return [];
    return this.#open(syncId, barrier, barrier.deadline).filter((released) => released !== flow);
  }

  /** `flow` closed or was rejected: it counts as arrived wherever others wait. Returns the flows to read on from. */
  leave(flow: F): F[] {
    this.#suspended.delete(flow);
    const released: F[] = [];
    for (const [syncId, barrier] of this.#barriers) {
      barrier.arrived.add(flow);
      if (barrier.arrived.size >= barrier.count) {
        released.push(...this.#open(syncId, barrier, barrier.deadline));
      } else if (![...barrier.arrived].some((arrived) => this.#suspended.has(arrived))) {
        this.#barriers.delete(syncId);
      }
    }
    return released;
  }

  /** When {@link handleTimeout} is due, ms; `undefined` when nothing waits. */
  pollTimeout(): number | undefined {
    let earliest: number | undefined;
    for (const { deadline } of this.#barriers.values()) {
      if (earliest === undefined || deadline < earliest) earliest = deadline;
    }
    return earliest;
  }

  /** Opens the barriers that have waited too long at `now`, ms. Returns the flows to read on from. */
  handleTimeout(now: number): F[] {
    const released: F[] = [];
    for (const [syncId, barrier] of this.#barriers) {
      if (barrier.deadline > now) continue;
      this.#timeouts++;
      released.push(...this.#open(syncId, barrier, now + this.#timeoutMs));
    }
    return released;
  }

  /** Whether a sync belongs to a barrier that is open already; it then counts as one of those missing there. */
  #isLate(syncId: number, now: number): boolean {
    for (const [id, { missing, until }] of this.#late) if (missing === 0 || until <= now) this.#late.delete(id);
    const late = this.#late.get(syncId);
    if (late === undefined) return false;
    late.missing--;
    return true;
  }

  /** Clears a barrier; returns the flows that waited at it, without those that left meanwhile. */
  #open(syncId: number, barrier: Barrier<F>, lateUntil: number): F[] {
    this.#barriers.delete(syncId);
    const missing = barrier.count - barrier.syncs;
    if (missing > 0) this.#late.set(syncId, { missing, until: lateUntil });
    return [...barrier.arrived].filter((flow) => this.#suspended.delete(flow));
  }
}

/** A barrier that opened before all its syncs came. */
interface Late {
  missing: number;
  /** When the missing syncs are no longer expected. */
  readonly until: number;
}

interface Barrier<F> {
  readonly count: number;
  /** Syncs that came. */
  syncs: number;
  /** Flows whose sync came, and flows that are gone. */
  readonly arrived: Set<F>;
  readonly deadline: number;
}

/** The default of {@link FlowSyncOptions.timeoutMs}. */
export const FLOW_SYNC_TIMEOUT_MS = 10_000;
