import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  decodeControl,
  decodeFragment,
  decodeMulticast,
  encodeControl,
  encodeFragment,
  encodeMulticast,
  GroupFlow,
  groupFlowKind,
  groupFlowMetadata,
  MAX_CONTROL_BYTES,
  mapHas,
} from "../../src/group/index.ts";
import { fromHex, Origin, toHex } from "../../src/proto/index.ts";

const GROUP = "c3ab09fc9d3fd2fe3f4f82762c530b96f2eb1c49d9fe615f48f250545b731dc9";
const V1 = "7a01a88aad6a6e261f22a655c7b4b2c0c501b15a08997db1cc01bbb3da156b62";
const V2 = "c2b09122f6bc8e2b634fde885bfe32389fd354a5f0fa3e0ab801da40ff382134";
const V3 = "e7135a151f35f7f8baa84d06096faee1ec2d47383dc48a12e294e2c8c3b69d76";
const P = "ed47b3dc7027526508735864b705fe65fac16b237d70442bfc1bbabedd403eaf";
const KEY = "9d63beb220147b82850b56abe36558f46e7aecc26ec2fa88f9f44ce8768531f7";
const at = (port: number) => ({ host: "127.0.0.1", port, origin: Origin.observed });
const server = { host: "127.0.0.1", port: 11935, origin: Origin.relay };

/** The hex digits are what the message is written as, and are read as it. */
function control(hex: string, message: NonNullable<ReturnType<typeof decodeControl>>): void {
  expect(decodeControl(fromHex(hex))).toEqual(message);
  expect(toHex(encodeControl(message))).toBe(hex.replaceAll(" ", ""));
}

/** Likewise. */
function multicast(hex: string, message: NonNullable<ReturnType<typeof decodeMulticast>>): void {
  expect(decodeMulticast(fromHex(hex))).toEqual(message);
  expect(toHex(encodeMulticast(message))).toBe(hex.replaceAll(" ", ""));
}

/** Likewise. */
function fragment(hex: string, value: NonNullable<ReturnType<typeof decodeFragment>>): void {
  expect(decodeFragment(fromHex(hex))).toEqual(value);
  expect(toHex(encodeFragment(value))).toBe(hex.replaceAll(" ", ""));
}

describe("flows between members", () => {
  it(...rfc("G-3", "G-6"), "are told by their metadata", () => {
    expect(toHex(groupFlowMetadata(GroupFlow.control))).toBe("47521c");
    expect(Object.values(GroupFlow).map((kind) => groupFlowKind(groupFlowMetadata(kind)))).toEqual([
      0x11, 0x12, 0x18, 0x19, 0x1c, 0x1d,
    ]);
    for (const other of ["", "4752", "4743", "47521c00", "54430400", "475411"]) {
      expect(groupFlowKind(fromHex(other))).toBeUndefined();
    }
  });
});

