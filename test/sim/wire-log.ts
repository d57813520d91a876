import type { TraceRecord } from "rtmfp-core";
import { type Chunk, ChunkType, decodePacket } from "rtmfp-core/proto";
import {
  decodeCommand,
  decodeMessage,
  decodeMetadata,
  decodeUserControl,
  type FlowMetadata,
  MessageType,
  namedValues,
} from "rtmfp-core/tc";

type UserDataChunk = Extract<Chunk, { sequenceNumber: number }>;

/** A packet as one end saw it, decrypted. */
export interface LoggedPacket {
  readonly direction: "in" | "out";
  /** `host:port` of the far end. */
  readonly peer: string;
  readonly startup: boolean;
  readonly bytes: Uint8Array;
  readonly datagram: Uint8Array;
  readonly chunks: readonly Chunk[];
}

/** A flow as its first packets describe it, with its messages in short, in order of their numbers. */
export interface LoggedFlow {
  readonly direction: "in" | "out";
  readonly peer: string;
  readonly id: number;
  readonly metadata: FlowMetadata | undefined;
  /** The flow of the other direction that it answers. */
  readonly answers: number | undefined;
  /** `connect`, `onStatus CODE`, `streamBegin`, `audio`, ... */
  readonly messages: readonly string[];
}

/** Keeps what the trace of one end tells; its `hooks` go into the options of a NetConnection or server. */
export class WireLog {
  readonly packets: LoggedPacket[] = [];
  readonly hooks = { trace: (record: TraceRecord): void => this.#add(record) };

  /** Every chunk of a type, in order. */
  chunks<T extends Chunk["type"]>(
    type: T,
  ): { readonly packet: LoggedPacket; readonly chunk: Extract<Chunk, { type: T }> }[] {
    return this.packets.flatMap((packet) =>
      packet.chunks.flatMap((chunk) => (chunk.type === type ? [{ packet, chunk }] : [])),
    ) as never;
  }

  /** All flows, in the order of their first packet. */
  flows(): LoggedFlow[] {
    const flows = new Map<string, { flow: Omit<LoggedFlow, "messages">; parts: Map<number, UserDataChunk> }>();
    for (const { direction, peer, chunks } of this.packets) {
      let last = { flowId: -1, sequenceNumber: 0 };
      for (const chunk of chunks) {
        if (chunk.type !== ChunkType.userData && chunk.type !== ChunkType.nextUserData) continue;
        const data = chunk as UserDataChunk;
        const isNext = chunk.type === ChunkType.nextUserData;
        const flowId = isNext ? last.flowId : data.flowId;
        const sequenceNumber = isNext ? last.sequenceNumber + 1 : data.sequenceNumber;
        last = { flowId, sequenceNumber };
        const key = `${direction} ${peer} ${flowId}`;
        const known = flows.get(key) ?? { flow: begin(direction, peer, flowId, data), parts: new Map() };
        flows.set(key, known);
        if (!known.parts.has(sequenceNumber)) known.parts.set(sequenceNumber, data);
      }
    }
    return [...flows.values()].map(({ flow, parts }) => ({ ...flow, messages: messagesOf(parts) }));
  }

  #add({ direction, peer, startup, packet, datagram }: TraceRecord): void {
    const bytes = packet.slice();
    const chunks = (decodePacket(bytes)?.chunks ?? []).filter((chunk) => chunk !== undefined);
    const at = peer.host.includes(":") ? `[${peer.host}]:${peer.port}` : `${peer.host}:${peer.port}`;
    this.packets.push({ direction, peer: at, startup, bytes, datagram: datagram.slice(), chunks });
  }
}

function begin(direction: "in" | "out", peer: string, id: number, data: UserDataChunk): Omit<LoggedFlow, "messages"> {
  const metadata = data.options?.find(({ type }) => type === 0x00)?.value;
  const answers = data.options?.find(({ type }) => type === 0x0a)?.value;
  return {
    direction,
    peer,
    id,
    metadata: metadata === undefined ? undefined : decodeMetadata(metadata),
    // Flow IDs count up from a small number, so one byte holds them here.
    answers: answers?.[0],
  };
}

function messagesOf(parts: ReadonlyMap<number, UserDataChunk>): string[] {
  const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, chunk]) => chunk);
  return inOrder.flatMap(({ flags, data }) => {
    const control = (flags >> 4) & 3;
    if (control !== WHOLE) return control === BEGIN ? ["fragments"] : [];
    return data.length === 0 ? [] : [short(data)];
  });
}

function short(data: Uint8Array): string {
  const message = decodeMessage(data);
  switch (message?.type) {
    case MessageType.audio:
      return "audio";
    case MessageType.video:
      return "video";
    case MessageType.userControl:
      return decodeUserControl(message.payload)?.event ?? "unknown control";
    case MessageType.commandAmf0:
    case MessageType.commandAmf3: {
      const { name, args } = decodeCommand(message);
      const text = args.filter((arg) => typeof arg === "string" || typeof arg === "number");
      const code = namedValues(args[0])?.["code"];
      return [name, ...(code === undefined ? text : [code])].join(" ");
    }
    default:
      return `type ${message?.type}`;
  }
}

/** Fragment control (RFC 7016 §2.3.11). */
const WHOLE = 0;
const BEGIN = 1;
