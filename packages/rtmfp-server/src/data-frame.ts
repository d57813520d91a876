/** `@setDataFrame` and `@clearDataFrame`, with which publishers keep metadata at a server. */
import { type DataMessage, decodeMessage, encodeData, MessageType, type RtmpMessage } from "rtmfp-core/tc";

/**
 * The message without its first value, which is `@setDataFrame`: what subscribers get. The bytes of the other values stay
 * as they are.
 */
export function withoutFirstValue(message: RtmpMessage, data: DataMessage): RtmpMessage {
  const { type, timestamp, payload } = message;
  const at = type === MessageType.dataAmf3 ? 1 : 0;
  if (payload[at] === AMF0_STRING) {
    const length = (payload[at + 1] ?? 0) * 0x100 + (payload[at + 2] ?? 0);
    const rest = payload.subarray(at + 3 + length);
    if (at === 0) return { type, timestamp, payload: rest };
    const extended = new Uint8Array(1 + rest.length);
    extended.set(rest, 1);
    return { type, timestamp, payload: extended };
  }
  const [name, ...args] = data.args;
  const objectEncoding = type === MessageType.dataAmf3 ? 3 : 0;
  const bytes = encodeData({ name: String(name), args }, { objectEncoding, timestamp });
  return decodeMessage(bytes) as RtmpMessage;
}

const AMF0_STRING = 0x02;
