/** The receiving half of a session: its flows and when acknowledgements go out (§3.6.3). § means RFC 7016. */

import { writeFlowAck } from "./ack-writer.ts";
import { ByteReader, EMPTY } from "./bytes.ts";
import { readUserData } from "./chunk/flow.ts";
import { ChunkType, type FragmentControl, type UserDataChunk, UserDataFlag } from "./chunk/types.ts";
import type { EndpointConfig } from "./config.ts";
import { LeanMap } from "./lean-map.ts";
import { LingerQueue } from "./linger-queue.ts";
import type { Option } from "./option.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import {
  ACK_EVERY_PACKETS,
  DELAYED_ACK_MS,
  FIRST_IGNORABLE_OPTION,
  MAX_LINGERING_FLOWS,
  MAX_RECEIVING_FLOWS,
  MAX_REFUSALS_WAITING,
  RECEIVE_LINGER_MS,
  REFUSALS_BURST,
  REFUSALS_PER_SECOND,
  REJECTED_ANSWERS_BURST,
  REJECTED_ANSWERS_PER_SECOND,
} from "./params.ts";
import { type EndpointBudget, SessionBudget } from "./receive-budget.ts";
import { RecvFlow, type RecvFlowHost } from "./recv-flow.ts";
import type { RoundTripTimer } from "./rtt.ts";
import type { SendFlow } from "./send-flow.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What the receiving side needs of its session. */
export interface ReceiveSideHost {
  /** Round-trip times of the session (§3.5.2.2). */
  readonly rtt: RoundTripTimer;
  /** What all sessions hold. */
  readonly receiveBudget: EndpointBudget;
  /** See EndpointConfig.discard. */
  readonly discard: EndpointConfig["discard"];
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
  /**
   * Chunks with data beyond the window or the caps of their flow, those behind them in their packet, and data of rejected
   * flows beyond the rate at which it is answered: dropped, unacknowledged.
   */
  beyondWindow: number;
  /**
   * Data that the window allowed, beyond the budget of the session or the endpoint, of bytes or of runs, and chunks behind
   * that of runs in their packet: dropped, unacknowledged.
   */
  beyondBudget: number;
  /** Flows rejected because a message in them was too large. */
  messagesTooLarge: number;
  /** Chunks of new flows beyond the caps on receiving flows and on lingering ones; each is answered by an exception. */
  flowsRefused: number;
  malformed: number;
}

/** See the file's head. */
export class ReceiveSide implements RecvFlowHost {
  readonly stats: ReceiveStats = {
    fragmentsReceived: 0,
    bytesReceived: 0,
    beyondWindow: 0,
    beyondBudget: 0,
    messagesTooLarge: 0,
    flowsRefused: 0,
    malformed: 0,
  };
  /** What the flows hold together. */
  readonly budget: SessionBudget;
  /** DELACK_ALARM, or Infinity. */
  delayedAckAt: number = Number.POSITIVE_INFINITY;
  /** ACK_NOW. */
  ackNow = false;
  readonly #host: ReceiveSideHost;
  /** Paces rejections of flows beyond the caps; made with the first. */
  #refusals: TokenBucket | undefined;
  /** Paces answers to data of rejected flows; made with the first. */
  #answers: TokenBucket | undefined;
  readonly #flows = new LeanMap<number, RecvFlow>();
  readonly #lingering = new LingerQueue<RecvFlow>();
  /** Flows with SHOULD_ACK, in order. */
  #toAck: RecvFlow[] = NO_FLOWS;
  /** Flows that data was dropped of for want of common room, in the order that they are told of new room. */
  #starved: Set<RecvFlow> | undefined;
  /** RX_DATA_PACKETS. */
  #dataPackets = 0;
  /** When data was last missing. */
  #gapAt: number = Number.NEGATIVE_INFINITY;
  #now = 0;
  // Context of Next User Data within the current packet (§2.3.12).
  #current: RecvFlow | undefined;
  #currentSn = 0;
  #currentFsn = 0;
  #packetHadData = false;
  /** The flow that refused data of the current packet, and what counts the rest that the packet has for it. */
  #refused: RecvFlow | undefined;
  #refusedAs: "beyondWindow" | "beyondBudget" = "beyondWindow";

  constructor(host: ReceiveSideHost) {
    this.#host = host;
    this.budget = new SessionBudget(host.receiveBudget);
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
    this.#refused = undefined;
  }

