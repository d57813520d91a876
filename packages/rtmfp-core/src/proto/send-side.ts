/** The sending half of a session: its flows, what is in flight, loss and the transmission budget. § means RFC 7016. */
import { forEachAckedRange } from "./chunk/flow.ts";
import type { AckChunk } from "./chunk/types.ts";
import type { AckEvent, CongestionController } from "./congestion/controller.ts";
import { type Fragment, OutstandingList } from "./fragment.ts";
import { LeanMap } from "./lean-map.ts";
import { LingerQueue } from "./linger-queue.ts";
import type { Option } from "./option.ts";
import { Pacer } from "./pacing.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import { ACK_EVERY_PACKETS, BURST_PACKETS, NAKS_FOR_LOSS, SEND_LINGER_MS, WINDOW_BLOCK_BYTES } from "./params.ts";
import type { PathMtu } from "./path-mtu.ts";
import type { Priority } from "./priority.ts";
import { ReadyQueue } from "./ready-queue.ts";
import type { RecvFlow } from "./recv-flow.ts";
import type { RoundTripTimer } from "./rtt.ts";
import { SendFlow, type SendFlowHost, type SendFlowOptions } from "./send-flow.ts";
import { TailProbe } from "./tail-probe.ts";
import type { TimerNode } from "./timer-heap.ts";

/** What the sending side needs of its session. */
export interface SendSideHost {
  /** Round-trip times of the session (§3.5.2.2). */
  readonly rtt: RoundTripTimer;
  readonly bufferProbe: boolean;
  /** See EndpointConfig.tailLossProbe. */
  readonly tailLossProbe: boolean;
  /** See EndpointConfig.pacing. */
  readonly pacing: boolean;
  readonly datagramBytes: number;
  readonly pathMtu: PathMtu | undefined;
  /** There may be something to transmit. */
  requestTransmit(): void;
  /** Makes sure that `node` wakes at `at`, ms, or before. */
  schedule(node: TimerNode, at: number): void;
  /** `node` need not wake. */
  unschedule(node: TimerNode): void;
  /** Makes sure that the session wakes at `at`. */
  wakeAt(at: number): void;
  /** Asks the far end for the window of a flow (§2.3.15). */
  queueBufferProbe(flowId: number): void;
  /** The send buffer fell below its low-water mark. */
  onFlowWritable(flow: SendFlow): void;
  /** A closed flow has nothing left to deliver (§3.6.2.11). */
  onFlowComplete(flow: SendFlow): void;
  /** The far end rejected the flow (§3.6.2.10). */
  onFlowException(flow: SendFlow, code: number): void;
  /** True while we, or the far end's other senders, send time-critical data (§3.5.2.1). */
  congestionHints(now: number): { timeCriticalSent: boolean; fastGrowAllowed: boolean };
}

/** Counters of the sending side. */
export interface SendStats {
  fragmentsSent: number;
  fragmentsRetransmitted: number;
  fragmentsLost: number;
  timeouts: number;
  bytesAcked: number;
}

/** See the file's head. */
export class SendSide implements SendFlowHost {
  readonly congestion: CongestionController;
  readonly stats: SendStats = {
    fragmentsSent: 0,
    fragmentsRetransmitted: 0,
    fragmentsLost: 0,
    timeouts: 0,
    bytesAcked: 0,
  };
  /** S_OUTSTANDING_BYTES (§3.5). */
  outstandingBytes = 0;
  /** TIMEOUT_ALARM (§3.6.2.6), or Infinity. */
  timeoutAt: number = Number.POSITIVE_INFINITY;
  readonly #host: SendSideHost;
  readonly #flows = new LeanMap<number, SendFlow>();
  readonly #ready = new ReadyQueue();
  readonly #outstanding = new OutstandingList();
  /** Completed flows, oldest first, with the time their IDs become free. */
  readonly #lingering = new LingerQueue<SendFlow>();
  #nextFlowId = 2;
  #nextTsn = 1;
  #maxTsnAck = 0;
  /** Packets with user data that may still go out before the next acknowledgement (§3.5.2.3). */
  #burstLeft = BURST_PACKETS;
  #ack: AckEvent | undefined;
  /** Packets, by serial, of which the packet being processed acknowledged something. */
  readonly #ackedPackets: number[] = [];
  readonly #tailProbe: TailProbe;
  /** The flow with the fragment that the tail-loss probe sends again. */
  #probed: SendFlow | undefined;
  readonly #pacer: Pacer | undefined;
  /** What became of packets in one acknowledgement, or timeout: large ones acknowledged or lost, small ones lost. */
  #largeAcked = false;
  #largeLost = false;
  #smallLost = false;
  /** When the acknowledgement being processed arrived. */
  #ackTime = 0;
  /** The most that was outstanding before an acknowledgement of this turn. */
  #turnOutstanding = 0;
  /** Bytes acknowledged in this turn, since data was sent last. */
  #turnAcked = 0;
  /** Losses of what was sent before this number are part of one that the window was reduced for (RFC 5681 §4.3). */
  #recoveryTsn = 0;

