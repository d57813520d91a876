/** Decoded chunks in the words of the recorded listings. */
import {
  type AckChunk,
  ByteWriter,
  type Chunk,
  ChunkType,
  FragmentControl,
  forEachAckedRange,
  toHex,
  type UserDataChunk,
  UserDataFlag,
  writeChunk,
} from "rtmfp-core/proto";
import type { FlowMemory } from "./flow-memory.ts";
import type { Json } from "./json.ts";

/**
 * Each chunk with every name that a listing may use. `direction` tells the flows of one sender from all others. What
 * rests on packets that were left out of the recording is taken from `listed`, the recorded listing.
 */
export function describeChunks(
  chunks: readonly Chunk[],
  direction: string,
  memory: FlowMemory,
  listed: readonly Json[],
): readonly Json[] {
  let flow = 0;
  let sequence = 0;
  return chunks.map((chunk, i) => {
    const writer = new ByteWriter(new Uint8Array(MAX_CHUNK_BYTES));
    writeChunk(writer, chunk);
    const payload = writer.bytes.subarray(CHUNK_HEADER_BYTES, writer.pos);
    const common = { type: hexByte(chunk.type), payload: toHex(payload), length: payload.length };
    if (chunk.type !== ChunkType.userData && chunk.type !== ChunkType.nextUserData) {
      return { ...common, ...describeChunk(chunk) };
    }
    const data = chunk as UserDataChunk;
    if (data.type === ChunkType.userData) {
      flow = data.flowId;
      sequence = data.sequenceNumber;
    } else sequence++;
    const key = `${direction} ${flow}`;
    const note = (name: string): unknown => listed[i]?.[name];
    const message = memory.message(key, sequence, data);
    const { firstByte } = message ?? {};
    return {
      ...common,
      ...describeUserData(data, flow, sequence),
      flowMetadata: memory.metadata(key, data) ?? note("flowMetadata"),
      messageLength: message?.length ?? (isEnd(data) ? note("messageLength") : undefined),
      messageType:
        message === undefined && isEnd(data)
          ? note("messageType")
          : firstByte === undefined
            ? undefined
            : hexByte(firstByte),
    };
  });
}

/** What the listing says otherwise, in words. */
export function compareChunks(listed: readonly Json[], described: readonly Json[]): string[] {
  if (listed.length !== described.length) return [`${described.length} chunks, recorded ${listed.length}`];
  return listed.flatMap((chunk, i) => {
    const differing = Object.keys(chunk).filter((key) => key !== "name" && !same(chunk[key], described[i]?.[key]));
    const name = chunk["name"];
    const wrongName = typeof name === "string" && NAMES[name] !== undefined && NAMES[name] !== chunk["type"];
    return [...(wrongName ? ["name"] : []), ...differing].map(
      (key) => `chunk ${i}: ${key} is ${show(described[i]?.[key])}, recorded ${show(chunk[key])}`,
    );
  });
}

/** Equality of JSON values; the order of keys counts. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A value in a message, cut when long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "unknown";
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

function describeUserData(chunk: UserDataChunk, flow: number, seq: number): Json {
  const control = ((chunk.flags >> 4) & 3) as FragmentControl;
  return {
    flags: chunk.flags,
    flagBits: {
      opt: (chunk.flags & UserDataFlag.options) !== 0,
      fra: Object.keys(FragmentControl).find(
        (name) => FragmentControl[name as keyof typeof FragmentControl] === control,
      ),
      abn: (chunk.flags & UserDataFlag.abandon) !== 0,
      fin: (chunk.flags & UserDataFlag.final) !== 0,
    },
    flow,
    seq,
    impliedSeq: seq,
    fsn: chunk.fsnOffset,
    fsnOffset: chunk.fsnOffset,
    options: chunk.options?.map(({ type, value }) => ({ type, value: toHex(value) })),
    dataLength: chunk.data.length,
  };
}

/** The last of several fragments. */
function isEnd(chunk: UserDataChunk): boolean {
  return ((chunk.flags >> 4) & 3) === FragmentControl.end;
}

/** Fields of a chunk that carries no data; bytes as hex digits. */
function describeChunk(chunk: Chunk): Json {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(chunk)) {
    if (key === "type") continue;
    fields[FIELD_NAMES[key] ?? key] = value instanceof Uint8Array ? toHex(value) : value;
  }
  for (const key of ["initiatorSessionId", "responderSessionId"]) {
    const id = fields[key];
    if (typeof id === "number") fields[key.replace("Id", "ID")] = id.toString(16).padStart(8, "0");
  }
  if (chunk.type === ChunkType.rHello) fields["responderCertificate"] = fields["certificate"];
  if (chunk.type === ChunkType.iiKeying) fields["initiatorCertificate"] = fields["certificate"];
  if (chunk.type === ChunkType.ackBitmap) fields["bitmap"] = fields["body"];
  if (chunk.type === ChunkType.ackRanges) fields["ranges"] = describeRanges(chunk as AckChunk);
  return fields;
}

function describeRanges(ack: AckChunk): readonly Json[] {
  const ranges: Json[] = [];
  let cursor = ack.cumulativeAck;
  forEachAckedRange(ack, (first, last) => {
    ranges.push({ holesMinusOne: first - cursor - 2, receivedMinusOne: last - first });
    cursor = last;
  });
  return ranges;
}

function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

const FIELD_NAMES: Readonly<Record<string, string>> = { flowId: "flow" };
/** Names that listings give to types. */
const NAMES: Readonly<Record<string, string>> = {
  Ping: "0x01",
  SessionClose: "0x0c",
  FIHello: "0x0f",
  UserData: "0x10",
  NextUserData: "0x11",
  BufferProbe: "0x18",
  IHello: "0x30",
  IIKeying: "0x38",
  PingReply: "0x41",
  SessionCloseAck: "0x4c",
  AckBitmap: "0x50",
  AckRange: "0x51",
  AckRanges: "0x51",
  FlowException: "0x5e",
  RHello: "0x70",
  Redirect: "0x71",
  RedirectRHello: "0x71",
  RIKeying: "0x78",
};
const CHUNK_HEADER_BYTES = 3;
const MAX_CHUNK_BYTES = 70_000;
const MAX_SHOWN = 60;
