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

/** See the file's head. */
export class LiveStream {
  readonly name: string;
  readonly #subscriptions = new Set<Subscription>();
  /** What `@setDataFrame` stored, by the handler's name. */
  readonly #dataFrames = new Map<string, StreamMessage>();
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
  unpublish(publisher: Publisher): void {
    if (this.#publisher !== publisher) return;
    this.#publisher = undefined;
    this.#dataFrames.clear();
    this.#cache = makeCache();
    this.#timestamp = 0;
    for (const subscription of this.#subscriptions) subscription.onUnpublish();
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

  /** `@setDataFrame`: passes the message on, and keeps it for late subscribers under the name of its handler. */
  setDataFrame(handler: string, message: StreamMessage): void {
    if (this.#dataFrames.size >= MAX_DATA_FRAMES && !this.#dataFrames.has(handler)) return;
    this.#dataFrames.set(handler, message);
    for (const subscription of this.#subscriptions) subscription.write(message);
  }

  /** `@clearDataFrame`: late subscribers no longer get it. */
  clearDataFrame(handler: AmfValue): void {
    if (typeof handler === "string") this.#dataFrames.delete(handler);
  }
}

function makeCache(): GopCache<StreamMessage> {
  return new GopCache((message, timestamp) => message.at(timestamp));
}

/** Data frames that a stream keeps; further ones are dropped. */
export const MAX_DATA_FRAMES = 32;
