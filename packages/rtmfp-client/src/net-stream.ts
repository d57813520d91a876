/** NetStream with Adobe's names (ActionScript's flash.net): tags in, tags out. */
import { RtmfpError } from "rtmfp-core";
import type { FlvTag } from "rtmfp-core/flv";
import type { AmfValue, StatusCode, StatusEvent as TcStatusEvent } from "rtmfp-core/tc";
import { DirectPublication, type PeerStream } from "./direct-publication.ts";
import { type FeedOptions, type FeedResult, feed, type TagReceipt } from "./feed.ts";
import { hex } from "./hex.ts";
import { Methods } from "./methods.ts";
import type { NetConnection, StatusEvent } from "./net-connection.ts";
import { type Playback, type PlayRequest, playFromPeer, playFromServer } from "./playback.ts";
import { NOT_TAKEN, type Publication, type PublicationHost } from "./publication.ts";
import { ServerPublication } from "./server-publication.ts";
import { makeStatus, statusError } from "./status-error.ts";
import { StreamSettings } from "./stream-settings.ts";
import { TagQueue } from "./tag-queue.ts";

/** Events of a NetStream. */
export interface NetStreamEvents {
  /** Adobe's netStatus. */
  status: [event: StatusEvent];
  /** A message was for a handler that the client object does not have, or that threw. */
  asyncError: [error: unknown];
  /** A peer subscribed, or left; only for streams published to peers directly. */
  peerJoined: [peer: PeerStream];
  /** A subscriber of a direct publication left. */
  peerLeft: [peer: PeerStream];
}

/** Settings that ActionScript does not have. */
export interface NetStreamOptions {
  /** Closes the stream, or ends an attempt to publish or play. Default: none. */
  readonly signal?: AbortSignal;
  /**
   * Audio, video and data come in flows of their own and are put back into the order of their timestamps; a tag waits at
   * most this long for earlier ones of another kind. ms, default 2000.
   */
  readonly reorderMs?: number;
}

/**
 * A stream: published or played, on the server or between peers, as the second argument of the constructor says. To read
 * a played stream, iterate it; until somebody does, and beyond 8 MiB of tags, the oldest are dropped.
 */
export class NetStream extends StreamSettings<NetStreamEvents> implements AsyncIterable<FlvTag> {
  /** Publish and play by the server. */
  static readonly CONNECT_TO_FMS = "connectToFMS";
  /** Publish to peers directly. */
  static readonly DIRECT_CONNECTIONS = "directConnections";
  readonly #connection: NetConnection;
  readonly #target: string;
  readonly #options: NetStreamOptions;
  readonly #methods = new Methods();
  #abort = new AbortController();
  #queue = this.#makeQueue();
  #client: object = this;
  #publication: Publication | undefined;
  #playback: Playback | undefined;
  #busy = false;
  /** Undoes what makes the stream end with its connection. */
  #unregister: (() => void) | undefined;

  /**
   * `peerID` is CONNECT_TO_FMS (default), DIRECT_CONNECTIONS to publish to peers, or the peer ID to play from. Throws
   * RtmfpError BAD_ARGUMENT for anything else.
   */
  constructor(
    connection: NetConnection,
    peerID: string | null = NetStream.CONNECT_TO_FMS,
    options: NetStreamOptions = {},
  ) {
    super();
    const target = peerID ?? NetStream.CONNECT_TO_FMS;
    const isKnown = target === NetStream.CONNECT_TO_FMS || target === NetStream.DIRECT_CONNECTIONS;
    if (!isKnown && !/^[0-9a-fA-F]{64}$/.test(target))
      throw new RtmfpError("BAD_ARGUMENT", `expected a peer ID of 64 hex digits, got "${target}"`);
    this.#connection = connection;
    this.#target = isKnown ? target : target.toLowerCase();
    this.#options = options;
    options.signal?.addEventListener("abort", () => void this.close(), { once: true });
  }

