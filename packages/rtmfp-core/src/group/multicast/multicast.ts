/** The streams of a group: announced, pushed, pulled and relayed by its members. docs/netgroup-wire.md has the bytes. */
import { toHex } from "../../proto/bytes.ts";
import { TokenBucket } from "../../proto/token-bucket.ts";
import type { GroupService, Neighbour } from "../neighbour.ts";
import type { GroupClock, GroupRecvFlow } from "../session.ts";
import { GroupFlow } from "../wire/flows.ts";
import { MEDIA_DEFAULTS, type MediaInfo } from "../wire/media-info.ts";
import { decodeMulticast } from "../wire/multicast.ts";
import { Channel } from "./channel.ts";
import { MediaLink } from "./link.ts";
import { LivedClock } from "./lived-clock.ts";
import { Media, type MediaHost } from "./media.ts";
import {
  CLEANING_MS,
  FOCUS_SILENT_MS,
  FORGET_MS,
  MAX_NAME,
  MAX_RIVALS,
  MAX_RIVALS_OF_NEIGHBOUR,
  MAX_STREAMS,
  MAX_STREAMS_OF_NEIGHBOUR,
  NEW_STREAMS_PER_SECOND,
} from "./params.ts";
import { announcement, MulticastPublication } from "./publication.ts";
import { bitsOf } from "./push-out.ts";
import { announcedSettings, changeSettings, DEFAULT_MULTICAST_SETTINGS, type MulticastSettings } from "./settings.ts";
import { type MulticastStats, newMulticastStats } from "./stats.ts";
import { type MulticastSink, MulticastSubscription } from "./subscription.ts";

/** What the streams of a group tell the member that has joined it. */
export interface MulticastHost {
  /** A stream of that name is published by another member. */
  publishNotify(name: string): void;
  /** No stream of that name is, any more. */
  unpublishNotify(name: string): void;
}

/** Bytes of fragments, headers of RTMFP aside, since the neighbour and the stream have known each other. */
export interface NeighbourTraffic {
  /** 64 lower-case hex digits. */
  readonly peerId: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What the streams of a group need. */
export interface MulticastOptions {
  /** Time and timers. */
  readonly clock: GroupClock;
  /** So many random bytes, new: the caller's own. */
  readonly random: (length: number) => Uint8Array;
  /** Who is told what others publish. */
  readonly host: MulticastHost;
}

/** A service of a {@link Group}: give it to the group, then publish and play. */
export class Multicast implements GroupService {
  readonly kinds: readonly number[] = [GroupFlow.multicastControl, GroupFlow.multicastData];
  /** What has been counted; free for reading at any time. */
  readonly stats: MulticastStats = newMulticastStats();
  readonly #clock: GroupClock;
  readonly #random: (length: number) => Uint8Array;
  readonly #host: MulticastHost;
  /** And how many streams that nobody else has told of each may tell of for now. */
  readonly #neighbours = new Map<Neighbour, TokenBucket>();
  /** By stream key, in hex digits. */
  readonly #media = new Map<string, Media>();
  readonly #channels = new Map<string, Channel>();
  /** Names that are published by others, as far as the host knows. */
  readonly #published = new Set<string>();
  readonly #mediaHost: MediaHost;
  #cancelCleaning: (() => void) | undefined;
  #closed = false;

  /** Of one group, without streams. */
  constructor(options: MulticastOptions) {
    this.#clock = new LivedClock(options.clock);
    this.#random = options.random;
    this.#host = options.host;
    this.#mediaHost = {
      clock: this.#clock,
      stats: this.stats,
      neighbours: { [Symbol.iterator]: () => this.#neighbours.keys() },
      chance: newChance(options.random(4)),
      message: (media, message, missing) => this.#channels.get(media.info.name)?.message(media, message, missing),
      changed: (media) => {
        if (media.isOwn) return;
        this.#channels.get(media.info.name)?.check();
        this.#notify(media.info.name);
      },
    };
  }

  /** What each neighbour that is there has moved of all streams with us; a new array. */
  get traffic(): NeighbourTraffic[] {
    return [...this.#neighbours.keys()].map((neighbour) => {
      let [bytesIn, bytesOut] = [0, 0];
      for (const media of this.#media.values()) {
        for (const link of media.links) {
          if (link.neighbour !== neighbour) continue;
          bytesIn += link.bytesIn;
          bytesOut += link.bytesOut;
        }
      }
      return { peerId: neighbour.peerId, bytesIn, bytesOut };
    });
  }

