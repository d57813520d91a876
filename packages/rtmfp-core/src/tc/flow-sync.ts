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
 * count of 0 or 1 passes at once, and a flow that closed or was rejected counts as arrived. `F` is the owner's handle.
 */
export class FlowSync<F> {
  readonly #timeoutMs: number;
  readonly #barriers: Map<number, Barrier<F>> = new Map();
  readonly #suspended: Set<F> = new Set();
  #timeouts = 0;

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
    if (this.#suspended.has(flow)) return [];
    let barrier = this.#barriers.get(syncId);
    if (barrier === undefined) {
      if (count <= 1) return [];
      barrier = { count, arrived: new Set(), deadline: now + this.#timeoutMs };
      this.#barriers.set(syncId, barrier);
    }
    barrier.arrived.add(flow);
    this.#suspended.add(flow);
    if (barrier.arrived.size < barrier.count) return [];
    return this.#open(syncId, barrier).filter((released) => released !== flow);
  }

  /** `flow` closed or was rejected: it counts as arrived wherever others wait. Returns the flows to read on from. */
  leave(flow: F): F[] {
    this.#suspended.delete(flow);
    const released: F[] = [];
    for (const [syncId, barrier] of this.#barriers) {
      barrier.arrived.add(flow);
      if (barrier.arrived.size >= barrier.count) released.push(...this.#open(syncId, barrier));
      else if (![...barrier.arrived].some((arrived) => this.#suspended.has(arrived))) this.#barriers.delete(syncId);
    }
    return released;
  }

  /** When {@link handleTimeout} is due; `undefined` when nothing waits. */
  pollTimeout(): number | undefined {
    let earliest: number | undefined;
    for (const { deadline } of this.#barriers.values()) {
      if (earliest === undefined || deadline < earliest) earliest = deadline;
    }
    return earliest;
  }

  /** Opens the barriers that have waited too long. Returns the flows to read on from. */
  handleTimeout(now: number): F[] {
    const released: F[] = [];
    for (const [syncId, barrier] of this.#barriers) {
      if (barrier.deadline > now) continue;
      this.#timeouts++;
      released.push(...this.#open(syncId, barrier));
    }
    return released;
  }

  /** Clears a barrier; returns the flows that waited at it, without those that left meanwhile. */
  #open(syncId: number, barrier: Barrier<F>): F[] {
    this.#barriers.delete(syncId);
    return [...barrier.arrived].filter((flow) => this.#suspended.delete(flow));
  }
}

interface Barrier<F> {
  readonly count: number;
  /** Flows whose sync came, and flows that are gone. */
  readonly arrived: Set<F>;
  readonly deadline: number;
}

/** The default of {@link FlowSyncOptions.timeoutMs}. */
export const FLOW_SYNC_TIMEOUT_MS = 10_000;
