/** One neighbour and one stream: the flows between them, and what each has told the other. */
import { isGone } from "../../proto/errors.ts";
import { TokenBucket } from "../../proto/token-bucket.ts";
import type { Neighbour } from "../neighbour.ts";
import type { GroupRecvFlow, GroupSendFlow, GroupWriteOptions } from "../session.ts";
import { GroupFlow, groupFlowMetadata } from "../wire/flows.ts";
import type { MediaInfo } from "../wire/media-info.ts";
import { encodeMulticast, type MulticastMessage, mapHas } from "../wire/multicast.ts";
import type { MulticastCounters } from "./info.ts";
import {
  ASKED_GRACE_MS,
  CONTROLS_BURST,
  CONTROLS_PER_SECOND,
  MAX_BACKLOG_MS,
  MAX_WAITING_BYTES,
  MAX_WAITING_CONTROL_BYTES,
  MIN_BACKLOG_BYTES,
  PULLS_BURST,
  STRIPES,
} from "./params.ts";
import type { Standing } from "./standing.ts";

/** What a link tells the stream that it belongs to. */
export interface LinkOwner {
  readonly counters: MulticastCounters;
  /** The neighbour refused the stream, or its flow to us ended: nothing is asked of it or sent to it. */
  linkDown(link: MediaLink): void;
}

/** A neighbour as one stream sees it. */
export class MediaLink {
  readonly neighbour: Neighbour;
  /** The stream that it is about. */
  readonly owner: LinkOwner;
  /** What its copies of fragments are worth. */
  readonly standing: Standing;
  /** When it first announced the stream, ms. */
  announcedAt: number = Number.POSITIVE_INFINITY;
  /** When we last announced it to the neighbour, and when that refused it or ended its flow, ms. */
  toldOfAt: number = Number.NEGATIVE_INFINITY;
  downAt: number = Number.NEGATIVE_INFINITY;
  /** The newest fragment that it was examined by; not to be examined before this time, ms. */
  examined = 0;
  examineAt = 0;
  /** The far end's announcement and control; undefined before it has opened it, and after it ended. */
  controlIn: GroupRecvFlow | undefined;
  /** Stripes that the far end wants pushed, a mask. */
  wants = 0;
  /** Stripes of {@link wants} that are pushed to it. */
  granted = 0;
  /** Nothing is pushed to it before this time, ms: it did not take what was. */
  slowUntil = 0;
  /** Stripes that we want of it. */
  asks = 0;
  /** The {@link FragmentStore.version} that its last map told of. */
  mapVersion = 0;
  /** The newest fragment that it has said to have; 0 before its first map. */
  newest = 0;
  /** The highest id that it has told of or sent, and when that last grew, ms. */
  told = 0;
  toldAt = 0;
  /** When it last brought a fragment that was new, ms. */
  broughtAt: number = Number.NEGATIVE_INFINITY;
  /** When we came to know it, ms. */
  readonly knownAt: number;
  /** By stripe: how much later than others it has fragments, ms; NaN while that is not known. */
  readonly lateness: Float64Array = new Float64Array(STRIPES).fill(Number.NaN);
  /** By stripe: not to be asked before this time, ms. */
  readonly refusedUntil: Float64Array = new Float64Array(STRIPES);
  /** Times in a row that it did not push what it was asked for. */
  refusals = 0;
  /** Pulls that wait for its answer. */
  pulls = 0;
  /** More than this shall not wait for it, bytes. */
  roomBytes: number = FIRST_ROOM_BYTES;
  /** What it had taken when {@link isBehind} was last asked, bytes, and whether too much waited then. */
  #takenBefore = 0;
  #wasBehind = false;
  /** Bytes of fragments that it has taken on flows that have ended. */
  #takenOfOld = 0;
  /** Bytes of fragments that came from it, and that were written to it, in all. */
  bytesIn = 0;
  bytesOut = 0;
  /** Control messages that are read, pulls aside. */
  readonly controls: TokenBucket;
  /** Pulls that are answered before the next {@link refillPulls}. */
  #pullTokens: number = PULLS_BURST;
  #have: Uint8Array = new Uint8Array(0);
  #toldAsks = 0;
  /** Stripes that it was asked for and no longer is, and until when it may still send them, ms. */
  #oldAsks = 0;
  #oldAsksUntil = 0;
  #controlOut: GroupSendFlow | undefined;
  #dataOut: GroupSendFlow | undefined;

  /** `now` in ms. */
  constructor(neighbour: Neighbour, owner: LinkOwner, standing: Standing, now: number) {
    this.neighbour = neighbour;
    this.owner = owner;
    this.standing = standing;
    this.knownAt = now;
    this.controls = new TokenBucket(CONTROLS_PER_SECOND, CONTROLS_BURST, now);
  }

  /** Both ends have announced the stream. */
  get isUp(): boolean {
    return this.controlIn !== undefined && this.#controlOut?.isOpen === true;
  }

  /** Whether we have announced the stream, and the neighbour has not refused it. */
  get isAnnounced(): boolean {
    return this.#controlOut?.isOpen === true;
  }

  /** Bytes of fragments that wait for the neighbour. */
  get waitingBytes(): number {
    return this.#dataOut?.bufferedBytes ?? 0;
  }

  /** Bytes of fragments that it has taken, in all; those that came too late to be sent are not among them. */
  get takenBytes(): number {
    return this.#takenOfOld + (this.#dataOut?.deliveredBytes ?? 0);
  }

  /** Round trip to the neighbour, ms; a guess before it is known. */
  get rttMs(): number {
    return this.neighbour.session.srtt ?? UNKNOWN_RTT_MS;
  }

