/** One stream of a group: what its publisher sent under one key, at this member. */
import { equalBytes } from "../../proto/bytes.ts";
import type { Neighbour } from "../neighbour.ts";
import type { GroupClock, GroupRecvFlow } from "../session.ts";
import { decodeFragment, fragmentIdOf } from "../wire/fragment.ts";
import type { MediaInfo } from "../wire/media-info.ts";
import { decodeMulticast, type MulticastMessage } from "../wire/multicast.ts";
import { Audit } from "./audit.ts";
import { beginning, resumption } from "./beginning.ts";
import { copiesOf } from "./copies.ts";
import { Ending } from "./ending.ts";
import { FragmentStore, MAX_SLOTS } from "./fragment-store.ts";
import { MulticastCounters } from "./info.ts";
import { type LinkOwner, MediaLink } from "./link.ts";
import { Maps } from "./maps.ts";
import { Output } from "./output.ts";
import {
  AWAITED_HOLE_MS,
  END_GRACE_MS,
  FOCUS_SILENT_MS,
  GATHER_MS,
  MAX_FRAGMENT_BYTES,
  MAX_FROM_START,
  MAX_STREAM_BYTES,
  MIN_PUSH_MS,
  MIN_SAMPLES,
  REFUSED_MS,
  SAMPLE_MS,
  START_HOLE_MS,
  STRIPES,
  TICK_MS,
} from "./params.ts";
import { Progress } from "./progress.ts";
import { PullOut } from "./pull-out.ts";
import { Puller } from "./puller.ts";
import { PushIn } from "./push-in.ts";
import { PushOut } from "./push-out.ts";
import type { MediaMessage } from "./reassembler.ts";
import { type Believers, retreat } from "./retreat.ts";
import type { MulticastSettings } from "./settings.ts";
import { Standings } from "./standing.ts";
import type { MulticastStats } from "./stats.ts";

/** What a stream needs of the group's streams. */
export interface MediaHost {
  readonly clock: GroupClock;
  readonly stats: MulticastStats;
  readonly neighbours: Iterable<Neighbour>;
  /** From 0 up to, not including, 1. */
  chance(): number;
  /** A message is complete; `missing` fragments were lost before it. */
  message(media: Media, message: MediaMessage, missing: number): void;
  /** The newest fragment that anybody has told of is another, or the publisher has ended. */
  changed(media: Media): void;
}

/** A stream by its key. */
export class Media implements LinkOwner {
  /** As announced; a relay announces it unchanged. */
  info: MediaInfo;
  /** When it was first heard of, ms. */
  readonly since: number;
  readonly isOwn: boolean;
  /** We have waited for it since before it was published, as far as we can see. */
  isAwaited = false;
  readonly store: FragmentStore = new FragmentStore(MAX_STREAM_BYTES);
  /** What holds here. */
  settings: MulticastSettings;
  /** What moving it has cost; shared with other streams of the name that are played. */
  counters: MulticastCounters = new MulticastCounters();
  /** When the newest id last grew, ms; that of the announcement before. */
  advancedAt: number;
  /** When a fragment last came, ms. */
  receivedAt = 0;
  readonly #host: MediaHost;
  readonly #links = new Map<Neighbour, MediaLink>();
  /** The same, to walk through. */
  #list: MediaLink[] = [];
  readonly #pushOut: PushOut;
  readonly #pushIn: PushIn;
  readonly #puller: Puller;
  readonly #pullOut: PullOut;
  readonly #audit: Audit;
  readonly #standings = new Standings();
  readonly #progress = new Progress();
  readonly #maps: Maps = new Maps(this.store);
  readonly #output: Output;
  readonly #ending = new Ending();
  readonly #believers: Believers;
  #active = false;
  #listening = false;
  #fetching = false;
  /** Fragments that came before the stream is played; and when we last asked for one, ms. */
  #samples = 0;
  #sampledAt = 0;
  #cancelTick: (() => void) | undefined;
  /** When neighbours are first asked for stripes, ms. */
  #askAt = 0;

