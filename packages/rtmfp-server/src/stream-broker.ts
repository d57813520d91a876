/** The live streams of an application instance, by name. */
import { LiveStream, type Publisher } from "./live-stream.ts";
import type { Subscription } from "./subscription.ts";

/** Streams exist while somebody publishes or subscribes. */
export class StreamBroker {
  readonly #streams = new Map<string, LiveStream>();

  /** Streams by name. */
  get streams(): ReadonlyMap<string, LiveStream> {
    return this.#streams;
  }

  /** The stream, now published by `publisher`; undefined if the name is taken. */
  publish(name: string, publisher: Publisher): LiveStream | undefined {
    const stream = this.#stream(name);
    return stream.publish(publisher) ? stream : undefined;
  }

  unpublish(stream: LiveStream, publisher: Publisher): void {
    stream.unpublish(publisher);
    this.#prune(stream);
  }

  subscribe(name: string, subscription: Subscription): LiveStream {
    const stream = this.#stream(name);
    stream.subscribe(subscription);
    return stream;
  }

  unsubscribe(stream: LiveStream, subscription: Subscription): void {
    stream.unsubscribe(subscription);
    this.#prune(stream);
  }

  #stream(name: string): LiveStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new LiveStream(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  #prune(stream: LiveStream): void {
    if (stream.publisher === undefined && stream.subscriptions.size === 0) this.#streams.delete(stream.name);
  }
}