  /** After the chunks of a packet: every second data packet is acknowledged at once, others within 200 ms. */
  endPacket(): void {
    this.#current = undefined;
    if (!this.#packetHadData || !this.owesAck) return;
    if (++this.#dataPackets >= ACK_EVERY_PACKETS) this.ackNow = true;
    if (this.ackNow) this.#host.requestTransmit();
    else if (this.delayedAckAt === Number.POSITIVE_INFINITY) {
      this.delayedAckAt = this.#now + DELAYED_ACK_MS;
      this.#host.wakeAt(this.delayedAckAt);
    }
  }

  /** A (Next) User Data chunk; false if it is malformed or out of place, and thereby skipped (AMB-27). */
  onUserData(type: UserDataChunk["type"], reader: ByteReader): boolean {
    if (this.#refused !== undefined && this.#isOfRefused(type, reader)) {
      this.#current = this.#refused;
      this.stats[this.#refusedAs]++;
      return true;
    }
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
    const final = (chunk.flags & UserDataFlag.final) !== 0;
    if (flow.state === "RF_REJECTED" && !flow.shouldAck) {
      // Its end is answered whatever the pace: it comes once, and a sender that waits for it takes its path to be full.
      const isEnd = flow.endsWith(this.#currentSn, this.#currentFsn, final);
      if (!isEnd && !this.#mayAnswerRejected()) {
        this.#drop(flow, "beyondWindow");
        return true;
      }
    }
    this.#packetHadData = true;
    this.stats.fragmentsReceived++;
    this.stats.bytesReceived += chunk.data.length;
    if (chunk.options !== undefined && flow.state === "RF_OPEN" && hasUnknownOption(chunk.options)) flow.breakOff();
    const control = ((chunk.flags >> 4) & 3) as FragmentControl;
    const abandoned = (chunk.flags & UserDataFlag.abandon) !== 0;
    if (!flow.onData(this.#currentSn, this.#currentFsn, control, abandoned, final, chunk.data)) {
      this.#drop(flow, "beyondWindow");
    }
    if (flow.seen.hasGap) this.#gapAt = this.#now;
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
    const again =
      this.#dataPackets > REPEAT_BEYOND_PACKETS &&
      this.#now - this.#gapAt < REPEAT_MS &&
      this.#host.rtt.pacedRtt === undefined;
    // Once: what does not fit goes with the next packet, which must not repeat it, and so on.
    if (again) this.#dataPackets = 0;
    for (const flow of this.#toAck) {
      if (!writeFlowAck(packet, flow, written === 0)) break;
      flow.shouldAck = false;
      written++;
    }
    const repeated = again ? this.#toAck.slice(0, written) : NO_FLOWS;
    this.#toAck = written === this.#toAck.length ? NO_FLOWS : this.#toAck.slice(written);
    if (this.#toAck.length === 0) {
      this.ackNow = false;
      this.#dataPackets = 0;
      this.delayedAckAt = Number.POSITIVE_INFINITY;
    }
    for (const flow of repeated) this.ackDue(flow, true);
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
    this.budget.end();
    this.#starved = undefined;
    this.#flows.clear();
    this.#lingering.clear();
    this.#toAck = NO_FLOWS;
    this.ackNow = false;
    this.delayedAckAt = Number.POSITIVE_INFINITY;
  }

  get discard(): EndpointConfig["discard"] {
    return this.#host.discard;
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

  messageTooLarge(): void {
    this.stats.messagesTooLarge++;
  }

  beyondBudget(flow: RecvFlow): void {
    this.stats.beyondBudget++;
    this.#starved ??= new Set();
    this.#starved.add(flow);
  }

  beyondRanges(flow: RecvFlow): void {
    this.#drop(flow, "beyondBudget");
  }

  /** One at a time is told, the one that has waited longest: all at once would lose what they send again. */
  budgetFreed(): void {
    if (this.#starved === undefined || this.#starved.size === 0) return;
    for (const flow of this.#starved) {
      if (flow.state === "RF_OPEN" && !this.budget.welcomes(flow)) return;
      this.#starved.delete(flow);
      if (flow.state !== "RF_OPEN") continue;
      this.ackDue(flow, true);
      return;
    }
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
      this.#refuse(chunk);
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

  /**
   * Rejects a flow that there is no room for (§3.6.3.7) without remembering it: each of its chunks is answered by an
   * exception and an acknowledgement of all up to it. What is not acknowledged would fill the sender's window.
   */
  #refuse(chunk: UserDataChunk): void {
    this.#packetHadData = true;
    this.#refusals ??= new TokenBucket(REFUSALS_PER_SECOND, REFUSALS_BURST, this.#now);
    if (this.#toAck.length >= MAX_REFUSALS_WAITING || !this.#refusals.take(this.#now)) return;
    const flow = new RecvFlow(this, chunk.flowId, EMPTY, undefined);
    flow.seen.addUpTo(chunk.sequenceNumber);
    flow.reject(0);
  }

  /** Each answer costs a packet, where acknowledgements stand for several; who has heard one does not go on. */
  #mayAnswerRejected(): boolean {
    this.#answers ??= new TokenBucket(REJECTED_ANSWERS_PER_SECOND, REJECTED_ANSWERS_BURST, this.#now);
    return this.#answers.take(this.#now);
  }

  /** Data of the flow was refused; so is the rest that the packet has for it. */
  #drop(flow: RecvFlow, as: "beyondWindow" | "beyondBudget"): void {
    this.#refused = flow;
    this.#refusedAs = as;
    this.stats[as]++;
  }

  /**
   * True if the chunk is for the flow that has refused data of this packet: what else the packet has for it costs no
   * more than this look.
   */
  #isOfRefused(type: UserDataChunk["type"], reader: ByteReader): boolean {
    if (type === ChunkType.nextUserData) return this.#current === this.#refused;
    const at = reader.pos++;
    const id = reader.vlu();
    reader.pos = at;
    return !reader.failed && id === this.#refused?.id;
  }
}

/** For sessions that owe no acknowledgement; stays empty. */
const NO_FLOWS: RecvFlow[] = [];

/**
 * Between hosts side by side, an acknowledgement of more packets than this is sent twice while data was missing within
 * that time: it may stand for the whole window, and to wait for a tail-loss probe there is to lose many windows.
 */
const REPEAT_BEYOND_PACKETS = 4;
const REPEAT_MS = 1_000;

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
