/** What a session needs of its endpoint. */
import type { EndpointConfig } from "./config.ts";
import type { EndpointEvent } from "./events.ts";
import type { LostSizes } from "./path-mtu.ts";
import type { EndpointPatience } from "./patience.ts";
import type { EndpointBudget } from "./receive-budget.ts";
import type { Session } from "./session.ts";
import type { EndpointStats } from "./stats.ts";
import type { TimeCriticalMemory } from "./time-critical.ts";
import type { TimerHeap } from "./timer-heap.ts";

/** The endpoint as its sessions see it. */
export interface SessionHost {
  readonly config: EndpointConfig;
  readonly stats: EndpointStats;
  readonly timers: TimerHeap;
  readonly timeCritical: TimeCriticalMemory;
  /** When the process last went on after it stood still, ms; -Infinity if it never did. */
  readonly resumedAt: number;
  readonly lostSizes: LostSizes;
  /** What the receiving flows of all sessions hold. */
  readonly receiveBudget: EndpointBudget;
  /** What all sessions are borne with. */
  readonly patience: EndpointPatience;
  /** Tells the layer above. */
  emit(event: EndpointEvent): void;
  /** The session may have a packet to send. */
  sessionReady(session: Session): void;
  /** The session reached S_CLOSED or S_OPEN_FAILED. */
  sessionEnded(session: Session): void;
  /** The far end has used its patience up; the session is about to end. */
  sessionAbused(session: Session, now: number): void;
  /** The session's DESTADDR changed. */
  sessionMoved(session: Session, fromKey: string): void;
  /** A far end introduced an initiator by FIHello (§3.5.1.5). Borrows `epd` and `tag`. */
  forwardedHello(
    session: Session,
    epd: Uint8Array,
    reply: { host: string; port: number },
    tag: Uint8Array,
    now: number,
  ): void;
}
