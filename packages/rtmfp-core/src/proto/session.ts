/** A session: its state, its life and its packets in (§3.5). § means RFC 7016. */
import { type Address, formatAddress, Origin, sameAddress } from "./address.ts";
import { ByteReader, ByteWriter, EMPTY, vluSize } from "./bytes.ts";
import { ChunkWalker } from "./chunk/codec.ts";
import { readAck } from "./chunk/flow.ts";
import { readStartupChunk } from "./chunk/startup.ts";
import { type Chunk, ChunkType } from "./chunk/types.ts";
import { ChunkCounts } from "./chunk-counts.ts";
import type { EndpointConfig } from "./config.ts";
import { CubicCongestion } from "./congestion/cubic.ts";
import type { FarCertificate, SessionKeys } from "./crypto-profile.ts";
import { RtmfpError } from "./errors.ts";
import type { CloseReason } from "./events.ts";
import { Fifo } from "./fifo.ts";
import { Keepalive } from "./keepalive.ts";
import { isProbe, Mobility } from "./mobility.ts";
import type { Option } from "./option.ts";
import { Mode, readPacketHeader } from "./packet.ts";
import {
  CLOSE_REPEAT_MS,
  FARCLOSE_LINGER_MS,
  FIRST_WORD_MS,
  INITIAL_DATAGRAM_BYTES,
  KEEPALIVE_MS,
  MAX_CONTROL_QUEUE,
  MAX_METADATA_BYTES,
  NEARCLOSE_LIMIT_MS,
  PING_REPLIES_BURST,
  PING_REPLIES_PER_SECOND,
  TIME_CRITICAL_MS,
} from "./params.ts";
import type { PathMtu, PathMtuHost } from "./path-mtu.ts";
import { Patience } from "./patience.ts";
import type { EndpointBudget } from "./receive-budget.ts";
import { ReceiveSide, type ReceiveSideHost, UserDataOption } from "./receive-side.ts";
import type { RecvFlow } from "./recv-flow.ts";
import { RoundTripTimer } from "./rtt.ts";
import type { SendFlow } from "./send-flow.ts";
import { SendSide, type SendSideHost } from "./send-side.ts";
import type { SessionHost } from "./session-host.ts";
import type { IntroductionMode, OpenFlowOptions, SessionState } from "./session-options.ts";
import type { SessionStats } from "./session-stats.ts";
import type { TimerNode } from "./timer-heap.ts";
import { TokenBucket } from "./token-bucket.ts";

/** A handshake in progress, as the session that it will open sees it. */
export interface OpeningHandle {
  onTimer(now: number): void;
  readonly nextDeadline: number;
  cancel(): void;
}

/** A packet that goes to another address than DESTADDR: a mobility probe. */
interface StrayPing {
  readonly to: Address;
  readonly via: number;
  readonly message: Uint8Array;
}

