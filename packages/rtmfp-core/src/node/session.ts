/** The public form of a session: promises and callbacks around the core's. */
import type { Address } from "../proto/address.ts";
import { isGone, RtmfpError } from "../proto/errors.ts";
import type { CloseReason } from "../proto/events.ts";
import { PRIORITIES, type Priority } from "../proto/priority.ts";
import type { RecvFlow as ProtoRecvFlow } from "../proto/recv-flow.ts";
import type { Session as ProtoSession } from "../proto/session.ts";
import type { IntroductionMode } from "../proto/session-options.ts";
import type { SessionStats } from "../proto/session-stats.ts";
import { checkBytes, checkInteger, checkTime } from "./arguments.ts";
import { RecvFlow } from "./recv-flow.ts";
import { SendFlow } from "./send-flow.ts";

/** Options of {@link Session.openFlow}. */
export interface OpenFlowOptions {
  /** Default "routine"; "high" and above are time critical. */
  priority?: Priority;
  /** The receiving flow that the new one answers. Default: none. */
  answers?: RecvFlow;
  /** Send buffer below which `ready` resolves; bytes, default 262144. */
  lowWaterBytes?: number;
  /** Send buffer beyond which a write throws; bytes, default 1048576. */
  capBytes?: number;
}

/** One encrypted session with one far end, open until {@link closed} resolves. */
export class Session {
  /** For the layer above. */
  context: unknown = undefined;
  /**
   * Called for each flow that the far end opens; one that the handler does not take is rejected with code 0, and so is
   * one whose handler fails. The failure surfaces as the handler's own, unless it only says that the far end is gone.
   * `this` is the session.
   */
  onFlow: ((flow: RecvFlow) => unknown) | undefined;
  /** For the layer above: called in front of {@link onClose}. `this` is the session. */
  onEnded: (() => void) | undefined;
  /** Called when the session ends, whoever ended it. */
  onClose: ((reason: CloseReason) => void) | undefined;
  /** Called for each Ping Reply, with the Ping's message. The handler owns the bytes. */
  onPong: ((message: Uint8Array) => void) | undefined;
  /** Called when the far end has moved to another address. */
  onMoved: ((from: Address) => void) | undefined;
  /** The core's session. */
  readonly inner: ProtoSession;
  readonly #now: () => number;
  /** Made when somebody first waits for it. */
  #closed: Promise<CloseReason> | undefined;
  #resolveClosed: ((reason: CloseReason) => void) | undefined;
  #ended: CloseReason | undefined;

  /** Made by the endpoint; `now` is its clock, ms. */
  constructor(inner: ProtoSession, now: () => number) {
    this.inner = inner;
    this.#now = now;
    inner.context = this;
  }

  /** True until the session is closed, by whichever end. */
  get isOpen(): boolean {
    return this.inner.isOpen;
  }

  /** Whether this end opened it. */
  get isInitiator(): boolean {
    return this.inner.role === "initiator";
  }

  /** The far end's identity: 64 lower-case hex digits. */
  get peerId(): string {
    return this.inner.peerId ?? "";
  }

  /** Where the far end is now. */
  get address(): Address {
    return this.inner.address ?? { host: "0.0.0.0", port: 0 };
  }

  /** Id of the carrier's socket that the session uses. */
  get via(): number {
    return this.inner.via;
  }

  /**
   * Session-unique secrets, mirrored at the far end (RFC 7425 §4.6.5); 32 bytes. Empty before the session opens. Owned
   * by the session; do not modify.
   */
  get nearNonce(): Uint8Array {
    return this.inner.nearNonce ?? new Uint8Array(0);
  }

  /** The far end's counterpart of {@link nearNonce}. Owned by the session. */
  get farNonce(): Uint8Array {
    return this.inner.farNonce ?? new Uint8Array(0);
  }

  /** A snapshot of counters and path figures: times in ms, sizes in bytes. */
  get stats(): SessionStats {
    return this.inner.stats;
  }

  /** Smoothed round-trip time (RFC 7016 §3.5.2.2), ms; undefined before the first sample. What `stats` says, without the rest. */
  get srtt(): number | undefined {
    return this.inner.rtt.srtt;
  }

  /** What the keying agreed on: group, who sends HMAC and sequence numbers; `legacy` marks group 2. */
  get security(): Readonly<Record<string, number | boolean>> {
    return this.inner.keys?.description ?? {};
  }