describe("control messages between members", () => {
  it(...rfc("G-7"), "name the group in hex digits, prove membership, and say whom that is for", () => {
    const proof = "5700da069a3fda22ebfd8483717a32f7a500d962f2804193bd657ddf4b33a7ce";
    const digits = toHex(new TextEncoder().encode(GROUP));
    control(`01 4100${digits} 2101${proof} 2303210f${V2}`, {
      type: "connect",
      groupId: fromHex(GROUP),
      proof: fromHex(proof),
      target: V2,
    });
    const upper = toHex(new TextEncoder().encode(GROUP.toUpperCase()));
    expect(decodeControl(fromHex(`01 0277ff 4100${upper} 2101${proof} 2303210f${V2} 00 ff`))).toMatchObject({
      groupId: fromHex(GROUP),
    });
    for (const wrong of [
      "01",
      `01 4100${digits} 2101${proof}`,
      `01 4100${digits} 2101${proof} 2303210f`,
      `01 4100${digits} 2101${proof} 2303210d${V2}`,
      `01 4100${digits} 2001${proof.slice(2)} 2303210f${V2}`,
      `01 4100${"7a".repeat(64)} 2101${proof} 2303210f${V2}`,
    ])
      expect(decodeControl(fromHex(wrong)), wrong).toBeUndefined();
  });

  it(...rfc("G-6"), "of one byte are read whatever follows", () => {
    control("02", { type: "prelude" });
    control("0e", { type: "begin", nearest: false });
    control("0f", { type: "begin", nearest: true });
    control("0c", { type: "askClose" });
    expect(decodeControl(fromHex("02 0200 0474657374"))).toEqual({ type: "prelude" });
    for (const unknown of ["", "00", "0b", "21", "ff"]) expect(decodeControl(fromHex(unknown))).toBeUndefined();
  });

  it(...rfc("G-6"), "report where the receiver is, where the sender is, and whom it knows", () => {
    control(`0a 080d027f000001b41b 080a037f0000012e9f 00 22210f${V1} 01 010a00`, {
      type: "report",
      report: { you: at(46107), addresses: [server], peers: [{ peerId: V1, ageSeconds: 1, addresses: [] }] },
    });
    const record = (peerId: string, age: string, port: string) =>
      `22210f${peerId} ${age} 0f0a 037f0000012e9f 027f000001${port} 00`;
    control(
      `0a 080d027f000001bc46 0f0a037f0000012e9f027f000001e819 00
       ${record(V1, "01", "b41b")} ${record(V3, "00", "bc46")} ${record(P, "01", "ab45")}`.replace(/\s+/g, " "),
      {
        type: "report",
        report: {
          you: at(48198),
          addresses: [server, at(59417)],
          peers: [
            { peerId: V1, ageSeconds: 1, addresses: [server, at(46107)] },
            { peerId: V3, ageSeconds: 0, addresses: [server, at(48198)] },
            { peerId: P, ageSeconds: 1, addresses: [server, at(43845)] },
          ],
        },
      },
    );
  });

  it(...rfc("G-6"), "report what is known past options, peers and lengths that only others write", () => {
    const report = (hex: string) => {
      const message = decodeControl(fromHex(hex));
      return message?.type === "report" ? message.report : undefined;
    };
    expect(report("0a 0101 0177 080d027f000001b41b 00")).toEqual({ you: at(46107), addresses: [], peers: [] });
    expect(report("0a 00")).toEqual({ addresses: [], peers: [] });
    // Eight IPv6 addresses take 0x99 bytes with the type; a VLU of that is 8119.
    const v6 = "82fd00000000000000000000000000000218cc".repeat(8);
    const addresses = Array.from({ length: 8 }, () => ({ host: "fd00::2", port: 6348, origin: 2 }));
    expect(report(`0a 990a ${v6} 00`)?.addresses).toEqual(addresses);
    expect(report(`0a 81190a ${v6} 00`)?.addresses).toEqual(addresses);
    // A ninth is skipped, a cut one is none, and so is a peer named otherwise.
    expect(report(`0a 812c0a ${v6} ${v6.slice(0, 38)} 00`)?.addresses).toEqual(addresses);
    expect(report("0a 050a027f0000 00")?.addresses).toEqual([]);
    expect(report(`0a 00 03210f55 07 010a00 22210f${V1} 02 00`)?.peers).toEqual([
      { peerId: V1, ageSeconds: 2, addresses: [] },
    ]);
    for (const cut of ["0a", "0a 080d027f", `0a 00 22210f${V1}`, `0a 00 22210f${V1} 01 080a`, "0a 00 22210f"]) {
      expect(report(cut), cut).toBeUndefined();
    }
    expect(report(`0a 00 ${`22210f${V1}0000`.repeat(1_000)}`)?.peers).toHaveLength(256);
  });
});

describe("control messages of members and of streams", () => {
  it(...rfc("G-3", "G-6"), "are not read where they are longer than any that is of use", () => {
    const peer = {
      peerId: V1,
      ageSeconds: 2 ** 40,
      addresses: Array.from({ length: 8 }, () => ({ ...at(1), host: "fd00::1" })),
    };
    const longest = { type: "report", report: { you: at(1), addresses: [], peers: Array(256).fill(peer) } } as const;
    expect(encodeControl(longest).length).toBeLessThan(MAX_CONTROL_BYTES);
    expect(decodeControl(encodeControl(longest))).toEqual(longest);
    for (const [type, decode] of [
      [0x02, decodeControl],
      [0x0a, decodeControl],
      [0x21, decodeMulticast],
      [0x22, decodeMulticast],
    ] as const) {
      const bytes = new Uint8Array(MAX_CONTROL_BYTES + 1).fill(1);
      bytes[0] = type;
      expect(decode(bytes)).toBeUndefined();
    }
    const have = new Uint8Array(MAX_CONTROL_BYTES - 2);
    expect(decodeMulticast(encodeMulticast({ type: "map", newest: 1, have }))).toEqual({
      type: "map",
      newest: 1,
      have,
    });
  });
});

