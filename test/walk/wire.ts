/** Watches every packet that a session sends, against the state of the sender at that moment. § means RFC 7016. */
import { decodePacket } from "../../packages/rtmfp-core/src/proto/chunk/codec.ts";
import {
  type AckChunk,
  ChunkType,
  FragmentControl,
  type UserDataChunk,
  UserDataFlag,
} from "../../packages/rtmfp-core/src/proto/chunk/types.ts";
import type { TraceRecord } from "../../packages/rtmfp-core/src/proto/config.ts";
import type { Fragment } from "../../packages/rtmfp-core/src/proto/fragment.ts";
import { WINDOW_BLOCK_BYTES } from "../../packages/rtmfp-core/src/proto/params.ts";
import type { SendFlow } from "../../packages/rtmfp-core/src/proto/send-flow.ts";
import type { Session } from "../../packages/rtmfp-core/src/proto/session.ts";
import { type Ledger, Violation } from "./ledger.ts";

/** What the wire has shown of one sending flow. */
interface Seen {
  /** Fragment control by sequence number, of data that was not abandoned. */
  readonly control: Map<number, number>;
  highestFsn: number;
}

/** See the file's head. */
export class Wire {
  readonly #ledger: Ledger;
  readonly #flows = new Map<SendFlow, Seen>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A packet of an open session has been built and is about to leave. */
  onSent(record: TraceRecord, session: Session): void {
    const packet = decodePacket(record.packet);
    if (packet === undefined) throw new Violation("a packet left that has no header");
    // A chunk that is too large by itself goes alone; so does a probe of the path's MTU.
    const probe = packet.chunks.every((chunk) => chunk?.type === ChunkType.padding0 || chunk?.type === ChunkType.ping);
    if (record.datagram.length > session.datagramBytes && packet.chunks.length > 1 && !probe)
      throw new Violation(`a datagram of ${record.datagram.length} bytes left, ${session.datagramBytes} are allowed`);
    let flow: SendFlow | undefined;
    let sn = 0;
    let fsn = 0;
    const last = new Map<SendFlow, number>();
    for (const chunk of packet.chunks) {
      if (chunk === undefined) throw new Violation("a malformed chunk left");
      if (chunk.type === ChunkType.ackRanges || chunk.type === ChunkType.ackBitmap)
        this.#onAck(session, chunk as AckChunk);
      if (chunk.type !== ChunkType.userData && chunk.type !== ChunkType.nextUserData) continue;
      const data = chunk as UserDataChunk;
      if (data.type === ChunkType.userData) {
        flow = session.sends.flow(data.flowId);
        sn = data.sequenceNumber;
        fsn = sn - data.fsnOffset;
      } else sn++;
      if (flow === undefined) throw new Violation("user data left for a flow that does not exist");
      last.set(flow, this.#onFragment(session, flow, sn, fsn, data).transmitSize);
    }
    for (const [sender, size] of last) {
      if (sender.exceptionCode === undefined && sender.outstandingBytes - size >= sender.windowBytes)
        throw new Violation(`flow ${sender.id} sent beyond the window of ${sender.windowBytes} bytes (§3.6.2.3)`);
    }
  }

  /** What is free, in blocks that may be begun, or one if nothing is (§3.6.3.5). */
  #onAck(session: Session, { flowId, bufferBlocks }: AckChunk): void {
    for (const flow of session.receives.flows) {
      const record = flow.id === flowId ? this.#ledger.byReceive.get(flow) : undefined;
      if (record?.receiver === undefined) continue;
      const { capacityBytes } = record.receiver;
      const free = Math.max(capacityBytes - flow.bufferedBytes, 0);
      const most = Math.max(Math.ceil(free / WINDOW_BLOCK_BYTES), capacityBytes > 0 ? 1 : 0);
      if (bufferBlocks > most)
        throw new Violation(
          `flow ${record.uid} advertises ${bufferBlocks} blocks, ${free} of ${capacityBytes} bytes are free`,
        );
    }
  }

  #onFragment(session: Session, flow: SendFlow, sn: number, fsn: number, chunk: UserDataChunk): Fragment {
    const what = `flow ${flow.id} fragment ${sn}`;
    const seen = this.#seen(flow);
    let fragment: Fragment | undefined;
    for (const other of session.sends.inFlight) {
      if (other.flow !== flow) continue;
      if (other.sequenceNumber === sn) fragment = other;
      if (!other.sentAbandoned && other.sequenceNumber <= fsn)
        throw new Violation(`${what}: FSN ${fsn} covers ${other.sequenceNumber}, which is in flight`);
    }
    if (fragment === undefined) throw new Violation(`${what} left but is not in flight`);
    const abandoned = (chunk.flags & UserDataFlag.abandon) !== 0;
    if (fsn < seen.highestFsn) throw new Violation(`${what}: FSN went back from ${seen.highestFsn} to ${fsn}`);
    seen.highestFsn = fsn;
    if (sn < fsn || (sn === fsn && !abandoned)) throw new Violation(`${what} left below FSN ${fsn}`);
    const { receipt } = fragment;
    if (abandoned) {
      if (chunk.data.length > 0) throw new Violation(`${what} is abandoned but carries data`);
      return fragment;
    }
    if (receipt === undefined || receipt.abandoned) throw new Violation(`${what} of an abandoned message left`);
    const control = (chunk.flags >> 4) & 3;
    this.#checkNeighbours(what, seen, sn, control);
    const message = this.#ledger.byReceipt.get(receipt);
    if (message === undefined) throw new Violation(`${what} belongs to no message`);
    if (!seen.control.has(sn)) {
      seen.control.set(sn, control);
      if (message.lastSn !== undefined && sn !== message.lastSn + 1)
        throw new Violation(`${what}: the message's fragment before was ${message.lastSn} (§2.3.11)`);
      message.lastSn = sn;
      message.sentBytes += chunk.data.length;
    }
    if (control === FragmentControl.whole || control === FragmentControl.end) {
      message.endSent = true;
      if (message.sentBytes !== message.size)
        throw new Violation(`${what} ends a message of ${message.size} bytes after ${message.sentBytes}`);
    }
    return fragment;
  }

  #checkNeighbours(what: string, seen: Seen, sn: number, control: number): void {
    const known = seen.control.get(sn);
    if (known !== undefined && known !== control) throw new Violation(`${what} changed its fragment control`);
    const before = seen.control.get(sn - 1);
    const after = seen.control.get(sn + 1);
    if (before !== undefined && opens(before) !== continues(control))
      throw new Violation(`${what}: fragment control ${control} after ${before} (§2.3.11)`);
    if (after !== undefined && opens(control) !== continues(after))
      throw new Violation(`${what}: fragment control ${control} before ${after} (§2.3.11)`);
  }

  #seen(flow: SendFlow): Seen {
    let seen = this.#flows.get(flow);
    if (seen === undefined) {
      seen = { control: new Map(), highestFsn: 0 };
      this.#flows.set(flow, seen);
    }
    return seen;
  }
}

/** More of the message follows. */
function opens(control: number): boolean {
  return control === FragmentControl.begin || control === FragmentControl.middle;
}

/** The message began before. */
function continues(control: number): boolean {
  return control === FragmentControl.end || control === FragmentControl.middle;
}
