/** Commands and data messages: names with AMF values (§5.3.3). § means RFC 7425. */
import { AmfError, type AmfValue } from "./amf.ts";
import { Amf0Reader } from "./amf0-reader.ts";
import { Amf0Writer } from "./amf0-writer.ts";
import { encodeMessage, MessageType, type RtmpMessage } from "./message.ts";

/** A call, or the answer to one, whose name then is `_result` or `_error`. */
export interface Command {
  /** The command's name, such as `connect`, or `_result` and `_error` for replies. */
  readonly name: string;
  /** Pairs an answer with its call; 0 asks for no answer. */
  readonly transactionId: number;
  /** `null` in all commands but `connect` and its answer. */
  readonly commandObject: AmfValue;
  /** What follows the command object. */
  readonly args: readonly AmfValue[];
}

/** A message for a handler of the subscribers' client object, such as `onMetaData` or what `NetStream.send` sends. */
export interface DataMessage {
  /** The handler's name, such as `onMetaData`. */
  readonly name: string;
  /** What follows the name. */
  readonly args: readonly AmfValue[];
}

/** Flash's numbers for the two encodings, negotiated in `connect`. */
export type ObjectEncoding = 0 | 3;

/** How to encode a command or data message. */
export interface CommandEncoding {
  /** 0 makes types 20 and 18; 3 makes types 17 and 15, where objects are AMF3. Default 0. */
  readonly objectEncoding?: ObjectEncoding;
  /** Milliseconds, modulo 2^32. Default 0. */
  readonly timestamp?: number;
}

/** A whole command message for a flow. A new array. @throws AmfError for a value that AMF cannot carry. */
export function encodeCommand(command: Command, encoding: CommandEncoding = {}): Uint8Array {
  const { name, transactionId, commandObject, args } = command;
  return encodeValues(COMMAND_TYPES, encoding, [name, transactionId, commandObject, ...args]);
}

/**
 * The command in a message of type 20 or 17. A missing transaction ID is 0, a missing command object `null`.
 * @throws AmfError, and nothing else, for a payload that is none; the receiver counts and ignores it.
 */
export function decodeCommand(message: RtmpMessage): Command {
  const [name, transactionId = 0, commandObject = null, ...args] = decodeValues(message, COMMAND_TYPES);
  if (typeof name !== "string") throw new AmfError("the name of a command is not a string");
  if (typeof transactionId !== "number") throw new AmfError(`the transaction ID of "${name}" is not a number`);
  return { name, transactionId, commandObject, args };
}

/** A whole data message for a flow. A new array. @throws AmfError for a value that AMF cannot carry. */
export function encodeData(data: DataMessage, encoding: CommandEncoding = {}): Uint8Array {
  return encodeValues(DATA_TYPES, encoding, [data.name, ...data.args]);
}

/** The content of a message of type 18 or 15. @throws AmfError, and nothing else, for a payload that is none. */
export function decodeData(message: RtmpMessage): DataMessage {
  const [name, ...args] = decodeValues(message, DATA_TYPES);
  if (typeof name !== "string") throw new AmfError("the handler of a data message is not a string");
  return { name, args };
}

/** Message types of one kind: plain AMF0, and extended with a format selector. */
interface TypePair {
  readonly amf0: number;
  readonly amf3: number;
}

function encodeValues(types: TypePair, encoding: CommandEncoding, values: readonly AmfValue[]): Uint8Array {
  const extended = encoding.objectEncoding === 3;
  const writer = new Amf0Writer();
  for (const value of values) {
    // Simple values mean the same in both, and some receivers expect the name and the number in AMF0.
    if (extended && typeof value === "object" && value !== null) writer.writeAmf3(value);
    else writer.write(value);
  }
  const values0 = writer.finish();
  if (!extended) return encodeMessage(types.amf0, encoding.timestamp ?? 0, values0);
  const payload = new Uint8Array(1 + values0.length);
  payload[0] = FORMAT_AMF;
  payload.set(values0, 1);
  return encodeMessage(types.amf3, encoding.timestamp ?? 0, payload);
}

function decodeValues(message: RtmpMessage, types: TypePair): AmfValue[] {
  const { type, payload } = message;
  if (type !== types.amf0 && type !== types.amf3)
    throw new AmfError(`message type ${type} is not ${types.amf0} or ${types.amf3}`);
  const extended = type === types.amf3;
  if (extended && payload[0] !== FORMAT_AMF)
    throw new AmfError(`format selector ${payload[0]} is not 0 (RFC 7425 §5.3.3)`);
  const reader = new Amf0Reader(extended ? payload.subarray(1) : payload);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.read());
  return values;
}

const COMMAND_TYPES: TypePair = { amf0: MessageType.commandAmf0, amf3: MessageType.commandAmf3 };
const DATA_TYPES: TypePair = { amf0: MessageType.dataAmf0, amf3: MessageType.dataAmf3 };
/** The only format selector defined (§5.3.3). */
const FORMAT_AMF = 0;
