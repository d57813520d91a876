/** NetConnection with Adobe's names (ActionScript's flash.net), over RTMFP. § means RFC 7425. */
import { RtmfpError } from "rtmfp-core";
import {
  type AmfValue,
  type ObjectEncoding,
  parseRtmfpUri,
  parseStatus,
  type StatusEvent as TcStatusEvent,
} from "rtmfp-core/tc";
import { systemClock } from "./clock.ts";
import { connectObject } from "./connect-object.ts";
import { ConnectionCore, type CoreHost } from "./connection-core.ts";
import { Emitter } from "./emitter.ts";
import { hex } from "./hex.ts";
import { Methods } from "./methods.ts";
import type { NetStream } from "./net-stream.ts";
import { type NetConnectionOptions, timeoutOf } from "./options.ts";
import type { Responder } from "./responder.ts";
import { aborted as abortedError, failed, openServerLink, openServerless } from "./server-link.ts";
import { makeStatus, statusError } from "./status-error.ts";

/** A NetStatus event; `code` narrows the rest. */
export type StatusEvent = TcStatusEvent<NetStream>;

/** Events of a NetConnection. */
export interface NetConnectionEvents {
  /** Adobe's netStatus. Events of NetStream.Connect come here, with `stream`. */
  status: [event: StatusEvent];
  /** The server called a method that is not exposed, or one that threw. */
  asyncError: [error: unknown];
}

/** A connection to a server, or to peers without one, as in ActionScript's flash.net. */
export class NetConnection extends Emitter<NetConnectionEvents> {
  /** AMF version of new connections, 0 or 3. Default 0: every server understands it. */
  static defaultObjectEncoding: ObjectEncoding = 0;
  /** AMF version to ask for, and once connected the one agreed on. */
  objectEncoding: ObjectEncoding = NetConnection.defaultObjectEncoding;
  /** Sessions with peers, incoming and outgoing; lowering it ends none. */
  maxPeerConnections = 8;
  readonly #options: NetConnectionOptions;
  readonly #methods = new Methods();
  #core: ConnectionCore | undefined;
  #uri: string | null = null;
  #connecting: AbortController | undefined;
  #connected = false;
  #client: object = this;

  /** Not connected yet: {@link connect} does that. Throws BAD_ARGUMENT for a `timeoutMs` below 0. */
  constructor(options: NetConnectionOptions = {}) {
    super();
    timeoutOf(options);
    this.#options = options;
    options.signal?.addEventListener("abort", () => void this.close(), { once: true });
  }

  /**
   * Connects; resolves with NetConnection.Connect.Success, rejects with the event that says why not. `rtmfp:` and `null`
   * connect without a server and send nothing. `args` go to the server's `onConnect`.
   */
  async connect(uri: string | null, ...args: AmfValue[]): Promise<StatusEvent> {
    if (this.#connecting !== undefined || this.#core !== undefined)
      throw new RtmfpError("BAD_ARGUMENT", "this NetConnection is connected already: close it first, or make another");
    const target = parse(uri ?? "rtmfp:");
    if (this.#options.signal?.aborted === true) throw abortedError();
    const attempt = new AbortController();
    this.#connecting = attempt;
    this.#uri = uri;
    try {
      const event =
        target.kind === "server" ? await this.#connectServer(target, args, attempt.signal) : await this.#local();
      this.#connected = true;
      this.emit("status", event);
      return event;
    } catch (error) {
      const core: ConnectionCore | undefined = this.#takeCore();
      await core?.endpoint.close();
      if (error instanceof RtmfpError) this.#emitFailure(error);
      throw error;
    } finally {
      this.#connecting = undefined;
    }
  }

  /**
   * Calls a method of the server's. With a Responder it gets the answer; without, the promise does, which rejects with the
   * error event that the server sent. Neither need be used.
   */
  call(command: string, responder?: Responder | null, ...args: AmfValue[]): Promise<AmfValue> {
    const answer = this.core.call(command, args);
    if (responder === undefined || responder === null) {
      answer.catch(() => {});
      return answer;
    }
    return answer.then(
      (value) => {
        responder.onResult(value);
        return value;
      },
      (error: RtmfpError) => {
        responder.onStatus?.(error.info as AmfValue);
        return undefined;
      },
    );
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

  /** Ends the connection with all its streams, those with peers included. Resolves when everything is released. */
  async close(): Promise<void> {
    this.#connecting?.abort();
    const core = this.#core;
    if (core === undefined || !this.#connected) return;
    this.#connected = false;
    try {
      await core.close();
    } finally {
      this.#core = undefined;
    }
    this.emit("status", makeStatus("NetConnection.Connect.Closed") as StatusEvent);
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

  /** Our peer ID, 64 hex digits; another one after each connect. */
  get nearID(): string {
    return this.core.endpoint.peerId;
  }

  /** The server's identity, 64 hex digits. */
  get farID(): string {
    return this.core.session?.peerId ?? "";
  }

  /** A secret that only this session has; the server's {@link farNonce}. Hex digits. */
  get nearNonce(): string {
    return hex(this.core.session?.nearNonce);
  }

  /** The far end's {@link nearNonce}. Hex digits, "" while not connected. */
  get farNonce(): string {
    return hex(this.core.session?.farNonce);
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

  async #connectServer(
    target: ReturnType<typeof parse> & { kind: "server" },
    args: readonly AmfValue[],
    aborted: AbortSignal,
  ): Promise<StatusEvent> {
    const clock = this.#options.clock ?? systemClock;
    const timeoutMs = timeoutOf(this.#options);
    const started = clock.now();
    const { endpoint, session } = await openServerLink(target, this.#options, aborted);
    const core = new ConnectionCore(endpoint, session, clock, this.objectEncoding, this.#host());
    this.#core = core;
    let cancel = (): void => {};
    const refusal = new Promise<never>((_, reject) => {
      const left = Math.max(0, timeoutMs - (clock.now() - started));
      cancel = clock.after(left, () =>
        reject(failed(`${target.host} did not answer the connect command within ${timeoutMs / 1000} s`)),
      );
      aborted.addEventListener("abort", () => reject(abortedError()));
      if (aborted.aborted) reject(abortedError());
    });
    try {
      const object = connectObject(target, this.objectEncoding);
      const event = await Promise.race([core.connect(object, args), refusal]);
      this.objectEncoding = core.objectEncoding;
      return event as StatusEvent;
    } finally {
      cancel();
      refusal.catch(() => {});
    }
  }

  async #local(): Promise<StatusEvent> {
    const endpoint = await openServerless(this.#options);
    this.#core = new ConnectionCore(
      endpoint,
      undefined,
      this.#options.clock ?? systemClock,
      this.objectEncoding,
      this.#host(),
    );
    return makeStatus("NetConnection.Connect.Success") as StatusEvent;
  }

  #takeCore(): ConnectionCore | undefined {
    const core = this.#core;
    this.#core = undefined;
    return core;
  }

  #host(): CoreHost {
    return {
      methods: this.#methods,
      timeoutMs: timeoutOf(this.#options),
      maxPeerConnections: () => this.maxPeerConnections,
      status: (event) => this.emit("status", event as StatusEvent),
      asyncError: (error) => this.emit("asyncError", error),
      ended: () => {
        if (this.#connected) void this.close();
      },
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