/** One session with one far end. Made by Endpoint.open, or announced by an "incoming" event. Every time is in ms. */
export class Session implements TimerNode, SendSideHost, ReceiveSideHost, PathMtuHost {
  heapDeadline: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  /** For the layer above. */
  context: unknown = undefined;
  /** Which end of the handshake we are (§3.5.1). */
  readonly role: "initiator" | "responder";
  /** The ID that we receive on, as a signed 32-bit number. */
  readonly nearId: number;
  /** The ID that the far end receives on. */
  farId = 0;
  /** DESTADDR, and the socket to send by. Undefined address while candidates are tried. */
  address: Address | undefined;
  /** The socket to send by. */
  via = 0;
  /** The far end's certificate; undefined before RHello or IIKeying brought it. */
  farCertificate: FarCertificate | undefined;
  /** What the key agreement gave; undefined before S_OPEN. */
  keys: SessionKeys | undefined;
  /** FIHellos from this far end (AMB-21). */
  introductions: IntroductionMode = "ignore";
  /** False for far ends that cannot bear chunk 0x18. */
  bufferProbe = true;
  /** The handshake, while it runs. */
  opening: OpeningHandle | undefined;
  /** Datagram size that this session sends with. */
  datagramBytes: number;
  /** Called when the far end speaks in the session, and when it ends. Set, and taken back, by the responder's handshake. */
  onHeard: (() => void) | undefined;
  /** In the endpoint's queue of sessions with something to send. */
  queued = false;
  readonly rtt: RoundTripTimer = new RoundTripTimer();
  /** The sending half: flows, congestion, acknowledgements received. */
  readonly sends: SendSide;
  /** The receiving half: flows and acknowledgements due. */
  readonly receives: ReceiveSide;
  /** When to Ping a silent far end, and when to give it up (§3.5.4.1). */
  readonly keepalive: Keepalive;
  /** What the far end has sent that it should not have. */
  readonly patience: Patience;
  /** Path MTU discovery, once it is of use. */
  pathMtu: PathMtu | undefined;
  /** Control chunks that wait for a packet. */
  readonly control: Fifo<Chunk> = new Fifo();
  /** A mobility probe that waits to be sent (§3.5.4.2). */
  strayPing: StrayPing | undefined;
  /** When we last sent time-critical data in this session. */
  lastTimeCriticalSent: number = Number.NEGATIVE_INFINITY;
  /** Chunks of the session by type. */
  readonly chunks: ChunkCounts = new ChunkCounts();
  readonly #host: SessionHost;
  #state: SessionState;
  #lastTcr: number = Number.NEGATIVE_INFINITY;
  #mobility: Mobility | undefined;
  /** Paces Ping Replies; made with the first. */
  #pingReplies: TokenBucket | undefined;
  #closeRequestAt: number = Number.POSITIVE_INFINITY;
  #closeLimitAt: number = Number.POSITIVE_INFINITY;
  #closeReason: CloseReason = "near";
  #closeTold = false;

  /** Made by the endpoint: by Endpoint.open, or by the responder's half of a handshake. */
  constructor(host: SessionHost, role: "initiator" | "responder", nearId: number, state: SessionState, now: number) {
    this.#host = host;
    this.role = role;
    this.nearId = nearId;
    this.#state = state;
    this.datagramBytes = host.config.datagramBytes ?? INITIAL_DATAGRAM_BYTES;
    this.sends = new SendSide(this, host.config.congestion?.() ?? new CubicCongestion());
    this.receives = new ReceiveSide(this);
    this.patience = new Patience(this, host);
    this.keepalive = new Keepalive(host.config.keepaliveMs ?? KEEPALIVE_MS, now);
  }

  /** Where the session stands. */
  get state(): SessionState {
    return this.#state;
  }

  /** True in S_OPEN alone. */
  get isOpen(): boolean {
    return this.#state === "S_OPEN";
  }

  /** Identity of the far end (the Flash profile: its peer ID); undefined before its certificate is known. */
  get peerId(): string | undefined {
    return this.farCertificate?.id;
  }

  /**
   * Session-unique secrets, mirrored at the far end (RFC 7425 §4.6.5); undefined before S_OPEN. Owned by the session.
   */
  get nearNonce(): Uint8Array | undefined {
    return this.keys?.nearNonce;
  }

  /** The far end's counterpart of {@link nearNonce}. Owned by the session. */
  get farNonce(): Uint8Array | undefined {
    return this.keys?.farNonce;
  }

  /** Counters and path figures. Times in ms, sizes in bytes; `srtt` undefined before the first sample. */
  get stats(): SessionStats {
    return {
      srtt: this.rtt.srtt,
      rttvar: this.rtt.rttvar,
      erto: this.rtt.erto,
      cwnd: this.sends.congestion.window,
      outstandingBytes: this.sends.outstandingBytes,
      datagramBytes: this.datagramBytes,
      chunksReceived: this.chunks.received,
      chunksSent: this.chunks.sent,
      ...this.sends.stats,
      ...this.receives.stats,
    };
  }

