/** Messages of a stream on their way from a publisher to subscribers. */
import { type FlvTagType, tagInfo } from "rtmfp-core/flv";
import {
  AmfError,
  decodeData,
  encodeData,
  encodeMessage,
  MessageType,
  type ObjectEncoding,
  type RtmpMessage,
} from "rtmfp-core/tc";

/** One message, encoded once for all subscribers that read alike. */
export class StreamMessage {
  readonly kind: FlvTagType;
  /** Milliseconds, 32 bits, wrapping. */
  readonly timestamp: number;
  readonly isKeyFrame: boolean;
  readonly isSequenceHeader: boolean;
  readonly #type: number;
  readonly #payload: Uint8Array;
  #bytes: Uint8Array | undefined;
  /** The same in AMF0; null once it is known that it has no such form. */
  #amf0: Uint8Array | null | undefined;

  /** The payload is copied. */
  constructor(kind: FlvTagType, message: RtmpMessage) {
    this.kind = kind;
    this.timestamp = message.timestamp;
    this.#type = message.type;
    this.#payload = message.payload;
    const info = tagInfo({ type: kind, timestamp: message.timestamp, data: message.payload });
    this.isSequenceHeader = info.kind !== "data" && info.sequenceHeader;
    // Of a codec that nobody knows the frame type alone can tell.
    this.isKeyFrame = info.kind === "video" && (info.codec === "unknown" ? info.keyFrameType : info.keyFrame);
  }

  get payloadBytes(): number {
    return this.#payload.length;
  }

  /**
   * The message for a flow; a client of AMF0 gets data in AMF0, undefined if they are too long in it. Shared: do not
   * modify.
   */
  bytes(objectEncoding: ObjectEncoding): Uint8Array | undefined {
    if (this.#type === MessageType.dataAmf3 && objectEncoding === 0) {
      if (this.#amf0 === undefined) this.#amf0 = this.#inAmf0();
      return this.#amf0 ?? undefined;
    }
    this.#bytes ??= encodeMessage(this.#type, this.timestamp, this.#payload);
    return this.#bytes;
  }

  /** The same at another time. */
  at(timestamp: number): StreamMessage {
    return new StreamMessage(this.kind, { ...this.#asMessage(), timestamp });
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
    return { type: this.#type, timestamp: this.timestamp, payload: this.#payload };
  }
}

/** What a message of a stream is; undefined for anything but audio, video and data. */
export function kindOf(type: number): FlvTagType | undefined {
  if (type === MessageType.audio) return "audio";
  if (type === MessageType.video) return "video";
  return type === MessageType.dataAmf0 || type === MessageType.dataAmf3 ? "data" : undefined;
}
