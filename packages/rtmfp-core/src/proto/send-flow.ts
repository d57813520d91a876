/** A sending flow (§3.6.2). § means RFC 7016. */

import { vluSize } from "./bytes.ts";
import { ChunkType, FragmentControl, UserDataFlag } from "./chunk/types.ts";
import { RtmfpError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import { Fragment, FragmentRing } from "./fragment.ts";
import { type Option, optionListSize, writeOptionList } from "./option.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import {
  BUFFER_PROBE_MAX_MS,
  BUFFER_PROBE_MIN_MS,
  INITIAL_WINDOW_BYTES,
  MAX_MESSAGE_BYTES,
  SEND_CAP_BYTES,
  SEND_LOW_WATER_BYTES,
} from "./params.ts";
import { isTimeCritical, type Priority, priorityRank } from "./priority.ts";
import type { RecvFlow } from "./recv-flow.ts";
import type { TimerNode } from "./timer-heap.ts";
import { type ReceiptOwner, WriteReceipt } from "./write-receipt.ts";

/** States of a sending flow (§3.6.2). */
export type SendFlowState = "F_OPEN" | "F_CLOSING" | "F_COMPLETE_LINGER" | "F_CLOSED";

/** What a sending flow needs of the session's sending side. */
export interface SendFlowHost {
  /** The flow may have something to send. */
  flowReady(flow: SendFlow): void;
  /** The flow's last fragment is acknowledged: linger (§3.6.2.11). */
  flowComplete(flow: SendFlow): void;
  /** The send buffer fell below the low-water mark. */
  flowWritable(flow: SendFlow): void;
  schedule(node: TimerNode, at: number): void;
  unschedule(node: TimerNode): void;
  /** Queues a Buffer Probe chunk. */
  probe(flow: SendFlow): void;
  /** A fragment that was still queued is acknowledged. */
  onAcked(fragment: Fragment): void;
  readonly erto: number;
  readonly bufferProbe: boolean;
}

/** Options of a new sending flow. */
export interface SendFlowOptions {
  /** Default "routine". The upper four are time critical. */
  priority?: Priority;
  /** Send buffer below which `ready` resolves; bytes, default 262144. */
  lowWaterBytes?: number;
  /** Send buffer beyond which a write throws FLOW_BUFFER_FULL; bytes, default 1048576. */
  capBytes?: number;
}

/** Options of one write. Absolute times in the endpoint's clock, ms. */
export interface WriteOptions {
  /** Abandon unless its first fragment has been sent by then. Default: no limit. */
  startBy?: number;
  /** Abandon unless delivered by then. Default: no limit. */
  finishBy?: number;
  /** Abandon when this earlier message of any flow is abandoned. Default: none. */
  parent?: WriteReceipt;
}

/** Sends messages in one direction. Made by Session.openFlow. Every `now` is the endpoint's clock, a time in ms. */
export class SendFlow implements ReceiptOwner, TimerNode {
  heapDeadline: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  /** Flow ID, unique among our flows in the session at a time (§2.3.11). */
  readonly id: number;
  /** 0 (lowest) to 7. */
  readonly rank: number;
  /** True for the upper four priorities (§3.5.2.1). */
  readonly timeCritical: boolean;
  /** The receiving flow that this one answers, if any. */
  readonly association: RecvFlow | undefined;
  /** For the layer above. */
  context: unknown = undefined;
  /** In the session's ready queue. */
  queued = false;
  /** Bytes of messages that have been delivered, in all. */
  deliveredBytes = 0;
  /** Bytes of fragments in flight (F_OUTSTANDING_BYTES). */
  outstandingBytes = 0;
  /** Last advertised window (RX_BUFFER_SIZE). */
  windowBytes: number = INITIAL_WINDOW_BYTES;
  /** Code of the Flow Exception Report that ended the flow, if one did. */
  exceptionCode: number | undefined = undefined;
  readonly #host: SendFlowHost;
  readonly #ring = new FragmentRing();
  readonly #messages = new Fifo<WriteReceipt>();
  readonly #lowWaterBytes: number;
  readonly #capBytes: number;
  #startupOptions: readonly Option[] | undefined;
  #state: SendFlowState = "F_OPEN";
  #bufferedBytes = 0;
  #wasAboveLowWater = false;
  /** Bytes of the first message already cut into fragments. */
  #cutBytes = 0;
  /** No entry below this number is waiting to be sent again, the head aside. */
  #scanSn = 1;
  #finalSn: number | undefined;
  /** The highest FSN told or about to be told. */
  #forwardTold = 0;
  #lastSerial = 0;
  #highestAck = 0;
  #probeInterval = 0;
  #probeAt: number = Number.POSITIVE_INFINITY;

