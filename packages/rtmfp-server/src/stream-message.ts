/** Messages of a stream on their way from a publisher to subscribers. */
import { type FlvTagType, tagInfo } from "rtmfp-core/flv";
import {
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
  #amf0: Uint8Array | undefined;

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

  /** The message for a flow; a client of AMF0 gets data in AMF0. Shared: do not modify. */
  bytes(objectEncoding: ObjectEncoding): Uint8Array {
    if (this.#type === MessageType.dataAmf3 && objectEncoding === 0) {
      this.#amf0 ??= encodeData(decodeData(this.#asMessage()), { timestamp: this.timestamp });
      return this.#amf0;
    }
    this.#bytes ??= encodeMessage(this.#type, this.timestamp, this.#payload);
    return this.#bytes;
  }

  /** The same at another time. */
  at(timestamp: number): StreamMessage {
    return new StreamMessage(this.kind, { ...this.#asMessage(), timestamp });
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
