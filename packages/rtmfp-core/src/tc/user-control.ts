/** User Control messages, type 4: RTMP's stream events, and two of RTMFP's own (§5.2, §5.3.4). § means RFC 7425. */
import { ByteReader, buildBytes } from "../proto/bytes.ts";
import { encodeMessage, MessageType } from "./message.ts";

/**
 * An event; all numbers are unsigned 32-bit, times are in milliseconds. `event` tells which: of the stream `streamId`,
 * the playing end's buffer of `bufferMs`, a ping with the sender's `timestamp` (repeated in the response), a barrier
 * `syncId` across `count` flows (§5.2), or the keepalive periods toward the server and between peers, `serverMs` and
 * `peerMs` (§5.3.4).
 */
export type UserControl =
  | { readonly event: "streamBegin" | "streamEof" | "streamDry" | "streamIsRecorded"; readonly streamId: number }
  | { readonly event: "setBufferLength"; readonly streamId: number; readonly bufferMs: number }
  | { readonly event: "pingRequest" | "pingResponse"; readonly timestamp: number }
  | { readonly event: "flowSync"; readonly syncId: number; readonly count: number }
  | { readonly event: "setKeepalive"; readonly serverMs: number; readonly peerMs: number };

/**
 * A whole message for a flow. Its timestamp is 0: receivers ignore it (§5.2, §5.3.4). A new array. @throws RangeError
 * for a field outside 32 bits, or a sync count of 0 (§5.2).
 */
export function encodeUserControl(control: UserControl): Uint8Array {
  const values = valuesOf(control);
  for (const value of values) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new RangeError(`${control.event}: ${value} is not an unsigned 32-bit integer`);
    }
  }
  if (control.event === "flowSync" && control.count === 0) throw new RangeError("flowSync: the count is at least 1");
  const payload = buildBytes(MAX_EVENT_BYTES, (writer) => {
    writer.u16(EVENT_TYPES[control.event]);
    for (const value of values) writer.u32(value);
  });
  return encodeMessage(MessageType.userControl, 0, payload);
}

/**
 * The event in a type 4 payload; `undefined` to be ignored: too short, or of an unknown type. Extra bytes are ignored.
 * Borrows `payload` for the call.
 */
export function decodeUserControl(payload: Uint8Array): UserControl | undefined {
  const reader = new ByteReader(payload);
  const event = EVENT_NAMES.get(reader.u16());
  if (event === undefined) return undefined;
  const first = reader.u32();
  const second = TWO_FIELDS.has(event) ? reader.u32() : 0;
  return reader.failed ? undefined : controlOf(event, first, second);
}

type EventName = UserControl["event"];

function valuesOf(control: UserControl): number[] {
  switch (control.event) {
    case "setBufferLength":
      return [control.streamId, control.bufferMs];
    case "pingRequest":
    case "pingResponse":
      return [control.timestamp];
    case "flowSync":
      return [control.syncId, control.count];
    case "setKeepalive":
      return [control.serverMs, control.peerMs];
    default:
      return [control.streamId];
  }
}

function controlOf(event: EventName, first: number, second: number): UserControl {
  switch (event) {
    case "setBufferLength":
      return { event, streamId: first, bufferMs: second };
    case "pingRequest":
    case "pingResponse":
      return { event, timestamp: first };
    case "flowSync":
      return { event, syncId: first, count: second };
    case "setKeepalive":
      return { event, serverMs: first, peerMs: second };
    default:
      return { event, streamId: first };
  }
}

/** Event types: 34 and 41 are RFC 7425's, the others RTMP's. */
const EVENT_TYPES: Readonly<Record<EventName, number>> = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
  flowSync: 34,
  setKeepalive: 41,
};

const EVENT_NAMES: ReadonlyMap<number, EventName> = new Map(
  (Object.keys(EVENT_TYPES) as EventName[]).map((name) => [EVENT_TYPES[name], name]),
);
const TWO_FIELDS: ReadonlySet<EventName> = new Set(["setBufferLength", "flowSync", "setKeepalive"]);
const MAX_EVENT_BYTES = 10;
