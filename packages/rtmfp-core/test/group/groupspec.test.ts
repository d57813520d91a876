import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { defaultProvider } from "../../src/crypto/index.ts";
import { canonicalPart, groupAddressOf, groupIdOf } from "../../src/group/group-id.ts";
import { buildGroupspec, type Groupspec, parseGroupspec, passwordCheck } from "../../src/group/groupspec.ts";
import { GroupspecError } from "../../src/group/groupspec-text.ts";
import { fromHex, toHex } from "../../src/proto/bytes.ts";

const { sha256 } = defaultProvider();
const PEER = "ed".repeat(32);
/** Of a live group of version 2, and of one of version 1. */
const SAMPLE = "G:027f02010101000103010c050e74657374011b00";
const SAMPLE_V1 = "G:0101010c050e6f72663200";

const NOTHING: Groupspec = {
  version: 1,
  routingEnabled: false,
  multicastEnabled: false,
  objectReplicationEnabled: false,
  postingEnabled: false,
  publishPassword: undefined,
  postingPassword: undefined,
  serverChannelEnabled: false,
  peerToPeerDisabled: false,
  name: "",
  uniqueTag: undefined,
  ipMulticastMemberUpdatesEnabled: false,
  ipMulticastAddresses: [],
  bootstrapPeers: [],
  publishAuthorization: undefined,
  postingAuthorization: undefined,
};