  /** How introductions by this far end are taken; default "ignore". */
  get introductions(): IntroductionMode {
    return this.inner.introductions;
  }

  set introductions(mode: IntroductionMode) {
    this.inner.introductions = mode;
  }

  /** False suppresses Buffer Probes, for far ends that cannot bear them. Default true. */
  set bufferProbe(enabled: boolean) {
    this.inner.bufferProbe = enabled;
  }

  /** Idle time before a keepalive Ping, ms; less than 5000 is taken as that, 0 is none. Throws BAD_ARGUMENT below 0. */
  set keepaliveMs(periodMs: number) {
    checkTime("keepaliveMs", periodMs);
    this.inner.keepalive.setPeriod(periodMs);
    this.inner.wakeAt(this.#now());
  }

  get keepaliveMs(): number {
    return this.inner.keepalive.periodMs;
  }

  /** Resolves with the reason when the session has ended. */
  get closed(): Promise<CloseReason> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#ended === undefined) this.#resolveClosed = resolve;
      else resolve(this.#ended);
    });
    return this.#closed;
  }

  /** Why the session ended; undefined while it has not. */
  get closeReason(): CloseReason | undefined {
    return this.#ended;
  }

  /**
   * Opens a flow to the far end. `metadata`, text or at most 512 bytes, tells what the flow is for. The bytes are kept
   * until the far end has acknowledged them. Throws BAD_ARGUMENT for an unknown priority, longer metadata, or sizes that
   * are no integers of 0 or more; SESSION_CLOSED; FLOW_CLOSED if the flow to answer has ended.
   */
  openFlow(metadata: string | Uint8Array, options: OpenFlowOptions = {}): SendFlow {
    const bytes = typeof metadata === "string" ? new TextEncoder().encode(metadata) : metadata;
    const { answers, ...rest } = options;
    if (rest.priority !== undefined && !PRIORITIES.includes(rest.priority)) {
      throw new RtmfpError("BAD_ARGUMENT", `expected a priority of ${PRIORITIES.join(", ")}, got "${rest.priority}"`);
    }
    checkInteger("lowWaterBytes", rest.lowWaterBytes);
    checkInteger("capBytes", rest.capBytes);
    return new SendFlow(
      this.inner.openFlow(bytes, answers === undefined ? rest : { ...rest, answers: answers.inner }),
      this.#now,
    );
  }

  /**
   * Sends a Ping; {@link onPong} gets the answer. `message`, by default empty, is at most 512 bytes and kept until it
   * is sent. Nothing happens unless the session is open. Throws BAD_ARGUMENT for more.
   */
  ping(message?: Uint8Array): void {
    if (message !== undefined) checkBytes("message", message, MAX_PING_BYTES);
    this.inner.ping(message);
  }

  /**
   * Sends a Forwarded IHello to the far end (§3.5.1.5). The bytes are kept until it is sent. Nothing happens unless the
   * session is open.
   */
  sendFIHello(epd: Uint8Array, replyAddress: Address, tag: Uint8Array): void {
    this.inner.sendForwardedHello(epd, replyAddress, tag);
  }

  /** Closes the session; resolves when the far end has acknowledged, or has not for 90 s. */
  async close(): Promise<void> {
    this.inner.close(this.#now());
    await this.closed;
  }

  /** Ends the session at once, with one packet to tell the far end. */
  abort(): void {
    this.inner.abort();
  }

  /** The driver's news: a flow of the far end. Throws what a synchronous handler throws. */
  tellFlow(inner: ProtoRecvFlow, fallback: ((flow: RecvFlow) => unknown) | undefined): void {
    const flow = new RecvFlow(inner, this);
    const handler = this.onFlow ?? fallback;
    const result = handler?.call(this, flow);
    if (result instanceof Promise) void rejectOnFailure(result, flow);
    else if (!flow.taken) flow.reject(0);
  }

  /** The driver's news: the session ended. */
  tellClosed(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#resolveClosed?.(reason);
    this.onEnded?.();
    this.onClose?.(reason);
  }
}

async function rejectOnFailure(handled: Promise<unknown>, flow: RecvFlow): Promise<void> {
  try {
    await handled;
  } catch (error) {
    flow.reject(0);
    if (!isGone(error)) throw error;
  }
}

/** A Ping and its reply, which carries the same message, go in one packet each on any path. */
const MAX_PING_BYTES = 512;
