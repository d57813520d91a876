/** Messages of RTMFP's TC layer (RFC 7425 §5): from what a peer in its right mind might say to noise. */
import { concatBytes } from "rtmfp-core/proto";
import {
  encodeAmf0,
  encodeMessage,
  encodeMetadata,
  encodeUserControl,
  MessageType,
  type UserControl,
} from "rtmfp-core/tc";
import type { Prng } from "rtmfp-core/testing";
import { anyAmf, anyObject } from "./amf.ts";
import { anyNumber, mutate, pick } from "./packets.ts";

/** What a hostile peer knows and repeats. */
export interface Vocabulary {
  /** Peer IDs, names of streams, methods and codes. */
  readonly words: string[];
  /** Transaction IDs that somebody waits for, and others. */
  readonly transactions: number[];
  readonly streamIds: number[];
}

/** A vocabulary without anything of the round's own. */
export function makeVocabulary(): Vocabulary {
  return { words: [...WORDS], transactions: [0, 1, 2, 3], streamIds: [0, 1, 2, 3] };
}

/** One message for a flow. */
export function anyMessage(prng: Prng, known: Vocabulary): Uint8Array {
  const roll = prng.next();
  if (roll < 0.03) return prng.bytes(prng.int(12));
  const message = roll < 0.5 ? anyCommand(prng, known) : roll < 0.65 ? anyControl(prng, known) : anyMedia(prng, known);
  return prng.chance(0.1) ? mutate(prng, message) : message;
}

/** The metadata of a flow: true, lying or none. */
export function anyMetadata(prng: Prng, known: Vocabulary): Uint8Array {
  const roll = prng.next();
  if (roll < 0.05) return prng.bytes(prng.int(500));
  const metadata = encodeMetadata(
    roll < 0.9 ? pick(prng, known.streamIds) : prng.int(0x100_0000),
    prng.chance(0.7) ? "sequence" : "network",
  );
  return prng.chance(0.1) ? mutate(prng, metadata) : metadata;
}

/** A command with a known name, and arguments that suit it or not. */
export function anyCommand(prng: Prng, known: Vocabulary, name: string = pick(prng, COMMANDS)): Uint8Array {
  const values = [encodeAmf0(name)];
  if (prng.chance(0.97))
    values.push(prng.chance(0.97) ? encodeAmf0(anyTransaction(prng, known)) : anyAmf(prng, known.words));
  const objectIsNull = name !== "connect" && prng.chance(0.6);
  if (prng.chance(0.97)) values.push(objectIsNull ? encodeAmf0(null) : anyAmf(prng, known.words));
  if (name === "onStatus" || name === "_result" || name === "_error" || name === "connect") {
    const info = prng.chance(0.7) ? anyStatus(prng, known) : anyAmf(prng, known.words);
    values.push(info);
  } else if (prng.chance(0.6)) values.push(encodeAmf0(prng.chance(0.8) ? pick(prng, known.words) : prng.chance(0.5)));
  for (let i = prng.int(2); i > 0; i--) values.push(anyAmf(prng, known.words));
  return commandOf(prng, concatBytes(...values));
}

function commandOf(prng: Prng, payload: Uint8Array): Uint8Array {
  const times = prng.chance(0.9) ? 0 : anyNumber(prng);
  if (prng.chance(0.7)) return encodeMessage(MessageType.commandAmf0, times, payload);
  return encodeMessage(MessageType.commandAmf3, times, concatBytes(Uint8Array.of(prng.chance(0.97) ? 0 : 3), payload));
}

function anyTransaction(prng: Prng, known: Vocabulary): number {
  return prng.chance(0.9) ? pick(prng, known.transactions) : pick(prng, [Number.NaN, -1, 1e300, anyNumber(prng)]);
}

/** An info object whose code may be one that we wait for. */
function anyStatus(prng: Prng, known: Vocabulary): Uint8Array {
  const more = anyObject(prng, known.words);
  try {
    return encodeAmf0({ level: pick(prng, ["status", "error", "warning", ""]), code: pick(prng, CODES), ...more });
  } catch {
    return encodeAmf0({ code: pick(prng, CODES) });
  }
}