describe("control messages of streams", () => {
  const info = {
    name: "gtest",
    key: fromHex(KEY),
    sendToAll: false,
    windowMs: 8_000,
    expiryMs: 300_000,
    updateMs: 100,
    fetchMs: 2_500,
  };

  it(...rfc("G-3"), "announce a stream and its end", () => {
    multicast(`21 06006774657374 2101${KEY} 0102 0303be40 040492a760 020564 03079344`, { type: "info", info });
    multicast(`21 06006774657374 2101${KEY} 0102 0106 0303be40 040492a760 020564 03079344`, {
      type: "info",
      info: { ...info, sendToAll: true },
    });
    multicast("21 9823", { type: "end", last: 3107 });
    multicast("21 00", { type: "end", last: 0 });
  });

  it(...rfc("G-3"), "mean Flash's values where an announcement does not say them", () => {
    expect(decodeMulticast(fromHex(`21 06006774657374 2101${KEY} 0277ff`))).toEqual({ type: "info", info });
    expect(decodeMulticast(fromHex(`21 0100 2101${KEY}`))).toEqual({ type: "info", info: { ...info, name: "" } });
    for (const wrong of [`21 06006774657374 2001${KEY.slice(2)} 0102`, `21 2101${KEY} 0102 0102`, `21 7f00 2101${KEY}`])
      expect(decodeMulticast(fromHex(wrong)), wrong).toBeUndefined();
  });

  it(...rfc("G-3"), "map what the sender has", () => {
    const have = `${"ff".repeat(14)}3f`;
    multicast(`22 6f ${have}`, { type: "map", newest: 111, have: fromHex(have) });
    multicast("22 10 80", { type: "map", newest: 16, have: fromHex("80") });
    multicast("22 8107", { type: "map", newest: 135, have: fromHex("") });
    const ids = (newest: number, bits: string) =>
      Array.from({ length: newest + 2 }, (_, id) => id).filter((id) => mapHas(newest, fromHex(bits), id));
    expect(ids(16, "80")).toEqual([8, 16]);
    expect(ids(103, "80".repeat(12))).toEqual([7, 15, 23, 31, 39, 47, 55, 63, 71, 79, 87, 95, 103]);
    expect(ids(3, "")).toEqual([3]);
    expect(ids(3, "ff")).toEqual([0, 1, 2, 3]);
  });

  it(...rfc("G-3"), "ask for fragments to be pushed, or for one", () => {
    multicast("23 01", { type: "push", mask: 1 });
    multicast("23 09", { type: "push", mask: 9 });
    multicast("23 00", { type: "push", mask: 0 });
    multicast("2b 66", { type: "pull", id: 102 });
    multicast("2b 8106", { type: "pull", id: 134 });
    for (const wrong of ["", "21", "22", "2281", "23", "2b", "2b80", "24", "0a00"]) {
      expect(decodeMulticast(fromHex(wrong)), wrong).toBeUndefined();
    }
  });
});

describe("fragments", () => {
  const video = { type: 9, timestamp: 103, payload: fromHex("2701000000") };
  const part = { type: 0, timestamp: 0, payload: fromHex("e5dc") };

  it(...rfc("G-3"), "are messages or parts of them", () => {
    fragment("20 18 08 000000d1 af0100e8", {
      kind: "whole",
      id: 24,
      left: 0,
      type: 8,
      timestamp: 209,
      payload: fromHex("af0100e8"),
    });
    fragment("30 10 01 09 00000067 2701000000", { kind: "start", id: 16, left: 1, ...video });
    fragment("10 08 02 e5dc", { kind: "next", id: 8, left: 2, ...part });
    fragment("00 11 e5dc", { kind: "end", id: 17, left: 0, ...part });
    fragment("00 8106", { kind: "end", id: 134, left: 0, ...part, payload: fromHex("") });
    for (const wrong of ["", "20", "2018", "201808000000", "3010", "301001090000", "1008", "0080", "40010203"]) {
      expect(decodeFragment(fromHex(wrong)), wrong).toBeUndefined();
    }
  });

  it(...rfc("G-3"), "may begin without saying how many parts follow", () => {
    expect(decodeFragment(fromHex("30 10 09 00000067 2701000000"))).toEqual({
      kind: "start",
      id: 16,
      left: 0,
      ...video,
    });
    expect(decodeFragment(fromHex("30 10 08 09 00000067 2701000000"))).toEqual({
      kind: "start",
      id: 16,
      left: 8,
      ...video,
    });
  });

  it(...rfc("G-3"), "of more than 256 parts begin with the highest count there is", () => {
    expect(toHex(encodeFragment({ kind: "next", id: 5, left: 300, ...part }))).toBe("1005ffe5dc");
  });
});
