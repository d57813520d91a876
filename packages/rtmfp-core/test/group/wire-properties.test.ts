import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  type ControlMessage,
  decodeControl,
  decodeFragment,
  decodeMulticast,
  encodeControl,
  encodeFragment,
  encodeMulticast,
  type Fragment,
  fragmentIdOf,
  groupFlowKind,
  groupFlowMetadata,
  MAX_REPORTED_ADDRESSES,
  type MulticastMessage,
  mapHas,
} from "../../src/group/index.ts";
import { canonicalHost, toHex, type WireAddress } from "../../src/proto/index.ts";

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const peerId = hash.map(toHex);
const host = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => canonicalHost(text) as string);
const address: fc.Arbitrary<WireAddress> = fc.record({
  host,
  port: fc.nat(0xffff),
  origin: fc.constantFrom(0, 1, 2, 3),
});
const addresses = fc.array(address, { maxLength: MAX_REPORTED_ADDRESSES });
const peer = fc.record({ peerId, ageSeconds: fc.maxSafeNat(), addresses });
const report = fc.record(
  { you: address, addresses, peers: fc.array(peer, { maxLength: 20 }) },
  { requiredKeys: ["addresses", "peers"] },
);
const control: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.record({ type: fc.constant("connect"), groupId: hash, proof: hash, target: peerId }),
  fc.record({ type: fc.constant("prelude") }),
  fc.record({ type: fc.constant("begin"), nearest: fc.boolean() }),
  fc.record({ type: fc.constant("report"), report }),
  fc.record({ type: fc.constant("askClose") }),
);

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const info = fc.record({
  name: fc.string({ unit: "grapheme" }),
  key: hash,
  sendToAll: fc.boolean(),
  windowMs: number,
  updateMs: number,
  fetchMs: number,
  expiryMs: number,
});
const multicast: fc.Arbitrary<MulticastMessage> = fc.oneof(
  fc.record({ type: fc.constant("info"), info }),
  fc.record({ type: fc.constant("end"), last: number }),
  fc.record({ type: fc.constant("map"), newest: number, have: fc.uint8Array() }),
  fc.record({ type: fc.constant("push"), mask: fc.nat(255) }),
  fc.record({ type: fc.constant("pull"), id: number }),
);

const headed = { type: fc.constantFrom(8, 9, 15, 17, 18, 20, 22), timestamp: fc.nat(0xffff_ffff) };
const bare = { type: fc.constant(0), timestamp: fc.constant(0) };
const payload = fc.uint8Array({ maxLength: 1_200 });
const fragment: fc.Arbitrary<Fragment> = fc.oneof(
  fc.record({ kind: fc.constant("whole"), id: number, left: fc.constant(0), ...headed, payload }),
  fc.record({ kind: fc.constant("start"), id: number, left: fc.nat(255), ...headed, payload }),
  fc.record({ kind: fc.constant("next"), id: number, left: fc.nat(255), ...bare, payload }),
  fc.record({ kind: fc.constant("end"), id: number, left: fc.constant(0), ...bare, payload }),
);

/** Any bytes, most of them beginning as a message does. */
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .tuple(fc.constantFrom(0, 1, 2, 0x0a, 0x10, 0x20, 0x21, 0x22, 0x2b, 0x30), fc.uint8Array({ maxLength: 400 }))
    .map(([type, rest]) => Uint8Array.of(type, ...rest)),
);

/** The bytes with one of them changed, or cut off at it. */
const damaged = (bytes: fc.Arbitrary<Uint8Array>) =>
  fc.tuple(bytes, fc.nat(), fc.nat(255), fc.boolean()).map(([whole, at, value, isCut]) => {
    const index = at % whole.length;
    return isCut ? whole.slice(0, index) : whole.with(index, value);
  });

describe("messages between members", () => {
  it(...rfc("G-3", "G-6", "G-7"), "are read as they were written", () => {
    fc.assert(
      fc.property(control, multicast, fragment, (said, stream, part) => {
        expect(decodeControl(encodeControl(said))).toEqual(said);
        expect(decodeMulticast(encodeMulticast(stream))).toEqual(stream);
        const bytes = encodeFragment(part);
        expect(decodeFragment(bytes)).toEqual(part);
        expect(fragmentIdOf(bytes)).toBe(part.id);
      }),
      { numRuns: 300 },
    );
  });

  it(...rfc("G-3", "G-6"), "are read from any bytes without an error, and mean the same when written again", () => {
    const any = fc.oneof(
      noise,
      damaged(control.map(encodeControl)),
      damaged(multicast.map(encodeMulticast)),
      damaged(fragment.map(encodeFragment)),
    );
    fc.assert(
      fc.property(any, (bytes) => {
        const said = decodeControl(bytes);
        if (said !== undefined) expect(decodeControl(encodeControl(said))).toEqual(said);
        const stream = decodeMulticast(bytes);
        if (stream !== undefined) expect(decodeMulticast(encodeMulticast(stream))).toEqual(stream);
        const part = decodeFragment(bytes);
        if (part !== undefined) expect(fragmentIdOf(bytes)).toBe(part.id);
        expect(groupFlowKind(bytes) ?? -1).toBeLessThan(256);
      }),
      { numRuns: 1_000 },
    );
  });

  it(...rfc("G-3"), "map exactly the fragments of their bits", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200)), (ids) => {
        const newest = Math.max(-1, ...ids) + 1;
        const have = new Uint8Array(Math.ceil(newest / 8));
        for (const id of ids) have[(newest - 1 - id) >> 3]! |= 1 << ((newest - 1 - id) & 7);
        for (let id = 0; id <= newest + 20; id++)
          expect(mapHas(newest, have, id)).toBe(id === newest || ids.includes(id));
      }),
    );
  });

  it(...rfc("G-3"), "say in their flows' metadata what they are", () => {
    for (let kind = 0; kind < 256; kind++) expect(groupFlowKind(groupFlowMetadata(kind))).toBe(kind);
  });
});
