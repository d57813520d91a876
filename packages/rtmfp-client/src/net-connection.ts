/** NetConnection with Adobe's names (ActionScript's flash.net), over RTMFP. § means RFC 7425. */
import { formatAddress, RtmfpError } from "rtmfp-core";
import { defaultProvider } from "rtmfp-core/crypto";
import {
  type AmfValue,
  type ObjectEncoding,
  parseRtmfpUri,
  parseStatus,
  type StatusEvent as TcStatusEvent,
} from "rtmfp-core/tc";
import { checkAuth } from "./auth.ts";
import { systemClock } from "./clock.ts";
import { ConnectionCore, type CoreHost } from "./connection-core.ts";
import { Emitter, tellListener } from "./emitter.ts";
import type { NetGroup } from "./group/net-group.ts";
import { hex } from "./hex.ts";
import { Methods } from "./methods.ts";
import type { NetStream } from "./net-stream.ts";
import { type NetConnectionOptions, timeoutOf } from "./options.ts";
import { Reconnect } from "./reconnect.ts";
import type { Responder } from "./responder.ts";
import { connectAgain, connectServer } from "./server-connection.ts";
import { aborted as abortedError, openServerless } from "./server-link.ts";
import { makeStatus, statusError } from "./status-error.ts";

/** A NetStatus event; `code` narrows the rest. */
export type StatusEvent = TcStatusEvent<NetStream, NetGroup>;

/** Events of a NetConnection. */
export interface NetConnectionEvents {
  /** Adobe's netStatus. Events of NetStream.Connect come here, with `stream`, and those of NetGroup.Connect, with `group`. */
  status: [event: StatusEvent];
  /** The server called a method that is not exposed, or one that threw; or it told an event that is none. */
  asyncError: [error: unknown];
}

/** A connection to a server, or to peers without one, as in ActionScript's flash.net. */
export class NetConnection extends Emitter<NetConnectionEvents> {
  /** AMF version of new connections, 0 or 3. Default 0: every server understands it. */
  static defaultObjectEncoding: ObjectEncoding = 0;
  /** AMF version to ask for, and once connected the one agreed on. */
  objectEncoding: ObjectEncoding = NetConnection.defaultObjectEncoding;
  /** Which proxy to try. No effect: RTMFP goes through none. Default "none". */
  proxyType = "none";
  #maxPeerConnections = 8;
  readonly #options: NetConnectionOptions;
  readonly #methods = new Methods();
  readonly #reconnect: Reconnect | undefined;
  readonly #onAbort = (): void => void this.close();
  #core: ConnectionCore | undefined;
  #uri: string | null = null;
  #connecting: AbortController | undefined;
  /** Resolves when every attempt to connect, and every end of a connection, that has begun so far is over. */
  #settled: Promise<unknown> = Promise.resolve();
  #connected = false;
  /** What connect was given beyond the URI. */
  #args: readonly AmfValue[] = [];
  #client: object = this;

  /** Not connected yet: {@link connect} does that. Throws BAD_ARGUMENT for times below 0. */
  constructor(options: NetConnectionOptions = {}) {
    super();
    timeoutOf(options);
    checkAuth(options.auth);
    this.#options = options;
    const { reconnect = false, clock = systemClock } = options;
    if (reconnect !== false)
      this.#reconnect = new Reconnect(reconnect === true ? {} : reconnect, clock, () => fraction(options));
  }

  /**
   * Connects; resolves with NetConnection.Connect.Success, rejects with the event that says why not. `rtmfp:` and `null`
   * connect without a server and send nothing. `args` go to the server's `onConnect`. A redirect by the server's
   * application is a Connect.Rejected whose `ex` has `code` 302 and the URL in `redirect`: whether to follow is for the
   * caller to decide.
   */
  async connect(uri: string | null, ...args: AmfValue[]): Promise<StatusEvent> {
    return await this.#settling(this.#connect(uri, args, false));
  }