function anyControl(prng: Prng, known: Vocabulary): Uint8Array {
  const streamId = pick(prng, known.streamIds);
  const number = (): number => (prng.chance(0.7) ? prng.int(6) : prng.u32());
  const controls: readonly UserControl[] = [
    { event: "streamBegin", streamId },
    { event: "streamEof", streamId },
    { event: "streamDry", streamId: number() },
    { event: "setBufferLength", streamId, bufferMs: number() },
    { event: "pingRequest", timestamp: number() },
    { event: "pingResponse", timestamp: number() },
    { event: "flowSync", syncId: number(), count: 1 + prng.int(4) },
    { event: "flowSync", syncId: number(), count: 0xffffffff },
    { event: "setKeepalive", serverMs: number(), peerMs: number() },
  ];
  return encodeUserControl(pick(prng, controls));
}

/** Audio, video, data, aggregates, shared objects, and types that mean nothing. */
export function anyMedia(prng: Prng, known: Vocabulary): Uint8Array {
  const timestamp = prng.chance(0.8) ? prng.int(2_000) : anyNumber(prng);
  const type = prng.chance(0.05) ? 7 + prng.int(249) : pick(prng, MEDIA_TYPES);
  return encodeMessage(type, timestamp, payloadOf(prng, known, type));
}

function payloadOf(prng: Prng, known: Vocabulary, type: number): Uint8Array {
  if (type === MessageType.dataAmf0 || type === MessageType.dataAmf3) {
    const name = encodeAmf0(pick(prng, ["@setDataFrame", "@setDataFrame", "@clearDataFrame", pick(prng, known.words)]));
    const handler = prng.chance(0.7) ? encodeAmf0("onMetaData") : anyAmf(prng, known.words);
    const values = concatBytes(name, handler, anyAmf(prng, known.words));
    return type === MessageType.dataAmf0 ? values : concatBytes(Uint8Array.of(0), values);
  }
  if (type === MessageType.aggregate) return anyAggregate(prng);
  const first = pick(prng, [0x17, 0x27, 0x12, 0x22, 0x2f, 0xaf, 0x90, 0xa0, prng.int(256)]);
  return concatBytes(Uint8Array.of(first, prng.int(3)), prng.bytes(prng.int(prng.chance(0.02) ? 40_000 : 120)));
}

/** FLV tags one after another, cut or with lengths that lie. */
function anyAggregate(prng: Prng): Uint8Array {
  const tags = Array.from({ length: prng.int(4) }, () => {
    const data = prng.bytes(prng.int(30));
    const size = prng.chance(0.8) ? data.length : prng.int(0x1000);
    const header = Uint8Array.of(pick(prng, [8, 9, 18, prng.int(256)]), 0, size >> 8, size & 0xff, ...prng.bytes(7));
    return concatBytes(header, data, Uint8Array.of(0, 0, 0, 11 + data.length));
  });
  return concatBytes(...tags);
}

/** What either end understands, and what nobody does. */
const COMMANDS: readonly string[] = [
  "connect",
  "setPeerInfo",
  "createStream",
  "deleteStream",
  "closeStream",
  "publish",
  "play",
  "pause",
  "seek",
  "receiveAudio",
  "receiveVideo",
  "FCPublish",
  "getStreamLength",
  "_result",
  "_result",
  "_error",
  "onStatus",
  "onStatus",
  "close",
  "relay",
  "broadcast",
  "watch",
  "echo",
  "fail",
  "later",
  "odd",
  "kick",
  "hello",
  "__proto__",
  "",
];
const CODES: readonly string[] = [
  "NetConnection.Connect.Success",
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.Failed",
  "NetConnection.Connect.Closed",
  "NetConnection.Call.Failed",
  "NetStream.Publish.Start",
  "NetStream.Publish.BadName",
  "NetStream.Play.Start",
  "NetStream.Play.Reset",
  "NetStream.Play.Stop",
  "NetStream.Play.Failed",
  "NetStream.Play.PublishNotify",
  "NetStream.Play.UnpublishNotify",
  "NetStream.Failed",
  "NetStream.Connect.Closed",
  "NetGroup.Connect.Success",
  "__proto__",
  "No.Such.Code",
];
const WORDS: readonly string[] = [
  "cam",
  "other",
  "live",
  "echo",
  "a",
  "",
  "192.0.2.9:1935",
  "[2001:db8::1]:1",
  "nonsense",
];
const MEDIA_TYPES: readonly number[] = [
  MessageType.audio,
  MessageType.audio,
  MessageType.video,
  MessageType.video,
  MessageType.dataAmf0,
  MessageType.dataAmf3,
  MessageType.aggregate,
  MessageType.sharedObjectAmf0,
  MessageType.sharedObjectAmf3,
  MessageType.commandAmf0,
];
