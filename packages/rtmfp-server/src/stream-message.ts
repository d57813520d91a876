/** Messages of a stream on their way from a publisher to subscribers. */
import { type FlvTag, type FlvTagType, isKeyFrame, isSequenceHeader } from "rtmfp-core/flv";
import {
  AmfError,
  decodeData,
  encodeData,
  encodeMessage,
  MessageType,
  type ObjectEncoding,
  type RtmpMessage,
} from "rtmfp-core/tc";

/** One message, a tag that is encoded once for all subscribers that read alike. */
export class StreamMessage implements FlvTag {
  readonly type: FlvTagType;
  readonly timestamp: number;
  readonly data: Uint8Array;
  readonly isKeyFrame: boolean;
  readonly isSequenceHeader: boolean;
  readonly #messageType: number;
  #bytes: Uint8Array | undefined;
  /** The same in AMF0; null once it is known that it has no such form. */
  #amf0: Uint8Array | null | undefined;

  /** The payload is kept, not copied. */
  constructor(type: FlvTagType, message: RtmpMessage) {
    this.type = type;
    this.timestamp = message.timestamp;
    this.data = message.payload;
    this.#messageType = message.type;
    this.isSequenceHeader = isSequenceHeader(this);
    this.isKeyFrame = isKeyFrame(this);
  }

  /**
   * The message for a flow; a client of AMF0 gets data in AMF0, undefined if they are too long in it. Shared: do not
   * modify.
   */
  bytes(objectEncoding: ObjectEncoding): Uint8Array | undefined {
    if (this.#messageType === MessageType.dataAmf3 && objectEncoding === 0) {
      if (this.#amf0 === undefined) this.#amf0 = this.#inAmf0();
      return this.#amf0 ?? undefined;
    }
    this.#bytes ??= encodeMessage(this.#messageType, this.timestamp, this.data);
    return this.#bytes;
  }

  /** The same at another time, with its own payload or a copy of it, which is kept. */
  at(timestamp: number, payload: Uint8Array = this.data): StreamMessage {
    return new StreamMessage(this.type, { type: this.#messageType, timestamp, payload });
  }

  /** AMF3 names a string once and refers to it, AMF0 repeats it: a few bytes may become very many. */
  #inAmf0(): Uint8Array | null {
    try {
      return encodeData(decodeData(this.#asMessage()), { timestamp: this.timestamp });
    } catch (error) {
      if (error instanceof AmfError) return null;
      throw error;
    }
  }

  #asMessage(): RtmpMessage {
    return { type: this.#messageType, timestamp: this.timestamp, payload: this.data };
  }
}

/** Whether a message carries audio, video or data, or several of them. */
export function isMedia(type: number): boolean {
  return kindOf(type) !== undefined || type === MessageType.aggregate;
}

/** What a message of a stream is; undefined for anything but audio, video and data. */
export function kindOf(type: number): FlvTagType | undefined {
  if (type === MessageType.audio) return "audio";
  if (type === MessageType.video) return "video";
  return type === MessageType.dataAmf0 || type === MessageType.dataAmf3 ? "data" : undefined;
}