describe("a groupspec", () => {
  it(...rfc("G-7", "C-8"), "says what the samples of live groups say", () => {
    expect(parseGroupspec(SAMPLE)).toEqual({
      ...NOTHING,
      version: 2,
      multicastEnabled: true,
      routingEnabled: true,
      postingEnabled: true,
      serverChannelEnabled: true,
      name: "test",
      ipMulticastMemberUpdatesEnabled: true,
    });
    expect(parseGroupspec(SAMPLE_V1)).toEqual({
      ...NOTHING,
      multicastEnabled: true,
      serverChannelEnabled: true,
      name: "orf2",
    });
    expect(buildGroupspec({ name: "orf2", multicastEnabled: true, serverChannelEnabled: true })).toBe(SAMPLE_V1);
  });

  it(...rfc("G-7"), "has each field in its place, byte for byte", () => {
    const one = (spec: Partial<Groupspec>): string => buildGroupspec({ name: "n", ...spec });
    const NAME = "020e6e";
    expect(one({})).toBe(`G:${NAME}00`);
    expect(one({ version: 2 })).toBe(`G:027f02${NAME}00`);
    expect(one({ routingEnabled: true })).toBe(`G:0100${NAME}00`);
    expect(one({ multicastEnabled: true })).toBe(`G:0101${NAME}00`);
    expect(one({ objectReplicationEnabled: true })).toBe(`G:0102${NAME}00`);
    expect(one({ postingEnabled: true })).toBe(`G:0103${NAME}00`);
    expect(one({ publishPassword: Uint8Array.of(1, 2) })).toBe(`G:03050102${NAME}00`);
    expect(one({ postingPassword: Uint8Array.of(1, 2) })).toBe(`G:03070102${NAME}00`);
    expect(one({ serverChannelEnabled: true })).toBe(`G:010c${NAME}00`);
    expect(one({ peerToPeerDisabled: true })).toBe(`G:010d${NAME}00`);
    expect(one({ uniqueTag: new Uint8Array(32).fill(7) })).toBe(`G:${NAME}210e${"07".repeat(32)}00`);
    expect(one({ ipMulticastMemberUpdatesEnabled: true })).toBe(`G:${NAME}011b00`);
    expect(one({ bootstrapPeers: [PEER, "AB".repeat(32)] })).toBe(`G:${NAME}00210b${PEER}210b${"ab".repeat(32)}`);
    expect(one({ publishAuthorization: "pw" })).toBe(`G:${NAME}0003157077`);
    expect(one({ postingAuthorization: "pw" })).toBe(`G:${NAME}0003177077`);
    expect(one({ ipMulticastAddresses: [{ host: "224.0.0.9", port: 1935 }] })).toBe(`G:${NAME}00070ae0000009078f`);
    const sourced = [{ host: "ff3e::1", port: 1935, source: "2001:db8::5" }];
    expect(one({ ipMulticastAddresses: sourced })).toBe(
      `G:${NAME}00230aff3e${"00".repeat(13)}01078f20010db8${"00".repeat(11)}05`,
    );
  });

  it(...rfc("G-7"), "comes back from its text as it was built", () => {
    const password = fc.option(fc.uint8Array({ minLength: 32, maxLength: 48 }), { nil: undefined });
    const text = fc.option(fc.string({ minLength: 1, unit: "grapheme" }), { nil: undefined });
    const host = fc.oneof(fc.ipV4(), fc.constantFrom("ff15::1", "2001:db8::7"));
    const spec = fc.record({
      version: fc.constantFrom(1, 2),
      routingEnabled: fc.boolean(),
      multicastEnabled: fc.boolean(),
      objectReplicationEnabled: fc.boolean(),
      postingEnabled: fc.boolean(),
      publishPassword: password,
      postingPassword: password,
      serverChannelEnabled: fc.boolean(),
      peerToPeerDisabled: fc.boolean(),
      name: fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }),
      uniqueTag: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
      ipMulticastMemberUpdatesEnabled: fc.boolean(),
      ipMulticastAddresses: fc.array(
        fc.tuple(host, fc.integer({ min: 1, max: 65_535 }), fc.boolean()).map(([host, port, hasSource]) => ({
          host,
          port,
          ...(hasSource ? { source: host.includes(":") ? "fe80::2" : "192.0.2.1" } : {}),
        })),
      ),
      bootstrapPeers: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)),
      publishAuthorization: text,
      postingAuthorization: text,
    });
    fc.assert(
      fc.property(spec, (fields) => {
        const built = buildGroupspec(fields);
        expect(parseGroupspec(built)).toEqual(fields);
      }),
    );
  });

  it(...rfc("G-7"), "is one group for all whose part before the end marker is equal, whatever follows", () => {
    const fields = { name: "team 00", version: 2, multicastEnabled: true };
    const group = toHex(groupIdOf(buildGroupspec(fields), sha256));
    const withHints = buildGroupspec({
      ...fields,
      publishAuthorization: "secret",
      bootstrapPeers: [PEER],
      ipMulticastAddresses: [{ host: "224.0.0.9", port: 9 }],
    });
    expect(toHex(groupIdOf(withHints, sha256))).toBe(group);
    expect(toHex(groupIdOf(canonicalPart(withHints), sha256))).toBe(group);
    // The first marker is the end, whatever looks like another one behind it.
    expect(canonicalPart(`${withHints}0001000000`)).toBe(canonicalPart(withHints));
    const others = [
      { ...fields, version: 1 },
      { ...fields, name: "team 01" },
      { ...fields, postingEnabled: true },
      { ...fields, uniqueTag: new Uint8Array(32) },
      { ...fields, publishPassword: passwordCheck("x", "", sha256) },
    ].map((other) => toHex(groupIdOf(buildGroupspec(other), sha256)));
    expect(new Set([group, ...others]).size).toBe(6);
    // The same switches in another order are another text, and so another group.
    const [ab, ba] = ["G:01000101020e6e00", "G:01010100020e6e00"] as const;
    expect(toHex(groupIdOf(ab, sha256))).not.toBe(toHex(groupIdOf(ba, sha256)));
  });

  it(...rfc("G-7"), "hashes once in version 1 and twice from version 2 on, as live groups did", () => {
    expect(canonicalPart(SAMPLE)).toBe("G:027f02010101000103010c050e74657374011b");
    expect(toHex(groupIdOf(SAMPLE, sha256))).toBe("c3ab09fc9d3fd2fe3f4f82762c530b96f2eb1c49d9fe615f48f250545b731dc9");
    expect(toHex(sha256(new TextEncoder().encode(canonicalPart(SAMPLE))))).toBe(
      "8a8b584da2c116ec28b8ce6aeb096d74f68bad5aa70c889264b41c7e9d42fca3",
    );
    expect(canonicalPart(SAMPLE_V1)).toBe("G:0101010c050e6f726632");
    expect(toHex(groupIdOf(SAMPLE_V1, sha256))).toBe(
      "a7b19dcd531386643f069cdfd22e5079361684d7de7cd9893eefd3f873d15309",
    );
  });

  it(...rfc("G-7"), "keeps a password as its hash, behind the salt if there is one", () => {
    expect(toHex(passwordCheck("abc", "", sha256))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    // SHA-256 of "abc" again, whose first letter is the salt here.
    expect(toHex(passwordCheck("bc", "a", sha256))).toBe(
      "61ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it(...rfc("G-7"), "leaves out what nobody knows, and says in one line what is no groupspec", () => {
    expect(parseGroupspec("G:0109020e6e030e020200020a01030bffff")).toEqual({ ...NOTHING, name: "n" });
    for (const [text, why] of [
      ["", "it does not begin with G:"],
      ["hello", "it does not begin with G:"],
      ["G:0", "after G: come pairs of hex digits"],
      ["G:01 00", "after G: come pairs of hex digits"],
      ["G:050e6e00", "the option at byte 0 goes beyond the end"],
      ["G:0101820e6e", "the option at byte 2 goes beyond the end"],
      ["G:020e6e", "its end marker 00 is missing"],
    ] as const) {
      const quoted = JSON.stringify(text);
      expect(() => parseGroupspec(text)).toThrow(new GroupspecError(`${quoted} is not a groupspec: ${why}`));
    }
    expect(() => canonicalPart(`x${"0".repeat(100)}`)).toThrow(/^"x0{59}…" is not a groupspec/);
  });

  it(...rfc("G-7"), "is not built of fields that have no place in one", () => {
    for (const wrong of [
      { name: "" },
      { name: "n", version: 3 },
      { name: "n", uniqueTag: new Uint8Array(31) },
      { name: "n", bootstrapPeers: ["abc"] },
      { name: "n", ipMulticastAddresses: [{ host: "group.example", port: 1 }] },
      { name: "n", ipMulticastAddresses: [{ host: "224.0.0.9", port: 0 }] },
      { name: "n", ipMulticastAddresses: [{ host: "224.0.0.9", port: 1, source: "::1" }] },
    ]) {
      expect(() => buildGroupspec(wrong)).toThrow(RangeError);
    }
  });
});

describe("a place in the ring", () => {
  it(...rfc("G-7"), "is the hash of a peer ID and the two bytes in front of it", () => {
    expect(toHex(groupAddressOf(PEER, sha256))).toBe(toHex(sha256(fromHex(`210f${PEER}`))));
    expect(() => groupAddressOf("ab", sha256)).toThrow(RangeError);
  });
});
