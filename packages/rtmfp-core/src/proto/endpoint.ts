/** The sans-IO endpoint: one identity on one or more sockets (§3.3). § means RFC 7016. */
import { type Address, isLoopback, isUnusable, type WireAddress } from "./address.ts";
import type { EndpointConfig } from "./config.ts";
import type { CryptoProfile, KeyingStep, OpenFailure, PublicKeyResult, SessionKeys } from "./crypto-profile.ts";
import type { EndpointEvent } from "./events.ts";
import { Fifo } from "./fifo.ts";
import { Introductions } from "./introductions.ts";
import { SESSION_ID_BYTES, unscrambleSessionId } from "./packet.ts";
import { PacketBuilder } from "./packet-builder.ts";
import { MAX_JOBS, SEAL_SPARE_BYTES, STANDSTILL_MS, TAG_BYTES } from "./params.ts";
import { checkDatagramSizes, LostSizes } from "./path-mtu.ts";
import { EndpointPatience } from "./patience.ts";
import { EndpointBudget } from "./receive-budget.ts";
import { Session } from "./session.ts";
import { Sessions } from "./session-table.ts";
import { type Transmit, transmitSession } from "./session-transmit.ts";
import { type Candidate, Opening } from "./startup/initiator.ts";
import { StartupReceiver } from "./startup/receiver.ts";
import { Responder } from "./startup/responder.ts";
import { StartupSender } from "./startup/sender.ts";
import type { StartupHost } from "./startup/startup-host.ts";
import { type EndpointStats, newEndpointStats } from "./stats.ts";
import { TimeCriticalMemory } from "./time-critical.ts";
import { TimerHeap } from "./timer-heap.ts";

/** One received datagram. Its bytes are borrowed for the call. */
export interface Datagram {
  /** As received, session ID first. Borrowed for the call. */
  readonly bytes: Uint8Array;
  /** Address of the sender. */
  readonly from: Address;
  /** Id of the socket that received it; a reply leaves by the same. */
  readonly via: number;
  /** ECN codepoint of the IP header, 0 to 3, if the carrier knows it. Not used yet. */
  readonly ecn?: number;
}

/** Options of {@link Endpoint.open}. */
export interface OpenOptions {
  /** Addresses to try; may be empty if more are added by `addCandidates`. */
  readonly candidates: readonly Candidate[];
  /** Time until the opening fails, at most and by default 95000 ms. */
  readonly timeoutMs?: number;
  /** Candidates on loopback are accepted from redirects. Default: if a candidate given here is on loopback. */
  readonly allowLoopback?: boolean;
}

/** Entries in an endpoint's bounded tables and queues; the caps are in docs/limits.md. */
export interface EndpointLoad {
  /** In any state, those being opened included. */
  readonly sessions: number;
  /** Public-key jobs told and not completed. */
  readonly jobs: number;
  /** Undecided introductions. */
  readonly introductions: number;
  /** Fragmented startup packets that are not complete. */
  readonly reassemblies: number;
}

/**
 * See docs/architecture.md for what to call after what. Every time is in milliseconds of one clock that never runs
 * back.
 */
export class Endpoint implements StartupHost {
  /** As given to the constructor; not copied. */
  readonly config: EndpointConfig;
  /** Live counters; only the endpoint writes them. */
  readonly stats: EndpointStats = newEndpointStats();
  /** All deadlines of the endpoint, its sessions and flows. */
  readonly timers: TimerHeap;
  /** Who sent time-critical data lately (§3.5.2.1). */
  readonly timeCritical: TimeCriticalMemory = new TimeCriticalMemory();
  /** Datagram sizes that paths lost of late. */
  readonly lostSizes: LostSizes = new LostSizes();
  /** What the receiving flows of all sessions hold. */
  readonly receiveBudget: EndpointBudget;
  /** What all sessions are borne with. */
  readonly patience: EndpointPatience = new EndpointPatience();
  /** What goes out under the Default Session Key. */
  readonly sender: StartupSender;
  /** Every session, by receive ID, far address and identity. */
  readonly sessions: Sessions;
  /** When the process last went on after it stood still; echoes of what was sent before tell of that, not of the path. */
  resumedAt: number = Number.NEGATIVE_INFINITY;
  readonly #introductions: Introductions;
  readonly #responder: Responder;
  readonly #startup: StartupReceiver;
  readonly #events = new Fifo<EndpointEvent>();
  readonly #ready = new Fifo<Session>();
  readonly #jobs = new Map<number, (result: PublicKeyResult, now: number) => void>();
  readonly #packet = new PacketBuilder();
  readonly #transmit: Transmit = { length: 0, via: 0, to: { host: "", port: 0 }, ecn: undefined };
  #nextJob = 1;

