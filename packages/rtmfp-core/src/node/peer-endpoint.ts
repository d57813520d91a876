/** The public endpoint: one identity on one carrier, with sessions as promises. */
import { buildEpd, canonicalEpd, type FlashProfile } from "../crypto/index.ts";
import { type Address, isLoopback, Origin, parseAddressText, type WireAddress } from "../proto/address.ts";
import { fromHex } from "../proto/bytes.ts";
import type { EndpointConfig } from "../proto/config.ts";
import type { OpenOptions } from "../proto/endpoint.ts";
import { RtmfpError } from "../proto/errors.ts";
import type { CloseReason, EndpointEvent } from "../proto/events.ts";
import type { Session as ProtoSession } from "../proto/session.ts";
import type { Candidate } from "../proto/startup/initiator.ts";
import type { EndpointStats } from "../proto/stats.ts";
import { checkInteger, checkTime } from "./arguments.ts";
import type { Carrier } from "./carrier.ts";
import { Driver, type JobRunner } from "./driver.ts";
import { RecvFlow } from "./recv-flow.ts";
import { SendFlow } from "./send-flow.ts";
import { Session } from "./session.ts";

/** Settings shared by all carriers. */
export interface PeerEndpointOptions extends Omit<EndpointConfig, "profile" | "random" | "wake"> {
  /** Identity and cryptography, made by createFlashProfile. */
  readonly profile: FlashProfile;
  /** Gives `length` unpredictable bytes that the endpoint then owns. Default: the profile's provider. */
  readonly random?: (length: number) => Uint8Array;
  /** Where public-key jobs run. Default: at once, in this thread. */
  readonly runJob?: JobRunner;
}

/**
 * Whom to open a session with: an address, several, `host:port` text, or a peer (`peerId`, 64 hex digits) that open
 * sessions (`via`) can introduce and that may be at `addresses`: all are tried at the same time.
 */
export type ConnectTarget =
  | Address
  | readonly Address[]
  | string
  | { readonly peerId: string; readonly via: readonly Session[]; readonly addresses?: readonly Address[] };

type PeerTarget = Exclude<ConnectTarget, string | Address | readonly Address[]>;

/** Options of {@link PeerEndpoint.connect}. */
export interface ConnectOptions {
  /** The far end must have this identity: 64 hex digits. Default: whoever the discriminator selects. */
  readonly peerId?: string;
  /**
   * What the endpoint discriminator asks for instead, e.g. a server by its URI. Default: any server. Kept until the
   * attempt is decided.
   */
  readonly epd?: Uint8Array;
  /** How long to try, ms from 0; default 95000, which is also the most. */
  readonly timeoutMs?: number;
  /**
   * Ends the attempt, which then rejects with CONNECT_ABORTED; one that is aborted already, with its own reason.
   * Default: none.
   */
  readonly signal?: AbortSignal;
}

/** An IHello for somebody else, to be answered within 5 s. */
export interface Introduction {
  /** The discriminator asked for (RFC 7016 §3.2). Owned by the endpoint; do not modify. */
  readonly epd: Uint8Array;
  /** The initiator's tag, which its answer must echo. Owned by the endpoint; do not modify. */
  readonly tag: Uint8Array;
  /** Address of the initiator as seen here. */
  readonly from: Address;
  /** Socket that received it. */
  readonly via: number;
  /** Sends the initiator addresses to try; false if it is too late. */
  redirect(addresses: readonly (Address | WireAddress)[]): boolean;
  /** Sends the IHello on to the far end of a session; false if it is too late. */
  forward(session: Session): boolean;
  /** Ends the matter without an answer. */
  ignore(): void;
}