  /**
   * Opens a sending flow (§3.6.2.1). `metadata` is at most 512 bytes. Throws SESSION_CLOSED unless the session is open,
   * BAD_ARGUMENT for metadata that is too long, FLOW_CLOSED if the far end has ended the flow to answer. The bytes are
   * kept until the far end has acknowledged them.
   */
  openFlow(metadata: Uint8Array, options: OpenFlowOptions = {}): SendFlow {
    if (!this.isOpen) throw new RtmfpError("SESSION_CLOSED", "the session is not open");
    if (metadata.length > MAX_METADATA_BYTES) {
      throw new RtmfpError(
        "BAD_ARGUMENT",
        `flow metadata has ${metadata.length} bytes, at most ${MAX_METADATA_BYTES} are allowed`,
      );
    }
    const answers = options.answers;
    if (answers !== undefined && answers.state !== "RF_OPEN") {
      throw new RtmfpError("FLOW_CLOSED", `flow ${answers.id} has ended: a return flow cannot answer it`);
    }
    const startup: Option[] = [{ type: UserDataOption.metadata, value: metadata }];
    if (answers !== undefined) startup.push({ type: UserDataOption.association, value: encodeVlu(answers.id) });
    return this.sends.open(startup, options.priority ?? "routine", answers, options);
  }

  /**
   * Sends a Ping; its reply is a "pong" event. The message, by default empty, is at most 512 bytes and kept until it is
   * sent. Nothing happens unless open.
   */
  ping(message: Uint8Array = EMPTY): void {
    if (!this.isOpen) return;
    this.#queueControl({ type: ChunkType.ping, message });
  }

