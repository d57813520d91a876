/** The receiving half of a session: its flows and when acknowledgements go out (§3.6.3). § means RFC 7016. */

import { writeFlowAck } from "./ack-writer.ts";
import { ByteReader, EMPTY } from "./bytes.ts";
import { readUserData } from "./chunk/flow.ts";
import { ChunkType, type FragmentControl, type UserDataChunk, UserDataFlag } from "./chunk/types.ts";
import { FlowTable } from "./flow-table.ts";
import { LingerQueue } from "./linger-queue.ts";
import type { Option } from "./option.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import {
  ACK_EVERY_PACKETS,
  DELAYED_ACK_MS,
  FIRST_IGNORABLE_OPTION,
  MAX_LINGERING_FLOWS,
  MAX_RECEIVING_FLOWS,
  RECEIVE_LINGER_MS,
} from "./params.ts";
import { RecvFlow, type RecvFlowHost } from "./recv-flow.ts";
import type { SendFlow } from "./send-flow.ts";

/** What the receiving side needs of its session. */
export interface ReceiveSideHost {
  /** Our open sending flow of that ID, for associations (§3.6.3.1). */
  openSendFlow(id: number): SendFlow | undefined;
  requestTransmit(): void;
  wakeAt(at: number): void;
  /** A new flow that is not rejected; the application accepts or rejects it while handling the event. */
  onFlow(flow: RecvFlow): void;
  /** The flow has messages to read. */
  onFlowReadable(flow: RecvFlow): void;
  /** Everything of the flow has been read and nothing follows. */
  onFlowFinished(flow: RecvFlow): void;
}

/** Counters of the receiving side. */
export interface ReceiveStats {
  fragmentsReceived: number;
  bytesReceived: number;
  /** Data beyond the window or the cap on held fragments. */
  beyondWindow: number;
  /** New flows beyond the caps on receiving flows and on lingering ones. */
  flowsRefused: number;
  malformed: number;
}

/** See the file's head. */
export class ReceiveSide implements RecvFlowHost {
  readonly stats: ReceiveStats = {
    fragmentsReceived: 0,
    bytesReceived: 0,
    beyondWindow: 0,
    flowsRefused: 0,
    malformed: 0,
  };
  /** DELACK_ALARM, or Infinity. */
  delayedAckAt: number = Number.POSITIVE_INFINITY;
  /** ACK_NOW. */
  ackNow = false;
  readonly #host: ReceiveSideHost;
  readonly #flows = new FlowTable<RecvFlow>();
  readonly #lingering = new LingerQueue<RecvFlow>();
  /** Flows with SHOULD_ACK, in order. */
  #toAck: RecvFlow[] = NO_FLOWS;
  /** RX_DATA_PACKETS. */
  #dataPackets = 0;
  #now = 0;
  // Context of Next User Data within the current packet (§2.3.12).
  #current: RecvFlow | undefined;
  #currentSn = 0;
  #currentFsn = 0;
  #packetHadData = false;

  constructor(host: ReceiveSideHost) {
    this.#host = host;
  }

  get flows(): Iterable<RecvFlow> {
    return this.#flows.values();
  }

  /** True while some flow owes an acknowledgement. */
  get owesAck(): boolean {
    return this.#toAck.length > 0;
  }

  /** Before the chunks of a packet. */
  beginPacket(now: number): void {
    this.#now = now;
    this.#packetHadData = false;
  }

