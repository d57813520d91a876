/** What was written and what has been read, by flow: the truth that endpoints are held against. */
import { ByteReader, ByteWriter } from "../../packages/rtmfp-core/src/proto/bytes.ts";
import { RECEIVE_CAPACITY_BYTES } from "../../packages/rtmfp-core/src/proto/params.ts";
import type { RecvFlow } from "../../packages/rtmfp-core/src/proto/recv-flow.ts";
import type { SendFlow } from "../../packages/rtmfp-core/src/proto/send-flow.ts";
import type { Session } from "../../packages/rtmfp-core/src/proto/session.ts";
import type { WriteReceipt } from "../../packages/rtmfp-core/src/proto/write-receipt.ts";

/** Something that must never happen. */
export class Violation extends Error {}

/** The peer that a flow belongs to. */
export interface Owner {
  readonly name: string;
  /** Its endpoint's clock. */
  readonly now: number;
}

/** One written message. */
export interface MessageRecord {
  readonly flow: FlowRecord;
  readonly index: number;
  readonly size: number;
  receipt: WriteReceipt;
  /** Payload bytes that have left at least once, and the number of the last fragment that did. */
  sentBytes: number;
  lastSn: number | undefined;
  /** The fragment that ends it has left. */
  endSent: boolean;
  read: boolean;
}

/** The receiving end of a flow. */
export interface ReceiverRecord {
  readonly peer: string;
  readonly session: Session;
  readonly flow: RecvFlow;
  /** Always delivered in sequence so far. */
  inSequence: boolean;
  rejected: boolean;
  finished: boolean;
  /** Its endpoint was closed: it is told nothing more. */
  gone: boolean;
  /** Reads as soon as there is something. */
  eager: boolean;
  lastIndex: number;
  /** What it accepted the flow with. */
  capacityBytes: number;
}

/** One flow, both ends. */
export interface FlowRecord {
  readonly uid: number;
  readonly peer: Owner;
  readonly session: Session;
  readonly flow: SendFlow;
  /** Messages of 0 to 7 bytes, never abandoned: they are told apart by their order alone. */
  readonly tiny: boolean;
  readonly messages: MessageRecord[];
  receiver: ReceiverRecord | undefined;
}

/** All flows of a walk. */
export class Ledger {
  readonly flows: FlowRecord[] = [];
  readonly bySend = new Map<SendFlow, FlowRecord>();
  readonly byReceive = new Map<RecvFlow, FlowRecord>();
  readonly byReceipt = new Map<WriteReceipt, MessageRecord>();

  /** Metadata that names the next flow. */
  nextMetadata(padding: number): Uint8Array {
    const writer = new ByteWriter(new Uint8Array(4 + padding));
    writer.u32(this.flows.length);
    return writer.bytes;
  }

  opened(peer: Owner, session: Session, flow: SendFlow, tiny: boolean): FlowRecord {
    const record = { uid: this.flows.length, peer, session, flow, tiny, messages: [], receiver: undefined };
    this.flows.push(record);
    this.bySend.set(flow, record);
    return record;
  }

  /** The payload of the next message of a flow. */
  nextPayload(record: FlowRecord, size: number): Uint8Array {
    return payload(record.uid, record.messages.length, size);
  }

  written(flow: FlowRecord, size: number, receipt: WriteReceipt): MessageRecord {
    const index = flow.messages.length;
    const message = {
      flow,
      index,
      size,
      receipt,
      sentBytes: 0,
      lastSn: undefined,
      endSent: false,
      read: false,
    };
    flow.messages.push(message);
    this.byReceipt.set(receipt, message);
    return message;
  }

  /** A receiving flow was announced. */
  announced(peer: string, session: Session, flow: RecvFlow, eager: boolean): FlowRecord {
    const record = this.flows[new ByteReader(flow.metadata).u32()];
    if (record === undefined) throw new Violation(`${peer} was told of a flow that nobody opened`);
    if (record.receiver !== undefined) throw new Violation(`flow ${record.uid} was announced twice`);
    record.receiver = {
      peer,
      session,
      flow,
      inSequence: true,
      rejected: false,
      finished: false,
      gone: false,
      eager,
      lastIndex: -1,
      capacityBytes: RECEIVE_CAPACITY_BYTES,
    };
    this.byReceive.set(flow, record);
    return record;
  }

  /** A message was read: it must be one of the flow's, whole, new, allowed, and in its place. */
  read(record: FlowRecord, data: Uint8Array): void {
    const receiver = record.receiver as ReceiverRecord;
    const index = record.tiny ? receiver.lastIndex + 1 : data.length < 8 ? -1 : new ByteReader(data, 4).u32();
    const message = record.messages[index];
    const what = `flow ${record.uid} message ${index}`;
    if (message === undefined || !same(data, payload(record.uid, index, message.size)))
      throw new Violation(`${what}: ${data.length} bytes were read that were never written`);
    if (message.read) throw new Violation(`${what} was delivered twice`);
    message.read = true;
    if (message.receipt.abandoned && !message.endSent)
      throw new Violation(`${what} was delivered, yet abandoned before all of it had left`);
    if (receiver.inSequence && index <= receiver.lastIndex)
      throw new Violation(`${what} was delivered after message ${receiver.lastIndex}`);
    for (let i = receiver.lastIndex + 1; receiver.inSequence && i < index; i++)
      if (!(record.messages[i] as MessageRecord).receipt.abandoned)
        throw new Violation(`flow ${record.uid} message ${i} was skipped, yet never abandoned`);
    receiver.lastIndex = Math.max(index, receiver.lastIndex);
  }
}

/** Bytes that say which message they are, and differ from all others. */
function payload(uid: number, index: number, size: number): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(Math.max(8, size)));
  writer.u32(uid);
  writer.u32(index);
  for (let i = 8; i < size; i++) writer.u8((uid * 31 + index * 7 + i + (i >> 8)) & 0xff);
  return writer.bytes.subarray(0, size);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
