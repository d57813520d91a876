/** Playing a stream of a group. */
import type { Channel } from "./channel.ts";
import type { MulticastInfo } from "./info.ts";
import type { MediaMessage } from "./reassembler.ts";
import type { MulticastSettings } from "./settings.ts";

/** Who plays. All are called from within the arrival of packets or timers, and must not throw. */
export interface MulticastSink {
  /**
   * The next message of the stream, in order; `missing` counts the fragments lost since the one before. The payload is shared
   * with what is relayed: do not modify it.
   */
  message(message: MediaMessage, missing: number): void;
  /** The messages that follow are of another publication of the name, which begins anew; the settings are its own. */
  reset(): void;
  /** Somebody publishes the name: once at the beginning, and again after {@link unpublished}. */
  published(): void;
  /**
   * Nobody does any more, and all that was to come out has come out. `isOver`: the publisher has ended it; false where
   * nothing has come for the window and the relay margin.
   */
  unpublished(isOver: boolean): void;
}

/** One player of a stream; made by {@link Multicast.play}. */
export class MulticastSubscription {
  /** Of the stream. */
  readonly name: string;
  readonly #channel: Channel;
  readonly #sink: MulticastSink;

  /** Made by {@link Multicast.play}. */
  constructor(channel: Channel, sink: MulticastSink) {
    this.name = channel.name;
    this.#channel = channel;
    this.#sink = sink;
  }

  /** What holds here at present: of the publisher, save what was {@link set}; a new object. */
  get settings(): MulticastSettings {
    return this.#channel.settings;
  }

  /** What moving the stream has cost; a new object. */
  get info(): MulticastInfo {
    return this.#channel.counters.info;
  }

  /** Replaces settings of the publisher for ourselves, until {@link MulticastSink.reset}. Throws RangeError for what is none. */
  set(changes: Partial<MulticastSettings>): void {
    this.#channel.set(changes);
  }

  /** Plays no more, and relays no more unless others here play the same name. Again is harmless. */
  close(): void {
    this.#channel.leave(this.#sink);
  }
}
