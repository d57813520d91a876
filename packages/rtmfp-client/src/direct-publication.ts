/** Publishes a stream to peers directly (RFC 7425 §5.4.2). § means RFC 7425. */
import type { Session, SessionStats } from "rtmfp-core";
import { type FlvTag, GopCache, isKeyFrame, isMetadata, isSequenceHeader } from "rtmfp-core/flv";
import {
  type AmfValue,
  decodeCommand,
  encodeCommand,
  encodeData,
  encodeUserControl,
  type MessageTree,
  MessageType,
  type RtmpMessage,
  type StatusCode,
  statusInfo,
  type TreeReceipt,
} from "rtmfp-core/tc";
import type { Clock } from "./clock.ts";
import type { ConnectionCore } from "./connection-core.ts";
import type { TagReceipt } from "./feed.ts";
import { hex } from "./hex.ts";
import { MediaFlows } from "./media-flows.ts";
import type { PeerPublication } from "./peer-links.ts";
import { NOT_TAKEN, type Publication } from "./publication.ts";
import type { Reliability } from "./stream-settings.ts";

/** What a direct publication asks of and tells its NetStream. */
export interface DirectHost {
  /** Which kinds of tags must arrive. */
  readonly reliability: Readonly<Reliability>;
  /** Whether the peer may subscribe. */
  consents(peer: PeerStream): boolean | Promise<boolean>;
  joined(peer: PeerStream): void;
  left(peer: PeerStream): void;
}

/** A subscriber of a stream that is published to peers directly. */
export class PeerStream {
  /** The subscriber's peer ID. */
  readonly farID: string;
  readonly #tree: MessageTree;
  readonly #session: Session;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #media: MediaFlows;
  /** Kinds that the subscriber does not want at present. */
  readonly #unwanted = new Set<FlvTag["type"]>();
  #awaitsKeyFrame = false;
  /** It has kept all others waiting in vain: they go on without it until it has room. */
  #isSlow = false;
  /** Since when it has had no room, ms. */
  #fullSince: number | undefined;

  /** Made by the publishing NetStream for each subscriber. */
  constructor(tree: MessageTree, session: Session, name: string, clock: Clock, reliability: Readonly<Reliability>) {
    this.farID = session.peerId;
    this.#tree = tree;
    this.#session = session;
    this.#name = name;
    this.#clock = clock;
    this.#media = new MediaFlows(tree, tree.streamId, reliability);
  }

