/** One live stream: at most one publisher, any number of subscribers. */
import { GopCache } from "rtmfp-core/flv";
import type { AmfObject, AmfValue } from "rtmfp-core/tc";
import type { StreamMessage } from "./stream-message.ts";
import type { Subscription } from "./subscription.ts";

/** Who publishes. */
export interface Publisher {
  /** Identity of the client, for status events. */
  readonly clientId: string;
  /** What else subscribers are told when it begins to publish. */
  readonly notice: AmfObject;
}

/** Why a stream ends, unless its publisher has ended it: nobody knows where that is, or somebody has taken the name away. */
export type UnpublishReason = "lost" | "removed";

/** See the file's head. */
export class LiveStream {
  readonly name: string;
  readonly #subscriptions = new Set<Subscription>();
  /** What `@setDataFrame` stored, by the handler's name. */
  readonly #dataFrames = new Map<string, StreamMessage>();
  #dataFrameBytes = 0;
  #publisher: Publisher | undefined;
  #cache = makeCache();
  #timestamp = 0;

  constructor(name: string) {
    this.name = name;
  }

  get publisher(): Publisher | undefined {
    return this.#publisher;
  }

  get subscriptions(): ReadonlySet<Subscription> {
    return this.#subscriptions;
  }

  /** False if somebody else publishes. */
  publish(publisher: Publisher): boolean {
    if (this.#publisher !== undefined) return false;
    this.#publisher = publisher;
    for (const subscription of this.#subscriptions) subscription.onPublish(publisher);
    return true;
  }

  /** Ends what `publisher` publishes; subscribers stay for the next one. */
  unpublish(publisher: Publisher, reason?: UnpublishReason): void {
    if (this.#publisher !== publisher) return;
    this.#publisher = undefined;
    this.#dataFrames.clear();
    this.#dataFrameBytes = 0;
    this.#cache = makeCache();
    this.#timestamp = 0;
    for (const subscription of this.#subscriptions) subscription.onUnpublish(reason);
  }

  /** A late subscriber first gets metadata and decoder configuration, then everything since the last key frame. */
  subscribe(subscription: Subscription): void {
    this.#subscriptions.add(subscription);
    if (this.#publisher === undefined) return;
    subscription.onPublish(this.#publisher);
    const { opening, awaitsKeyFrame } = this.#cache;
    const timestamp = opening[0]?.timestamp ?? this.#timestamp;
    for (const frame of this.#dataFrames.values()) subscription.write(frame.at(timestamp));
    if (awaitsKeyFrame) subscription.awaitKeyFrame();
    for (const message of opening) subscription.write(message);
  }

  unsubscribe(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
  }

  /** Passes on a message of the publisher. */
  relay(message: StreamMessage): void {
    this.#timestamp = message.timestamp;
    this.#cache.add(message);
    for (const subscription of this.#subscriptions) subscription.write(message);
  }

  /**
   * `@setDataFrame`: passes the message on, and keeps it for late subscribers under the name of its handler. One that is too
   * large to keep leaves none under that name: the one before it no longer holds.
   */
  setDataFrame(handler: string, message: StreamMessage): void {
    if (this.#dataFrames.size >= MAX_DATA_FRAMES && !this.#dataFrames.has(handler)) return;
    const { length } = message.data;
    const total = this.#dataFrameBytes - this.#lengthOf(handler) + length;
    if (length <= MAX_DATA_FRAME_BYTES && total <= MAX_DATA_FRAMES_BYTES) {
      // A copy, since the message keeps each form in which it was sent, and its payload the packet that it lies in.
      this.#dataFrames.set(handler, message.at(message.timestamp, new Uint8Array(message.data)));
      this.#dataFrameBytes = total;
    } else this.#forget(handler);
    for (const subscription of this.#subscriptions) subscription.write(message);
  }

  /** `@clearDataFrame`: late subscribers no longer get it. */
  clearDataFrame(handler: AmfValue): void {
    if (typeof handler === "string") this.#forget(handler);
  }

  #forget(handler: string): void {
    this.#dataFrameBytes -= this.#lengthOf(handler);
    this.#dataFrames.delete(handler);
  }

  #lengthOf(handler: string): number {
    return this.#dataFrames.get(handler)?.data.length ?? 0;
  }
}

function makeCache(): GopCache<StreamMessage> {
  return new GopCache((message, timestamp, data) => message.at(timestamp, data));
}

/** Data frames that a stream keeps; further ones are dropped. */
export const MAX_DATA_FRAMES = 32;
/** A data frame that is longer is passed on and not kept. */
export const MAX_DATA_FRAME_BYTES: number = 64 * 1024;
/** What the data frames that a stream keeps may have together; what would be beyond is passed on and not kept. */
export const MAX_DATA_FRAMES_BYTES: number = 256 * 1024;