  /** `isOwn`: we are the publisher. */
  constructor(host: MediaHost, info: MediaInfo, settings: MulticastSettings, isOwn: boolean) {
    this.#host = host;
    this.info = info;
    this.settings = settings;
    this.isOwn = isOwn;
    this.since = host.clock.now();
    this.advancedAt = this.since;
    const { store } = this;
    const { stats } = host;
    const media = this;
    this.#audit = new Audit({ store, stats, chance: () => host.chance(), struck: (link, now) => this.#bar(link, now) });
    this.#pushIn = new PushIn({
      store,
      stats,
      chance: () => host.chance(),
      doubtMs: (link) => this.#audit.doubtMs(link),
      chosen: (stripe, link) => this.#pushOut.yield(stripe, link),
    });
    this.#pushOut = new PushOut(
      {
        stats,
        get counters() {
          return media.counters;
        },
        get copies() {
          return copiesOf(media);
        },
        isParent: (stripe, link) => this.#pushIn.isParent(stripe, link),
      },
      isOwn,
    );
    this.#puller = new Puller({
      store,
      stats,
      patienceMs: (id, now) => this.#pushIn.patienceMs(id, this.settings.fetchMs, now),
      leastPatienceMs: (now) => this.#pushIn.leastPatienceMs(this.settings.fetchMs, now),
      doubtMs: (link) => this.#audit.doubtMs(link),
      get fetchMs() {
        return media.settings.fetchMs;
      },
    });
    this.#pullOut = new PullOut(this);
    this.#output = new Output(store, stats, (message, missing) => host.message(this, message, missing));
    const [ending, output, pushIn, puller] = [this.#ending, this.#output, this.#pushIn, this.#puller];
    this.#believers = { store, ending, output, pushIn, puller };
    if (isOwn) store.begin(1);
  }

  /** Those of the group. */
  get stats(): MulticastStats {
    return this.#host.stats;
  }

  /** The publisher's last fragment, once it has ended. */
  get last(): number | undefined {
    return this.#ending.last;
  }

  /** Neighbours that know the stream. */
  get links(): readonly MediaLink[] {
    return this.#list;
  }

  /** True while we look whether there is anything to play, or play it. */
  get isWanted(): boolean {
    return this.#active || this.#listening;
  }

  /** Whether some neighbour still announces it. */
  get isAnnounced(): boolean {
    return this.#list.some((link) => link.controlIn !== undefined);
  }

  /** Whether, as far as we can see, somebody publishes it. */
  isLive(now: number): boolean {
    if (this.#ending.isOver(now)) return false;
    return this.#active ? this.getsOn(now) : this.isAnnounced;
  }

  /** Whether anything has come, or been told of, lately; of no use where it is not {@link isWanted}. */
  getsOn(now: number): boolean {
    const { windowMs, relayMarginMs } = this.settings;
    return now - Math.max(this.advancedAt, this.receivedAt) <= windowMs + relayMarginMs;
  }

  /** Whether that neighbour announces it, and nobody else. */
  isKnownOnlyBy(neighbour: Neighbour): boolean {
    if (this.isOwn || this.#links.get(neighbour)?.controlIn === undefined) return false;
    return this.#list.every((link) => link.controlIn === undefined || link.neighbour === neighbour);
  }

  /** Whether it gets on, and not in words alone: fragments have come lately. */
  isProven(now: number): boolean {
    return this.#samples >= MIN_SAMPLES && now - this.receivedAt < FOCUS_SILENT_MS;
  }

  /** Bytes that wait for the neighbour that has most to take. */
  get waitingBytes(): number {
    return this.#list.reduce((most, link) => Math.max(most, link.waitingBytes), 0);
  }

  /** Whether everything up to the publisher's end has come out, or been given up. */
  get isFinished(): boolean {
    return this.last !== undefined && this.#ending.isOver(this.#host.clock.now()) && this.#output.next > this.last;
  }

  /** Announces the stream to all neighbours, and answers their announcements from now on. */
  activate(): void {
    if (this.#active) return;
    this.#active = true;
    for (const neighbour of this.#host.neighbours) {
      const link = this.#linkOf(neighbour);
      if (!link.isAnnounced) this.#announce(link);
    }
    this.#scheduleTick();
  }

  /** Answers those who announce it, and asks them for a fragment now and then, to see whether there is anything to play. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    for (const link of this.#list) if (link.controlIn !== undefined && !link.isAnnounced) this.#announce(link);
  }

  /** Ends our part in the stream; announcements of others are still heard. */
  deactivate(): void {
    this.unfetch();
    this.#active = false;
    this.#listening = false;
    this.#output.forget();
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    for (const link of this.#list) {
      this.#pushOut.drop(link, this.#host.clock.now());
      link.close();
    }
  }

  /** Gets the stream and gives its messages. */
  fetch(): void {
    if (this.#fetching || this.isOwn) return;
    this.#fetching = true;
    this.#start();
  }

  /** Gets the stream no more; what is here is still there for others. */
  unfetch(): void {
    if (!this.#fetching) return;
    this.#fetching = false;
    this.#pushIn.stop(this.#list, this.#host.clock.now());
    this.#output.stop();
    this.#audit.stop();
    for (const link of this.#list) this.#puller.drop(link);
  }

  /** A fragment of our own. */
  publish(id: number, bytes: Uint8Array): void {
    this.#put(id, bytes, undefined);
  }

  /** Tells all neighbours that nothing follows our last fragment. */
  end(last: number): void {
    const now = this.#host.clock.now();
    this.#ending.hear(last, now);
    this.#ending.tell(this.#list, now);
  }

  /** Our neighbours are one more. */
  connected(neighbour: Neighbour): void {
    // A stream that stands still would live on by newcomers, who cannot know since when it does.
    const isOnAir = (this.isOwn && this.last === undefined) || this.isLive(this.#host.clock.now());
    if (this.#active && isOnAir) this.#announce(this.#linkOf(neighbour));
  }

  /** Our neighbours are one less. */
  disconnected(neighbour: Neighbour): void {
    const link = this.#links.get(neighbour);
    if (link === undefined) return;
    this.linkDown(link);
    link.forget();
    link.close();
    this.#links.delete(neighbour);
    this.#standings.left(neighbour.peerId);
    this.#list = [...this.#links.values()];
    if (this.#fetching) this.#pushIn.tick(this.#list, this.#host.clock.now());
  }

  linkDown(link: MediaLink): void {
    link.downAt = this.#host.clock.now();
    this.#pushOut.drop(link, link.downAt);
    this.#pushIn.drop(link);
    this.#puller.drop(link);
    this.#audit.drop(link);
    link.asks = 0;
  }

  /** A neighbour's copy was not that of others: nothing is asked of it, and what it brought is missing again. */
  #bar(link: MediaLink, now: number): void {
    this.#host.stats.struck++;
    this.#pushIn.drop(link);
    this.#puller.drop(link);
    link.asks = 0;
    link.flushAsks(now);
    link.disbelieve();
    this.store.dropFrom(link);
    this.#puller.again();
  }

  /** A neighbour announces the stream on a flow, whose further messages come here. */
  opened(neighbour: Neighbour, flow: GroupRecvFlow): void {
    const link = this.#linkOf(neighbour);
    const before = link.controlIn;
    link.announcedAt = Math.min(link.announcedAt, this.#host.clock.now());
    link.controlIn = flow;
    flow.context = link;
    flow.onMessage = (data) => this.#onControl(link, data);
    flow.onEnd = () => {
      if (link.controlIn !== flow) return;
      this.linkDown(link);
      link.forget();
    };
    if (before !== undefined) {
      // It has begun anew: what it asked for and told before is void.
      this.linkDown(link);
      link.forget();
      link.controlIn = flow;
      before.reject();
    }
    if (!this.#active && !this.#listening) return;
    if (!link.isAnnounced) this.#announce(link);
    this.#maps.send(link);
    if (this.last !== undefined) link.send({ type: "end", last: this.last });
  }

  /** A neighbour opens a flow of fragments. */
  dataOpened(link: MediaLink, flow: GroupRecvFlow): void {
    flow.context = link;
    flow.accept({ order: "network" });
    flow.onMessage = (data) => this.#onFragment(link, data);
  }

  /** The first of what is kept for others is dropped, and messages come out that waited for what is lost. */
  expire(now: number): void {
    const { windowMs, relayMarginMs } = this.settings;
    this.store.expire(now - windowMs - relayMarginMs);
    if (this.#fetching) this.#drain(now, windowMs);
  }

  #drain(now: number, windowMs: number): void {
    const wasFinished = this.isFinished;
    this.#output.drain(now, windowMs);
    if (this.isFinished && !wasFinished) this.#host.changed(this);
  }

  #announce(link: MediaLink): void {
    link.announce(this.info, this.#host.clock.now());
    this.#maps.send(link);
  }

  /** Who has refused the stream when it stood still, having forgotten it, hears of it again when it goes on. */
  #announceAgain(now: number): void {
    for (const link of this.#list)
      if (!link.isAnnounced && this.advancedAt > link.downAt && now - link.toldOfAt >= REFUSED_MS) this.#announce(link);
  }

  #linkOf(neighbour: Neighbour): MediaLink {
    const known = this.#links.get(neighbour);
    if (known !== undefined) return known;
    const standing = this.#standings.of(neighbour.peerId, this.#audit.neededCopies);
    const link = new MediaLink(neighbour, this, standing, this.#host.clock.now());
    this.#links.set(neighbour, link);
    this.#list = [...this.#links.values()];
    return link;
  }

  #onControl(link: MediaLink, data: Uint8Array): void {
    const { stats, clock } = this.#host;
    const { counters } = this;
    counters.controlReceivedBytes += data.length;
    const message = decodeMulticast(data);
    if (message === undefined) {
      stats.useless++;
      return;
    }
    const now = clock.now();
    if (!(message.type === "pull" ? link.takePull() : link.controls.take(now))) {
      stats.refused++;
      return;
    }
    this.#onMessage(link, message, now);
  }

  #onMessage(link: MediaLink, message: MulticastMessage, now: number): void {
    switch (message.type) {
      case "info":
        this.#onInfo(message.info);
        return;
      case "end":
        if (!link.standing.isBarred(now)) this.#onEnd(link, message.last, now);
        return;
      case "map":
        if (!link.standing.isBarred(now)) this.#onMap(link, message.newest, message.have, now);
        return;
      case "push":
        this.#pushOut.want(link, message.mask, now);
        return;
      case "pull":
        this.#pullOut.answer(link, message.id, now);
    }
  }

  /**
   * Anybody could say of a stream that its settings are others: those hold that came first. Live peers were not seen to
   * change them.
   */
  #onInfo(info: MediaInfo): void {
    if (info.name !== this.info.name || !equalBytes(info.key, this.info.key)) this.#host.stats.useless++;
  }

  /** Anybody can say so: it holds as long as nothing newer is known, or comes. */
  #onEnd(link: MediaLink, last: number, now: number): void {
    if (this.isOwn || this.last !== undefined || last < this.store.newest) return;
    if (last > this.#progress.endLimit(link, this.store.newest)) {
      this.#host.stats.farAhead++;
      return;
    }
    if (this.#output.next > 0) this.store.hear(last, now);
    this.end(last);
    this.#host.clock.after(END_GRACE_MS, () => this.#host.changed(this));
  }

  #onMap(link: MediaLink, newest: number, have: Uint8Array, now: number): void {
    const { store } = this;
    if (this.isOwn) {
      if (newest <= store.newest) link.setMap(newest, have);
      return;
    }
    if (newest === 0) return;
    if (newest > this.#progress.limit(link, this.#list, store.newest, now)) {
      this.#host.stats.farAhead++;
      return;
    }
    link.setMap(newest, have.length > MAX_SLOTS / 8 ? have.slice(0, MAX_SLOTS / 8) : have);
    this.#progress.tell(link, newest, now);
    this.#hear(this.#progress.believed(link, newest, this.#list, store.newest, now), link, now);
    if (this.#fetching) this.#start();
    else if (this.#listening) this.#sample(now);
    this.#pushIn.onMap(link, now);
  }

  #sample(now: number): void {
    if (now - this.#sampledAt < SAMPLE_MS) return;
    this.#sampledAt = now;
    this.expire(now);
    for (const link of this.#list) this.#puller.drop(link);
    this.#puller.first(this.store.newest, this.#list, now);
  }

  /** A neighbour has a fragment with this id. */
  #hear(id: number, link: MediaLink, now: number): void {
    const { store } = this;
    if (id <= store.newest) return;
    if (store.newest === 0) store.begin(beginning(link.oldest, id, this.isAwaited));
    this.#ending.belie(id);
    store.hear(id, now);
    this.advancedAt = now;
    this.#host.changed(this);
  }

  /** Begins to get the stream, once somebody has told how far it is. */
  #start(): void {
    const { store } = this;
    if (this.#output.next !== 0 || store.newest === 0) return;
    const now = this.#host.clock.now();
    const { oldest, newest } = store;
    const first =
      resumption(this.#output.left, oldest, newest) ?? Math.max(oldest, beginning(oldest, newest, this.isAwaited));
    const isLong = newest - first > MAX_FROM_START;
    this.#output.begin(first, isLong ? AWAITED_HOLE_MS : START_HOLE_MS);
    this.#askAt = now + GATHER_MS;
    // Members whose news lag that far behind would take the news of who is ahead for a tale.
    if (isLong) for (const id of [first, newest - 1, newest]) this.#puller.first(id, this.#list, now);
    for (let id = first; id <= Math.min(newest, first + MAX_FROM_START); id++) this.#puller.first(id, this.#list, now);
  }

  #onFragment(link: MediaLink, data: Uint8Array): void {
    const { stats, clock } = this.#host;
    const { counters } = this;
    const id = data.length <= MAX_FRAGMENT_BYTES ? fragmentIdOf(data) : undefined;
    if (id === undefined || id === 0) {
      stats.useless++;
      return;
    }
    const { store } = this;
    const now = clock.now();
    link.bytesIn += data.length;
    const isCopy = this.#audit.takes(id, link);
    const wasPulled = this.#puller.onFragment(id, link) || isCopy;
    if (wasPulled) {
      counters.requestedFrom++;
      counters.requestedFromBytes += data.length;
    } else {
      counters.pushedFrom++;
      counters.pushedFromBytes += data.length;
    }
    if (link.standing.isBarred(now)) {
      stats.barred++;
      return;
    }
    const isSample = wasPulled && this.#listening && !this.#fetching;
    if (this.isOwn || (!this.#fetching && !isSample) || (store.newest > 0 && id < store.oldest)) {
      stats.late++;
      return;
    }
    if (!wasPulled && !this.#isWelcome(id, link, now)) return;
    this.#audit.onCopy(id, link, data, now);
    if (store.has(id)) {
      stats.duplicates++;
      if (!wasPulled) this.#pushIn.onPushed(id, link, false, now);
      return;
    }
    if (decodeFragment(data) === undefined) {
      stats.useless++;
      return;
    }
    stats.fragments++;
    this.receivedAt = now;
    if (isSample) this.#samples++;
    link.broughtAt = now;
    this.#progress.tell(link, id, now);
    this.#hear(id, link, now);
    if (!wasPulled) this.#pushIn.onPushed(id, link, true, now);
    this.#pushIn.onHere(id);
    this.#put(id, data, link);
    this.#audit.onNew(id, link, now);
    if (this.#fetching && this.#output.next === 0) this.#start();
    if (this.#output.next === id) this.#drain(now, this.settings.windowMs);
  }

  /** Whether a fragment that was not pulled may come from there: only from one that was asked for its stripe. */
  #isWelcome(id: number, link: MediaLink, now: number): boolean {
    const { stats } = this.#host;
    if (!link.isAsked(id % STRIPES, now)) {
      stats.unasked++;
      return false;
    }
    const { newest } = this.store;
    if (id <= newest || id <= this.#progress.fragmentLimit(link, this.#list, newest, now)) return true;
    stats.farAhead++;
    return false;
  }

  #put(id: number, bytes: Uint8Array, from: MediaLink | undefined): void {
    const now = this.#host.clock.now();
    this.store.put(id, bytes, now, from);
    if (this.isOwn) {
      this.advancedAt = now;
      this.receivedAt = now;
    }
    const { windowMs, fetchMs } = this.settings;
    // Whoever lacks it for longer asks for it.
    const leftMs = Math.min(windowMs, Math.max(fetchMs, MIN_PUSH_MS)) - (now - this.store.heardAt(id));
    if (leftMs > 0) this.#pushOut.push(id, bytes, from, leftMs);
  }

  #scheduleTick(): void {
    const { clock } = this.#host;
    this.#cancelTick = clock.after(Math.min(TICK_MS, this.settings.updateMs), this.#tick);
  }

  /** One timer for the stream, however many fragments and neighbours it has. */
  readonly #tick = (): void => {
    const now = this.#host.clock.now();
    this.#scheduleTick();
    this.counters.tick(now);
    this.expire(now);
    this.#ending.tell(this.#list, now);
    this.#announceAgain(now);
    this.#maps.tick(this.#list, this.settings.updateMs, this.settings.sendToAll, now);
    this.#checkProgress(now);
    if (this.#fetching && this.#output.next > 0) {
      this.#audit.tick(this.#list, now);
      if (now >= this.#askAt) this.#pushIn.tick(this.#list, now);
      this.#puller.tick(this.#output.next, this.#list, now);
    }
    this.#pushOut.tick(now, this.#list);
    this.#pullOut.tick(now);
  };

  /** Goes back where one neighbour alone made us believe that the stream is far ahead. */
  #checkProgress(now: number): void {
    if (this.isOwn) return;
    const back = this.#progress.check(this.#list, this.store.newest, this.#output.given, now);
    if (back === undefined) return;
    this.#host.stats.tales++;
    retreat(this.#believers, back, this.#list, this.isAwaited, now);
    if (this.#fetching) this.#start();
  }
}
