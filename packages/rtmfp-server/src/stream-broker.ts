/** The live streams of an application instance, by name. */
import { LiveStream, type Publisher, type UnpublishReason } from "./live-stream.ts";
import { hashName, isHashName } from "./stream-name.ts";
import type { Subscription } from "./subscription.ts";

/** A publisher that can lose its stream. */
export interface BrokerPublisher extends Publisher {
  /** The stream is another's now, or nobody's; nothing more may be published to it. `why` is for people. */
  onTaken(why: string): void;
}

/** Streams exist while somebody publishes or subscribes. */
export class StreamBroker {
  readonly #byName = new Map<string, LiveStream>();
  readonly #byHash = new Map<string, Entry>();
  readonly #entries = new Map<LiveStream, Entry>();
  #publishers = 0;
  #players = 0;

  /** Streams by name. Left out are those whose hash alone is known, because nobody has published them yet. */
  get streams(): ReadonlyMap<string, LiveStream> {
    return this.#byName;
  }

  /** Streams that are being published. */
  get publishers(): number {
    return this.#publishers;
  }

  /** Subscriptions. */
  get players(): number {
    return this.#players;
  }

  /** Whether a publisher of that priority may have the name: nobody has it, or somebody of a lower priority. */
  isFree(name: string, priority: number): boolean {
    const taken = this.#byName.get(name);
    return taken?.publisher === undefined || (this.#entries.get(taken) as Entry).priority < priority;
  }

  /**
   * The stream, now published by `publisher`; who published it before has lost it. Undefined if the name is not free or
   * is a hash.
   */
  publish(name: string, publisher: BrokerPublisher, priority: number): LiveStream | undefined {
    if (isHashName(name) || !this.isFree(name, priority)) return undefined;
    this.#take(name, "Somebody of a higher priority publishes it now.");
    const entry = this.#entry(name);
    entry.publisher = publisher;
    entry.priority = priority;
    this.#publishers++;
    entry.stream.publish(publisher);
    return entry.stream;
  }

  /** Ends what somebody of a lower priority publishes under that name; false if nobody does. */
  release(name: string, priority: number): boolean {
    if (this.#byName.get(name)?.publisher === undefined || !this.isFree(name, priority)) return false;
    this.#take(name, "Somebody released it.");
    return true;
  }

  unpublish(stream: LiveStream, publisher: BrokerPublisher, reason?: UnpublishReason): void {
    const entry = this.#entries.get(stream);
    if (entry === undefined || entry.publisher !== publisher) return;
    entry.publisher = undefined;
    this.#publishers--;
    stream.unpublish(publisher, reason);
    this.#prune(entry);
  }

  /** `name` may be a hash. */
  subscribe(name: string, subscription: Subscription): LiveStream {
    const { stream } = this.#entry(name);
    this.#players++;
    stream.subscribe(subscription);
    return stream;
  }

  unsubscribe(stream: LiveStream, subscription: Subscription): void {
    if (!stream.subscriptions.has(subscription)) return;
    this.#players--;
    stream.unsubscribe(subscription);
    const entry = this.#entries.get(stream);
    if (entry !== undefined) this.#prune(entry);
  }

  #take(name: string, why: string): void {
    const stream = this.#byName.get(name);
    const publisher = stream === undefined ? undefined : this.#entries.get(stream)?.publisher;
    if (stream === undefined || publisher === undefined) return;
    this.unpublish(stream, publisher, "removed");
    publisher.onTaken(why);
  }

  #entry(name: string): Entry {
    const hash = isHashName(name) ? name : hashName(name);
    let entry = this.#byHash.get(hash);
    if (entry === undefined) {
      entry = { stream: new LiveStream(name), hash, name: undefined, publisher: undefined, priority: 0 };
      this.#byHash.set(hash, entry);
      this.#entries.set(entry.stream, entry);
    }
    if (entry.name === undefined && name !== hash) {
      entry.name = name;
      this.#byName.set(name, entry.stream);
    }
    return entry;
  }

  #prune({ stream, hash, name }: Entry): void {
    if (stream.publisher !== undefined || stream.subscriptions.size > 0) return;
    this.#entries.delete(stream);
    this.#byHash.delete(hash);
    if (name !== undefined) this.#byName.delete(name);
  }
}

interface Entry {
  readonly stream: LiveStream;
  readonly hash: string;
  /** The plain name, once somebody has used it. */
  name: string | undefined;
  publisher: BrokerPublisher | undefined;
  /** Of the publisher. */
  priority: number;
}
