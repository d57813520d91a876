/** NetStream with Adobe's names (ActionScript's flash.net): tags in, tags out. */
import { type Address, RtmfpError } from "rtmfp-core";
import type { FlvTag } from "rtmfp-core/flv";
import type { AmfValue, StatusEvent as CoreStatus, ObjectEncoding, StatusCode } from "rtmfp-core/tc";
import type { ConnectionCore } from "./connection-core.ts";
import type { PeerStream } from "./direct-publication.ts";
import { type FeedOptions, type FeedResult, feed, type TagReceipt } from "./feed.ts";
import { playFromGroup } from "./group/group-playback.ts";
import { MulticastControls } from "./group/multicast-settings.ts";
import { StreamGroup } from "./group/stream-group.ts";
import { hex } from "./hex.ts";
import { MeasuredStream } from "./measured-stream.ts";
import { Methods } from "./methods.ts";
import type { NetConnection, StatusEvent } from "./net-connection.ts";
import { type NetStreamPlayOptions, playArguments, type Reset, resetOf } from "./play-arguments.ts";
import { type PlaybackHost, type PlayRequest, playFromPeer, playFromServer, type Started } from "./playback.ts";
import { makeStatus } from "./status-error.ts";
import type { NetStreamInfo } from "./stream-info.ts";
import {
  checkName,
  checkPublishType,
  DEFAULT_REORDER_MS,
  inUse,
  type NetStreamEvents,
  type NetStreamOptions,
  type PublishType,
  parseAddress,
} from "./stream-options.ts";
import { StreamPlayer } from "./stream-player.ts";
import { StreamPublisher } from "./stream-publisher.ts";
import { StreamTags } from "./stream-tags.ts";
import { checkTag } from "./tag-check.ts";

/**
 * A stream: published or played, on the server, between peers or in a group, as the second argument of the constructor says. To read
 * a played stream, iterate it; until somebody does, and beyond 8 MiB of tags, the oldest are dropped.
 */
export class NetStream extends MeasuredStream<NetStreamEvents> implements AsyncIterable<FlvTag> {
  /** Publish and play by the server. */
  static readonly CONNECT_TO_FMS = "connectToFMS";
  /** Publish to peers directly. */
  static readonly DIRECT_CONNECTIONS = "directConnections";
  #connection: NetConnection;
  readonly #target: string;
  readonly #options: NetStreamOptions;
  readonly #addresses: readonly Address[];
  readonly #multicast: MulticastControls;
  readonly #group: StreamGroup | undefined;
  readonly #methods = new Methods();
  readonly #onAbort = (): void => void this.close();
  readonly #tags: StreamTags;
  readonly #publisher: StreamPublisher;
  readonly #player: StreamPlayer;
  #abort = new AbortController();
  #name: string | null = null;
  #client: object = this;
  #busy = false;
  /** Resolves when no attempt to publish or play is under way. */
  #settled: Promise<void> = Promise.resolve();
  #tellSettled = (): void => {};
  #disposed = false;
  /** Undoes what makes the stream end with its connection. */
  #unregister: (() => void) | undefined;