/** One identity on one or more sockets. UdpEndpoint is this on UDP. */
export class PeerEndpoint {
  /** Called for each flow of a session that has no `onFlow` of its own. */
  onFlow: ((flow: RecvFlow) => unknown) | undefined;
  /** Called for each session that a far end opened. */
  onSession: ((session: Session) => void) | undefined;
  /** Called for each IHello that asks for somebody else; without it such IHellos get no answer. */
  onIntroduction: ((introduction: Introduction) => void) | undefined;
  /** The identity and cryptography it was made with. */
  readonly profile: FlashProfile;
  /** The carrier it was made with; `close` of the endpoint closes it. */
  readonly carrier: Carrier;
  readonly #driver: Driver;
  /** Who waits for a session that is being opened; more than one when another opening gave way to it. */
  readonly #opening = new Map<ProtoSession, Waiting[]>();
  readonly #sessions = new Set<Session>();
  /** What the sessions tell the time by. */
  readonly #clock = (): number => this.now();
  #closed = false;

  /**
   * Takes `carrier` over and starts to receive. UdpEndpoint.open does this for UDP. Throws BAD_ARGUMENT for a
   * `keepaliveMs` below 0 or a `maxSessions` or `maxReceiveBytes` that is no integer of 0 or more.
   */
  constructor(carrier: Carrier, options: PeerEndpointOptions) {
    checkTime("keepaliveMs", options.keepaliveMs);
    checkInteger("maxSessions", options.maxSessions);
    checkInteger("maxReceiveBytes", options.maxReceiveBytes);
    const { runJob, random, ...config } = options;
    this.carrier = carrier;
    this.profile = options.profile;
    const { provider } = options.profile;
    this.#driver = new Driver(
      { ...config, random: random ?? ((length) => provider.randomBytes(length)) },
      carrier,
      (event) => this.#onEvent(event),
      runJob,
    );
  }

  /** Our identity: 64 lower-case hex digits. */
  get peerId(): string {
    return this.profile.id;
  }

  /** Address of the first socket; one bound to all addresses is reported as loopback, for a peer on the same host. */
  get address(): Address {
    const address = this.carrier.sockets[0]?.address ?? { host: "127.0.0.1", port: 0 };
    if (address.host === "0.0.0.0") return { host: "127.0.0.1", port: address.port };
    return address.host === "::" ? { host: "::1", port: address.port } : address;
  }

  /** The endpoint's clock: monotonic ms. */
  now(): number {
    return this.#driver.now();
  }

  /** Runs `run` once after `ms` of the endpoint's time, unless the function returned is called before. */
  after(ms: number, run: () => void): () => void {
    const { timers } = this.#driver.endpoint;
    const node = { heapDeadline: Number.POSITIVE_INFINITY, heapIndex: -1, onTimer: run };
    timers.schedule(node, this.now() + ms);
    this.#driver.wake();
    return () => timers.remove(node);
  }

  /** Live counters since the endpoint was made. */
  get stats(): Readonly<EndpointStats> {
    return this.#driver.endpoint.stats;
  }

  /** Open sessions. */
  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /** Open sessions with that identity, oldest first. */
  sessionsWith(peerId: string): readonly Session[] {
    return this.#driver.endpoint.sessions.withIdentity(peerId).map((inner) => inner.context as Session);
  }

  /**
   * Opens a session. Rejects with CONNECT_TIMEOUT when nobody answers, CONNECT_FAILED when the far end is unacceptable,
   * RESOLVE_FAILED, CONNECT_ABORTED, ENDPOINT_CLOSED, BAD_ARGUMENT. If a session with that peer exists, it is the
   * answer.
   */
  async connect(target: ConnectTarget, options: ConnectOptions = {}): Promise<Session> {
    if (this.#closed) throw new RtmfpError("ENDPOINT_CLOSED", "the endpoint is closed");
    options.signal?.throwIfAborted();
    checkTime("timeoutMs", options.timeoutMs);
    if (typeof target === "object" && "peerId" in target) return this.#introduced(target, options);
    const addresses = await this.#addresses(target);
    const candidates = addresses.flatMap((address) => this.candidatesFor(address));
    const what =
      typeof target === "string" ? target : addresses.map((address) => `${address.host}:${address.port}`).join(", ");
    if (candidates.length === 0) throw new RtmfpError("BAD_ARGUMENT", `no socket of this endpoint can reach ${what}`);
    const epd = options.epd ?? (options.peerId === undefined ? ANY_SERVER : peerEpd(options.peerId));
    return this.#open(epd, { candidates }, options, what);
  }

  /** The address by each socket of its family. */
  candidatesFor(address: Address): Candidate[] {
    const v6 = address.host.includes(":");
    const sockets = this.carrier.sockets.filter((socket) => socket.address.host.includes(":") === v6);
    return sockets.map((socket) => ({ address, via: socket.via }));
  }

  /** Closes every session, tells the far ends, and releases the carrier. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const [inner, waiting] of this.#opening) {
      this.#opening.delete(inner);
      inner.abort();
      for (const { reject } of waiting)
        reject(new RtmfpError("ENDPOINT_CLOSED", "the endpoint was closed while connecting"));
    }
    for (const session of this.#sessions) session.abort();
    this.#driver.turn();
    await this.#driver.close();
  }

  async #introduced(target: PeerTarget, options: ConnectOptions): Promise<Session> {
    const { peerId, via, addresses = [] } = target;
    const epd = peerEpd(peerId);
    const existing = this.sessionsWith(peerId)[0];
    if (existing !== undefined) return existing;
    const introducers = via.filter((session) => session.isOpen);
    const candidates = [
      ...addresses.flatMap((address) => this.candidatesFor(address)),
      ...introducers.map((session) => ({ address: session.address, via: session.via })),
    ];
    if (candidates.length === 0)
      throw new RtmfpError("BAD_ARGUMENT", "connect needs an open session to an introducer, or an address");
    // Whoever is on this host knows of loopback addresses; without any session they are the caller's own word.
    const known = introducers.length > 0 ? introducers : [...this.#sessions];
    const allowLoopback = known.length === 0 || known.some((session) => isLoopback(session.address));
    return this.#open(epd, { candidates, allowLoopback }, options, `peer ${peerId.slice(0, 12)}…`);
  }

  #open(epd: Uint8Array, open: OpenOptions, options: ConnectOptions, what: string): Promise<Session> {
    const { timeoutMs, signal } = options;
    return new Promise((resolve, reject) => {
      const inner = this.#driver.endpoint.open(
        this.now(),
        epd,
        timeoutMs === undefined ? open : { ...open, timeoutMs },
      );
      const onAbort = (): void => {
        if (!this.#leave(waiting)) return;
        reject(new RtmfpError("CONNECT_ABORTED", `connecting to ${what} was aborted`));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const settle = (): void => signal?.removeEventListener("abort", onAbort);
      const waiting: Waiting = {
        what,
        resolve: (session) => {
          settle();
          resolve(session);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#opening.set(inner, [waiting]);
    });
  }

  /** Stops waiting; an opening that nobody waits for ends. False if the matter is settled. */
  #leave(waiting: Waiting): boolean {
    for (const [inner, all] of this.#opening) {
      const rest = all.filter((other) => other !== waiting);
      if (rest.length === all.length) continue;
      this.#opening.set(inner, rest);
      if (rest.length > 0) return true;
      this.#opening.delete(inner);
      inner.abort();
      return true;
    }
    return false;
  }

  async #addresses(target: Address | readonly Address[] | string): Promise<readonly Address[]> {
    if (typeof target !== "string") return Array.isArray(target) ? target : [target as Address];
    const literal = parseAddressText(target);
    if (literal !== undefined) return [literal];
    const match = /^([^:[\]]+):([0-9]{1,5})$/.exec(target);
    if (match === null) throw new RtmfpError("BAD_ARGUMENT", `expected host:port, got "${target}"`);
    return this.carrier.resolve(match[1] as string, Number(match[2]));
  }

  #onEvent(event: EndpointEvent): void {
    switch (event.type) {
      case "open":
        this.#settle(event.session, this.#adopt(event.session));
        return;
      case "superseded":
        this.#onSuperseded(event.session, event.by);
        return;
      case "incoming": {
        const session = this.#adopt(event.session);
        this.onSession?.(session);
        return;
      }
      case "closed":
        this.#onClosed(event.session, event.reason);
        return;
      case "moved":
        (event.session.context as Session | undefined)?.onMoved?.(event.from);
        return;
      case "pong":
        (event.session.context as Session | undefined)?.onPong?.(event.message);
        return;
      case "flow":
        (event.session.context as Session | undefined)?.tellFlow(event.flow, this.onFlow);
        return;
      case "readable":
        if (event.flow.context instanceof RecvFlow) event.flow.context.tellReadable();
        return;
      case "finished":
        if (event.flow.context instanceof RecvFlow) event.flow.context.tellFinished();
        return;
      case "writable":
        if (event.flow.context instanceof SendFlow) event.flow.context.tellWritable();
        return;
      case "exception":
        if (event.flow.context instanceof SendFlow) event.flow.context.tellException(event.code);
        return;
      case "complete":
        if (event.flow.context instanceof SendFlow) event.flow.context.tellEnded();
        return;
      case "introduction":
        this.#introduce(event);
        return;
      default:
        return;
    }
  }

  #introduce(event: EndpointEvent & { type: "introduction" }): void {
    const { endpoint } = this.#driver;
    if (this.onIntroduction === undefined) {
      endpoint.ignore(event.id);
      return;
    }
    this.onIntroduction({
      epd: event.epd,
      tag: event.tag,
      from: event.from,
      via: event.via,
      redirect: (addresses) =>
        endpoint.redirect(
          this.now(),
          event.id,
          addresses.map((address) => ({ origin: Origin.observed, ...address })),
        ),
      forward: (session) => endpoint.forward(this.now(), event.id, session.inner),
      ignore: () => endpoint.ignore(event.id),
    });
  }

  #adopt(inner: ProtoSession): Session {
    if (inner.context instanceof Session) return inner.context;
    const session = new Session(inner, this.#clock);
    this.#sessions.add(session);
    return session;
  }

  #settle(inner: ProtoSession, session: Session): void {
    const waiting = this.#opening.get(inner) ?? [];
    this.#opening.delete(inner);
    for (const { resolve } of waiting) resolve(session);
  }

  /** One opening gave way to another session: open, or on its way and awaited by others too. */
  #onSuperseded(inner: ProtoSession, by: ProtoSession): void {
    if (by.isOpen) {
      this.#settle(inner, this.#adopt(by));
      return;
    }
    const waiting = this.#opening.get(inner) ?? [];
    this.#opening.delete(inner);
    this.#opening.set(by, [...(this.#opening.get(by) ?? []), ...waiting]);
  }

  #onClosed(inner: ProtoSession, reason: CloseReason): void {
    const waiting = this.#opening.get(inner) ?? [];
    this.#opening.delete(inner);
    for (const { what, reject } of waiting) {
      reject(
        reason === "no-answer"
          ? new RtmfpError("CONNECT_TIMEOUT", `no RTMFP answer from ${what}`)
          : new RtmfpError("CONNECT_FAILED", `the far end at ${what} could not be agreed with (${reason})`),
      );
    }
    const session = inner.context;
    if (!(session instanceof Session)) return;
    this.#sessions.delete(session);
    session.tellClosed(reason);
  }
}

/** A call of connect that is not settled. */
interface Waiting {
  readonly what: string;
  resolve(session: Session): void;
  reject(error: Error): void;
}

/**
 * The discriminator that names one peer ID. Throws BAD_ARGUMENT unless it is 64 hex digits. The bytes are the caller's
 * own, 34 of them.
 */
export function peerEpd(peerId: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(peerId))
    throw new RtmfpError("BAD_ARGUMENT", `expected a peer ID of 64 hex digits, got "${peerId}"`);
  return canonicalEpd(fromHex(peerId));
}

/** Selects any certificate that accepts ancillary data. */
const ANY_SERVER: Uint8Array = buildEpd({ ancillaryData: new Uint8Array(0) });