  /** Secrets of the session, mirrored at the subscriber: hex digits. */
  get nearNonce(): string {
    return hex(this.#session.nearNonce);
  }

  /** Secret of this session, the far end's {@link nearNonce}: 64 hex digits. */
  get farNonce(): string {
    return hex(this.#session.farNonce);
  }

  /** Counters and path figures of the session with the subscriber: times in ms, sizes in bytes. */
  get stats(): SessionStats {
    return this.#session.stats;
  }

  /** Ends this subscription. */
  close(): void {
    this.#tree.abort();
  }

  /** The subscriber's receiveAudio and receiveVideo. @throws AmfError for a command that is none. */
  onMessage(message: RtmpMessage): void {
    if (message.type !== MessageType.commandAmf0 && message.type !== MessageType.commandAmf3) return;
    const { name, args } = decodeCommand(message);
    const kind = name === "receiveAudio" ? "audio" : name === "receiveVideo" ? "video" : undefined;
    if (kind === undefined) return;
    if (args[0] === false) this.#unwanted.add(kind);
    else if (this.#unwanted.delete(kind) && kind === "video") this.#awaitsKeyFrame = true;
  }

  /** The stream begins, with what a late joiner needs first. */
  start(cache: GopCache): void {
    this.#tree.control.write(encodeUserControl({ event: "streamBegin", streamId: this.#tree.streamId }));
    this.#tell("NetStream.Play.Reset", `Playing and resetting ${this.#name}.`);
    this.#tell("NetStream.Play.Start", `Started playing ${this.#name}.`);
    for (const tag of cache.opening) this.#media.write(tag);
    this.#awaitsKeyFrame = cache.awaitsKeyFrame;
  }

  /**
   * "skipped": not for this subscriber, or before its first key frame. Undefined: its flow does not take the tag, or it is
   * too slow.
   */
  write(tag: FlvTag): TreeReceipt | "skipped" | undefined {
    if (this.#unwanted.has(tag.type)) return "skipped";
    if (this.#awaitsKeyFrame && tag.type === "video" && !isSequenceHeader(tag)) {
      if (!isKeyFrame(tag)) return "skipped";
      this.#awaitsKeyFrame = false;
    }
    if (this.#isSlow && !isSequenceHeader(tag) && !isMetadata(tag) && !this.#checkRoom()) {
      if (tag.type === "video") this.#media.awaitKeyFrame();
      return undefined;
    }
    return this.#media.write(tag);
  }

  /** Sends one data message; the bytes are kept until it is delivered or given up. */
  writeData(message: Uint8Array): void {
    this.#media.writeData(message);
  }

  /**
   * Resolves when there is room, or after {@link PATIENCE_MS}: from then on a subscriber misses what it has no room for,
   * pictures by whole groups. One that makes no room for {@link STALL_MS} is cut off.
   */
  async ready(): Promise<void> {
    if (this.#checkRoom()) return;
    const now = this.#clock.now();
    this.#fullSince ??= now;
    if (now - this.#fullSince >= STALL_MS) this.#tree.abort();
    if (this.#isSlow) return;
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(PATIENCE_MS, resolve);
    });
    await Promise.race([this.#media.ready, this.#tree.whenEnded, patience]);
    cancel();
    this.#isSlow = !this.#checkRoom();
  }

  #checkRoom(): boolean {
    if (!this.#media.hasRoom) return false;
    this.#isSlow = false;
    this.#fullSince = undefined;
    return true;
  }

  /** Ends the subscription after what has been written. */
  async finish(): Promise<void> {
    if (this.#tree.end !== undefined) return;
    this.#tree.sync([this.#tree.control, ...this.#media.flows]);
    this.#tell("NetStream.Play.UnpublishNotify", `${this.#name} is now unpublished.`);
    await this.#tree.close();
  }

  #tell(code: StatusCode, description: string): void {
    const args = [statusInfo(code, description, { details: this.#name })];
    if (this.#tree.control.isOpen)
      this.#tree.control.write(encodeCommand({ name: "onStatus", transactionId: 0, commandObject: null, args }));
  }
}

/** One stream and all its subscribers. */
export class DirectPublication implements Publication, PeerPublication {
  readonly #core: ConnectionCore;
  readonly #name: string;
  readonly #host: DirectHost;
  readonly #peers = new Set<PeerStream>();
  /** All whose tree has not ended, those included on whom the application still decides. */
  readonly #offered = new Set<PeerStream>();
  readonly #cache = new GopCache();
  #closed = false;

  constructor(core: ConnectionCore, name: string, host: DirectHost) {
    this.#core = core;
    this.#name = name;
    this.#host = host;
  }

  /** The present subscribers. */
  get peers(): ReadonlySet<PeerStream> {
    return this.#peers;
  }

  get ready(): Promise<unknown> {
    return Promise.all([...this.#peers].map((peer) => peer.ready()));
  }

  offer(tree: MessageTree, session: Session): void {
    const peer = new PeerStream(tree, session, this.#name, this.#core.clock, this.#host.reliability);
    if ([...this.#offered].filter(({ farID }) => farID === peer.farID).length >= MAX_PER_PEER) {
      tree.abort();
      return;
    }
    this.#offered.add(peer);
    void tree.whenEnded.then(() => this.#offered.delete(peer));
    tree.onMessage = (_streamId, message) => peer.onMessage(message);
    const decide = (consents: boolean): void => {
      if (!consents || this.#closed || tree.end !== undefined) {
        if (!consents) this.#core.reportIntroduction(session.peerId, "refused", "consent");
        tree.abort();
        return;
      }
      this.#peers.add(peer);
      void tree.whenEnded.then(() => {
        this.#peers.delete(peer);
        this.#host.left(peer);
      });
      peer.start(this.#cache);
      this.#host.joined(peer);
    };
    const answer = this.#host.consents(peer);
    if (typeof answer === "boolean") decide(answer);
    else answer.then(decide, () => decide(false));
  }

  write(tag: FlvTag): TagReceipt {
    this.#cache.add(tag);
    const written = [...this.#peers].map((peer) => peer.write(tag)).filter((receipt) => receipt !== "skipped");
    if (written.length === 0) return NOT_TAKEN;
    return { done: outcomeOf(written) };
  }

  send(handler: string, args: readonly AmfValue[]): void {
    const message = encodeData({ name: handler, args });
    for (const peer of this.#peers) peer.writeData(message);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#core.peers.unpublish(this.#name);
    await Promise.all([...this.#peers].map((peer) => peer.finish()));
  }
}

async function outcomeOf(written: readonly (TreeReceipt | undefined)[]): Promise<"delivered" | "abandoned"> {
  const outcomes = await Promise.all(written.map((receipt) => receipt?.done ?? "abandoned"));
  return outcomes.every((outcome) => outcome === "delivered") ? "delivered" : "abandoned";
}

/** Streams in which one peer may play a publication at a time: each costs a copy of everything. */
const MAX_PER_PEER = 8;
/** How long all others wait for one subscriber; ms. */
const PATIENCE_MS = 1_000;
/** A subscriber that takes nothing for so long is gone; ms. */
const STALL_MS = 30_000;
