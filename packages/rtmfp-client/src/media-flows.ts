/** The sending flows of one published stream in one tree: a flow for audio, one for video, one for data. */
import { RtmfpError } from "rtmfp-core";
import type { FlvTag, FlvTagType } from "rtmfp-core/flv";
import { encodeMessage, type MessageTree, MessageType, type TreeReceipt, type TreeSendFlow } from "rtmfp-core/tc";

/** Opens each flow with its first message. Flows that the far end refuses are not replaced (RFC 7425 §5.3.5.3). */
export class MediaFlows {
  readonly #tree: MessageTree;
  readonly #streamId: number;
  readonly #flows = new Map<FlvTagType, TreeSendFlow>();

  constructor(tree: MessageTree, streamId: number) {
    this.#tree = tree;
    this.#streamId = streamId;
  }

  /** Queues a tag; undefined if the far end does not take it, or its buffer is full. */
  write(tag: FlvTag): TreeReceipt | undefined {
    return this.writeMessage(tag.type, encodeMessage(MESSAGE_TYPES[tag.type], tag.timestamp, tag.data));
  }

  /** Queues a whole message on the flow for `type`. */
  writeMessage(type: FlvTagType, message: Uint8Array): TreeReceipt | undefined {
    try {
      return this.#flow(type).write(message);
    } catch (error) {
      if (error instanceof RtmfpError) return undefined;
      throw error;
    }
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

  #flow(type: FlvTagType): TreeSendFlow {
    let flow = this.#flows.get(type);
    if (flow === undefined) {
      flow = this.#tree.openFlow(this.#streamId, { priority: PRIORITIES[type] });
      this.#flows.set(type, flow);
    }
    return flow;
  }
}

const MESSAGE_TYPES = { audio: MessageType.audio, video: MessageType.video, data: MessageType.dataAmf0 } as const;
/** A gap in sound is noticed first. All three are time critical: other sessions make room for live media. */
const PRIORITIES = { audio: "immediate", video: "high", data: "high" } as const;
/** Queued bytes per flow beyond which a source should wait: the flows' low-water mark. */
const ROOM_BYTES = 262_144;
