/** The sending flows of one published stream in one tree: a flow for audio, one for video, one for data. */
import { RtmfpError } from "rtmfp-core";
import { type FlvTag, type FlvTagType, isKeyFrame, isMetadata, isSequenceHeader } from "rtmfp-core/flv";
import {
  encodeMessage,
  GopChain,
  type MediaLifetimes,
  type MessageTree,
  MessageType,
  type TreeReceipt,
  type TreeSendFlow,
  writeWithin,
} from "rtmfp-core/tc";
import type { Reliability } from "./stream-settings.ts";

/**
 * Opens each flow with its first message. Flows that the far end refuses are not replaced (RFC 7425 §5.3.5.3). Metadata and
 * codec configuration are always sent until they arrive.
 */
export class MediaFlows {
  readonly #tree: MessageTree;
  readonly #streamId: number;
  readonly #lifetimes: MediaLifetimes;
  readonly #flows = new Map<FlvTagType, TreeSendFlow>();
  readonly #pictures = new GopChain();

  /** `reliability` is read for each message. */
  constructor(tree: MessageTree, streamId: number, reliability: Readonly<Reliability>) {
    this.#tree = tree;
    this.#streamId = streamId;
    this.#lifetimes = lifetimesOf(reliability);
  }

  /**
   * Queues a tag; undefined if the far end does not take it, its buffer is full, or it is a picture whose group has lost an
   * earlier one.
   */
  write(tag: FlvTag): TreeReceipt | undefined {
    const message = encodeMessage(MESSAGE_TYPES[tag.type], tag.timestamp, tag.data);
    if (tag.type === "video" && !isSequenceHeader(tag)) {
      return this.#try(() =>
        this.#pictures.write(isKeyFrame(tag), this.#lifetimes, (options) =>
          this.#flow("video").write(message, options),
        ),
      );
    }
    return this.#write(tag.type, message, isSequenceHeader(tag) || isMetadata(tag));
  }

  /** Queues a data message. */
  writeData(message: Uint8Array): TreeReceipt | undefined {
    return this.#write("data", message, false);
  }

  /** Pictures are left out until the next key frame. */
  awaitKeyFrame(): void {
    this.#pictures.break();
  }

  /** Resolves when every flow has room. */
  get ready(): Promise<unknown> {
    return Promise.all([...this.#flows.values()].map((flow) => flow.ready));
  }

  /** True when nothing waits for room. */
  get hasRoom(): boolean {
    for (const flow of this.#flows.values()) if (flow.isOpen && flow.bufferedBytes > ROOM_BYTES) return false;
    return true;
  }

  /** The flows opened so far. */
  get flows(): readonly TreeSendFlow[] {
    return [...this.#flows.values()];
  }

  /** Ends the flows after what is queued. */
  close(): Promise<unknown> {
    return Promise.all([...this.#flows.values()].map((flow) => flow.close()));
  }

  #write(type: FlvTagType, message: Uint8Array, always: boolean): TreeReceipt | undefined {
    const { audioMs, dataMs, finishMarginMs } = this.#lifetimes;
    const within = always ? undefined : writeWithin(type === "audio" ? audioMs : dataMs, finishMarginMs);
    return this.#try(() => this.#flow(type).write(message, within));
  }

  #try(write: () => TreeReceipt | undefined): TreeReceipt | undefined {
    try {
      return write();
    } catch (error) {
      if (error instanceof RtmfpError) return undefined;
      throw error;
    }
  }

  #flow(type: FlvTagType): TreeSendFlow {
    let flow = this.#flows.get(type);
    if (flow === undefined) {
      flow = this.#tree.openFlow(this.#streamId, { priority: PRIORITIES[type] });
      this.#flows.set(type, flow);
    }
    return flow;
  }
}

/** Follows the settings as they change. */
function lifetimesOf(reliability: Readonly<Reliability>): MediaLifetimes {
  return {
    get audioMs() {
      return reliability.audioReliable ? Number.POSITIVE_INFINITY : LIFETIME_MS;
    },
    get videoMs() {
      return reliability.videoReliable ? Number.POSITIVE_INFINITY : LIFETIME_MS;
    },
    get dataMs() {
      return reliability.dataReliable ? Number.POSITIVE_INFINITY : LIFETIME_MS;
    },
    finishMarginMs: FINISH_MARGIN_MS,
    previousGroupMs: Number.POSITIVE_INFINITY,
  };
}

const MESSAGE_TYPES = { audio: MessageType.audio, video: MessageType.video, data: MessageType.dataAmf0 } as const;
/** A gap in sound is noticed first. All three are time critical: other sessions make room for live media. */
const PRIORITIES = { audio: "immediate", video: "high", data: "high" } as const;
/** Queued bytes per flow beyond which a source should wait: the flows' low-water mark. */
const ROOM_BYTES = 262_144;
/** How long unreliable media waits to be sent. */
const LIFETIME_MS = 1_000;
/** How much longer what has been begun may take: a retransmission or two. */
const FINISH_MARGIN_MS = 250;