  /** Made by the session's sending side. */
  constructor(
    host: SendFlowHost,
    id: number,
    startupOptions: readonly Option[],
    priority: Priority,
    association: RecvFlow | undefined,
    options: SendFlowOptions,
  ) {
    this.#host = host;
    this.id = id;
    this.#startupOptions = startupOptions;
    this.rank = priorityRank(priority);
    this.timeCritical = isTimeCritical(priority);
    this.association = association;
    this.#lowWaterBytes = options.lowWaterBytes ?? SEND_LOW_WATER_BYTES;
    this.#capBytes = options.capBytes ?? SEND_CAP_BYTES;
  }

  /** Where the flow stands. */
  get state(): SendFlowState {
    return this.#state;
  }

  /** Bytes of messages that are neither delivered nor abandoned. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** True while a write is welcome: the buffer is at or below the low-water mark. */
  get isBelowLowWater(): boolean {
    return this.#bufferedBytes <= this.#lowWaterBytes;
  }

  /**
   * Queues a message. `data` is kept, not copied, until the receipt is decided: leave it unchanged.
   * Throws FLOW_CLOSED unless the flow is open, BAD_ARGUMENT for more than 16777216 bytes, which no receiver like this
   * one takes, FLOW_BUFFER_FULL beyond the cap (where any single message fits).
   */
  write(data: Uint8Array, options: WriteOptions = {}): WriteReceipt {
    if (this.#state !== "F_OPEN") throw new RtmfpError("FLOW_CLOSED", `flow ${this.id} is closed: open another`);
    if (data.length > MAX_MESSAGE_BYTES) {
      throw new RtmfpError(
        "BAD_ARGUMENT",
        `the message has ${data.length} bytes, at most ${MAX_MESSAGE_BYTES} are allowed: split it`,
      );
    }
    if (this.#bufferedBytes > 0 && this.#bufferedBytes + data.length > this.#capBytes) {
      throw new RtmfpError(
        "FLOW_BUFFER_FULL",
        `flow ${this.id} holds ${this.#bufferedBytes} bytes, the cap is ${this.#capBytes}: await flow.ready first`,
      );
    }
    const startBy = options.startBy ?? Number.POSITIVE_INFINITY;
    const finishBy = options.finishBy ?? Number.POSITIVE_INFINITY;
    const receipt = new WriteReceipt(this, data, startBy, finishBy, options.parent);
    this.#bufferedBytes += data.length;
    if (this.#bufferedBytes > this.#lowWaterBytes) this.#wasAboveLowWater = true;
    this.#messages.push(receipt);
    if (options.parent?.abandoned === true) receipt.abandon();
    else if (receipt.nextDeadline !== Number.POSITIVE_INFINITY) this.scheduleReceipt(receipt);
    this.#host.flowReady(this);
    return receipt;
  }

  /** Closes the flow once everything written is delivered or abandoned (§3.6.2.11). */
  close(): void {
    if (this.#state !== "F_OPEN") return;
    this.#state = "F_CLOSING";
    if (this.#messages.length === 0) {
      const last = this.#ring.get(this.#ring.nextSn - 1);
      if (last !== undefined && !last.everSent) this.#finalSn = last.sequenceNumber;
      else this.#appendFinal();
    }
    this.#host.flowReady(this);
  }

  /** Ends the flow at once with its session: everything undelivered is abandoned. */
  abort(): void {
    this.#state = "F_CLOSED";
    this.#host.unschedule(this);
    this.#abandonAll();
  }

  /** True if the flow control of §3.6.2.3 lets something out. */
  get windowOpen(): boolean {
    return this.windowBytes > this.outstandingBytes || this.exceptionCode !== undefined;
  }

  /** True if a fragment may be waiting. */
  get hasWork(): boolean {
    if (this.#messages.length > 0 || this.#scanSn < this.#ring.nextSn) return true;
    const head = this.#ring.head;
    return head !== undefined && !head.inFlight;
  }

  /**
   * Puts the next eligible fragment into the packet. `previous` is the last fragment put into it. Returns the
   * fragment, "full" if it does not fit, or "idle" if there is none.
   */
  writeNext(packet: PacketBuilder, previous: Fragment | undefined): Fragment | "full" | "idle" {
    this.#trim();
    let fragment = this.#nextWaiting();
    if (fragment === undefined) {
      const cut = this.#cut(packet, previous);
      if (cut === "full" || cut === "idle") return cut;
      fragment = cut;
    }
    return this.#put(packet, previous, fragment) ? fragment : "full";
  }

  /** An acknowledgement chunk arrived: takes the window and leaves the startup options behind (§3.6.2.4). */
  onAckStart(windowBytes: number, cumulativeAck: number, now: number): void {
    if (this.#state === "F_COMPLETE_LINGER") return;
    this.#startupOptions = undefined;
    const sent = Math.min(cumulativeAck, this.#ring.nextSn - 1);
    if (sent >= this.#highestAck) {
      this.#highestAck = sent;
      this.#setWindow(windowBytes, now);
    }
  }

  /** The entries `first` to `last` are acknowledged; tells the host of each that was still queued. */
  acknowledge(first: number, last: number): void {
    const end = Math.min(last, this.#ring.nextSn - 1);
    for (let sn = Math.max(first, this.#ring.headSn); sn <= end; sn++) {
      const fragment = this.#ring.get(sn);
      if (fragment === undefined || !fragment.everSent) continue;
      this.#host.onAcked(fragment);
      this.#ring.remove(sn);
      this.#settleFragment(fragment);
    }
  }

  /** After all acknowledgements of a packet: the flow may be complete, or ready to send again. */
  onAckEnd(): void {
    if (this.#ring.isEmpty && this.#highestAck < this.#forwardTold) this.#appendForwardUpdate();
    if (this.#state === "F_CLOSING" && this.#ring.isEmpty && this.#messages.length === 0) {
      this.#state = "F_COMPLETE_LINGER";
      this.#host.unschedule(this);
      this.#host.flowComplete(this);
    } else if (this.hasWork) this.#host.flowReady(this);
  }

  /** A fragment was lost: it waits to be sent again. */
  onLost(fragment: Fragment): void {
    if (fragment.sequenceNumber < this.#scanSn) this.#scanSn = fragment.sequenceNumber;
    this.#host.flowReady(this);
  }

  /** Flow Exception Report (§3.6.2.10): true if it was news. */
  onException(code: number): boolean {
    if (this.exceptionCode !== undefined || this.#state === "F_COMPLETE_LINGER" || this.#state === "F_CLOSED")
      return false;
    this.exceptionCode = code;
    this.close();
    this.#abandonAll();
    this.#host.flowReady(this);
    return true;
  }

  /** The session's linger for this flow is over. */
  onLingerEnd(): void {
    this.#state = "F_CLOSED";
  }

  onReceiptDone(receipt: WriteReceipt, bytes: number): void {
    this.#host.unschedule(receipt);
    this.#bufferedBytes -= bytes;
    if (!receipt.abandoned) this.deliveredBytes += bytes;
    if (this.#wasAboveLowWater && this.isBelowLowWater) {
      this.#wasAboveLowWater = false;
      this.#host.flowWritable(this);
    }
    if (receipt.abandoned && this.#state !== "F_CLOSED") this.#host.flowReady(this);
  }

  scheduleReceipt(receipt: WriteReceipt): void {
    this.#host.schedule(receipt, receipt.nextDeadline);
  }

  /** The buffer probe alarm (§3.6.2.9.1). */
  onTimer(now: number): void {
    if (this.#probeAt > now) {
      this.#host.schedule(this, this.#probeAt);
      return;
    }
    if (!this.#host.bufferProbe) return;
    this.#host.probe(this);
    const ceiling = Math.max(BUFFER_PROBE_MAX_MS, this.#host.erto);
    const floor = Math.max(BUFFER_PROBE_MIN_MS, this.#host.erto);
    this.#probeInterval = Math.min(Math.max(this.#probeInterval * PROBE_GROWTH, floor), ceiling);
    this.#probeAt = now + this.#probeInterval;
    this.#host.schedule(this, this.#probeAt);
  }

  #setWindow(windowBytes: number, now: number): void {
    const wasZero = this.windowBytes === 0;
    this.windowBytes = windowBytes;
    if (windowBytes > 0 || this.exceptionCode !== undefined || !this.#host.bufferProbe) {
      this.#probeAt = Number.POSITIVE_INFINITY;
      this.#host.unschedule(this);
    } else if (!wasZero) {
      this.#probeInterval = 0;
      this.#probeAt = now + BUFFER_PROBE_MIN_MS;
      this.#host.schedule(this, this.#probeAt);
    }
  }

  /**
   * Drops abandoned entries from the head of the queue (§3.6.2.3, step 1), but not the last one that can carry their
   * FSN: it stays to be sent as an FSN Update while the rest is in flight (line 25 of Figure 21).
   */
  #trim(): void {
    for (let head = this.#ring.head; head !== undefined; head = this.#ring.head) {
      if (head.inFlight || !head.abandoned || !this.#sendsAfter(head)) return;
      if (head.sequenceNumber > this.#forwardTold) this.#forwardTold = head.sequenceNumber;
      this.#ring.remove(head.sequenceNumber);
      this.#settleFragment(head);
    }
  }

  /**
   * What should have carried the FSN was acknowledged by an earlier transmission that did not carry it: the receiver
   * still waits for what was given up (§3.6.2.7.1).
   */
  #appendForwardUpdate(): void {
    const update = new Fragment(this, this.#forwardTold, undefined, 0, 0, FragmentControl.whole);
    update.everSent = true;
    this.#ring.restore(update);
  }

  /** True if something behind the head is going to be sent, and with it an FSN that covers the head. */
  #sendsAfter(head: Fragment): boolean {
    if (this.#messages.peek()?.abandoned === false) return true;
    const second = this.#ring.get(head.sequenceNumber + 1);
    return (second !== undefined && !second.inFlight) || this.#scan(head.sequenceNumber + 1) !== undefined;
  }

  /** The first entry that is not in flight and eligible (§3.6.2.3). */
  #nextWaiting(): Fragment | undefined {
    const head = this.#ring.head;
    return head !== undefined && !head.inFlight ? head : this.#scan(this.#ring.headSn);
  }

  /** The first entry from `from` on that is not in flight and goes out although it is not the head. */
  #scan(from: number): Fragment | undefined {
    const ring = this.#ring;
    if (this.#scanSn < from) this.#scanSn = from;
    for (; this.#scanSn < ring.nextSn; this.#scanSn++) {
      const fragment = ring.get(this.#scanSn);
      if (fragment === undefined || fragment.inFlight) continue;
      if (!fragment.abandoned || fragment.sequenceNumber === this.#finalSn) return fragment;
    }
    return undefined;
  }

  /** Cuts the next fragment from the message queue, to the size that the packet has room for (§3.6.2.2). */
  #cut(packet: PacketBuilder, previous: Fragment | undefined): Fragment | "full" | "idle" {
    for (let receipt = this.#messages.peek(); receipt !== undefined; receipt = this.#messages.peek()) {
      if (receipt.abandoned) {
        this.#append(receipt, 0, 0, FragmentControl.whole);
        this.#finishCutting(receipt);
        if (this.#messages.peek()?.abandoned === true) continue;
        this.#trim();
        const waiting = this.#nextWaiting();
        if (waiting !== undefined) return waiting;
        continue;
      }
      const left = receipt.data.length - this.#cutBytes;
      // Startup options may leave no room in a small packet: then a little goes beyond it, lest the flow never start.
      const room = this.#dataRoom(packet, previous);
      const size = Math.min(left, packet.isEmpty ? Math.max(room, MIN_FRAGMENT_BYTES) : room);
      if (size < left && (size <= 0 || (size < MIN_FRAGMENT_BYTES && packet.hasData))) return "full";
      if (size < 0) return "full";
      const first = this.#cutBytes === 0;
      const last = size === left;
      const control = first
        ? last
          ? FragmentControl.whole
          : FragmentControl.begin
        : last
          ? FragmentControl.end
          : FragmentControl.middle;
      const fragment = this.#append(receipt, this.#cutBytes, this.#cutBytes + size, control);
      this.#cutBytes += size;
      if (last) this.#finishCutting(receipt);
      return fragment;
    }
    return "idle";
  }

  #append(receipt: WriteReceipt | undefined, start: number, end: number, control: FragmentControl): Fragment {
    const fragment = new Fragment(this, this.#ring.nextSn, receipt, start, end, control);
    this.#ring.push(fragment);
    if (receipt !== undefined) receipt.openFragments++;
    return fragment;
  }

  #finishCutting(receipt: WriteReceipt): void {
    receipt.fragmented = true;
    this.#messages.shift();
    this.#cutBytes = 0;
    if (this.#state === "F_CLOSING" && this.#messages.length === 0) this.#finalSn = this.#ring.nextSn - 1;
  }

  /** An empty abandoned entry that only marks the flow's end (§3.6.2.11). */
  #appendFinal(): void {
    this.#finalSn = this.#ring.nextSn;
    this.#append(undefined, 0, 0, FragmentControl.whole);
  }

  /** Payload bytes that fit now and would still fit alone in a packet with the largest header (§3.6.2.2). */
  #dataRoom(packet: PacketBuilder, previous: Fragment | undefined): number {
    const sn = this.#ring.nextSn;
    const options = this.#startupOptions === undefined ? 0 : optionListSize(this.#startupOptions);
    const alone = packet.limit - packet.start - LARGEST_HEADER_BYTES - 4 - vluSize(this.id) - 2 * vluSize(sn) - options;
    return Math.min(alone, packet.room - this.#overhead(packet, previous, sn));
  }

  /** Bytes of the chunk for entry `sn` in front of its data. */
  #overhead(packet: PacketBuilder, previous: Fragment | undefined, sn: number): number {
    if (isNext(this, previous, sn)) return 4;
    const options =
      this.#startupOptions === undefined || this.#lastSerial === packet.serial
        ? 0
        : optionListSize(this.#startupOptions);
    return 4 + vluSize(this.id) + vluSize(sn) + vluSize(sn - this.#forwardSn()) + options;
  }

  /** FSN (§3.6.2.3, steps 2 to 4), after trimming. */
  #forwardSn(): number {
    const head = this.#ring.head;
    if (head === undefined) return this.#ring.nextSn - 1;
    const covered = head.abandoned && (!head.inFlight || head.sentAbandoned);
    return covered ? head.sequenceNumber : head.sequenceNumber - 1;
  }

  /** Writes the chunk and records the transmission (§3.6.2.3, steps 2 to 18); false if it does not fit. */
  #put(packet: PacketBuilder, previous: Fragment | undefined, fragment: Fragment): boolean {
    const sn = fragment.sequenceNumber;
    const receipt = fragment.receipt;
    const abandoned = fragment.abandoned;
    const length = abandoned ? 0 : fragment.end - fragment.start;
    const size = this.#overhead(packet, previous, sn) + length;
    // A fragment cut for a larger path goes alone, as it is.
    if (size > packet.room && (!packet.isEmpty || size > packet.writer.bytes.length - packet.writer.pos)) return false;
    const writer = packet.writer;
    const next = isNext(this, previous, sn);
    const options = next || this.#lastSerial === packet.serial ? undefined : this.#startupOptions;
    writer.u8(next ? ChunkType.nextUserData : ChunkType.userData);
    writer.u16(size - 3);
    writer.u8(
      (fragment.control << 4) |
        (options === undefined ? 0 : UserDataFlag.options) |
        (abandoned ? UserDataFlag.abandon : 0) |
        (sn === this.#finalSn ? UserDataFlag.final : 0),
    );
    if (!next) {
      writer.vlu(this.id);
      writer.vlu(sn);
      const forward = this.#forwardSn();
      if (forward > this.#forwardTold) this.#forwardTold = forward;
      writer.vlu(sn - forward);
      if (options !== undefined) writeOptionList(writer, options);
    }
    if (length > 0 && receipt !== undefined) writer.put(receipt.data.subarray(fragment.start, fragment.end));
    this.#lastSerial = packet.serial;
    packet.hasData = true;
    if (this.timeCritical) packet.timeCritical = true;
    fragment.inFlight = true;
    fragment.everSent = true;
    fragment.nakCount = 0;
    fragment.sentAbandoned = abandoned;
    fragment.transmitSize = size;
    if (receipt !== undefined) receipt.started = true;
    return true;
  }

  #settleFragment(fragment: Fragment): void {
    const receipt = fragment.receipt;
    if (receipt === undefined) return;
    receipt.openFragments--;
    if (!receipt.abandoned) receipt.checkDelivered();
  }

  #abandonAll(): void {
    for (let sn = this.#ring.headSn; sn < this.#ring.nextSn; sn++) this.#ring.get(sn)?.receipt?.abandon();
    for (let i = 0; i < this.#messages.length; i++) this.#messages.at(i)?.abandon();
  }
}

/** True if entry `sn` can follow `previous` as a Next User Data chunk (§3.6.2.3.2). */
function isNext(flow: SendFlow, previous: Fragment | undefined, sn: number): boolean {
  return previous !== undefined && previous.flow === flow && previous.sequenceNumber === sn - 1;
}

/** Flags, both timestamps, and one byte for a sequence number that grows. */
const LARGEST_HEADER_BYTES = 8;
/** A message is not split to fill less than this at the end of a packet. */
const MIN_FRAGMENT_BYTES = 64;
const PROBE_GROWTH = 1.5;
