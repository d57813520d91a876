/** Publishing a stream to a group. */
import type { GroupClock } from "../session.ts";
import type { MediaInfo } from "../wire/media-info.ts";
import { Fragmenter } from "./fragmenter.ts";
import type { MulticastInfo } from "./info.ts";
import type { Media } from "./media.ts";
import { Opening } from "./opening.ts";
import { changeSettings, type MulticastSettings } from "./settings.ts";

/** One publisher of a stream; made by {@link Multicast.publish}. */
export class MulticastPublication {
  /** Called once after {@link close}, when neighbours have what they asked for, or the window is over. */
  onClosed: (() => void) | undefined;
  readonly #clock: GroupClock;
  readonly #media: Media;
  readonly #released: () => void;
  readonly #fragmenter = new Fragmenter();
  readonly #opening = new Opening();
  #closed = false;

  /** `released` is called with {@link onClosed}. */
  constructor(clock: GroupClock, media: Media, released: () => void) {
    this.#clock = clock;
    this.#media = media;
    this.#released = released;
  }

  /** Of the stream. */
  get name(): string {
    return this.#media.info.name;
  }

  /** 32 bytes that tell this publication from others of its name. Owned by the publication: do not modify. */
  get key(): Uint8Array {
    return this.#media.info.key;
  }

  /** What holds for everybody; a new object. */
  get settings(): MulticastSettings {
    return { ...this.#media.settings };
  }

  /** What moving the stream has cost; a new object. */
  get info(): MulticastInfo {
    return this.#media.counters.info;
  }

  /** Fragments published so far, by what they hold. */
  get fragments(): Readonly<{ audio: number; video: number; data: number }> {
    return this.#fragmenter.counts;
  }

  /** Bytes that wait for the neighbour that has most to take: who writes faster than live may wait for them. */
  get waitingBytes(): number {
    return this.#media.waitingBytes;
  }

  /**
   * Changes settings: those that are announced for everybody who hears of the stream from now on, all of them for what we do
   * ourselves. Throws RangeError for what is no setting.
   */
  set(changes: Partial<MulticastSettings>): void {
    const media = this.#media;
    media.settings = changeSettings(media.settings, changes);
    media.info = announcement(media.info.name, media.info.key, media.settings, media.info.expiryMs);
  }

  /**
   * Publishes a message. `type` is that of RTMP (8, 9, 15, 18, ...), `timestamp` in ms from 0 up. Copies `payload`, except
   * what configures decoders, which is kept and repeated as it is. Nothing happens after {@link close}.
   */
  write(type: number, timestamp: number, payload: Uint8Array): void {
    if (this.#closed) return;
    for (const earlier of this.#opening.before(type, payload, this.#clock.now()))
      this.#write(earlier.type, timestamp, earlier.payload);
    this.#write(type, timestamp, payload);
  }

  /** Ends the stream for everybody. What was written is still passed on, until {@link onClosed}. Again is harmless. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#media.end(this.#fragmenter.next - 1);
    const closedAt = this.#clock.now();
    const { windowMs, relayMarginMs } = this.#media.settings;
    const check = (): void => {
      const elapsed = this.#clock.now() - closedAt;
      const isIdle = elapsed >= LINGER_MS && this.#media.waitingBytes === 0;
      if (!isIdle && elapsed < windowMs + relayMarginMs) {
        this.#clock.after(LINGER_MS / 4, check);
        return;
      }
      this.#released();
      this.onClosed?.();
    };
    this.#clock.after(LINGER_MS / 4, check);
  }

  #write(type: number, timestamp: number, payload: Uint8Array): void {
    for (const bytes of this.#fragmenter.cut(type, timestamp, payload)) {
      this.#media.publish(this.#nextId++, bytes);
    }
  }

  #nextId = 1;
}

/** What is said of a stream with these settings. */
export function announcement(
  name: string,
  key: Uint8Array,
  settings: Readonly<MulticastSettings>,
  expiryMs: number,
): MediaInfo {
  const { windowMs, updateMs, fetchMs, sendToAll } = settings;
  return { name, key, sendToAll, windowMs, updateMs, fetchMs, expiryMs };
}

/** Pulls for the last fragments come after the end was told: the publisher stays for at least so long, ms. */
const LINGER_MS = 2_000;