  /**
   * Sends a Forwarded IHello to this far end (§3.5.1.5). Nothing happens unless open. The bytes are kept until it is
   * sent.
   */
  sendForwardedHello(epd: Uint8Array, replyAddress: Address, tag: Uint8Array): void {
    if (!this.isOpen) return;
    this.#queueControl({
      type: ChunkType.forwardedIHello,
      epd,
      replyAddress: { ...replyAddress, origin: Origin.observed },
      tag,
    });
  }

  /** Orderly close (§3.5.5): flows are aborted at once, the far end is told until it acknowledges. */
  close(now: number): void {
    if (this.opening !== undefined) this.#end("aborted", "S_OPEN_FAILED");
    if (this.#state !== "S_OPEN") return;
    this.#leaveOpen("S_NEARCLOSE");
    this.#closeReason = "near";
    this.#closeLimitAt = now + NEARCLOSE_LIMIT_MS;
    this.#closeRequestAt = now;
    this.#sendCloseRequest(now);
  }

  /**
   * Abrupt close (§3.5.5): one acknowledgement, and the session is gone. `reason`, by default "near", is what the
   * "closed" event says.
   */
  abort(reason: CloseReason = "near"): void {
    if (this.opening !== undefined) {
      this.#end("aborted", "S_OPEN_FAILED");
      return;
    }
    if (this.#state === "S_CLOSED" || this.#state === "S_OPEN_FAILED") return;
    this.#leaveOpen("S_CLOSED");
    this.control.clear();
    this.control.push({ type: ChunkType.closeAck });
    this.#closeReason = reason;
    this.requestTransmit();
  }

  /** The handshake succeeded. */
  onOpened(
    farId: number,
    address: Address,
    via: number,
    certificate: FarCertificate,
    keys: SessionKeys,
    now: number,
  ): void {
    this.#state = "S_OPEN";
    this.opening = undefined;
    this.farId = farId;
    this.address = address;
    this.via = via;
    this.farCertificate = certificate;
    this.keys = keys;
    this.keepalive.heard(now);
    if (this.role === "initiator") this.keepalive.speakBy(now + FIRST_WORD_MS);
    this.wakeAt(this.#nextDeadline);
    this.#host.config.traceSession?.({
      now,
      role: this.role,
      nearId: this.nearId >>> 0,
      farId: farId >>> 0,
      peer: address,
      peerId: certificate.id,
      keys,
    });
  }

  /** The handshake moved on. */
  onKeying(address: Address, via: number, certificate: FarCertificate): void {
    this.#state = "S_KEYING_SENT";
    this.address = address;
    this.via = via;
    this.farCertificate = certificate;
  }

  /** The handshake fell back to its first step. */
  onHelloAgain(): void {
    this.#state = "S_IHELLO_SENT";
    this.address = undefined;
    this.farCertificate = undefined;
  }

  /** The handshake failed, or the session is replaced. */
  onFailed(reason: CloseReason): void {
    this.#end(reason, this.opening === undefined ? "S_CLOSED" : "S_OPEN_FAILED");
  }

  /** Another session took this opening one's place: ends without a "closed" event. */
  onSuperseded(): void {
    this.opening?.cancel();
    this.opening = undefined;
    this.#state = "S_OPEN_FAILED";
    this.#host.timers.remove(this);
    this.#host.sessionEnded(this);
  }

  /** The last packet of a session in S_CLOSED has gone out. */
  onClosedSent(): void {
    this.#end(this.#closeReason, "S_CLOSED");
  }

  /**
   * A verified, decrypted packet under the session key. False if its mode is not the far end's (§2.2.4). Borrows
   * `packet`.
   */
  onPacket(packet: Uint8Array, now: number, from: Address, via: number): boolean {
    const reader = new ByteReader(packet);
    const header = readPacketHeader(reader);
    if (reader.failed || header.mode !== (this.role === "initiator" ? Mode.responder : Mode.initiator)) return false;
    this.keepalive.heard(now);
    this.onHeard?.();
    const overtaken = header.timestamp !== undefined && this.rtt.onTimestamp(header.timestamp, now);
    if (header.timestampEcho !== undefined && !overtaken)
      this.rtt.onEcho(header.timestampEcho, now, this.#host.resumedAt);
    if (header.timeCritical) this.#host.timeCritical.onReceived(this, now);
    if (header.timeCriticalReverse) this.#lastTcr = now;
    this.receives.beginPacket(now);
    this.patience.beginPacket();
    const walker = new ChunkWalker(packet, reader.pos);
    while (walker.next()) this.#onChunk(walker, now, from, via);
    this.sends.finishAcks(now);
    this.receives.endPacket();
    this.patience.endPacket(now);
    if (this.#state === "S_OPEN" && (via !== this.via || !sameAddress(from, this.address as Address))) {
      this.#probeAddress(now, from, via);
    }
    return true;
  }

  onTimer(now: number): void {
    this.opening?.onTimer(now);
    if (this.#state === "S_OPEN") {
      this.sends.onTimer(now);
      this.receives.onTimer(now);
      const due = this.keepalive.check(now, this.rtt.erto, this.rtt.tsTx < 0);
      if (due === "dead") {
        this.#end("timeout", "S_CLOSED");
        return;
      }
      if (due === "ping") {
        if (this.keepalive.unanswered > 1 && this.sends.outstandingBytes === 0) this.rtt.backOff();
        this.ping();
      }
    } else {
      if (this.#closeLimitAt <= now) {
        this.#end(this.#closeReason, "S_CLOSED");
        return;
      }
      if (this.#closeRequestAt <= now) this.#sendCloseRequest(now);
    }
    if (this.#state !== "S_CLOSED" && this.#state !== "S_OPEN_FAILED") this.wakeAt(this.#nextDeadline);
  }

  // What the two halves and the handshake ask of the session.

  requestTransmit(): void {
    if (!this.queued) this.#host.sessionReady(this);
  }

  wakeAt(at: number): void {
    this.#host.timers.schedule(this, at);
  }

  schedule(node: TimerNode, at: number): void {
    this.#host.timers.schedule(node, at);
  }

  unschedule(node: TimerNode): void {
    this.#host.timers.remove(node);
  }

  queueBufferProbe(flowId: number): void {
    this.#queueControl({ type: ChunkType.bufferProbe, flowId });
  }

  get discard(): EndpointConfig["discard"] {
    return this.#host.config.discard;
  }

  get receiveBudget(): EndpointBudget {
    return this.#host.receiveBudget;
  }

  get tailLossProbe(): boolean {
    return this.#host.config.tailLossProbe !== false;
  }

  get pacing(): boolean {
    return this.#host.config.pacing !== false;
  }

  congestionHints(now: number): { timeCriticalSent: boolean; fastGrowAllowed: boolean } {
    return {
      timeCriticalSent: now - this.lastTimeCriticalSent < TIME_CRITICAL_MS,
      fastGrowAllowed: now - this.#lastTcr >= TIME_CRITICAL_MS && !this.#host.timeCritical.sentLately(now),
    };
  }

  openSendFlow(id: number): SendFlow | undefined {
    const flow = this.sends.flow(id);
    return flow?.state === "F_OPEN" ? flow : undefined;
  }

  onFlow(flow: RecvFlow): void {
    this.#host.emit({ type: "flow", session: this, flow });
  }

  onFlowReadable(flow: RecvFlow): void {
    this.#host.emit({ type: "readable", flow });
  }

  onFlowFinished(flow: RecvFlow): void {
    this.#host.emit({ type: "finished", flow });
  }

  onFlowWritable(flow: SendFlow): void {
    this.#host.emit({ type: "writable", flow });
  }

  onFlowComplete(flow: SendFlow): void {
    this.#host.emit({ type: "complete", flow });
  }

  onFlowException(flow: SendFlow, code: number): void {
    this.#host.emit({ type: "exception", flow, code });
  }

  #onChunk(walker: ChunkWalker, now: number, from: Address, via: number): void {
    const type = walker.type;
    this.chunks.onReceived(type);
    if (type === ChunkType.closeRequest || type === ChunkType.closeAck) {
      this.#onClose(type, now);
      return;
    }
    if (this.#state !== "S_OPEN") return;
    const reader = new ByteReader(walker.bytes, walker.start, walker.end);
    switch (type) {
      case ChunkType.userData:
      case ChunkType.nextUserData:
        this.receives.onUserData(type, reader);
        return;
      case ChunkType.ackBitmap:
      case ChunkType.ackRanges: {
        const ack = readAck(type, reader);
        if (reader.failed) this.#host.stats.malformed++;
        else this.sends.onAck(ack, now);
        return;
      }
      case ChunkType.ping:
        this.#onPing(reader.rest(), now);
        return;
      case ChunkType.pingReply:
        this.#onPingReply(reader.rest(), now, from, via);
        return;
      case ChunkType.bufferProbe: {
        const flowId = reader.vlu();
        if (!reader.failed) this.receives.onBufferProbe(flowId);
        return;
      }
      case ChunkType.flowException: {
        const flowId = reader.vlu();
        const code = reader.vlu();
        if (!reader.failed) this.sends.onException(flowId, code);
        return;
      }
      case ChunkType.forwardedIHello: {
        const hello = readStartupChunk(type, reader);
        if (reader.failed || hello.type !== ChunkType.forwardedIHello) this.#host.stats.malformed++;
        else this.#host.forwardedHello(this, hello.epd, hello.replyAddress, hello.tag, now);
        return;
      }
      default:
        return;
    }
  }

  #onPing(message: Uint8Array, now: number): void {
    this.#pingReplies ??= new TokenBucket(PING_REPLIES_PER_SECOND, PING_REPLIES_BURST, now);
    if (this.#pingReplies.take(now)) this.#queueControl({ type: ChunkType.pingReply, message: message.slice() });
    else this.#host.stats.pingsRefused++;
  }

  #onPingReply(message: Uint8Array, now: number, from: Address, via: number): void {
    if (this.pathMtu?.onPingReply(message)) return;
    if (!isProbe(message)) {
      this.#host.emit({ type: "pong", session: this, message: message.slice() });
      return;
    }
    if (this.#mobility?.accepts(now, message, from, via) !== true) return;
    const before = this.address as Address;
    this.address = { host: from.host, port: from.port };
    this.via = via;
    this.pathMtu?.restart();
    this.#host.stats.moves++;
    this.#host.sessionMoved(this, formatAddress(before));
    this.#host.emit({ type: "moved", session: this, from: before });
  }

  #probeAddress(now: number, from: Address, via: number): void {
    const policy = this.#host.config.mobility ?? "probe";
    const farHmac = this.keys?.farHmac === true;
    if (policy === "off" || (policy === "hmac" && !farHmac)) return;
    const { profile, random } = this.#host.config;
    this.#mobility ??= new Mobility((key, message) => profile.hmac(key, message), random, farHmac);
    const message = this.#mobility.probe(now, from, via);
    if (message === undefined) return;
    this.#host.stats.mobilityProbes++;
    this.strayPing = { to: { host: from.host, port: from.port }, via, message };
    this.requestTransmit();
  }

  #onClose(type: typeof ChunkType.closeRequest | typeof ChunkType.closeAck, now: number): void {
    if (this.#state === "S_CLOSED" || this.#state === "S_OPEN_FAILED") return;
    if (type === ChunkType.closeAck) {
      const reason = this.#state === "S_OPEN" ? "far" : this.#closeReason;
      // A request of the same turn is answered first: the far end would else repeat it for 90 s.
      if (this.#owesCloseAck) this.abort(reason);
      else this.#end(reason, "S_CLOSED");
      return;
    }
    const wasOpen = this.#state === "S_OPEN";
    if (wasOpen) this.#leaveOpen("S_FARCLOSE_LINGER");
    this.#queueControl({ type: ChunkType.closeAck });
    if (!wasOpen) return;
    this.#closeReason = "far";
    this.#closeLimitAt = now + FARCLOSE_LINGER_MS;
    this.wakeAt(this.#closeLimitAt);
    this.#tellClosed("far");
  }

  get #owesCloseAck(): boolean {
    for (let i = 0; i < this.control.length; i++) if (this.control.at(i)?.type === ChunkType.closeAck) return true;
    return false;
  }

  #sendCloseRequest(now: number): void {
    this.#queueControl({ type: ChunkType.closeRequest });
    this.#closeRequestAt = now + CLOSE_REPEAT_MS;
    this.wakeAt(this.#closeRequestAt);
  }

  /** Flows exist only in S_OPEN (§3.5.5). */
  #leaveOpen(state: SessionState): void {
    this.#state = state;
    this.control.clear();
    this.strayPing = undefined;
    this.sends.abort();
    this.receives.abort();
  }

  #end(reason: CloseReason, state: "S_CLOSED" | "S_OPEN_FAILED"): void {
    this.opening?.cancel();
    this.opening = undefined;
    this.#leaveOpen(state);
    this.#host.timers.remove(this);
    this.#host.sessionEnded(this);
    this.onHeard?.();
    this.#tellClosed(reason);
  }

  #tellClosed(reason: CloseReason): void {
    if (this.#closeTold) return;
    this.#closeTold = true;
    this.#host.emit({ type: "closed", session: this, reason });
  }

  get #nextDeadline(): number {
    if (this.opening !== undefined) return this.opening.nextDeadline;
    if (this.#state !== "S_OPEN") return Math.min(this.#closeRequestAt, this.#closeLimitAt);
    return Math.min(this.sends.nextDeadline, this.receives.nextDeadline, this.keepalive.nextDeadline(this.rtt.erto));
  }

  #queueControl(chunk: Chunk): void {
    if (this.control.length >= MAX_CONTROL_QUEUE) {
      this.#host.stats.controlDropped++;
      return;
    }
    this.control.push(chunk);
    this.requestTransmit();
  }
}

function encodeVlu(value: number): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(vluSize(value)));
  writer.vlu(value);
  return writer.bytes;
}