  async #connect(uri: string | null, args: readonly AmfValue[], isRetry: boolean): Promise<StatusEvent> {
    if (this.#connecting !== undefined || this.#core !== undefined)
      throw new RtmfpError("BAD_ARGUMENT", "this NetConnection is connected already: close it first, or make another");
    if (!isRetry) this.#reconnect?.stop();
    const target = parse(uri ?? "rtmfp:");
    if (this.objectEncoding !== 0 && this.objectEncoding !== 3)
      throw new RtmfpError("BAD_ARGUMENT", `objectEncoding: expected 0 or 3, got ${String(this.objectEncoding)}`);
    const { signal, clock = systemClock } = this.#options;
    if (signal?.aborted === true) throw abortedError();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    const attempt = new AbortController();
    this.#connecting = attempt;
    this.#uri = uri;
    try {
      const { objectEncoding: encoding } = this;
      const request = { args, encoding, options: this.#options, clock, host: this.#host(), signal: attempt.signal };
      const { core, event } =
        target.kind === "server" ? await connectServer({ ...request, target }) : await this.#local(request.host);
      if (attempt.signal.aborted) {
        await core.abort();
        throw abortedError();
      }
      this.#core = core;
      this.objectEncoding = core.objectEncoding;
      this.#connected = true;
      this.#args = args;
      this.emit("status", event as StatusEvent);
      core.begin();
      return event as StatusEvent;
    } catch (error) {
      if (this.#reconnect === undefined) this.#ignoreSignal();
      if (error instanceof RtmfpError) this.#emitFailure(error);
      throw error;
    } finally {
      this.#connecting = undefined;
    }
  }

  /**
   * Calls a method of the server's. With a Responder it gets the answer too; the promise rejects with the error event that
   * the server sent, or resolves with undefined if the Responder takes it. Neither need be used.
   */
  call(command: string, responder?: Responder | null, ...args: AmfValue[]): Promise<AmfValue> {
    const answer = this.core.call(command, args, responder?.options).then(
      (value) => {
        if (typeof responder?.onResult === "function") tellListener(responder.onResult, value);
        return value;
      },
      (error: RtmfpError) => {
        if (typeof responder?.onStatus !== "function") throw error;
        tellListener(responder.onStatus, error.info as AmfValue);
        return undefined;
      },
    );
    answer.catch(() => {});
    return answer;
  }

  /** Adds functions that the server may call: own functions of `methods`, never inherited ones. */
  expose(methods: object): void {
    this.#methods.expose(methods);
  }

  /** Adobe's way to {@link expose}: replaces whatever was exposed. */
  set client(methods: object) {
    this.#client = methods;
    this.#methods.replace(methods);
  }

  get client(): object {
    return this.#client;
  }

  /** Does nothing: headers are of Flash Remoting over HTTP. Defaults, as Adobe's: false, null. */
  addHeader(_operation: string, _mustUnderstand = false, _param: AmfValue = null): void {}

  /**
   * Ends the connection with all its streams, those with peers included, or the attempt; nothing is reconnected.
   * Resolves when everything is released.
   */
  async close(): Promise<void> {
    this.#reconnect?.stop();
    this.#connecting?.abort();
    this.#ignoreSignal();
    await this.#end();
    await this.#settled;
  }

  /** True from NetConnection.Connect.Success until the connection ends. */
  get connected(): boolean {
    return this.#connected;
  }

  /** What {@link connect} was given. */
  get uri(): string | null {
    return this.#uri;
  }

  /** Always "rtmfp". */
  get protocol(): "rtmfp" {
    return "rtmfp";
  }

  /** Our peer ID, 64 hex digits; another one after each connect. "" while not connected. */
  get nearID(): string {
    return this.#core?.endpoint.peerId ?? "";
  }

  /** The server's identity, 64 hex digits. "" while not connected to one. */
  get farID(): string {
    return this.#core?.session?.peerId ?? "";
  }

  /** A secret that only this session has; the server's {@link farNonce}. Hex digits, "" while not connected to one. */
  get nearNonce(): string {
    return hex(this.#core?.session?.nearNonce);
  }

  /** The server's {@link nearNonce}. Hex digits, "" while not connected to one. */
  get farNonce(): string {
    return hex(this.#core?.session?.farNonce);
  }

  /** Always "none": RTMFP goes through no proxy. */
  get connectedProxyType(): "none" {
    return "none";
  }

  /** Always false: RTMFP has its own cryptography. */
  get usingTLS(): false {
    return false;
  }

  /**
   * Where peers of the same network may reach us, `host:port` each, as the server is told too; loopback and link-local
   * addresses left out. For `addresses` of a NetStream elsewhere. Empty while not connected.
   */
  get nearAddresses(): readonly string[] {
    return (this.#core?.endpoint.carrier.interfaceAddresses() ?? []).map(formatAddress);
  }

  /**
   * Sessions with peers, incoming and outgoing, without those that groups alone use; lowering it ends none. Default 8. Throws
   * BAD_ARGUMENT below 0.
   */
  set maxPeerConnections(count: number) {
    if (typeof count !== "number" || !(count >= 0))
      throw new RtmfpError("BAD_ARGUMENT", `maxPeerConnections: expected a number of 0 or more, got ${String(count)}`);
    this.#maxPeerConnections = count;
  }

  get maxPeerConnections(): number {
    return this.#maxPeerConnections;
  }

  /** Subscribers to streams that are not published here yet. */
  get unconnectedPeerStreams(): readonly { readonly name: string; readonly farID: string }[] {
    return this.#core?.peers.waiting ?? [];
  }

  /** Counters and path figures of the server session; undefined without one. */
  get stats(): NonNullable<ConnectionCore["session"]>["stats"] | undefined {
    return this.#core?.session?.stats;
  }

  /** What stands behind a connection, for NetStream. Throws unless connected. */
  get core(): ConnectionCore {
    if (this.#core !== undefined) return this.#core;
    throw statusError(
      makeStatus("NetConnection.Connect.Closed", "the NetConnection is not connected: await connect first"),
    );
  }

  /** Tells an event of a stream's connection. For NetStream. */
  tellStatus(event: StatusEvent): void {
    this.emit("status", event);
  }

  async #local(host: CoreHost): Promise<{ core: ConnectionCore; event: TcStatusEvent }> {
    const endpoint = await openServerless(this.#options);
    const { clock = systemClock } = this.#options;
    const core = new ConnectionCore(endpoint, undefined, clock, this.objectEncoding, host);
    return { core, event: makeStatus("NetConnection.Connect.Success") };
  }

  /** `why` is for people. False if there was nothing to end. */
  async #end(why?: string): Promise<boolean> {
    const core = this.#core;
    if (core === undefined || !this.#connected) return false;
    this.#connected = false;
    if (this.#reconnect === undefined) this.#ignoreSignal();
    await this.#settling(this.#release(core, why));
    return true;
  }

  async #release(core: ConnectionCore, why: string | undefined): Promise<void> {
    try {
      await core.close();
    } finally {
      this.#core = undefined;
    }
    this.emit("status", makeStatus("NetConnection.Connect.Closed", why) as StatusEvent);
  }

  /** {@link close} waits for it too. */
  #settling<T>(work: Promise<T>): Promise<T> {
    this.#settled = Promise.allSettled([this.#settled, work]);
    return work;
  }

  async #endAndReconnect(why: string): Promise<void> {
    if (!this.#connected) return;
    this.#connecting?.abort();
    const uri = this.#uri;
    const args = this.#args;
    // Planned before the end: a listener that closes, or connects anew, meanwhile has the last word.
    const start = this.#reconnect?.plan(() => this.#settling(this.#connect(uri, args, true)));
    await this.#end(why);
    start?.();
  }

  /** The groups of the connection go on without the server, which is looked for if connections are to be restored. */
  #onOrphaned(why: string): void {
    this.#tellChange(`${why}; its groups go on`);
    const core = this.#core;
    if (core !== undefined && this.#connected) this.#reconnect?.plan(() => this.#settling(this.#findServer(core)))();
  }

  async #findServer(core: ConnectionCore): Promise<void> {
    const target = parse(this.#uri ?? "");
    if (target.kind !== "server") return;
    const attempt = new AbortController();
    this.#connecting = attempt;
    try {
      const { objectEncoding: encoding, clock, host } = core;
      const request = {
        target,
        args: this.#args,
        encoding,
        options: this.#options,
        clock,
        host,
        signal: attempt.signal,
      };
      await connectAgain(core, request);
      this.#tellChange("the server is there again");
      core.begin();
    } finally {
      if (this.#connecting === attempt) this.#connecting = undefined;
    }
  }

  #tellChange(description: string): void {
    this.emit("status", makeStatus("NetConnection.Connect.NetworkChange", description) as StatusEvent);
  }

  #ignoreSignal(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }

  #host(): CoreHost {
    return {
      methods: this.#methods,
      timeoutMs: timeoutOf(this.#options),
      bufferProbe: this.#options.bufferProbe ?? true,
      maxPeerConnections: () => this.maxPeerConnections,
      random: this.#options.random ?? ((length) => defaultProvider().randomBytes(length)),
      status: (event) => {
        this.emit("status", event as StatusEvent);
        // Groups outlive the server: they need not leave it before its end.
        const leaves = this.#reconnect !== undefined && this.#core?.groups.hasNeighbours !== true;
        if (event.code === "NetConnection.Shutdown.Notify" && leaves)
          void this.#endAndReconnect("the server is shutting down");
      },
      asyncError: (error) => this.emit("asyncError", error),
      ended: (why) => void this.#endAndReconnect(why),
      orphaned: (why) => this.#onOrphaned(why),
    };
  }

  #emitFailure(error: RtmfpError): void {
    const event = error.code.startsWith("NetConnection.") ? parseStatus(error.info as AmfValue) : undefined;
    this.emit("status", (event ?? makeStatus("NetConnection.Connect.Failed", error.message)) as StatusEvent);
  }
}

function parse(uri: string): ReturnType<typeof parseRtmfpUri> {
  try {
    return parseRtmfpUri(uri);
  } catch (error) {
    throw new RtmfpError("BAD_ARGUMENT", (error as Error).message);
  }
}

/** For the moment of an attempt to reconnect: from 0 to below 1. */
function fraction({ random }: NetConnectionOptions): number {
  if (random === undefined) return Math.random();
  return new DataView(random(4).slice().buffer).getUint32(0) / 2 ** 32;
}
