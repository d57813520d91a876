/** RTMP messages as messages of an RTMFP flow (§5.1). § means RFC 7425. */

/** A message as it stands in a flow; length and stream ID are implied by the flow (§5.1.2). */
export interface RtmpMessage {
  /** One of {@link MessageType}, or any other byte. */
  readonly type: number;
  /** Milliseconds, 32 bits, wrapping. */
  readonly timestamp: number;
  /** When decoded, a view of the received bytes. */
  readonly payload: Uint8Array;
}

/** RTMP message types. The protocol control types 1, 2, 3, 5 and 6 have no use over RTMFP (§5.1). */
export const MessageType = {
  /** Protocol control; not sent over RTMFP (§5.1). */
  setChunkSize: 1,
  /** Protocol control; not sent over RTMFP (§5.1). */
  abort: 2,
  /** Protocol control; not sent over RTMFP (§5.1). */
  acknowledgement: 3,
  /** User Control (§5.2, §5.3.4). */
  userControl: 4,
  /** Protocol control; not sent over RTMFP (§5.1). */
  windowAcknowledgementSize: 5,
  /** Protocol control; not sent over RTMFP (§5.1). */
  setPeerBandwidth: 6,
  /** A sound tag's body. */
  audio: 8,
  /** A picture tag's body. */
  video: 9,
  /** Data message, AMF3. */
  dataAmf3: 15,
  /** Shared object, AMF3. */
  sharedObjectAmf3: 16,
  /** Command, AMF3. */
  commandAmf3: 17,
  /** Data message, AMF0. */
  dataAmf0: 18,
  /** Shared object, AMF0. */
  sharedObjectAmf0: 19,
  /** Command, AMF0. */
  commandAmf0: 20,
  /** Several messages in one. */
  aggregate: 22,
} as const;

/**
 * The bytes to write to a flow, a new array; `payload` is copied. `timestamp`, in ms, is taken modulo 2^32. @throws
 * RangeError for a type or length that RTMP cannot carry, or a type not to be sent over RTMFP (§5.1).
 */
export function encodeMessage(type: number, timestamp: number, payload: Uint8Array): Uint8Array {
  if (!Number.isInteger(type) || type < 0 || type > 0xff) throw new RangeError(`message type ${type} is not a byte`);
  if (isProtocolControl(type)) throw new RangeError(`message type ${type} is not sent over RTMFP (RFC 7425 §5.1)`);
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`a payload of ${payload.length} bytes is longer than RTMP's ${MAX_PAYLOAD_BYTES}`);
  }
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(1, timestamp >>> 0);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/**
 * The message in `bytes`, its payload a view of them. `undefined` for what a receiver ignores: fewer than 5 bytes,
 * and protocol control messages (§5.1).
 */
export function decodeMessage(bytes: Uint8Array): RtmpMessage | undefined {
  const type = bytes[0];
  if (type === undefined || bytes.length < HEADER_BYTES || isProtocolControl(type)) return undefined;
  const timestamp = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES).getUint32(1);
  return { type, timestamp, payload: bytes.subarray(HEADER_BYTES) };
}

/** Whether a type belongs to RTMP's own chunk stream: never sent over RTMFP, ignored when received (§5.1). */
export function isProtocolControl(type: number): boolean {
  return type >= 1 && type <= 6 && type !== MessageType.userControl;
}

/** The longest payload, 24 bits of length (§5.1). */
export const MAX_PAYLOAD_BYTES = 0xffffff;

const HEADER_BYTES = 5;
