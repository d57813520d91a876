/** All streams of one name, those who play it here, and which of the streams they get. */
import { equalBytes } from "../../proto/bytes.ts";
import { MulticastCounters } from "./info.ts";
import type { Media } from "./media.ts";
import { AWAITED_MS, FOCUS_EMPTY_MS, FOCUS_FAILED_MS, FOCUS_SILENT_MS } from "./params.ts";
import type { MediaMessage } from "./reassembler.ts";
import { announcedSettings, changeSettings, DEFAULT_MULTICAST_SETTINGS, type MulticastSettings } from "./settings.ts";
import type { MulticastSink } from "./subscription.ts";

/** What a channel needs of the group's streams. */
export interface ChannelHost {
  now(): number;
  /** Nobody plays the name here any more. */
  left(channel: Channel): void;
}

/** A name. */
export class Channel {
  readonly name: string;
  readonly counters: MulticastCounters = new MulticastCounters();
  readonly #host: ChannelHost;
  readonly #sinks = new Set<MulticastSink>();
  readonly #media = new Set<Media>();
  /** Since when anybody plays it here, ms. */
  #playedSince = 0;
  /** The stream that is played, if there is one. */
  #focus: Media | undefined;
  /** Since when it is, ms. */
  #focusedAt = 0;
  /** The stream that messages came from last. */
  #heard: Media | undefined;
  /** Streams that brought nothing, and until when they are passed over, ms. */
  readonly #failed = new WeakMap<Media, number>();
  /** What those who play have set. */
  #overrides: Partial<MulticastSettings>;
  #published = false;
  /** Of the stream that was played last: its publisher has ended it. */
  #isOver = false;

  constructor(host: ChannelHost, name: string, overrides: Partial<MulticastSettings>) {
    this.#host = host;
    this.name = name;
    this.#overrides = overrides;
  }

  /** Whether anybody plays it here. */
  get isPlayed(): boolean {
    return this.#sinks.size > 0;
  }

  /** What holds here; a new object. */
  get settings(): MulticastSettings {
    return { ...(this.#focus?.settings ?? changeSettings(DEFAULT_MULTICAST_SETTINGS, this.#overrides)) };
  }

  /** @throws RangeError for what is no setting. */
  set(changes: Partial<MulticastSettings>): void {
    const settings = changeSettings(this.settings, changes);
    this.#overrides = { ...this.#overrides, ...changes };
    if (this.#focus !== undefined) this.#focus.settings = settings;
  }

  /** Somebody plays the name. */
  join(sink: MulticastSink): void {
    if (!this.isPlayed) this.#playedSince = this.#host.now();
    this.#sinks.add(sink);
    if (this.#published) sink.published();
    for (const media of this.#media) media.listen();
    this.#choose();
  }

  /** Somebody plays it no more. */
  leave(sink: MulticastSink): void {
    if (!this.#sinks.delete(sink) || this.#sinks.size > 0) return;
    this.#focus = undefined;
    this.#published = false;
    for (const media of this.#media) media.deactivate();
    this.#host.left(this);
  }

  /** A stream of the name is known. */
  add(media: Media): void {
    if (this.#media.has(media)) return;
    this.#media.add(media);
    media.counters = this.counters;
    if (!this.isPlayed) return;
    media.isAwaited = media.since - this.#playedSince >= AWAITED_MS;
    media.listen();
    this.#choose();
  }

  /** A stream of the name is known no longer. */
  remove(media: Media): void {
    this.#media.delete(media);
    if (media === this.#focus) this.#unfocus();
    this.#choose();
  }

  /** A message of one of the streams. */
  message(media: Media, message: MediaMessage, missing: number): void {
    if (media !== this.#focus) return;
    this.#heard = media;
    for (const sink of this.#sinks) sink.message(message, missing);
  }

  /** Something may have changed about a stream; and now and then. */
  check(): void {
    this.#choose();
  }

  #choose(): void {
    if (!this.isPlayed) return;
    const now = this.#host.now();
    const focus = this.#focus;
    if (focus !== undefined && this.#hasEnded(focus, now)) this.#unfocus();
    let best = this.#focus;
    for (const media of this.#media) {
      if (media !== best && this.#isBetter(media, best, now)) best = media;
    }
    if (best !== undefined && best !== this.#focus) this.#focusOn(best, now);
    else if (this.#focus === undefined && this.#published) {
      this.#published = false;
      for (const sink of this.#sinks) sink.unpublished(this.#isOver);
    }
  }

  /** The first is played as soon as it is known; another only once it has brought something. */
  #isBetter(media: Media, than: Media | undefined, now: number): boolean {
    if (media.isOwn || this.#hasEnded(media, now) || (this.#failed.get(media) ?? 0) > now) return false;
    if (than === undefined) return true;
    if (!media.isProven(now)) return false;
    if (than !== this.#focus) return media.since > than.since;
    // The newer one wins; the older one only where the present one brings nothing.
    const patienceMs = than.receivedAt < this.#focusedAt ? FOCUS_EMPTY_MS : FOCUS_SILENT_MS;
    const isSilent = now - Math.max(than.receivedAt, this.#focusedAt) >= patienceMs;
    if (isSilent) this.#failed.set(than, now + FOCUS_FAILED_MS);
    return isSilent || media.since > than.since + SAME_TIME_MS;
  }

  #hasEnded(media: Media, now: number): boolean {
    if (media.last !== undefined) return media !== this.#focus || media.isFinished;
    const { windowMs, relayMarginMs } = media.settings;
    return now - Math.max(media.advancedAt, media.receivedAt) > windowMs + relayMarginMs;
  }

  #unfocus(): void {
    if (this.#focus === undefined) return;
    this.#isOver = this.#focus.last !== undefined;
    this.#focus.unfetch();
    this.#focus = undefined;
  }

  #focusOn(media: Media, now: number): void {
    const heard = this.#heard?.info.key;
    const isChange = heard !== undefined && !equalBytes(heard, media.info.key);
    this.#unfocus();
    this.#focus = media;
    this.#focusedAt = now;
    // What was set is of the stream before.
    if (isChange) this.#overrides = {};
    const own = changeSettings(DEFAULT_MULTICAST_SETTINGS, this.#overrides);
    media.settings = changeSettings(announcedSettings(media.info, own), this.#overrides);
    if (isChange) for (const sink of this.#sinks) sink.reset();
    this.#heard = undefined;
    if (!this.#published) {
      this.#published = true;
      for (const sink of this.#sinks) sink.published();
    }
    media.activate();
    media.fetch();
  }
}

/** Streams first heard of within this time of each other are heard of by others in another order, ms. */
const SAME_TIME_MS = 1_000;