  /** A fresh endpoint. Keeps `config`; nothing happens before the first call. */
  constructor(config: EndpointConfig) {
    checkDatagramSizes(config);
    this.config = config;
    this.receiveBudget = new EndpointBudget(config.maxReceiveBytes);
    this.timers = new TimerHeap(config.wake);
    this.sessions = new Sessions(config, this.stats);
    this.sender = new StartupSender(config, this.stats, this.timers);
    this.#introductions = new Introductions(this, this.sender);
    this.#responder = new Responder(this);
    this.#startup = new StartupReceiver(this, this.#responder, this.#introductions);
  }

  /** The profile of {@link EndpointConfig.profile}. */
  get profile(): CryptoProfile {
    return this.config.profile;
  }

  /** How full the endpoint's bounded tables and queues are. Cheap to ask for. */
  get load(): EndpointLoad {
    return {
      sessions: this.sessions.size,
      jobs: this.#jobs.size,
      introductions: this.#introductions.size,
      reassemblies: this.#startup.reassemblies,
    };
  }

  /** Hands over the datagrams of one turn. Never throws for what they hold; nothing is sent before pollTransmit. */
  handleDatagrams(now: number, batch: readonly Datagram[]): void {
    this.#noticeStandstill(now);
    for (let at = 0; at < batch.length; ) at = this.#receive(now, batch, at);
  }

  /** Runs what is due. Call when pollTimeout has come; at other times it does nothing. */
  handleTimeout(now: number): void {
    this.#noticeStandstill(now);
    this.timers.run(now);
  }

  /** When handleTimeout is next wanted; undefined if never. May be early. */
  pollTimeout(): number | undefined {
    const next = this.timers.next;
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /**
   * Writes the next datagram into `buffer`, which must hold {@link TRANSMIT_BUFFER_BYTES}. Call until undefined. The
   * result is valid until the next call. `buffer` is borrowed for the call and holds the datagram afterwards.
   */
  pollTransmit(now: number, buffer: Uint8Array): Transmit | undefined {
    const out = this.#transmit;
    if (this.sender.poll(buffer, now, out)) return this.#sent(out);
    for (let session = this.#ready.peek(); session !== undefined; session = this.#ready.peek()) {
      this.#ready.shift();
      session.queued = false;
      if (!transmitSession(session, this, this.#packet, buffer, now, out)) continue;
      this.sessionReady(session);
      return this.#sent(out);
    }
    return undefined;
  }

  /** The next event, or undefined. */
  pollEvent(): EndpointEvent | undefined {
    return this.#events.shift();
  }

  /**
   * Starts to open a session to the endpoint that `epd` selects (§3.5.1.1.1). The outcome is an event. `epd` is kept
   * until the opening is decided.
   */
  open(now: number, epd: Uint8Array, options: OpenOptions): Session {
    const session = new Session(this, "initiator", this.sessions.allocateId(), "S_IHELLO_SENT", now);
    const loopback = options.allowLoopback ?? options.candidates.some((candidate) => isLoopback(candidate.address));
    const opening = new Opening(
      this,
      session,
      epd,
      this.config.random(TAG_BYTES),
      now,
      options.timeoutMs,
      (address) => !isUnusable(address) && (loopback || !isLoopback(address)),
      (ended) => this.#startup.forget(ended),
    );
    session.opening = opening;
    this.sessions.add(session);
    this.#startup.expect(opening);
    session.wakeAt(opening.nextDeadline);
    for (const candidate of options.candidates) opening.addCandidate(candidate, now);
    this.config.wake?.();
    return session;
  }

  /** Adds addresses to try to a session that is being opened; ignored later. */
  addCandidates(now: number, session: Session, candidates: readonly Candidate[]): void {
    const opening = session.opening;
    if (opening instanceof Opening) for (const candidate of candidates) opening.addCandidate(candidate, now);
    this.config.wake?.();
  }

  /** Takes the result of a "job" event; an unknown id is ignored. */
  completeJob(now: number, id: number, result: PublicKeyResult): void {
    const done = this.#jobs.get(id);
    this.#jobs.delete(id);
    done?.(result, now);
    this.config.wake?.();
  }

  /** Answers an "introduction" with a Redirect; false if it is no longer open. */
  redirect(now: number, id: number, addresses: readonly WireAddress[]): boolean {
    const sent = this.#introductions.redirect(id, addresses, now);
    this.config.wake?.();
    return sent;
  }

  /** Forwards an "introduction" to the far end of a session; false if it is no longer open. */
  forward(now: number, id: number, session: Session): boolean {
    return this.#introductions.forward(id, session, now);
  }

  /** Closes an "introduction" for further answers. */
  ignore(id: number): void {
    this.#introductions.done(id);
  }

  // What sessions and handshakes ask of the endpoint.

  emit(event: EndpointEvent): void {
    this.#events.push(event);
    this.config.wake?.();
  }

  sessionReady(session: Session): void {
    if (session.queued) return;
    session.queued = true;
    this.#ready.push(session);
    this.config.wake?.();
  }

  sessionEnded(session: Session): void {
    if (this.sessions.get(session.nearId) !== session) return;
    this.sessions.remove(session);
    if (session.keys !== undefined) this.stats.sessionsClosed++;
  }

  sessionAbused({ address }: Session, now: number): void {
    this.stats.sessionsAbused++;
    if (address !== undefined) this.#responder.onAbuse(now, address);
  }

  sessionMoved(session: Session, fromKey: string): void {
    this.sessions.moved(session, fromKey);
  }

  forwardedHello(session: Session, epd: Uint8Array, reply: Address, tag: Uint8Array, now: number): void {
    this.#startup.onForwardedHello(session, epd, reply, tag, now);
  }

  viaFor(address: Address, via: number): number | undefined {
    return this.config.viaFor === undefined ? via : this.config.viaFor(address, via);
  }

  runStep<T>(step: KeyingStep<T>, now: number, done: (result: T | undefined, now: number) => void): boolean {
    if (step.job === undefined) {
      done(step.finish({}), now);
      return true;
    }
    if (this.#jobs.size >= MAX_JOBS) {
      this.stats.jobsRefused++;
      return false;
    }
    const id = this.#nextJob++;
    this.#jobs.set(id, (result, later) => done(step.finish(result), later));
    this.emit({ type: "job", id, job: step.job });
    return true;
  }

  #sent(out: Transmit): Transmit {
    this.stats.datagramsOut++;
    this.stats.bytesOut += out.length;
    return out;
  }

  #noticeStandstill(now: number): void {
    if (now - this.timers.next > STANDSTILL_MS) this.resumedAt = now;
  }

  /** Takes the datagram at `at`, and those behind it that are for the same session; returns where to go on. */
  #receive(now: number, batch: readonly Datagram[], at: number): number {
    const datagram = batch[at] as Datagram;
    const { bytes } = datagram;
    if (bytes.length <= SESSION_ID_BYTES) {
      this.#count(bytes);
      this.stats.badSize++;
      return at + 1;
    }
    const id = unscrambleSessionId(bytes);
    const session = id === 0 ? undefined : this.sessions.get(id);
    if (session?.patience.isUnread(now) === true) {
      this.#count(bytes);
      this.stats.leftUnread++;
      return at + 1;
    }
    const keys = session?.keys;
    const next = batch[at + 1];
    if (session !== undefined && keys !== undefined && next !== undefined && isFor(next, id))
      return this.#receiveRun(now, batch, at, id, session, keys);
    this.#count(bytes);
    if (id !== 0 && session === undefined) {
      this.stats.unknownSession++;
      return at + 1;
    }
    const cipher = keys?.cipher ?? this.profile.startupCipher;
    const packet = cipher.open(bytes.subarray(SESSION_ID_BYTES));
    if (packet === undefined) this.#refused(cipher.failure);
    else this.#opened(now, datagram, id, session, packet);
    return at + 1;
  }