  constructor(host: SendSideHost, congestion: CongestionController) {
    this.#host = host;
    this.congestion = congestion;
    this.#tailProbe = new TailProbe(host.tailLossProbe);
    this.#pacer = host.pacing ? new Pacer() : undefined;
  }

  get erto(): number {
    return this.#host.rtt.erto;
  }

  get bufferProbe(): boolean {
    return this.#host.bufferProbe;
  }

  /** The sending flow of that ID that is not closed yet. */
  flow(id: number): SendFlow | undefined {
    return this.#flows.get(id);
  }

  get flows(): Iterable<SendFlow> {
    return this.#flows.values();
  }

  /** Fragments in flight across all flows, in the order in which they were sent. */
  get inFlight(): Iterable<Fragment> {
    return this.#outstanding;
  }

  open(
    startupOptions: readonly Option[],
    priority: Priority,
    association: RecvFlow | undefined,
    options: SendFlowOptions,
  ): SendFlow {
    const flow = new SendFlow(this, this.#nextFlowId++, startupOptions, priority, association, options);
    this.#flows.set(flow.id, flow);
    return flow;
  }

  /** True if user data may be put into a packet now; if only pacing forbids it, the session wakes when it may. */
  canSend(now: number): boolean {
    if (this.#ready.peek() === undefined) return false;
    if (this.#tailProbe.due) return true;
    const { window } = this.congestion;
    if (this.#burstLeft <= 0 || this.outstandingBytes >= window) return false;
    if (this.#pacer === undefined || this.#pacer.allows(now, window, this.#host.rtt.pacedRtt, this.#host.datagramBytes))
      return true;
    this.#host.wakeAt(this.#pacer.at);
    return false;
  }

  /** Fills the packet with user data as far as window, budget and room allow; a tail-loss probe goes out regardless. */
  fill(packet: PacketBuilder, now: number): void {
    const probing = this.#tailProbe.due;
    if (this.#burstLeft <= 0 && !probing) return;
    const firstTsn = this.#nextTsn;
    const before = this.outstandingBytes;
    let previous: Fragment | undefined;
    let flow = probing ? this.#probed : this.#ready.peek();
    // A size that every path carries, if what is sent again was not cut for a larger one.
    if (probing) packet.limit = Math.min(packet.limit, packet.largeBeyond);
    for (; this.outstandingBytes < this.congestion.window || probing; flow = this.#ready.peek()) {
      if (flow === undefined) break;
      const fragment = flow.windowOpen ? flow.writeNext(packet, previous) : "idle";
      if (fragment === "full") {
        packet.isFull = true;
        break;
      }
      if (fragment === "idle") {
        if (flow === this.#ready.peek()) this.#ready.drop();
        continue;
      }
      this.#onSent(fragment, packet.serial, now);
      previous = fragment;
    }
    if (!packet.hasData) return;
    this.#ready.rotate();
    this.#burstLeft--;
    this.#turnAcked = 0;
    this.#pacer?.onSent(this.outstandingBytes - before);
    if (packet.writer.pos > packet.largeBeyond) this.#markLarge(firstTsn);
    this.timeoutAt = now + this.#host.rtt.erto;
    this.#host.wakeAt(this.timeoutAt);
    this.#tailProbe.onSent(firstTsn, now, this.#host.rtt, this.#outstanding.hasOnePacket);
    this.#host.wakeAt(this.#tailProbe.at);
  }

  /** An acknowledgement chunk (§3.6.2.4). Call {@link finishAcks} after the last chunk of the packet. */
  onAck(chunk: AckChunk, now: number): void {
    const flow = this.#flows.get(chunk.flowId);
    if (this.#ackTime < now) {
      this.#turnOutstanding = 0;
      this.#turnAcked = 0;
    }
    this.#turnOutstanding = Math.max(this.#turnOutstanding, this.outstandingBytes);
    this.#ack ??= {
      now,
      ackedBytes: 0,
      preAckOutstanding: this.#turnOutstanding,
      lost: false,
      nak: false,
      timeCriticalSent: false,
      fastGrowAllowed: true,
    };
    this.#ackTime = now;
    if (flow === undefined) return;
    flow.onAckStart(chunk.bufferBlocks * WINDOW_BLOCK_BYTES, chunk.cumulativeAck, now);
    flow.acknowledge(0, chunk.cumulativeAck);
    forEachAckedRange(chunk, (first, last) => flow.acknowledge(first, last));
    flow.onAckEnd();
  }

  /** After all chunks of a packet: negative acknowledgements, loss, congestion control (§3.6.2.5, §A.2). */
  finishAcks(now: number): void {
    const ack = this.#ack;
    if (ack === undefined) return;
    this.#ack = undefined;
    this.#countNaks(ack);
    const hints = this.#host.congestionHints(now);
    ack.timeCriticalSent = hints.timeCriticalSent;
    ack.fastGrowAllowed = hints.fastGrowAllowed;
    this.congestion.onAck(ack);
    this.stats.bytesAcked += ack.ackedBytes;
    // Where pacing spreads what they let go, those of one turn count together: heard one by one, each would let packets
    // go before the next. One that is repeated takes nothing back of what the first allowed.
    const paces = this.#pacer !== undefined && this.#host.rtt.pacedRtt !== undefined;
    this.#turnAcked = (paces ? this.#turnAcked : 0) + ack.ackedBytes;
    const budget = ack.ackedBytes === 0 ? this.#burstLeft : 2 * Math.ceil(this.#turnAcked / this.#host.datagramBytes);
    this.#burstLeft = Math.max(BURST_PACKETS, budget);
    this.#tellLarge(now);
    if (this.timeoutAt !== Number.POSITIVE_INFINITY) this.timeoutAt = now + this.#host.rtt.erto;
    const waiting = this.#outstanding.first !== undefined;
    this.#tailProbe.onAck(waiting, ack.ackedBytes > 0, now, this.#host.rtt, this.#outstanding.hasOnePacket);
    this.#host.wakeAt(this.#tailProbe.at);
    this.#host.requestTransmit();
  }

  /** Flow Exception Report (§3.6.2.10); unknown flows are ignored. */
  onException(flowId: number, code: number): void {
    const flow = this.#flows.get(flowId);
    if (flow?.onException(code)) this.#host.onFlowException(flow, code);
  }

  /** The session woke: handles TIMEOUT_ALARM (§3.6.2.6), probes, pacing and lingering flows. */
  onTimer(now: number): void {
    this.#host.pathMtu?.onTimer(now);
    if (this.#tailProbe.at <= now) this.#probeTail();
    if (this.#pacer !== undefined && this.#pacer.at <= now) {
      this.#pacer.at = Number.POSITIVE_INFINITY;
      this.#host.requestTransmit();
    }
    if (this.timeoutAt <= now) {
      this.timeoutAt = Number.POSITIVE_INFINITY;
      this.#tailProbe.reset();
      const lost = this.#outstanding.first !== undefined;
      for (let fragment = this.#outstanding.first; fragment !== undefined; fragment = this.#outstanding.first) {
        this.#lose(fragment);
      }
      if (lost) this.#host.rtt.backOff();
      this.stats.timeouts += lost ? 1 : 0;
      this.congestion.onTimeout(lost);
      this.#burstLeft = BURST_PACKETS;
      this.#tellLarge(now);
      this.#host.requestTransmit();
    }
    this.#lingering.release(now, this.#flows);
  }

  /** When this side next needs the session to wake. */
  get nextDeadline(): number {
    const pacedAt = this.#pacer?.at ?? Number.POSITIVE_INFINITY;
    const mtuProbeAt = this.#host.pathMtu?.at ?? Number.POSITIVE_INFINITY;
    return Math.min(this.timeoutAt, this.#tailProbe.at, this.#lingering.next, pacedAt, mtuProbeAt);
  }

  /** The session left S_OPEN: all flows end at once (§3.5.5). */
  abort(): void {
    for (let fragment = this.#outstanding.first; fragment !== undefined; fragment = this.#outstanding.first) {
      this.#land(fragment);
    }
    for (const flow of this.#flows.values()) {
      if (flow.state === "F_COMPLETE_LINGER") {
        flow.onLingerEnd();
        continue;
      }
      flow.abort();
      this.#host.onFlowComplete(flow);
    }
    this.#flows.clear();
    this.#lingering.clear();
    this.timeoutAt = Number.POSITIVE_INFINITY;
    while (this.#ready.peek() !== undefined) this.#ready.drop();
  }

  flowReady(flow: SendFlow): void {
    this.#ready.add(flow);
    this.#host.requestTransmit();
  }

  flowWritable(flow: SendFlow): void {
    this.#host.onFlowWritable(flow);
  }

  flowComplete(flow: SendFlow): void {
    this.#lingering.add(flow, this.#ackTime + SEND_LINGER_MS);
    this.#host.wakeAt(this.#ackTime + SEND_LINGER_MS);
    this.#host.onFlowComplete(flow);
  }

  schedule(node: TimerNode, at: number): void {
    this.#host.schedule(node, at);
  }

  unschedule(node: TimerNode): void {
    this.#host.unschedule(node);
  }

  probe(flow: SendFlow): void {
    this.#host.queueBufferProbe(flow.id);
  }

  /**
   * What was sent again and is acknowledged sooner than a packet can come and go was late, not lost: the acknowledgement
   * is for the earlier transmission, and says nothing of what went out before the later one (§3.6.2.5).
   */
  onAcked(fragment: Fragment): void {
    if (!fragment.inFlight) return;
    if (fragment.resentAt === undefined || this.#ackTime - fragment.resentAt >= this.#host.rtt.leastPossible) {
      if (fragment.tsn > this.#maxTsnAck) this.#maxTsnAck = fragment.tsn;
      if (this.#ackedPackets.at(-1) !== fragment.packet) this.#ackedPackets.push(fragment.packet);
    }
    (this.#ack as AckEvent).ackedBytes += fragment.transmitSize;
    if (fragment.large) this.#largeAcked = true;
    this.#land(fragment);
  }

  /**
   * Counts negative acknowledgements (§3.6.2.5). One acknowledgement may stand for many packets, where the RFC expects
   * one for every second: it counts for as many as would have come, of packets sent after the fragment. What was sent
   * before an acknowledged tail-loss probe is lost.
   */
  #countNaks(ack: AckEvent): void {
    const acked = this.#ackedPackets;
    let after = acked.length;
    if (after > 1 && (this.#outstanding.first?.tsn ?? Number.POSITIVE_INFINITY) < this.#maxTsnAck)
      acked.sort(ascending);
    const certain = this.#tailProbe.ackedTsn(this.#maxTsnAck);
    let index = 0;
    for (let fragment = this.#outstanding.first; fragment !== undefined && fragment.tsn < this.#maxTsnAck; ) {
      const next: Fragment | undefined = fragment.next;
      while (index < acked.length && (acked[index] as number) <= fragment.packet) index++;
      after = acked.length - index;
      ack.nak = true;
      fragment.nakCount += fragment.tsn < certain ? NAKS_FOR_LOSS : Math.max(1, Math.ceil(after / ACK_EVERY_PACKETS));
      if (fragment.nakCount >= NAKS_FOR_LOSS) {
        if (fragment.tsn >= this.#recoveryTsn) ack.lost = true;
        this.#lose(fragment);
      }
      fragment = next;
    }
    if (ack.lost) this.#recoveryTsn = this.#nextTsn;
    acked.length = 0;
  }

  /**
   * Sends the last fragment again, so that an acknowledgement tells what became of the rest. New data would do so 200 ms
   * later, if only the acknowledgement was lost: a duplicate is acknowledged at once (§3.6.3.4.1), one packet is not.
   */
  #probeTail(): void {
    const last = this.#outstanding.last;
    if (!this.#tailProbe.fire() || last === undefined) return;
    this.#probed = last.flow;
    this.#land(last);
    last.flow.onLost(last);
    this.#host.requestTransmit();
  }

  #onSent(fragment: Fragment, packet: number, now: number): void {
    fragment.packet = packet;
    if (fragment.tsn !== 0) {
      fragment.resentAt = now;
      this.stats.fragmentsRetransmitted++;
    }
    this.stats.fragmentsSent++;
    fragment.tsn = this.#nextTsn++;
    fragment.large = false;
    this.#outstanding.append(fragment);
    this.outstandingBytes += fragment.transmitSize;
    fragment.flow.outstandingBytes += fragment.transmitSize;
  }

  /** What went out from number `tsn` on travels in a packet larger than 1200-byte datagrams. */
  #markLarge(tsn: number): void {
    for (
      let fragment = this.#outstanding.last;
      fragment !== undefined && fragment.tsn >= tsn;
      fragment = fragment.previous
    )
      fragment.large = true;
  }

  #tellLarge(now: number): void {
    if (this.#largeAcked) this.#host.pathMtu?.onLargeAcked();
    else if (this.#largeLost && !this.#smallLost) this.#host.pathMtu?.onLargeLost(now);
    this.#largeAcked = false;
    this.#largeLost = false;
    this.#smallLost = false;
  }

  #lose(fragment: Fragment): void {
    this.stats.fragmentsLost++;
    if (fragment.large) this.#largeLost = true;
    else this.#smallLost = true;
    this.#land(fragment);
    fragment.flow.onLost(fragment);
  }

  /** The fragment is no longer in flight. */
  #land(fragment: Fragment): void {
    fragment.inFlight = false;
    this.#outstanding.remove(fragment);
    this.outstandingBytes -= fragment.transmitSize;
    fragment.flow.outstandingBytes -= fragment.transmitSize;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
