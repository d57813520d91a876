/** What four members of a group said to each other, recorded at one of them; some packets of it were left out. */
import { readFileSync } from "node:fs";
import { groupFlowKind } from "../../src/group/index.ts";
import type { Chunk, FlowExceptionChunk, UserDataChunk } from "../../src/proto/chunk/types.ts";
import { ChunkType, concatBytes, decodePacket, FragmentControl, fromHex } from "../../src/proto/index.ts";

/** A message between the recorder and another member. */
export interface RecordedMessage {
  /** Seconds since the recording began. */
  readonly at: number;
  /** Whether the recorder got it rather than sent it. */
  readonly isIncoming: boolean;
  /** Peer ID of the other member. */
  readonly peerId: string;
  /** UDP port of the other member, on loopback. */
  readonly port: number;
  /** Kind of flow, and the flow it answers (the receiver's flow ID), undefined for none. */
  readonly kind: number;
  readonly answers: number | undefined;
  readonly flowId: number;
  /** Sequence number of its last fragment. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** The secrets of one session, as the recorder has them. */
export interface RecordedKeys {
  readonly peer: string;
  readonly myPeerId: string;
  readonly groupTxt: string;
  readonly groupHex: string;
  readonly sharedSecret: string;
  readonly nearNonce: string;
  readonly farNonce: string;
}

/** Ports of the other members on loopback, by peer ID. */
export const PORTS: Readonly<Record<string, number>> = {
  ed47b3dc7027526508735864b705fe65fac16b237d70442bfc1bbabedd403eaf: 43845,
  "7a01a88aad6a6e261f22a655c7b4b2c0c501b15a08997db1cc01bbb3da156b62": 46107,
  e7135a151f35f7f8baa84d06096faee1ec2d47383dc48a12e294e2c8c3b69d76: 48198,
};

/**
 * All complete messages of flows between members, as they went over the wire, the secrets of the sessions, and the codes with
 * which flows were rejected.
 */
export function readRecorded(): { messages: RecordedMessage[]; keys: readonly RecordedKeys[]; rejections: number[] } {
  const url = new URL("../../../../test/fixtures/vectors/mona.json", import.meta.url);
  const { scenarios } = JSON.parse(readFileSync(url, "utf8")) as { scenarios: readonly Scenario[] };
  const scenario = scenarios.find(({ name }) => name === "group-viewer") as Scenario;
  const flows = new Map<string, Flow>();
  const messages = scenario.packets.flatMap((packet) => messagesOf(packet, flows));
  const rejections = scenario.packets.flatMap((packet) =>
    chunksOf(packet).flatMap((chunk) =>
      chunk?.type === ChunkType.flowException ? [(chunk as FlowExceptionChunk).code] : [],
    ),
  );
  return { messages, keys: scenario.groupKeys ?? [], rejections };
}

interface Scenario {
  readonly name: string;
  readonly packets: readonly Packet[];
  readonly groupKeys?: readonly RecordedKeys[];
}

interface Packet {
  readonly tMs: number;
  readonly direction: "in" | "out";
  readonly peerAddress: string;
  readonly sessionId: number;
  readonly plaintext: string;
}

interface Flow {
  kind: number;
  answers: number | undefined;
  parts: Uint8Array[];
  next: number;
}

function messagesOf(packet: Packet, flows: Map<string, Flow>): RecordedMessage[] {
  if (packet.sessionId === 0) return [];
  const port = Number(packet.peerAddress.split(":")[1]);
  const peerId = Object.keys(PORTS).find((id) => PORTS[id] === port);
  if (peerId === undefined) return [];
  let flowId = 0;
  let sequence = 0;
  return chunksOf(packet).flatMap((chunk) => {
    if (chunk?.type !== ChunkType.userData && chunk?.type !== ChunkType.nextUserData) return [];
    const data = chunk as UserDataChunk;
    if (data.type === ChunkType.userData) [flowId, sequence] = [data.flowId, data.sequenceNumber];
    else sequence++;
    const name = `${packet.direction} ${port} ${flowId}`;
    const flow = flows.get(name) ?? { kind: 0, answers: undefined, parts: [], next: 0 };
    flows.set(name, flow);
    for (const { type, value } of data.options ?? []) {
      if (type === 0) flow.kind = groupFlowKind(value) ?? 0;
      if (type === 0x0a) flow.answers = value[0];
    }
    const bytes = join(flow, sequence, data);
    if (bytes === undefined) return [];
    const isIncoming = packet.direction === "in";
    const { kind, answers } = flow;
    return [{ at: packet.tMs / 1_000, isIncoming, peerId, port, kind, answers, flowId, sequence, bytes }];
  });
}

function chunksOf({ plaintext }: Packet): readonly (Chunk | undefined)[] {
  // A checksum of two bytes is in front of the packet.
  return decodePacket(fromHex(plaintext).subarray(2))?.chunks ?? [];
}

/** The message that this fragment completes; undefined if it completes none, or one before it was left out. */
function join(flow: Flow, sequence: number, { flags, data }: UserDataChunk): Uint8Array | undefined {
  const control = (flags >> 4) & 3;
  if (control === FragmentControl.whole) return data.length === 0 ? undefined : data;
  if (control === FragmentControl.begin) flow.parts = [data];
  else if (flow.parts.length === 0 || flow.next !== sequence) flow.parts = [];
  else flow.parts.push(data);
  flow.next = sequence + 1;
  if (control !== FragmentControl.end || flow.parts.length === 0) return undefined;
  const message = concatBytes(...flow.parts);
  flow.parts = [];
  return message;
}