  /**
   * Publishes under a name; resolves with NetStream.Publish.Start, rejects with the event that says why not, such as
   * NetStream.Publish.BadName. `null` or `false` ends publishing. Default: "live".
   */
  async publish(name: string | null | false, type = "live"): Promise<StatusEvent> {
    if (name === null || name === false) {
      await this.#stop();
      return makeStatus("NetStream.Unpublish.Success") as StatusEvent;
    }
    this.#begin();
    try {
      return await (this.#target === NetStream.DIRECT_CONNECTIONS
        ? this.#publishDirect(name)
        : this.#publishOnServer(name, type));
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Plays a stream; resolves with NetStream.Play.Start, rejects with the event that says why not. From a peer that does not
   * publish the stream yet it waits until it does. `start`, `len` and `reset` are Adobe's.
   */
  async play(name: string, ...args: readonly (number | boolean)[]): Promise<StatusEvent> {
    if (this.#target === NetStream.DIRECT_CONNECTIONS)
      throw new RtmfpError("BAD_ARGUMENT", "this stream publishes to peers: to play, name the peer to play from");
    const { core } = this.#connection;
    this.#begin();
    const queue = this.#queue;
    const host = {
      tag: (tag: FlvTag) => queue.push(tag),
      status: (event: TcStatusEvent) => this.emit("status", event as StatusEvent),
      data: (handler: string, values: readonly unknown[]) =>
        this.#methods.notify(handler, values as AmfValue[], (error) => this.emit("asyncError", error)),
      connected: () => this.#tellConnection("NetStream.Connect.Success"),
      ended: (code?: "NetStream.Connect.Closed" | "NetStream.Connect.Rejected") => {
        queue.end();
        if (code !== undefined) this.#tellConnection(code);
      },
    };
    const request: PlayRequest = {
      name,
      args,
      reorderMs: this.#options.reorderMs ?? DEFAULT_REORDER_MS,
      signal: this.#abort.signal,
    };
    try {
      const isServer = this.#target === NetStream.CONNECT_TO_FMS;
      const { playback, event } = isServer
        ? await playFromServer(core, request, host)
        : await playFromPeer(core, this.#target, request, host);
      this.#playback = playback;
      if (queue.isFull) playback.hold(true);
      this.#register();
      return event as StatusEvent;
    } catch (error) {
      this.#tellConnectFailure(error);
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  /** Sends every tag of `tags`, in time; resolves when each is delivered or abandoned, and says how many of each. */
  feed(tags: AsyncIterable<FlvTag> | Iterable<FlvTag>, options: FeedOptions = {}): Promise<FeedResult> {
    const stream = this;
    const target = {
      get isPublishing(): boolean {
        return stream.isPublishing;
      },
      get ready(): Promise<unknown> {
        return stream.ready;
      },
      writeTag: (tag: FlvTag) => this.writeTag(tag),
    };
    return feed(target, tags, this.#connection.core.clock, options);
  }

  /** Sends one tag at once. Await {@link ready} between tags: what the buffers cannot take is abandoned. */
  writeTag(tag: FlvTag): TagReceipt {
    return this.#publication?.write(tag) ?? NOT_TAKEN;
  }

  /** Resolves when there is room for another tag. */
  get ready(): Promise<unknown> {
    return this.#publication?.ready ?? Promise.resolve();
  }

  /** True between publishing's start and end. */
  get isPublishing(): boolean {
    return this.#publication !== undefined;
  }

  /** Calls a handler of the subscribers' client objects. */
  send(handler: string, ...args: AmfValue[]): void {
    this.#publication?.send(handler, args);
  }

  /** Asks the publisher or server to send audio, or to stop sending it. */
  receiveAudio(flag: boolean): void {
    this.#playback?.command("receiveAudio", [flag]);
  }

  /** Asks the publisher or server to send pictures, or to stop sending them. */
  receiveVideo(flag: boolean): void {
    this.#playback?.command("receiveVideo", [flag]);
  }

  /**
   * Handlers for data messages such as onMetaData, and `onPeerConnect(subscriber)`: false, or a promise of it, refuses a
   * direct subscriber. Own functions of the object, never inherited ones.
   */
  set client(methods: object) {
    this.#client = methods;
    this.#methods.replace(methods);
  }

  get client(): object {
    return this.#client;
  }

  /** The direct subscribers of a published stream. */
  get peerStreams(): readonly PeerStream[] {
    return this.#publication instanceof DirectPublication ? [...this.#publication.peers] : [];
  }

  /** Peer ID of the publisher that is played; "" for other streams. */
  get farID(): string {
    return this.#playback?.session?.peerId ?? "";
  }

  /** Secrets of the session with the publisher, mirrored there: hex digits, "" for other streams. */
  get nearNonce(): string {
    return hex(this.#playback?.session?.nearNonce);
  }

  /** The publisher's {@link nearNonce}. */
  get farNonce(): string {
    return hex(this.#playback?.session?.farNonce);
  }

  /** Ends the stream; resolves when what was written has been delivered or abandoned. It may then begin anew. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#stop();
    this.#queue.end();
  }

  /** Tags as they come; ends on Play.Stop, the end of the connection, or close. Leaving the loop closes the stream. */
  [Symbol.asyncIterator](): AsyncIterator<FlvTag> {
    return this.#queue;
  }

  async #publishOnServer(name: string, type: string): Promise<StatusEvent> {
    if (this.#target !== NetStream.CONNECT_TO_FMS)
      throw new RtmfpError("BAD_ARGUMENT", "a stream from a peer cannot publish: use DIRECT_CONNECTIONS");
    const host: PublicationHost = {
      status: (status) => this.emit("status", status as StatusEvent),
      ended: () => {
        this.#publication = undefined;
      },
    };
    const { core } = this.#connection;
    const { publication, event } = await ServerPublication.open(core, name, type, this, host, this.#abort.signal);
    this.#publication = publication;
    this.#register();
    return event as StatusEvent;
  }

  #publishDirect(name: string): StatusEvent {
    const { core } = this.#connection;
    const publication = new DirectPublication(core, name, {
      reliability: this,
      consents: (peer) => this.#consents(peer),
      joined: (peer) => this.emit("peerJoined", peer),
      left: (peer) => this.emit("peerLeft", peer),
    });
    this.#publication = publication;
    if (!core.peers.publish(name, publication)) {
      this.#publication = undefined;
      const event = makeStatus("NetStream.Publish.BadName", `"${name}" is already being published by this connection`);
      this.emit("status", event as StatusEvent);
      throw statusError(event);
    }
    this.#register();
    const event = makeStatus("NetStream.Publish.Start", `${name} is now published.`, { details: name }) as StatusEvent;
    this.emit("status", event);
    return event;
  }

  async #consents(peer: PeerStream): Promise<boolean> {
    const ask = this.#methods.get("onPeerConnect");
    return ask === undefined || (await ask(peer)) !== false;
  }

  #begin(): void {
    if (this.#busy || this.#publication !== undefined || this.#playback !== undefined)
      throw new RtmfpError("BAD_ARGUMENT", "this stream is in use: close it first, or make another");
    this.#options.signal?.throwIfAborted();
    this.#busy = true;
    if (!this.#queue.isEnded) return;
    this.#abort = new AbortController();
    this.#queue = this.#makeQueue();
  }

  /** The stream ends with its connection. */
  #register(): void {
    const { closers } = this.#connection.core;
    const close = (): Promise<void> => this.close();
    closers.add(close);
    this.#unregister = () => void closers.delete(close);
  }

  async #stop(): Promise<void> {
    this.#unregister?.();
    this.#unregister = undefined;
    const ending = [this.#publication, this.#playback];
    this.#publication = undefined;
    this.#playback = undefined;
    await Promise.all(ending.map((each) => each?.close()));
  }

  #tellConnectFailure(error: unknown): void {
    if (error instanceof RtmfpError && error.code === "NetStream.Connect.Failed")
      this.#tellConnection(error.code, error.message);
  }

  /** Events of a stream's own connection go to the NetConnection. */
  #tellConnection(code: StatusCode, description?: string): void {
    this.#connection.tellStatus(makeStatus(code, description, { stream: this }) as StatusEvent);
  }

  #makeQueue(): TagQueue {
    return new TagQueue(
      (full) => this.#playback?.hold(full),
      () => this.close(),
    );
  }
}

/** As long as a flow is likely to be held up by a loss, and not so long that live is late. */
const DEFAULT_REORDER_MS = 2_000;