  /** Opens datagrams of one session together, which costs less, and hands their packets over one by one. */
  #receiveRun(
    now: number,
    batch: readonly Datagram[],
    first: number,
    id: number,
    session: Session,
    keys: SessionKeys,
  ): number {
    const sealed: Uint8Array[] = [];
    let end = first;
    for (let next = batch[end]; next !== undefined && isFor(next, id); next = batch[++end])
      sealed.push(next.bytes.subarray(SESSION_ID_BYTES));
    const opened = keys.cipher.openAll(sealed);
    for (let at = first; at < end; at++) {
      const datagram = batch[at] as Datagram;
      const packet = opened[at - first] as Uint8Array | OpenFailure;
      this.#count(datagram.bytes);
      if (this.sessions.get(id) !== session) this.stats.unknownSession++;
      else if (typeof packet === "string") this.#refused(packet);
      else this.#opened(now, datagram, id, session, packet);
    }
    return end;
  }

  #count(bytes: Uint8Array): void {
    this.stats.datagramsIn++;
    this.stats.bytesIn += bytes.length;
  }

  #refused(failure: OpenFailure): void {
    if (failure === "replay") this.stats.replayed++;
    else if (failure === "size") this.stats.badSize++;
    else this.stats.badVerify++;
  }

  #opened(now: number, datagram: Datagram, id: number, session: Session | undefined, packet: Uint8Array): void {
    const { bytes, from, via } = datagram;
    const startup = session?.keys === undefined;
    this.config.trace?.({
      now,
      direction: "in",
      via,
      peer: from,
      sessionId: id >>> 0,
      session: startup ? 0 : id >>> 0,
      startup,
      datagram: bytes,
      packet,
    });
    if (startup) this.#startup.onPacket(packet, session, now, from, via);
    else if (session?.onPacket(packet, now, from, via) === false) this.stats.badMode++;
  }
}

/** True if the datagram bears the session ID. */
function isFor({ bytes }: Datagram, id: number): boolean {
  return bytes.length > SESSION_ID_BYTES && unscrambleSessionId(bytes) === id;
}

/** Size of the buffer for {@link Endpoint.pollTransmit}: the largest datagram, with room for padding and HMAC. */
export const TRANSMIT_BUFFER_BYTES: number = 65_536 + SEAL_SPARE_BYTES;
