/** Messages of the control flows between members ({@link GroupFlow.control}): who is a member, and whom each knows. */
import { ByteReader, concatBytes, fromHex, toHex } from "../../proto/bytes.ts";
import { encodeOptions, readOption } from "../../proto/option.ts";
import { decodePeerId, encodePeerId } from "./peer-id.ts";
import { encodeReport, type Report, readReport } from "./report.ts";

/** One message. */
export type ControlMessage = ConnectMessage | PreludeMessage | BeginMessage | ReportMessage | AskCloseMessage;

/** The first: its sender is of a group, and wants to be a neighbour of its receiver. */
export interface ConnectMessage {
  readonly type: "connect";
  /** The identity of the group, 32 bytes; an array of its own when read, borrowed when written. */
  readonly groupId: Uint8Array;
  /** 32 bytes, see {@link groupProof}; a view when read. */
  readonly proof: Uint8Array;
  /** Peer ID of whom it is meant for: 64 lower-case hex digits. */
  readonly target: string;
}

/** Always sent before {@link BeginMessage}; nobody knows what it says. */
export interface PreludeMessage {
  readonly type: "prelude";
}

/** Its sender has checked the proof, and takes reports. */
export interface BeginMessage {
  readonly type: "begin";
  /** It takes messages to all addresses that it is the nearest to, rather than to its own alone. */
  readonly nearest: boolean;
}

/** Whom its sender knows. */
export interface ReportMessage {
  readonly type: "report";
  /** What it says. */
  readonly report: Report;
}

/** The receiver may end the session if it does not want the sender as a neighbour. */
export interface AskCloseMessage {
  readonly type: "askClose";
}

/** Longer messages, of streams too, are not read: the longest report that {@link readReport} reads to its end is shorter. */
export const MAX_CONTROL_BYTES = 65_536;

/** Bytes of a message, a new array. Throws RangeError for what is no group identity, peer ID or IP address. */
export function encodeControl(message: ControlMessage): Uint8Array {
  switch (message.type) {
    case "connect":
      return encodeConnect(message.groupId, message.proof, message.target);
    case "prelude":
      return Uint8Array.of(PRELUDE);
    case "begin":
      return Uint8Array.of(message.nearest ? BEGIN_NEAREST : BEGIN);
    case "report":
      return concatBytes(Uint8Array.of(REPORT), encodeReport(message.report));
    case "askClose":
      return Uint8Array.of(ASK_CLOSE);
  }
}

/**
 * What `bytes` say, which are borrowed for as long as the message lives; undefined for what is malformed or of no known type.
 * Bytes behind the one that says it all are ignored, as live peers do.
 */
export function decodeControl(bytes: Uint8Array): ControlMessage | undefined {
  if (bytes.length > MAX_CONTROL_BYTES) return undefined;
  const reader = new ByteReader(bytes);
  switch (reader.u8()) {
    case CONNECT:
      return readConnect(reader);
    case PRELUDE:
      return { type: "prelude" };
    case BEGIN:
      return { type: "begin", nearest: false };
    case BEGIN_NEAREST:
      return { type: "begin", nearest: true };
    case REPORT: {
      const report = readReport(reader);
      return report && { type: "report", report };
    }
    case ASK_CLOSE:
      return { type: "askClose" };
    default:
      return undefined;
  }
}

function encodeConnect(groupId: Uint8Array, proof: Uint8Array, target: string): Uint8Array {
  const wrong = [groupId, proof].find(({ length }) => length !== HASH_BYTES);
  if (wrong !== undefined) throw new RangeError(`expected an identity and a proof of 32 bytes, got ${wrong.length}`);
  const options = [
    { type: GROUP_ID, value: new TextEncoder().encode(toHex(groupId)) },
    { type: PROOF, value: proof },
    { type: TARGET, value: encodePeerId(target) },
  ];
  return concatBytes(Uint8Array.of(CONNECT), encodeOptions(options));
}

function readConnect(reader: ByteReader): ControlMessage | undefined {
  let groupId: Uint8Array | undefined;
  let proof: Uint8Array | undefined;
  let target: string | undefined;
  while (reader.remaining > 0) {
    const option = readOption(reader);
    if (option === undefined) break;
    if (option.type === GROUP_ID) groupId = readGroupId(option.value);
    if (option.type === PROOF && option.value.length === HASH_BYTES) proof = option.value;
    if (option.type === TARGET) target = decodePeerId(option.value);
  }
  if (reader.failed || groupId === undefined || proof === undefined || target === undefined) return undefined;
  return { type: "connect", groupId, proof, target };
}

/** The identity stands in the message as hex digits. */
function readGroupId(text: Uint8Array): Uint8Array | undefined {
  const digits = text.length === 2 * HASH_BYTES ? String.fromCharCode(...text) : "";
  return /^[0-9a-fA-F]{64}$/.test(digits) ? fromHex(digits) : undefined;
}

const CONNECT = 0x01;
const PRELUDE = 0x02;
const REPORT = 0x0a;
const ASK_CLOSE = 0x0c;
const BEGIN = 0x0e;
const BEGIN_NEAREST = 0x0f;
const GROUP_ID = 0x00;
const PROOF = 0x01;
const TARGET = 0x03;
const HASH_BYTES = 32;
