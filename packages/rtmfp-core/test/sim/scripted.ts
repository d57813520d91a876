import type { Address } from "../../src/proto/address.ts";
import { ByteReader, ByteWriter, toHex } from "../../src/proto/bytes.ts";
import { decodePacket, encodePacket } from "../../src/proto/chunk/codec.ts";
import { forEachAckedRange } from "../../src/proto/chunk/flow.ts";
import {
  type AckChunk,
  type Chunk,
  ChunkType,
  FragmentControl,
  type UserDataChunk,
  UserDataFlag,
} from "../../src/proto/chunk/types.ts";
import type { Option } from "../../src/proto/option.ts";
import { type PacketHeader, STARTUP_HEADER, scrambleSessionId, unscrambleSessionId } from "../../src/proto/packet.ts";
import type { Session } from "../../src/proto/session.ts";
import type { SimCarrier, SimHost, SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode } from "./raw.ts";

/** The decoded chunks of the given types. */
export type ChunkOf<T extends number> = Chunk extends infer C
  ? C extends { type: infer U }
    ? number extends U
      ? never
      : [T & U] extends [never]
        ? never
        : C
    : never
  : never;

/** A packet as the scripted far end received it. */
export interface Arrival {
  readonly at: number;
  readonly from: Address;
  /** Unsigned. */
  readonly sessionId: number;
  readonly header: PacketHeader;
  readonly chunks: readonly Chunk[];
  readonly datagram: Uint8Array;
}

/**
 * A far end without a mind of its own, in the unprotected profile: it sends just the chunks it is told to and keeps
 * what it receives.
 */
export class Scripted {
  readonly name: Uint8Array;
  readonly carrier: SimCarrier;
  readonly address: Address;
  readonly arrivals: Arrival[] = [];
  /** The ID that we receive on. */
  nearId = 0x0b0b0b0b;
  /** The ID that the far end receives on. */
  farId = 0;
  mode: 1 | 2 = 2;
  peer: Address;
  /** Header fields of session packets beyond the mode. */
  header: Partial<PacketHeader> = {};
  #taken = 0;

  constructor(host: SimHost, name: string, peer: Address, port = 0) {
    this.name = nameOf(name);
    this.peer = peer;
    this.carrier = host.open([{ port }]);
    this.address = { host: host.addresses[0] as string, port: this.carrier.sockets[0]?.address.port ?? 0 };
    this.carrier.onDatagram = (bytes, from) => {
      const sessionId = unscrambleSessionId(bytes) >>> 0;
      const packet = decodePacket(bytes.subarray(4));
      if (packet === undefined) throw new Error("the endpoint sent a packet without a header");
      const chunks = packet.chunks.map((chunk) => {
        if (chunk === undefined) throw new Error(`the endpoint sent a malformed chunk: ${toHex(bytes.subarray(4))}`);
        return chunk;
      });
      this.arrivals.push({ at: this.carrier.now(), from, sessionId, header: packet.header, chunks, datagram: bytes });
    };
  }