  /** Names that other members publish; a new array. */
  get published(): string[] {
    return [...this.#published];
  }

  /**
   * Publishes a stream to the group; what `settings` leaves out is {@link DEFAULT_MULTICAST_SETTINGS}. Another publisher of
   * the name is no obstacle: those who play change to the newer one. Throws RangeError for a name of none or more than 1,024
   * characters, or for what is no setting.
   */
  publish(name: string, settings: Partial<MulticastSettings> = {}): MulticastPublication {
    checkName(name);
    const chosen = changeSettings(DEFAULT_MULTICAST_SETTINGS, settings);
    const info = announcement(name, this.#random(KEY_BYTES), chosen, MEDIA_DEFAULTS.expiryMs);
    const media = this.#newMedia(info, chosen, true);
    if (!this.#closed) media.activate();
    return new MulticastPublication(this.#clock, media, () => this.#forget(media));
  }

  /**
   * Plays a stream of the group, now or as soon as somebody publishes it. `settings` replace those of the first publisher; by
   * default none.
   * Throws RangeError as {@link publish}.
   */
  play(name: string, sink: MulticastSink, settings: Partial<MulticastSettings> = {}): MulticastSubscription {
    checkName(name);
    changeSettings(DEFAULT_MULTICAST_SETTINGS, settings);
    const known = this.#channels.get(name);
    const channel = known ?? this.#newChannel(name, settings);
    if (known?.isPlayed === true) known.set(settings);
    const subscription = new MulticastSubscription(channel, sink);
    channel.join(sink);
    return subscription;
  }

  /** Stripes pushed, in both directions, of all streams. */
  load(neighbour: Neighbour): number {
    let stripes = 0;
    for (const media of this.#media.values())
      for (const link of media.links)
        if (link.neighbour === neighbour) stripes += bitsOf(link.granted) + bitsOf(link.asks);
    return stripes;
  }

  connected(neighbour: Neighbour): void {
    if (this.#closed) return;
    this.#neighbours.set(
      neighbour,
      new TokenBucket(NEW_STREAMS_PER_SECOND, MAX_STREAMS_OF_NEIGHBOUR, this.#clock.now()),
    );
    for (const media of this.#media.values()) media.connected(neighbour);
  }

  disconnected(neighbour: Neighbour): void {
    this.#neighbours.delete(neighbour);
    for (const media of this.#media.values()) media.disconnected(neighbour);
  }

  flowOpened(neighbour: Neighbour, kind: number, flow: GroupRecvFlow): boolean {
    if (this.#closed) return false;
    if (kind === GroupFlow.multicastControl) return this.#controlOpened(neighbour, flow);
    const link = flow.answers?.context;
    if (!(link instanceof MediaLink) || link.neighbour !== neighbour || !(link.owner instanceof Media)) {
      this.stats.useless++;
      return false;
    }
    link.owner.dataOpened(link, flow);
    return true;
  }

  /** Ends all streams. What is published or played afterwards moves nothing. */
  close(): void {
    this.#closed = true;
    this.#cancelCleaning?.();
    for (const media of [...this.#media.values()]) this.#forget(media);
    this.#neighbours.clear();
  }

  /** The first message says which stream it is. Flows of streams that nobody plays here stay open, to hear of their end. */
  #controlOpened(neighbour: Neighbour, flow: GroupRecvFlow): boolean {
    flow.accept({ order: "sequence" });
    flow.onMessage = (data) => {
      const message = decodeMulticast(data);
      const media = message?.type === "info" ? this.#announced(neighbour, message.info) : undefined;
      if (media !== undefined) {
        media.counters.controlReceivedBytes += data.length;
        media.opened(neighbour, flow);
        return;
      }
      if (message?.type !== "info") this.stats.useless++;
      flow.onMessage = () => {};
      flow.reject();
    };
    return true;
  }

  /** The stream that a neighbour announces; undefined beyond the caps. */
  #announced(neighbour: Neighbour, info: MediaInfo): Media | undefined {
    const known = this.#media.get(toHex(info.key));
    if (known !== undefined) return known.info.name === info.name ? known : undefined;
    if (info.name === "" || info.name.length > MAX_NAME) {
      this.stats.useless++;
      return undefined;
    }
    const isTold = (media: Media): boolean => media.isKnownOnlyBy(neighbour);
    const isRival = (media: Media): boolean => media.info.name === info.name && media.last === undefined;
    const now = this.#clock.now();
    const isOver = (media: Media): boolean => !media.isAnnounced || (media.isWanted && !media.getsOn(now));
    const bringsNothing = (media: Media): boolean => now - media.receivedAt >= FOCUS_SILENT_MS;
    const hasRoom =
      this.#neighbours.get(neighbour)?.take(now) === true &&
      this.#makeRoom(MAX_STREAMS_OF_NEIGHBOUR, isTold, isOver) &&
      this.#makeRoom(MAX_RIVALS_OF_NEIGHBOUR, (media) => isRival(media) && isTold(media), isOver) &&
      this.#makeRoom(MAX_RIVALS, isRival, bringsNothing) &&
      this.#makeRoom(MAX_STREAMS, () => true, bringsNothing);
    if (!hasRoom) {
      this.stats.streamsRefused++;
      return undefined;
    }
    const settings = announcedSettings(info, DEFAULT_MULTICAST_SETTINGS);
    // The key must outlive the message that brought it.
    return this.#newMedia({ ...info, key: info.key.slice() }, settings, false);
  }

  /** Whether of such streams there are fewer than `most`, or one of those that `mayGo` gives way. */
  #makeRoom(most: number, isSuch: (media: Media) => boolean, mayGo: (media: Media) => boolean): boolean {
    const such = [...this.#media.values()].filter(isSuch);
    if (such.length < most) return true;
    let least: Media | undefined;
    for (const media of such)
      if (!media.isOwn && mayGo(media) && (least === undefined || isWorthLess(media, least))) least = media;
    if (least === undefined) return false;
    this.stats.streamsRefused++;
    this.#forget(least);
    return true;
  }

  #newMedia(info: MediaInfo, settings: MulticastSettings, isOwn: boolean): Media {
    const channel = this.#channels.get(info.name);
    const media = new Media(this.#mediaHost, info, settings, isOwn);
    this.#media.set(toHex(info.key), media);
    if (!isOwn) {
      channel?.add(media);
      this.#notify(info.name);
    }
    this.#scheduleCleaning();
    return media;
  }

  #newChannel(name: string, settings: Partial<MulticastSettings>): Channel {
    const host = { now: () => this.#clock.now(), left: (channel: Channel) => void this.#channels.delete(channel.name) };
    const channel = new Channel(host, name, settings);
    this.#channels.set(name, channel);
    for (const media of this.#media.values()) {
      if (media.info.name === name && !media.isOwn) channel.add(media);
    }
    return channel;
  }

  /** Tells the host whether a name is published. */
  #notify(name: string): void {
    const now = this.#clock.now();
    let isPublished = false;
    for (const media of this.#media.values()) {
      if (media.info.name === name && !media.isOwn && media.isLive(now)) isPublished = true;
    }
    if (isPublished === this.#published.has(name)) return;
    if (isPublished) {
      this.#published.add(name);
      this.#host.publishNotify(name);
    } else {
      this.#published.delete(name);
      this.#host.unpublishNotify(name);
    }
  }

  #scheduleCleaning(): void {
    if (this.#closed) return;
    this.#cancelCleaning ??= this.#clock.after(CLEANING_MS, () => {
      this.#cancelCleaning = undefined;
      this.#clean();
      if (this.#media.size > 0) this.#scheduleCleaning();
    });
  }

  #clean(): void {
    const now = this.#clock.now();
    for (const media of [...this.#media.values()]) {
      if (media.isOwn) continue;
      this.#channels.get(media.info.name)?.check();
      media.expire(now);
      this.#notify(media.info.name);
      // Of one that we do not play we hear no more than that it is there: who announces it knows whether it goes on.
      if (!media.isWanted && media.isAnnounced) continue;
      if (now - Math.max(media.advancedAt, media.receivedAt) > FORGET_MS) this.#forget(media);
    }
  }

  #forget(media: Media): void {
    this.#media.delete(toHex(media.info.key));
    this.#channels.get(media.info.name)?.remove(media);
    media.deactivate();
    for (const link of media.links) link.controlIn?.reject();
    if (!media.isOwn) this.#notify(media.info.name);
  }
}

/** Numbers from 0 up to, not including, 1, as they are good for choices: xorshift, from a random seed. */
function newChance([a = 0, b = 0, c = 0, d = 0]: Uint8Array): () => number {
  let state = (a << 24) | (b << 16) | (c << 8) | d | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

/** What nobody announces any more counts least, then what has brought nothing for the longest time, and of that what fewer announce. */
function isWorthLess(media: Media, than: Media): boolean {
  if (media.isAnnounced !== than.isAnnounced) return than.isAnnounced;
  if (media.receivedAt !== than.receivedAt) return media.receivedAt < than.receivedAt;
  return announcers(media) < announcers(than);
}

function announcers({ links }: Media): number {
  return links.reduce((count, { controlIn }) => count + (controlIn === undefined ? 0 : 1), 0);
}

function checkName(name: string): void {
  if (name.length < 1 || name.length > MAX_NAME)
    throw new RangeError(`expected a stream name of 1 to ${MAX_NAME} characters, got ${name.length}`);
}

const KEY_BYTES = 32;