  /** Announces the stream, on a flow of its own unless that is open; `now` in ms. */
  announce(info: MediaInfo, now: number): void {
    this.toldOfAt = now;
    if (!this.neighbour.session.isOpen) return;
    if (this.#controlOut?.isOpen !== true) {
      const flow = this.#open(GroupFlow.multicastControl, this.neighbour.control, "routine");
      if (flow === undefined) return;
      flow.onException = () => {
        if (this.#controlOut !== flow) return;
        this.#controlOut = undefined;
        this.owner.linkDown(this);
      };
      this.#controlOut = flow;
      this.#toldAsks = 0;
      this.mapVersion = 0;
    }
    this.send({ type: "info", info });
  }

  /** Sends a control message; leaves it out where too much waits already, or the far end does not listen. */
  send(message: MulticastMessage): boolean {
    const flow = this.#controlOut;
    if (flow?.isOpen !== true || flow.bufferedBytes > MAX_WAITING_CONTROL_BYTES) return false;
    const bytes = encodeMulticast(message);
    this.owner.counters.controlSentBytes += bytes.length;
    flow.write(bytes);
    return true;
  }

  /** Tells the neighbour which stripes we want, if that has changed. */
  flushAsks(now: number): void {
    if (this.asks === this.#toldAsks || !this.isUp || !this.send({ type: "push", mask: this.asks })) return;
    if (now >= this.#oldAsksUntil) this.#oldAsks = 0;
    this.#oldAsks |= this.#toldAsks;
    this.#oldAsksUntil = now + ASKED_GRACE_MS;
    this.#toldAsks = this.asks;
  }

  /** Whether we have asked it for the stripe, now or a moment ago. */
  isAsked(stripe: number, now: number): boolean {
    const asked = this.asks | this.#toldAsks | (now < this.#oldAsksUntil ? this.#oldAsks : 0);
    return (asked & (1 << stripe)) !== 0;
  }

  /** Sends a fragment that is of no use after `withinMs`. False if too much waits for the neighbour already. */
  sendFragment(bytes: Uint8Array, withinMs: number): boolean {
    const { controlIn } = this;
    if (controlIn === undefined || !this.neighbour.session.isOpen) return false;
    if (this.#dataOut?.isOpen !== true) {
      this.#dropData();
      this.#dataOut = this.#open(GroupFlow.multicastData, controlIn, "data");
    }
    const flow = this.#dataOut;
    if (flow === undefined || flow.bufferedBytes + bytes.length > MAX_WAITING_BYTES) return false;
    this.bytesOut += bytes.length;
    DEADLINE.finishWithinMs = withinMs;
    flow.write(bytes, DEADLINE);
    return true;
  }

  /** Whether, now and `ms` ago, when this was last asked, more waits for the neighbour than it takes within a moment. */
  isBehind(ms: number): boolean {
    const waiting = this.waitingBytes;
    const { takenBytes } = this;
    const pace = MIN_BACKLOG_BYTES + ((takenBytes - this.#takenBefore) * MAX_BACKLOG_MS) / ms;
    const isBehind = waiting > pace;
    // Where nothing waits, what was sent says nothing of what could be.
    this.roomBytes = waiting === 0 ? FIRST_ROOM_BYTES : pace;
    const wasBehind = this.#wasBehind;
    this.#takenBefore = takenBytes;
    this.#wasBehind = isBehind;
    return isBehind && wasBehind;
  }

  /** Whether one more pull is answered. */
  takePull(): boolean {
    if (this.#pullTokens < 1) return false;
    this.#pullTokens--;
    return true;
  }

  /** So many more pulls are answered. */
  refillPulls(count: number): void {
    this.#pullTokens = Math.min(PULLS_BURST, this.#pullTokens + count);
  }

  /** The neighbour has told what it has; keeps `have`. */
  setMap(newest: number, have: Uint8Array): void {
    this.newest = newest;
    this.#have = have;
  }

  /** What it has told is forgotten. */
  disbelieve(): void {
    this.setMap(0, new Uint8Array(0));
    this.told = 0;
  }

  /** Whether the neighbour has said to have a fragment. */
  has(id: number): boolean {
    return this.newest > 0 && mapHas(this.newest, this.#have, id);
  }

  /** The oldest fragment that it has said to have; 0 before its first map. */
  get oldest(): number {
    const { newest } = this;
    for (let id = Math.max(1, newest - 8 * this.#have.length); id < newest; id++) if (this.has(id)) return id;
    return newest;
  }

  /** The far end's flow is over: it wants and has nothing. */
  forget(): void {
    this.controlIn = undefined;
    this.wants = 0;
    this.asks = 0;
    this.#toldAsks = 0;
    this.disbelieve();
    this.lateness.fill(Number.NaN);
    this.#dropData();
  }

  /** Ends our flows, after what has been written. */
  close(): void {
    this.#dropData();
    this.#controlOut?.close();
    this.#controlOut = undefined;
  }

  #dropData(): void {
    this.#takenOfOld = this.takenBytes;
    this.#dataOut?.close();
    this.#dataOut = undefined;
  }

  /** Undefined if the far end has ended what is to be answered: we are told of that only later. */
  #open(kind: number, answers: GroupRecvFlow, priority: "routine" | "data"): GroupSendFlow | undefined {
    try {
      const flow = this.neighbour.session.openFlow(groupFlowMetadata(kind), { answers, priority });
      flow.context = this;
      return flow;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }
}

/** Filled in for each write: a fragment costs no object. */
const DEADLINE: GroupWriteOptions & { finishWithinMs: number } = { finishWithinMs: 0 };
/** Of a neighbour whose pace is not known yet. */
const FIRST_ROOM_BYTES = 65_536;
const UNKNOWN_RTT_MS = 150;