  /** What arrived since the last call. */
  take(): readonly Arrival[] {
    const news = this.arrivals.slice(this.#taken);
    this.#taken = this.arrivals.length;
    return news;
  }

  /** The chunks of {@link take}, as {@link say} writes them. */
  heard(): string[] {
    return this.take().flatMap((arrival) => arrival.chunks.map(say));
  }

  /** Chunks of one type in what {@link take} gives. */
  takeChunks<T extends number>(...types: T[]): ChunkOf<T>[] {
    return this.take().flatMap(({ chunks }) => chunks.filter((chunk) => types.includes(chunk.type as T))) as never;
  }

  /** Sends one packet of the session. */
  send(...chunks: Chunk[]): void {
    this.sendRaw(this.farId, { ...STARTUP_HEADER, mode: this.mode, ...this.header }, chunks);
  }

  /** Sends one startup packet. */
  sendStartup(sessionId: number, ...chunks: Chunk[]): void {
    this.sendRaw(sessionId, STARTUP_HEADER, chunks);
  }

  sendRaw(sessionId: number, header: PacketHeader, chunks: readonly Chunk[], to: Address = this.peer): void {
    this.carrier.send(encodeDatagram(sessionId, header, chunks), 0, to);
  }
}

/** A datagram of the unprotected profile. */
export function encodeDatagram(sessionId: number, header: PacketHeader, chunks: readonly Chunk[]): Uint8Array {
  const buffer = new Uint8Array(70_000);
  const writer = new ByteWriter(buffer, 4);
  encodePacket(writer, header, chunks);
  scrambleSessionId(buffer, writer.pos, sessionId | 0);
  return buffer.slice(0, writer.pos);
}

/** Opens a session between a node and a scripted far end that plays the given role. */
export function openScripted(
  world: SimWorld,
  node: RawNode,
  far: Scripted,
  role: "initiator" | "responder" = "responder",
): Session {
  if (role === "responder") {
    const session = node.endpoint.open(node.driver.now(), far.name, {
      candidates: [{ address: far.address, via: 0 }],
    });
    world.run(50);
    const hello = far.takeChunks(ChunkType.iHello)[0];
    if (hello === undefined) throw new Error("no IHello");
    far.sendStartup(0, {
      type: ChunkType.rHello,
      tagEcho: hello.tag,
      cookie: new Uint8Array(64).fill(7),
      certificate: far.name,
    });
    world.run(50);
    const keying = far.takeChunks(ChunkType.iiKeying)[0];
    if (keying === undefined) throw new Error("no IIKeying");
    far.farId = keying.initiatorSessionId;
    far.mode = 2;
    far.sendStartup(far.farId, riKeying(far));
    world.run(50);
    if (!session.isOpen) throw new Error("the session is not open");
    return session;
  }
  far.mode = 1;
  const cookie = fetchCookie(world, node, far);
  far.sendStartup(0, iiKeying(far, cookie));
  world.run(50);
  const reply = far.takeChunks(ChunkType.riKeying)[0];
  if (reply === undefined) throw new Error("no RIKeying");
  far.farId = reply.responderSessionId;
  return node.endpoint.sessions.get(far.farId | 0) as Session;
}

/** Says hello to a node and gives the cookie of its answer. */
export function fetchCookie(world: SimWorld, node: RawNode, far: Scripted): Uint8Array {
  far.sendStartup(0, { type: ChunkType.iHello, epd: node.endpoint.profile.certificate, tag: nameOf("tag-0123") });
  world.run(50);
  const hello = far.takeChunks(ChunkType.rHello)[0];
  if (hello === undefined) throw new Error("no RHello");
  return hello.cookie;
}

/** An IIKeying of the unprotected profile, whose keying component is 32 bytes of any kind. */
export function iiKeying(far: Scripted, cookieEcho: Uint8Array, skicByte = 3): Chunk {
  return {
    type: ChunkType.iiKeying,
    initiatorSessionId: far.nearId,
    cookieEcho,
    certificate: far.name,
    skic: new Uint8Array(32).fill(skicByte),
    signature: new Uint8Array(0),
  };
}

export function riKeying(far: Scripted): Chunk {
  return {
    type: ChunkType.riKeying,
    responderSessionId: far.nearId,
    skrc: new Uint8Array(32).fill(9),
    signature: new Uint8Array(0),
  };
}

export interface DataOptions {
  readonly data?: Uint8Array | number | string;
  readonly control?: number;
  readonly abandon?: boolean;
  readonly final?: boolean;
  readonly options?: readonly Option[];
}

/** User Data: flow, number, and the offset of the forward sequence number. */
export function data(flowId: number, sequenceNumber: number, fsnOffset: number, options: DataOptions = {}): Chunk {
  return {
    type: ChunkType.userData,
    flags: flagsOf(options),
    flowId,
    sequenceNumber,
    fsnOffset,
    options: options.options,
    data: bytesOf(options.data),
  };
}

/** Next User Data. */
export function next(options: DataOptions = {}): Chunk {
  return {
    type: ChunkType.nextUserData,
    flags: flagsOf(options),
    flowId: 0,
    sequenceNumber: 0,
    fsnOffset: 0,
    options: options.options,
    data: bytesOf(options.data),
  };
}

/** Metadata, and the flow answered, for the first chunk of a flow. */
export function startup(metadata = "m", answers?: number): readonly Option[] {
  const options: Option[] = [{ type: 0x00, value: nameOf(metadata) }];
  if (answers !== undefined) options.push({ type: 0x0a, value: Uint8Array.of(answers) });
  return options;
}

/** A range acknowledgement of 0 to `cumulative` and the given `[first, last]` ranges. */
export function ack(
  flowId: number,
  blocks: number,
  cumulative: number,
  ...ranges: (readonly [first: number, last: number])[]
): Chunk {
  const writer = new ByteWriter(new Uint8Array(16 * ranges.length));
  let cursor = cumulative;
  for (const [first, last] of ranges) {
    writer.vlu(first - cursor - 2);
    writer.vlu(last - first);
    cursor = last;
  }
  const body = writer.bytes.slice(0, writer.pos);
  return { type: ChunkType.ackRanges, flowId, bufferBlocks: blocks, cumulativeAck: cumulative, body };
}

/**
 * A chunk in the notation of the traces: `A 0-30,32`, `D 45 o15 f30` with ABN, FIN and OPT; for others their name.
 * Next User Data is `N`.
 */
export function say(chunk: Chunk): string {
  switch (chunk.type) {
    case ChunkType.userData: {
      const { flags, sequenceNumber: sn, fsnOffset } = chunk as UserDataChunk;
      return `D ${sn} o${fsnOffset} f${sn - fsnOffset}${sayFlags(flags)}`;
    }
    case ChunkType.nextUserData:
      return `N${sayFlags((chunk as UserDataChunk).flags)}`;
    case ChunkType.ackBitmap:
    case ChunkType.ackRanges:
      return `A ${acked(chunk as AckChunk)}`;
    default:
      return nameOfType(chunk.type);
  }
}

/** The numbers that an acknowledgement names, as `0-30,32`. */
export function acked(chunk: AckChunk): string {
  const ranges = [`0${chunk.cumulativeAck > 0 ? `-${chunk.cumulativeAck}` : ""}`];
  forEachAckedRange(chunk, (first, last) => ranges.push(first === last ? `${first}` : `${first}-${last}`));
  return ranges.join(",");
}

/** Fragment control as the flags hold it. */
export { FragmentControl };

function flagsOf({ control = 0, abandon = false, final = false, options }: DataOptions): number {
  return (
    (control << 4) |
    (abandon ? UserDataFlag.abandon : 0) |
    (final ? UserDataFlag.final : 0) |
    (options === undefined ? 0 : UserDataFlag.options)
  );
}

function bytesOf(value: Uint8Array | number | string | undefined): Uint8Array {
  if (typeof value === "string") return nameOf(value);
  return typeof value === "number" ? new Uint8Array(value).fill(0x61) : (value ?? new Uint8Array(0));
}

function sayFlags(flags: number): string {
  return (
    (flags & UserDataFlag.abandon ? " ABN" : "") +
    (flags & UserDataFlag.final ? " FIN" : "") +
    (flags & UserDataFlag.options ? " OPT" : "")
  );
}

function nameOfType(type: number): string {
  const found = Object.entries(ChunkType).find(([, value]) => value === type);
  return found?.[0] ?? `0x${toHex(Uint8Array.of(type))}`;
}

/** The text of a message. */
export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Reads a VLU at the start of the bytes. */
export function vluOf(bytes: Uint8Array): number {
  return new ByteReader(bytes).vlu();
}
