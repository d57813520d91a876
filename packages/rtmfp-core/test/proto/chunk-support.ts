import fc from "fast-check";
import { expect } from "vitest";
import type { WireAddress } from "../../src/proto/address.ts";
import { canonicalHost } from "../../src/proto/address.ts";
import { buildBytes, concatBytes } from "../../src/proto/bytes.ts";
import { ChunkWalker, writeChunk } from "../../src/proto/chunk/codec.ts";
import { forEachAckedRange } from "../../src/proto/chunk/flow.ts";
import { type AckChunk, type Chunk, ChunkType, type UserDataChunk, UserDataFlag } from "../../src/proto/chunk/types.ts";

export function encode(chunk: Chunk): Uint8Array {
  return buildBytes(70_000, (writer) => writeChunk(writer, chunk));
}

/** The only chunk in `bytes`; undefined if it is malformed. */
export function decode(bytes: Uint8Array): Chunk | undefined {
  const walker = new ChunkWalker(bytes, 0);
  expect(walker.next()).toBe(true);
  expect(walker.end).toBe(bytes.length);
  return walker.decode();
}

/** Runs acknowledged above the cumulative ack. */
export function ranges(ack: AckChunk): number[][] {
  const runs: number[][] = [];
  forEachAckedRange(ack, (first, last) => runs.push([first, last]));
  return runs;
}

/** The chunk's payload cut or replaced, under a header of the right length. */
export function withPayload(type: number, payload: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(type, payload.length >>> 8, payload.length), payload);
}

const small = fc.uint8Array({ maxLength: 40 });
const long = fc.uint8Array({ maxLength: 300 });
const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const uint32 = fc.nat(0xffff_ffff);
const options = fc.array(fc.record({ type: fc.oneof(fc.nat(20), fc.maxSafeNat()), value: small }), { maxLength: 3 });
const address = fc.record({
  host: fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => canonicalHost(text) as string),
  port: fc.nat(65535),
  origin: fc.nat(3),
}) as fc.Arbitrary<WireAddress>;

export const userData: fc.Arbitrary<UserDataChunk> = fc
  .record({
    next: fc.boolean(),
    bits: fc.nat(0x7f),
    flowId: number,
    sequenceNumber: number.map((value) => Math.max(1, value)),
    fsn: fc.nat(100),
    options: fc.option(options, { nil: undefined }),
    data: long,
  })
  .map(({ next, bits, flowId, sequenceNumber, fsn, options, data }) => ({
    type: next ? ChunkType.nextUserData : ChunkType.userData,
    flags: bits | (options === undefined ? 0 : UserDataFlag.options),
    flowId: next ? 0 : flowId,
    sequenceNumber: next ? 0 : sequenceNumber,
    fsnOffset: next ? 0 : Math.max(1, sequenceNumber - fsn),
    options,
    data,
  }));

/** Types that the codec takes apart. */
export const KNOWN = new Set<number>(Object.values(ChunkType).filter((type) => type !== 0x00 && type !== 0xff));

/** Every chunk type by its code, with arbitrary contents. */
export const arbitraries: Record<string, fc.Arbitrary<Chunk>> = {
  fragment: fc.record({
    type: fc.constant(ChunkType.fragment),
    more: fc.boolean(),
    packetId: number,
    index: number,
    data: long,
  }),
  iHello: fc.record({ type: fc.constant(ChunkType.iHello), epd: long, tag: small }),
  forwardedIHello: fc.record({
    type: fc.constant(ChunkType.forwardedIHello),
    epd: long,
    replyAddress: address,
    tag: small,
  }),
  rHello: fc.record({ type: fc.constant(ChunkType.rHello), tagEcho: small, cookie: long, certificate: long }),
  redirect: fc.record({
    type: fc.constant(ChunkType.redirect),
    tagEcho: small,
    destinations: fc.array(address, { maxLength: 5 }),
  }),
  cookieChange: fc.record({ type: fc.constant(ChunkType.cookieChange), oldCookie: long, newCookie: long }),
  iiKeying: fc.record({
    type: fc.constant(ChunkType.iiKeying),
    initiatorSessionId: uint32,
    cookieEcho: small,
    certificate: long,
    skic: long,
    signature: small,
  }),
  riKeying: fc.record({
    type: fc.constant(ChunkType.riKeying),
    responderSessionId: uint32,
    skrc: long,
    signature: small,
  }),
  userData,
  ack: fc.record({
    type: fc.constantFrom(ChunkType.ackBitmap, ChunkType.ackRanges),
    flowId: number,
    bufferBlocks: number,
    cumulativeAck: number,
    body: small,
  }),
  ping: fc.record({ type: fc.constantFrom(ChunkType.ping, ChunkType.pingReply), message: long }),
  bufferProbe: fc.record({ type: fc.constant(ChunkType.bufferProbe), flowId: number }),
  flowException: fc.record({ type: fc.constant(ChunkType.flowException), flowId: number, code: number }),
  close: fc.record({ type: fc.constantFrom(ChunkType.closeRequest, ChunkType.closeAck) }),
  "padding or unknown": fc.record({
    type: fc.nat(255).filter((type) => !KNOWN.has(type)),
    payload: long,
  }),
};