  /** After the chunks of a packet: every second data packet is acknowledged at once, others within 200 ms. */
  endPacket(): void {
    this.#current = undefined;
    if (!this.#packetHadData) return;
    if (++this.#dataPackets >= ACK_EVERY_PACKETS) this.ackNow = true;
    if (this.ackNow) this.#host.requestTransmit();
    else if (this.delayedAckAt === Number.POSITIVE_INFINITY) {
      this.delayedAckAt = this.#now + DELAYED_ACK_MS;
      this.#host.wakeAt(this.delayedAckAt);
    }
  }

  /** A (Next) User Data chunk; false if it is malformed or out of place, and thereby skipped (AMB-27). */
  onUserData(type: UserDataChunk["type"], reader: ByteReader): boolean {
    const chunk = readUserData(type, reader);
    const unplaced = this.#current === undefined || this.#currentSn === Number.MAX_SAFE_INTEGER;
    if (reader.failed || (type === ChunkType.nextUserData && unplaced)) {
      this.#current = undefined;
      this.stats.malformed++;
      return false;
    }
    if (type === ChunkType.userData) {
      this.#currentSn = chunk.sequenceNumber;
      this.#currentFsn = chunk.sequenceNumber - chunk.fsnOffset;
      this.#current = this.#flows.get(chunk.flowId) ?? this.#open(chunk);
      if (this.#current === undefined) return false;
    } else this.#currentSn++;
    const flow = this.#current as RecvFlow;
    this.#packetHadData = true;
    this.stats.fragmentsReceived++;
    this.stats.bytesReceived += chunk.data.length;
    if (chunk.options !== undefined && flow.state === "RF_OPEN" && hasUnknownOption(chunk.options)) flow.reject(0);
    const control = ((chunk.flags >> 4) & 3) as FragmentControl;
    const abandoned = (chunk.flags & UserDataFlag.abandon) !== 0;
    const final = (chunk.flags & UserDataFlag.final) !== 0;
    if (!flow.onData(this.#currentSn, this.#currentFsn, control, abandoned, final, chunk.data))
      this.stats.beyondWindow++;
    return true;
  }

  /** Buffer Probe (§3.6.3.6). */
  onBufferProbe(flowId: number): void {
    const flow = this.#flows.get(flowId);
    if (flow !== undefined) this.ackDue(flow, true);
  }

  /** Writes acknowledgements that are due, as many as fit (§3.6.3.4). True if anything was written. */
  writeAcks(packet: PacketBuilder): boolean {
    let written = 0;
    for (const flow of this.#toAck) {
      if (!writeFlowAck(packet, flow, written === 0)) break;
      flow.shouldAck = false;
      written++;
    }
    this.#toAck = written === this.#toAck.length ? NO_FLOWS : this.#toAck.slice(written);
    if (this.#toAck.length === 0) {
      this.ackNow = false;
      this.#dataPackets = 0;
      this.delayedAckAt = Number.POSITIVE_INFINITY;
    }
    return written > 0;
  }

  /** The session woke. */
  onTimer(now: number): void {
    this.#now = now;
    if (this.delayedAckAt <= now) {
      this.delayedAckAt = Number.POSITIVE_INFINITY;
      this.ackNow = true;
      this.#host.requestTransmit();
    }
    this.#lingering.release(now, this.#flows);
  }

  get nextDeadline(): number {
    return Math.min(this.delayedAckAt, this.#lingering.next);
  }

  /** The session left S_OPEN (§3.5.5). */
  abort(): void {
    for (const flow of this.#flows.values()) flow.abort();
    this.#flows.clear();
    this.#lingering.clear();
    this.#toAck = NO_FLOWS;
    this.ackNow = false;
    this.delayedAckAt = Number.POSITIVE_INFINITY;
  }

  ackDue(flow: RecvFlow, now: boolean): void {
    if (!flow.shouldAck) {
      flow.shouldAck = true;
      if (this.#toAck === NO_FLOWS) this.#toAck = [flow];
      else this.#toAck.push(flow);
    }
    if (flow.state === "RF_COMPLETE_LINGER") this.#linger(flow);
    if (!now || this.ackNow) return;
    this.ackNow = true;
    this.#host.requestTransmit();
  }

  flowReadable(flow: RecvFlow): void {
    this.#host.onFlowReadable(flow);
  }

  flowFinished(flow: RecvFlow): void {
    this.#host.onFlowFinished(flow);
  }

  #linger(flow: RecvFlow): void {
    if (flow.lingers) return;
    flow.lingers = true;
    const until = this.#now + RECEIVE_LINGER_MS;
    this.#lingering.add(flow, until);
    this.#host.wakeAt(until);
  }

  /** User Data for an unknown ID opens a flow (§3.6.3.1). */
  #open(chunk: UserDataChunk): RecvFlow | undefined {
    const lingering = this.#lingering.length;
    if (this.#flows.size - lingering >= MAX_RECEIVING_FLOWS || lingering >= MAX_LINGERING_FLOWS) {
      this.stats.flowsRefused++;
      return undefined;
    }
    let metadata: Uint8Array | undefined;
    let association: SendFlow | undefined;
    let acceptable = true;
    let associations = 0;
    for (const option of chunk.options ?? []) {
      if (option.type === UserDataOption.metadata) metadata ??= option.value.slice();
      else if (option.type === UserDataOption.association) {
        const reader = new ByteReader(option.value);
        association = this.#host.openSendFlow(reader.vlu());
        acceptable &&= !reader.failed && association !== undefined && ++associations === 1;
      } else if (option.type < FIRST_IGNORABLE_OPTION) acceptable = false;
    }
    const flow = new RecvFlow(this, chunk.flowId, metadata ?? EMPTY, association);
    this.#flows.set(chunk.flowId, flow);
    if (metadata === undefined || !acceptable) flow.reject(0);
    else this.#host.onFlow(flow);
    this.ackDue(flow, true);
    return flow;
  }
}

/** For sessions that owe no acknowledgement; stays empty. */
const NO_FLOWS: RecvFlow[] = [];

/** User Data option types (§2.3.11.1). */
export const UserDataOption = { metadata: 0x00, association: 0x0a } as const;

function hasUnknownOption(options: readonly Option[]): boolean {
  return options.some(
    (option) =>
      option.type < FIRST_IGNORABLE_OPTION &&
      option.type !== UserDataOption.metadata &&
      option.type !== UserDataOption.association,
  );
}
