import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  addressSize,
  canonicalHost,
  formatAddress,
  isLoopback,
  isUnusable,
  networkOf,
  Origin,
  parseAddressText,
  readAddress,
  sameAddress,
  type WireAddress,
  writeAddress,
} from "../../src/proto/address.ts";
import { ByteReader, ByteWriter, buildBytes, fromHex, toHex } from "../../src/proto/bytes.ts";

const ipv4 = fc.ipV4();
const ipv6 = fc.oneof(
  fc.ipV6(),
  // Groups that are often zero, so that runs to shorten come up.
  fc.array(fc.constantFrom("0", "0", "1", "ffff", "00ab"), { minLength: 8, maxLength: 8 }).map((g) => g.join(":")),
);
const port = fc.integer({ min: 1, max: 65535 });

function encode(address: WireAddress): string {
  return toHex(buildBytes(19, (writer) => writeAddress(writer, address)));
}

describe("addresses on the wire", () => {
  it(...rfc("R7016-2.1.5-01", "R7016-2.1.5-02", "V2-18"), "write IPv4 in 7 bytes", () => {
    const address = { host: "192.0.2.100", port: 50000, origin: Origin.observed };
    expect(encode(address)).toBe("02c0000264c350");
    expect(readAddress(new ByteReader(fromHex("02c0000264c350")))).toEqual(address);
    expect(addressSize(address)).toBe(7);
  });

  it(...rfc("R7016-2.1.5-01", "R7016-2.1.5-02", "R7016-2.1.1-01", "V2-19"), "write IPv6 in 19 bytes", () => {
    const address = { host: "2001:db8:1::2", port: 50002, origin: Origin.local };
    const hex = "8120010db8000100000000000000000002c352";
    expect(encode(address)).toBe(hex);
    expect(readAddress(new ByteReader(fromHex(hex)))).toEqual(address);
    expect(addressSize(address)).toBe(19);
  });

  it(...rfc("R7016-2.1.5-02"), "tell the four origins", () => {
    expect(Origin).toEqual({ unknown: 0, local: 1, observed: 2, relay: 3 });
    for (const origin of [0, 1, 2, 3] as const) {
      const hex = `0${origin}7f00000101bb`;
      expect(readAddress(new ByteReader(fromHex(hex)))).toEqual({ host: "127.0.0.1", port: 443, origin });
      expect(encode({ host: "127.0.0.1", port: 443, origin })).toBe(hex);
    }
  });

  it(...rfc("R7016-2-04"), "disregard reserved bits", () => {
    const reader = new ByteReader(fromHex("7e0a0000010050"));
    expect(readAddress(reader)).toEqual({ host: "10.0.0.1", port: 80, origin: Origin.observed });
  });

  it(...rfc("R7016-2-05"), "fail where they are cut off", () => {
    for (const hex of ["02c0000264c350", "8120010db8000100000000000000000002c352"]) {
      const bytes = fromHex(hex);
      for (let end = 0; end < bytes.length; end++) {
        const reader = new ByteReader(bytes, 0, end);
        readAddress(reader);
        expect(reader.failed, `${end} bytes of ${hex}`).toBe(true);
      }
    }
  });

  it("come back from any address", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), port, fc.constantFrom(0, 1, 2, 3), (text, port, origin) => {
        const host = canonicalHost(text) as string;
        const address = { host, port, origin } as WireAddress;
        const bytes = fromHex(encode(address));
        expect(bytes).toHaveLength(addressSize(address));
        expect(readAddress(new ByteReader(bytes))).toEqual(address);
      }),
    );
  });

  it("refuse to write what is no IP address", () => {
    const writer = new ByteWriter(new Uint8Array(19));
    for (const host of ["example.com", "1.2.3", "1::2::3"]) {
      expect(() => writeAddress(writer, { host, port: 1, origin: 0 })).toThrow(`expected an IP address, got "${host}"`);
    }
  });
});

describe("addresses as text", () => {
  it("have one canonical form, the one of RFC 5952", () => {
    const forms: readonly [string, string | undefined][] = [
      ["192.0.2.1", "192.0.2.1"],
      ["192.0.2.256", undefined],
      ["192.0.2", undefined],
      ["1.2.3.4.5", undefined],
      ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
      ["0:0:0:0:0:0:0:0", "::"],
      ["0:0:0:0:0:0:0:1", "::1"],
      ["1:0:0:0:0:0:0:0", "1::"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
      ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
      ["::ffff:c000:0201", "::ffff:192.0.2.1"],
      ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
      ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
      ["fe80::1%eth0", "fe80::1"],
      ["1::2::3", undefined],
      [":::", undefined],
      ["1:2:3:4:5:6:7:8:9", undefined],
      ["1:2:3:4:5:6:7", undefined],
      ["12345::", undefined],
      ["g::", undefined],
      ["::1.2.3.400", undefined],
      ["", undefined],
      ["localhost", undefined],
    ];
    for (const [text, canonical] of forms) expect(canonicalHost(text), text).toBe(canonical);
  });

  it("keep their canonical form, which is an IPv6 address to others too", () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        const host = canonicalHost(text) as string;
        expect(isIPv6(host)).toBe(true);
        expect(canonicalHost(host)).toBe(host);
      }),
    );
  });

  it("go with their port into one string and back", () => {
    expect(formatAddress({ host: "192.0.2.129", port: 50001 })).toBe("192.0.2.129:50001");
    expect(formatAddress({ host: "2001:db8:1::2", port: 50002 })).toBe("[2001:db8:1::2]:50002");
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), port, (text, port) => {
        const address = { host: canonicalHost(text) as string, port };
        const parsed = parseAddressText(formatAddress(address));
        expect(parsed).toEqual(address);
        expect(parsed !== undefined && sameAddress(parsed, address)).toBe(true);
      }),
    );
    const bad = [
      "192.0.2.1",
      "192.0.2.1:0",
      "192.0.2.1:65536",
      "2001:db8::1:80",
      "[192.0.2.1]:80",
      "[::1]",
      "host:80",
      "",
    ];
    for (const text of bad) expect(parseAddressText(text), text).toBeUndefined();
    expect(sameAddress({ host: "::1", port: 1 }, { host: "::1", port: 2 })).toBe(false);
    expect(sameAddress({ host: "::1", port: 1 }, { host: "::2", port: 1 })).toBe(false);
  });

  it(...rfc("AMB-11"), "are known as unusable or loopback, behind an IPv4-mapped form too", () => {
    const unusable = ["0.0.0.0", "224.0.0.1", "239.1.2.3", "255.255.255.255", "::", "ff02::1", "::ffff:224.0.0.1"];
    for (const host of unusable) expect(isUnusable({ host, port: 1 }), host).toBe(true);
    const usable = ["127.0.0.1", "10.0.0.1", "223.255.255.255", "::1", "fe80::1", "ff::1", "ffa::1", "::ffff:10.0.0.1"];
    for (const host of usable) expect(isUnusable({ host, port: 1 }), host).toBe(false);
    expect(isUnusable({ host: "10.0.0.1", port: 0 })).toBe(true);
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
      expect(isLoopback({ host, port: 1 }), host).toBe(true);
    }
    for (const host of ["128.0.0.1", "12.7.0.1", "::", "::127", "::ffff:10.127.0.1"]) {
      expect(isLoopback({ host, port: 1 }), host).toBe(false);
    }
  });
});

describe("the network that rates are counted by", () => {
  const networks = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["::1", "::/64"],
  ] as const;
  for (const [host, network] of networks) {
    it(`of ${host} is ${network}`, () => expect(networkOf(host)).toBe(network));
  }
});
