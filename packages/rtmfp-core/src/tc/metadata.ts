/** What a flow of RTMP messages says of itself when it opens (§5.1.1). § means RFC 7425. */
import { ByteReader, buildBytes } from "../proto/bytes.ts";

/** The metadata of a flow that carries RTMP messages. */
export interface FlowMetadata {
  /** The stream of every message in the flow, 0 to 16777215; 0 is the NetConnection. */
  readonly streamId: number;
  /** The sender's hint: deliver in the order queued, or as messages arrive. The receiver decides. */
  readonly receiveIntent: ReceiveIntent;
}

/** Order of delivery that the sender suggests (§5.1.1). */
export type ReceiveIntent = "sequence" | "network";

/**
 * The bytes of a flow's user metadata, a new array. `receiveIntent` is by default "sequence". @throws RangeError when
 * the stream ID is not one of RTMP's (§5.1).
 */
export function encodeMetadata(streamId: number, receiveIntent: ReceiveIntent = "sequence"): Uint8Array {
  if (!Number.isInteger(streamId) || streamId < 0 || streamId > MAX_STREAM_ID) {
    throw new RangeError(`stream ID ${streamId} is not an integer from 0 to ${MAX_STREAM_ID}`);
  }
  return buildBytes(MAX_METADATA_BYTES, (writer) => {
    for (const byte of SIGNATURE) writer.u8(byte);
    writer.u8(STREAM_ID_PRESENT | (receiveIntent === "network" ? NETWORK_ORDER : 0));
    writer.vlu(streamId);
  });
}

/**
 * The metadata in `bytes`; `undefined` when the flow should be rejected: another signature, no stream ID, or one that
 * RTMP does not have (§5.1.1). Bytes beyond the fields defined, and reserved flags, are ignored. Borrows `bytes` for
 * the call.
 */
export function decodeMetadata(bytes: Uint8Array): FlowMetadata | undefined {
  const reader = new ByteReader(bytes);
  if (!SIGNATURE.every((byte) => reader.u8() === byte)) return undefined;
  const flags = reader.u8();
  if ((flags & STREAM_ID_PRESENT) === 0) return undefined;
  const streamId = reader.vlu();
  if (reader.failed || streamId > MAX_STREAM_ID) return undefined;
  return { streamId, receiveIntent: (flags & NETWORK_ORDER) === 0 ? "sequence" : "network" };
}

/** The highest stream ID, 24 bits (§5.1). */
export const MAX_STREAM_ID = 0xffffff;

const SIGNATURE: readonly number[] = [0x54, 0x43]; // "TC"
const STREAM_ID_PRESENT = 0x04;
const NETWORK_ORDER = 0x01;
const MAX_METADATA_BYTES = 8;
