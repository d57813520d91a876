/** What an endpoint's receiving flows hold, counted anew and compared with the caps. */
import type { Endpoint } from "../../packages/rtmfp-core/src/proto/endpoint.ts";
import {
  FINISHING_BYTES,
  LEAST_SESSION_RANGES,
  LEAST_SESSION_SHARE_BYTES,
  MAX_MESSAGE_BYTES,
  RECEIVE_CAPACITY_BYTES,
  SEQUENCE_RANGES_TOTAL,
  SESSION_RECEIVE_BYTES,
  WINDOW_TOLERANCE_BYTES,
} from "../../packages/rtmfp-core/src/proto/params.ts";

/** Throws if a flow, a session or the endpoint holds more than it may. */
export function checkReceiving(endpoint: Endpoint): void {
  const { limitBytes, heldBytes } = endpoint.receiveBudget;
  const window = RECEIVE_CAPACITY_BYTES + WINDOW_TOLERANCE_BYTES;
  let all = 0;
  let behindGaps = 0;
  let ranges = 0;
  for (const session of endpoint.sessions.all) {
    let held = 0;
    for (const flow of session.receives.flows) {
      // Without its first fragment a flow has nothing that is next in order: nothing of it goes beyond window or budget.
      const behindGap = flow.seen.contiguous === 0;
      over("bytes in a flow", flow.bufferedBytes, behindGap ? window : MAX_MESSAGE_BYTES + window);
      if (behindGap) behindGaps += flow.bufferedBytes;
      held += flow.bufferedBytes;
      ranges += flow.seen.rangeCount;
    }
    over("bytes in a session", held, SESSION_RECEIVE_BYTES + FINISHING_BYTES);
    over("bytes in flows", held, session.receives.budget.heldBytes);
    all += held;
  }
  const limit = limitBytes + endpoint.sessions.size * LEAST_SESSION_SHARE_BYTES;
  over("ranges in all sessions", ranges, SEQUENCE_RANGES_TOTAL + endpoint.sessions.size * LEAST_SESSION_RANGES);
  if (ranges !== endpoint.receiveBudget.heldRanges)
    throw new Error(`${ranges} ranges, ${endpoint.receiveBudget.heldRanges} in the budget`);
  over("bytes behind gaps", behindGaps, limit);
  over("bytes in all sessions", all, limit + FINISHING_BYTES);
  over("bytes in sessions", all, heldBytes);
}

/** Throws if a count is beyond its cap. */
export function over(what: string, count: number, cap: number): void {
  if (count > cap) throw new Error(`${count} ${what}, beyond the cap of ${cap}`);
}
