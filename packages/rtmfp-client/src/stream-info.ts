/** Figures of a stream: NetStreamInfo with Adobe's names (ActionScript's flash.net). */
import type { FlvTag, FlvTagType } from "rtmfp-core/flv";
import type { AmfValue } from "rtmfp-core/tc";

/** A snapshot: rates in bytes per second over the last 2 s, lengths in seconds. Counted are the bodies of tags. */
export interface NetStreamInfo {
  /** Rate at which tags come, or are written. */
  readonly currentBytesPerSecond: number;
  /** The highest {@link currentBytesPerSecond} so far. */
  readonly maxBytesPerSecond: number;
  /** Bytes so far. */
  readonly byteCount: number;
  /** Rate of audio tags. */
  readonly audioBytesPerSecond: number;
  /** Bytes of audio tags so far. */
  readonly audioByteCount: number;
  /** Rate of video tags. */
  readonly videoBytesPerSecond: number;
  /** Bytes of video tags so far. */
  readonly videoByteCount: number;
  /** Rate of data tags. */
  readonly dataBytesPerSecond: number;
  /** Bytes of data tags so far. */
  readonly dataByteCount: number;
  /** Audio that waits for the reader: seconds, not bytes, from the first tag to the last. */
  readonly audioBufferLength: number;
  /** Bytes of it. */
  readonly audioBufferByteLength: number;
  /** Video that waits for the reader: seconds, not bytes, from the first tag to the last. */
  readonly videoBufferLength: number;
  /** Bytes of it. */
  readonly videoBufferByteLength: number;
  /** Data that waits for the reader: seconds, not bytes, from the first tag to the last. */
  readonly dataBufferLength: number;
  /** Bytes of it. */
  readonly dataBufferByteLength: number;
  /** Bytes of the whole stream so far per second of its own time. */
  readonly playbackBytesPerSecond: number;
  /** Pictures that did not arrive, and of a played stream those of no use without them, and tags that nobody read. */
  readonly droppedFrames: number;
  /**
   * Share of audio tags, 0 to 1, that did not arrive: of a published stream at everybody who was subscribed; of a played
   * one at least, for a gap counts as one.
   */
  readonly audioLossRate: number;
  /** Share of video tags, 0 to 1, that did not arrive, as above, or are of no use without those that did not. */
  readonly videoLossRate: number;
  /** Smoothed round-trip time, ms: to the server, the publisher, or the farthest subscriber. 0 before the first sample. */
  readonly SRTT: number;
  /** What onMetaData brought last; null before. */
  readonly metaData: AmfValue;
  /** What onXMPData brought last; null before. */
  readonly xmpData: AmfValue;
  /** The NetConnection's URI. */
  readonly uri: string | null;
  /** Name of the stream; null before it is published or played. */
  readonly resourceName: string | null;
  /** Always true while the stream is published or played: recordings come later. */
  readonly isLive: boolean;
}

/** Counts the tags of one stream. */
export class StreamMeter {
  readonly #kinds: Readonly<Record<FlvTagType, KindMeter>> = {
    audio: new KindMeter(),
    video: new KindMeter(),
    data: new KindMeter(),
  };
  readonly #frames = new Rate();
  #max = 0;
  #firstTimestamp: number | undefined;
  #lastTimestamp = 0;
  #audioCodec = 0;
  #videoCodec = 0;

  /** A tag came, or was written; `now` in ms. */
  add(tag: FlvTag, now: number): void {
    const { type, data, timestamp } = tag;
    this.#kinds[type].add(data.length, now);
    this.#firstTimestamp ??= timestamp;
    this.#lastTimestamp = timestamp;
    const first = data[0];
    if (type === "video") {
      this.#frames.add(1, now);
      if (first !== undefined) this.#videoCodec = first & 0x0f;
    } else if (type === "audio" && first !== undefined) this.#audioCodec = first >> 4;
    this.#max = Math.max(this.#max, this.bytesPerSecond(now));
  }

  /** What became of a tag that somebody was subscribed to. */
  settled(type: FlvTagType, delivered: boolean): void {
    const kind = this.#kinds[type];
    kind.settled++;
    if (!delivered) kind.lost++;
  }

  /** Timestamp of the last tag, ms. */
  get lastTimestamp(): number {
    return this.#lastTimestamp;
  }

  /** Video tags per second. */
  framesPerSecond(now: number): number {
    return this.#frames.perSecond(now);
  }

  /** Codec IDs of FLV, 0 before the first tag. */
  get codecs(): { readonly audio: number; readonly video: number } {
    return { audio: this.#audioCodec, video: this.#videoCodec };
  }

  get byteCount(): number {
    const { audio, video, data } = this.#kinds;
    return audio.bytes + video.bytes + data.bytes;
  }

  /** Pictures that were lost. */
  get lostFrames(): number {
    return this.#kinds.video.lost;
  }

  bytesPerSecond(now: number): number {
    const { audio, video, data } = this.#kinds;
    return audio.rate.perSecond(now) + video.rate.perSecond(now) + data.rate.perSecond(now);
  }

  /** The figures that are the meter's own. */
  info(now: number): Pick<NetStreamInfo, MeterFields> {
    const { audio, video, data } = this.#kinds;
    const mediaMs = (this.#lastTimestamp - (this.#firstTimestamp ?? 0)) | 0;
    return {
      currentBytesPerSecond: this.bytesPerSecond(now),
      maxBytesPerSecond: this.#max,
      byteCount: this.byteCount,
      audioBytesPerSecond: audio.rate.perSecond(now),
      audioByteCount: audio.bytes,
      videoBytesPerSecond: video.rate.perSecond(now),
      videoByteCount: video.bytes,
      dataBytesPerSecond: data.rate.perSecond(now),
      dataByteCount: data.bytes,
      playbackBytesPerSecond: mediaMs > 0 ? (this.byteCount * 1000) / mediaMs : 0,
      audioLossRate: audio.lossRate,
      videoLossRate: video.lossRate,
    };
  }
}

type MeterFields =
  | "currentBytesPerSecond"
  | "maxBytesPerSecond"
  | "byteCount"
  | "audioBytesPerSecond"
  | "audioByteCount"
  | "videoBytesPerSecond"
  | "videoByteCount"
  | "dataBytesPerSecond"
  | "dataByteCount"
  | "playbackBytesPerSecond"
  | "audioLossRate"
  | "videoLossRate";

class KindMeter {
  readonly rate = new Rate();
  bytes = 0;
  settled = 0;
  lost = 0;

  add(bytes: number, now: number): void {
    this.bytes += bytes;
    this.rate.add(bytes, now);
  }

  get lossRate(): number {
    return this.settled === 0 ? 0 : this.lost / this.settled;
  }
}

/** An amount per second, over the slots of the last 2 s. */
class Rate {
  readonly #slots = new Float64Array(SLOTS);
  #current = 0;

  add(amount: number, now: number): void {
    this.#advance(now);
    const at = this.#current % SLOTS;
    this.#slots[at] = (this.#slots[at] as number) + amount;
  }

  perSecond(now: number): number {
    this.#advance(now);
    return (this.#slots.reduce((sum, slot) => sum + slot, 0) * 1000) / (SLOTS * SLOT_MS);
  }

  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    for (let passed = Math.min(slot - this.#current, SLOTS); passed > 0; passed--)
      this.#slots[(slot - passed + 1) % SLOTS] = 0;
    if (slot > this.#current) this.#current = slot;
  }
}

const SLOTS = 8;
const SLOT_MS = 250;
