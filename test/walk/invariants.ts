/** What must hold between any two steps, and when all is over. § means RFC 7016. */
import { WINDOW_TOLERANCE_BYTES } from "../../packages/rtmfp-core/src/proto/params.ts";
import type { SendFlow } from "../../packages/rtmfp-core/src/proto/send-flow.ts";
import type { Session } from "../../packages/rtmfp-core/src/proto/session.ts";
import { type FlowRecord, type Ledger, Violation } from "./ledger.ts";
import type { Peer } from "./peer.ts";

/** After each step. */
export function checkStep(peers: readonly Peer[], ledger: Ledger): void {
  for (const peer of peers) for (const session of peer.driver.endpoint.sessions.all) checkSession(peer, session);
  for (const record of ledger.flows) checkFlow(record);
}

function checkSession(peer: Peer, session: Session): void {
  const what = `${peer.name}: session ${(session.nearId >>> 0).toString(16)}`;
  const perFlow = new Map<SendFlow, number>();
  let total = 0;
  for (const fragment of session.sends.inFlight) {
    if (!fragment.inFlight) throw new Violation(`${what} lists a fragment that is not in flight`);
    total += fragment.transmitSize;
    perFlow.set(fragment.flow, (perFlow.get(fragment.flow) ?? 0) + fragment.transmitSize);
  }
  if (total !== session.sends.outstandingBytes)
    throw new Violation(`${what} has ${total} bytes in flight but counts ${session.sends.outstandingBytes}`);
  for (const flow of session.sends.flows) {
    const own = perFlow.get(flow) ?? 0;
    perFlow.delete(flow);
    if (own !== flow.outstandingBytes)
      throw new Violation(`${what}: flow ${flow.id} has ${own} bytes in flight but counts ${flow.outstandingBytes}`);
  }
  if (perFlow.size > 0) throw new Violation(`${what} has fragments in flight of flows that are gone`);
  if (total > 0 && session.sends.timeoutAt === Number.POSITIVE_INFINITY)
    throw new Violation(`${what} has data in flight and no timeout (§3.6.2.6)`);
  if (session.isOpen && session.heapIndex < 0) throw new Violation(`${what} is open and sleeps for ever`);
}

function checkFlow(record: FlowRecord): void {
  let buffered = 0;
  for (const message of record.messages) if (message.receipt.state === "queued") buffered += message.size;
  if (buffered !== record.flow.bufferedBytes)
    throw new Violation(`flow ${record.uid} holds ${buffered} bytes but counts ${record.flow.bufferedBytes}`);
  const { receiver } = record;
  if (receiver === undefined) return;
  const { bufferedBytes } = receiver.flow;
  // The message that is next in order may be larger than all that is allowed behind gaps or unread.
  const largest = record.messages.reduce((most, { size }) => Math.max(most, size), 0);
  const most = receiver.capacityBytes + WINDOW_TOLERANCE_BYTES + largest;
  if (bufferedBytes < 0 || bufferedBytes > most)
    throw new Violation(`flow ${record.uid} buffers ${bufferedBytes} bytes at its receiver, ${most} are allowed`);
}

/** All messages of flows that both ends still have: delivered and read, or abandoned. */
export function checkSettled(ledger: Ledger): void {
  for (const record of ledger.flows) {
    for (const { receipt, index, read } of record.messages) {
      const what = `flow ${record.uid} message ${index}`;
      if (receipt.state === "queued")
        throw new Violation(`${what} is neither delivered nor abandoned: ${stuck(record)}`);
      const receiver = record.receiver;
      const lasting = receiver === undefined ? record.session.isOpen : receiver.session.isOpen && !receiver.rejected;
      if (lasting && receipt.state === "delivered" && !read) throw new Violation(`${what} was acknowledged but lost`);
    }
  }
}

/** Every flow was closed and its linger is over. */
export function checkFlowsGone(peers: readonly Peer[], ledger: Ledger): void {
  for (const record of ledger.flows) {
    if (record.flow.state !== "F_CLOSED")
      throw new Violation(`sending flow ${record.uid} is still ${record.flow.state}`);
    if (record.flow.outstandingBytes !== 0 || record.flow.bufferedBytes !== 0)
      throw new Violation(`sending flow ${record.uid} is closed but counts bytes`);
    const { receiver } = record;
    if (receiver === undefined) continue;
    if (receiver.flow.state !== "RF_CLOSED")
      throw new Violation(`receiving flow ${record.uid} is still ${receiver.flow.state}`);
    if (!receiver.finished && !receiver.gone) throw new Violation(`receiving flow ${record.uid} never finished`);
    if (receiver.flow.bufferedBytes !== 0) throw new Violation(`receiving flow ${record.uid} still buffers bytes`);
  }
  for (const peer of peers) {
    for (const { sends, receives } of peer.driver.endpoint.sessions.all) {
      if ([...sends.flows].length > 0 || [...receives.flows].length > 0)
        throw new Violation(`${peer.name} keeps flows after their linger`);
    }
  }
}

/** Every session was closed. */
export function checkReleased(peers: readonly Peer[]): void {
  for (const peer of peers) {
    const { endpoint } = peer.driver;
    if (endpoint.sessions.size > 0) throw new Violation(`${peer.name} keeps ${endpoint.sessions.size} sessions`);
    if (peer.sessions.size + peer.opening.size > 0)
      throw new Violation(`${peer.name} was not told of the end of a session`);
    if (endpoint.timers.size > 0) throw new Violation(`${peer.name} keeps ${endpoint.timers.size} timers`);
    if (endpoint.pollEvent() !== undefined) throw new Violation(`${peer.name} has events left`);
    if (endpoint.pollTimeout() !== undefined) throw new Violation(`${peer.name} still wants to be woken`);
  }
}

function stuck({ flow, session, receiver }: FlowRecord): string {
  const far = receiver === undefined ? "never announced" : `${receiver.flow.state}, session ${receiver.session.state}`;
  return `${flow.state}, ${flow.queued ? "" : "not "}ready, ${flow.hasWork ? "has" : "no"} work, window ${flow.windowBytes}, in flight ${flow.outstandingBytes} of ${session.sends.outstandingBytes}, congestion window ${session.sends.congestion.window}, session ${session.state} ${session.queued ? "queued" : "idle"}; far end ${far}`;
}
