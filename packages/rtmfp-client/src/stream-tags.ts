/** The tags of a NetStream: what has passed, and what waits for its reader. */
import type { FlvTag, FlvTagType } from "rtmfp-core/flv";
import type { AmfValue } from "rtmfp-core/tc";
import type { Clock } from "./clock.ts";
import { type NetStreamInfo, StreamMeter } from "./stream-info.ts";
import { TagQueue } from "./tag-queue.ts";

export class StreamTags {
  /** The queue is full, or has room again. */
  onFull: (full: boolean) => void = () => {};
  /** The reader has left its loop. */
  onBreak: () => unknown = () => {};
  meter: StreamMeter = new StreamMeter();
  queue: TagQueue = this.#makeQueue();
  #clock: Clock | undefined;
  readonly #told: { metaData: AmfValue; xmpData: AmfValue } = { metaData: null, xmpData: null };

  /** Another stream: nothing has been counted yet, and what waits from the one before can still be read. */
  begin(clock: Clock): void {
    this.#clock = clock;
    this.meter = new StreamMeter();
    this.#told.metaData = null;
    this.#told.xmpData = null;
    if (this.queue.isEnded) this.queue = this.#makeQueue();
  }

  /** ms; 0 before the first stream. */
  get now(): number {
    return this.#clock?.now() ?? 0;
  }

  /** A tag came, or is being written. */
  add(tag: FlvTag): void {
    this.meter.add(tag, this.now);
  }

  /** What became of a tag that somebody was subscribed to. */
  settled(type: FlvTagType, delivered: boolean): void {
    this.meter.settled(type, delivered);
  }

  /** A data message of a played stream. */
  told(handler: string, values: readonly AmfValue[]): void {
    if (handler === "onMetaData") this.#told.metaData = values[0];
    else if (handler === "onXMPData") this.#told.xmpData = values[0];
  }

  /** The figures that the tags give. */
  get info(): Omit<NetStreamInfo, "SRTT" | "uri" | "resourceName" | "isLive"> {
    const { audio, video, data } = this.queue.waiting;
    return {
      ...this.meter.info(this.now),
      audioBufferLength: audio.ms / 1000,
      audioBufferByteLength: audio.bytes,
      videoBufferLength: video.ms / 1000,
      videoBufferByteLength: video.bytes,
      dataBufferLength: data.ms / 1000,
      dataBufferByteLength: data.bytes,
      droppedFrames: this.meter.lostFrames + this.queue.dropped,
      ...this.#told,
    };
  }

  #makeQueue(): TagQueue {
    return new TagQueue(
      (full) => this.onFull(full),
      () => this.onBreak(),
    );
  }
}