  /**
   * `peerID` is CONNECT_TO_FMS (default), DIRECT_CONNECTIONS to publish to peers, the peer ID to play from, or a groupspec:
   * then the group is joined, and NetStream.Connect.Success, Rejected or Failed follows on the NetConnection. Throws RtmfpError
   * BAD_ARGUMENT for anything else, for addresses that are none, and for a group on a NetConnection that is not connected.
   */
  constructor(
    connection: NetConnection,
    peerID: string | null = NetStream.CONNECT_TO_FMS,
    options: NetStreamOptions = {},
  ) {
    const multicast = new MulticastControls();
    const tags = new StreamTags();
    super(multicast, tags);
    this.#multicast = multicast;
    this.#tags = tags;
    tags.onBreak = () => this.close();
    const target = peerID ?? NetStream.CONNECT_TO_FMS;
    const isGroup = target.startsWith("G:");
    const isKnown = target === NetStream.CONNECT_TO_FMS || target === NetStream.DIRECT_CONNECTIONS || isGroup;
    if (!isKnown && !/^[0-9a-fA-F]{64}$/.test(target))
      throw new RtmfpError("BAD_ARGUMENT", `expected a peer ID of 64 hex digits or a groupspec, got "${target}"`);
    this.#connection = connection;
    this.#target = isKnown ? target : target.toLowerCase();
    this.#options = options;
    const status = (event: CoreStatus): void => this.emit("status", event as StatusEvent);
    this.#publisher = new StreamPublisher(tags, {
      reliability: this,
      consents: (peer) => this.#consents(peer),
      joined: (peer) => this.emit("peerJoined", peer),
      left: (peer) => this.emit("peerLeft", peer),
      status,
      begun: () => this.#register(),
      ended: () => void this.#stop(false),
    });
    this.#player = new StreamPlayer(tags, this.#isFromServer, {
      status,
      data: (handler, values) => this.#methods.notify(handler, values, (error) => this.emit("asyncError", error)),
      connection: (code) => this.#tellConnection(code),
      begun: () => this.#register(),
      ended: () => this.#stop(),
    });
    this.#addresses = (options.addresses ?? []).map(parseAddress);
    if (!isGroup) return;
    this.#group = new StreamGroup(target, (code, text) => this.#tellConnection(code, text), this.#onAbort);
    this.#group.join(connection);
  }

  /**
   * Publishes under a name; resolves with NetStream.Publish.Start, rejects with the event that says why not, such as
   * NetStream.Publish.BadName. `null` or `false` ends publishing. Default: "live"; the other types are for servers that
   * record.
   */
  async publish(name: string | null | false, type: PublishType = "live"): Promise<StatusEvent> {
    if (name === null || name === false) {
      await this.#stop();
      return makeStatus("NetStream.Unpublish.Success") as StatusEvent;
    }
    checkName("publish", name);
    checkPublishType(type, this.#isDirect || this.#group !== undefined);
    if (this.isPublishing || this.#player.isPlaying) throw inUse();
    this.#begin(name);
    try {
      return (await this.#startPublishing(name, type)) as StatusEvent;
    } catch (error) {
      if (!this.#isFromServer) this.#tellPublishFailure(error);
      throw error;
    } finally {
      this.#settle();
    }
  }

  /**
   * Plays a stream, in place of one that is being played; resolves with NetStream.Play.Start, rejects with the event that
   * says why not. From a peer that does not publish the stream yet it waits until it does. `false` or `null` ends playing.
   * `start` (default -2: live, or else recorded), `len` (default -1: all) and `reset` (default true) are Adobe's, for the
   * server; a peer's streams are live.
   */
  async play(name: string | null | false, start?: number, len?: number, reset?: Reset): Promise<StatusEvent> {
    if (name === null || name === false) {
      await this.#stop();
      this.#tags.queue.end();
      return makeStatus("NetStream.Play.Stop") as StatusEvent;
    }
    checkName("play", name);
    const args = playArguments(start, len, reset);
    if (this.#isDirect)
      throw new RtmfpError("BAD_ARGUMENT", "this stream publishes to peers: to play, name the peer to play from");
    if (this.isPublishing) throw inUse();
    const { core } = this.#connection;
    this.#begin(name);
    const { reorderMs = DEFAULT_REORDER_MS } = this.#options;
    const request: PlayRequest = { name, args, reorderMs, addresses: this.#addresses, signal: this.#abort.signal };
    try {
      await this.#stop();
      return (await this.#player.play((host) => this.#startPlaying(core, request, host))) as StatusEvent;
    } catch (error) {
      this.#tellConnectFailure(error);
      throw error;
    } finally {
      this.#settle();
    }
  }

  /**
   * {@link play} as `options` say. Live streams change over at once: there is no NetStream.Play.Transition. Throws
   * BAD_ARGUMENT for a transition that Adobe does not have.
   */
  play2(options: NetStreamPlayOptions): Promise<StatusEvent> {
    const { streamName, start, len, transition } = options;
    if (transition === "stop") return this.play(null);
    return this.play(streamName, start, len, resetOf(transition) ? undefined : false);
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

  /**
   * Sends one tag at once. Await {@link ready} between tags: what the buffers cannot take is abandoned. Throws
   * BAD_ARGUMENT for what is no tag.
   */
  writeTag(tag: FlvTag): TagReceipt {
    checkTag(tag);
    return this.#publisher.write(tag);
  }

  /** Resolves when there is room for another tag. */
  get ready(): Promise<unknown> {
    return this.#publisher.ready;
  }

  /** True between publishing's start and end. */
  get isPublishing(): boolean {
    return this.#publisher.isPublishing;
  }

  /** Calls a handler of the subscribers' client objects. */
  send(handler: string, ...args: AmfValue[]): void {
    this.#publisher.send(handler, args);
  }

  /** Asks the publisher or server to send audio, or to stop sending it; also before {@link play}. */
  receiveAudio(flag: boolean): void {
    this.#player.receiveAudio(flag);
  }

  /** Asks the publisher or server to send pictures, or to stop sending them; also before {@link play}. */
  receiveVideo(flag: boolean): void {
    this.#player.receiveVideo(flag);
  }

  /** {@link receiveVideo}: none at 0 frames per second, all at more, because frames build on each other. */
  receiveVideoFPS(fps: number): void {
    this.receiveVideo(fps > 0);
  }

  /**
   * Holds sound and pictures back; NetStream.Pause.Notify follows. A live stream goes on meanwhile and is not kept.
   * Nothing happens unless the stream is played.
   */
  pause(): void {
    this.#player.pause(true);
  }

  /** Goes on after {@link pause}, pictures with the next key frame; NetStream.Unpause.Notify follows. */
  resume(): void {
    this.#player.pause(false);
  }

  /** {@link pause}, or {@link resume} if paused. */
  togglePause(): void {
    this.#player.pause(!this.#player.paused);
  }

  /**
   * Goes to another place of a recording, in seconds from its beginning; the server answers with NetStream.Seek.Notify or
   * NetStream.Seek.Failed. A peer's stream is live: NetStream.Seek.Failed. Below 0: NetStream.Seek.InvalidTime.
   */
  seek(offset: number): void {
    this.#player.seek(offset);
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
    return this.#publisher.peers;
  }

  /** Peer ID of the publisher that is played; "" for other streams. */
  get farID(): string {
    return this.#player.session?.peerId ?? "";
  }

  /** Secrets of the session with the publisher, mirrored there: hex digits, "" for other streams. */
  get nearNonce(): string {
    return hex(this.#player.session?.nearNonce);
  }

  /** The publisher's {@link nearNonce}. */
  get farNonce(): string {
    return hex(this.#player.session?.farNonce);
  }

  /** AMF version of the connection. */
  get objectEncoding(): ObjectEncoding {
    return this.#connection.objectEncoding;
  }

  /** Figures of the stream at this moment. */
  get info(): NetStreamInfo {
    return {
      ...this.#tags.info,
      SRTT: this.#srtt,
      uri: this.#connection.uri,
      resourceName: this.#name,
      isLive: this.isPublishing || this.#player.isPlaying,
    };
  }

  /** Ends the stream, also its place in a group; resolves when all written is delivered or abandoned. It may then begin anew. */
  async close(): Promise<void> {
    this.#abort.abort();
    if (!this.isPublishing) this.#group?.leave();
    await Promise.all([this.#stop(), this.#settled]);
    // An attempt may have succeeded in the same moment.
    await this.#stop();
    this.#group?.leave();
    this.#tags.queue.end();
  }

  /** {@link close}, for good. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.close();
  }

  /** {@link close}, then the stream belongs to another connection, where it may begin anew. */
  async attach(connection: NetConnection): Promise<void> {
    await this.close();
    this.#connection = connection;
  }

  /** Tags as they come; ends on Play.Stop, the end of the connection, or close. Leaving the loop closes the stream. */
  [Symbol.asyncIterator](): AsyncIterator<FlvTag> {
    return this.#tags.queue;
  }

  async #startPublishing(name: string, type: PublishType): Promise<CoreStatus> {
    const { core } = this.#connection;
    if (this.#group !== undefined) {
      const joined = await this.#group.ready(this.#connection);
      this.#group.checkPublish(core);
      return this.#publisher.inGroup(core, joined, name, this.#multicast);
    }
    if (this.#isDirect) return this.#publisher.direct(core, name);
    if (this.#isFromServer) return this.#publisher.onServer(core, name, type, this.#abort.signal);
    throw new RtmfpError("BAD_ARGUMENT", "a stream from a peer cannot publish: use DIRECT_CONNECTIONS");
  }

  /** A handler that fails does not consent. */
  async #consents(peer: PeerStream): Promise<boolean> {
    const ask = this.#methods.get("onPeerConnect");
    try {
      return ask === undefined || (await ask(peer)) !== false;
    } catch (error) {
      this.emit("asyncError", error);
      return false;
    }
  }

  async #startPlaying(core: ConnectionCore, request: PlayRequest, host: PlaybackHost): Promise<Started> {
    if (this.#isFromServer) return playFromServer(core, request, host);
    if (this.#group === undefined) return playFromPeer(core, this.#target, request, host);
    const group = await this.#group.ready(this.#connection);
    return playFromGroup(core, group, request, this.#multicast, host);
  }

  get #isDirect(): boolean {
    return this.#target === NetStream.DIRECT_CONNECTIONS;
  }

  get #isFromServer(): boolean {
    return this.#target === NetStream.CONNECT_TO_FMS;
  }

  get #srtt(): number {
    const server = this.#isFromServer ? this.#connection.stats : undefined;
    const all = [server, this.#player.session?.stats, ...this.peerStreams.map(({ stats }) => stats)];
    return Math.max(0, ...all.map((stats) => stats?.srtt ?? 0));
  }

  #begin(name: string): void {
    if (this.#disposed) throw new RtmfpError("BAD_ARGUMENT", "this stream is disposed of: make another");
    if (this.#busy) throw inUse();
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const { clock } = this.#connection.core;
    this.#busy = true;
    this.#settled = new Promise((resolve) => {
      this.#tellSettled = resolve;
    });
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#name = name;
    this.#tags.begin(clock);
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
  }

  /** The attempt to publish or play has ended. */
  #settle(): void {
    this.#busy = false;
    this.#tellSettled();
    if (!this.isPublishing && !this.#player.isPlaying) this.#ignoreSignal();
  }

  /** The stream ends with its connection. */
  #register(): void {
    const { closers } = this.#connection.core;
    const close = (): Promise<void> => this.close();
    closers.add(close);
    this.#unregister = () => void closers.delete(close);
  }

  /** `tells`: that a published stream is not any more. */
  async #stop(tells = true): Promise<void> {
    this.#unregister?.();
    this.#unregister = undefined;
    if (!this.#busy) this.#ignoreSignal();
    const wasPublishing = this.isPublishing;
    await Promise.all([this.#publisher.stop(), this.#player.stop()]);
    if (tells && wasPublishing) this.#tell("NetStream.Unpublish.Success", `${this.#name} is now unpublished.`);
  }

  #ignoreSignal(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }

  #tell(code: StatusCode, description?: string): void {
    this.emit("status", makeStatus(code, description) as StatusEvent);
  }

  #tellPublishFailure(error: unknown): void {
    if (error instanceof RtmfpError && error.code.startsWith("NetStream.Publish."))
      this.#tell(error.code as StatusCode, error.message);
  }

  #tellConnectFailure(error: unknown): void {
    if (error instanceof RtmfpError && error.code === "NetStream.Connect.Failed")
      this.#tellConnection(error.code, error.message);
  }

  /** Events of a stream's own connection go to the NetConnection. */
  #tellConnection(code: StatusCode, description?: string): void {
    this.#connection.tellStatus(makeStatus(code, description, { stream: this }) as StatusEvent);
  }
}
