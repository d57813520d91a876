import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import {
  buildCertificate,
  type FlashCertificate,
  ordersFirst,
  parseCertificate,
} from "../../../src/crypto/flash/certificate.ts";
import { concatBytes, fromHex, toHex } from "../../../src/proto/bytes.ts";
import { Dice, nodeProvider, providers } from "../support.ts";

function parse(hex: string): FlashCertificate | undefined {
  return parseCertificate(nodeProvider, fromHex(hex));
}

const canonical = "010a02150202150e110e000102030405060708090a0b0c0d0e0f";
const worked = `${canonical}00030eaabb`;
const fingerprint = "31749dcc1871c5a918bda128fdabb9ebc1b7be49afed58131f5ec15c1c4e9d59";

describe("certificates", () => {
  it(
    ...rfc("V2-54", "V2-55", "V2-56", "R7425-4.3.1-01", "R7425-4.3.1-02", "R7425-4.3.2-01"),
    "have a canonical section",
    () => {
      for (const provider of providers) {
        const certificate = parseCertificate(provider, fromHex(worked))!;
        expect(certificate.canonicalSectionLength).toBe(26);
        expect(toHex(certificate.fingerprint)).toBe(fingerprint);
        expect(certificate.id).toBe(fingerprint);
        expect(toHex(certificate.canonicalEpd)).toBe(`210f${fingerprint}`);
        expect(certificate.acceptsAncillaryData).toBe(true);
        expect(certificate.ephemeralGroups).toEqual([2, 14]);
        expect(toHex(certificate.bytes)).toBe(worked);
      }
      for (const tail of ["", "00", "0000", "00030eaabb00"]) expect(parse(canonical + tail)?.id).toBe(fingerprint);
    },
  );

  it(
    ...rfc("R7425-4.3.3-01", "R7425-4.3.3.3-01", "R7425-4.3.3.4-01", "R7425-4.3.3.5-01"),
    "are built as they parse",
    () => {
      const randomness = fromHex("000102030405060708090a0b0c0d0e0f");
      const ephemeral = buildCertificate({ acceptsAncillaryData: true, ephemeralGroups: [2, 14], randomness });
      expect(toHex(ephemeral)).toBe(canonical);
      expect(parse(canonical)?.ephemeralGroups).toEqual([2, 14]);
      const hostname = new TextEncoder().encode("h.example");
      const publicKey = new Dice(1).bytes(128);
      const fixed = buildCertificate({
        hostname,
        staticKeys: [
          { group: 31, publicKey: publicKey.slice(0, 32) },
          { group: 2, publicKey },
        ],
      });
      expect(toHex(fixed).startsWith(`0a00${toHex(hostname)}221d1f`)).toBe(true);
      const parsed = parseCertificate(nodeProvider, fixed)!;
      expect(toHex(parsed.hostname!)).toBe(toHex(hostname));
      expect([...parsed.staticKeys.keys()]).toEqual([31, 2]);
      expect(parsed.staticKeys.get(2)).toEqual(publicKey);
      expect(parsed.acceptsAncillaryData).toBe(false);
      expect(toHex(buildCertificate({ staticKeys: [{ group: 2, publicKey }] }))).toBe(`81021d02${toHex(publicKey)}`);
    },
  );

  it(
    ...rfc("R7425-4.3.3.4-03", "R7425-4.3.3.5-04", "R7425-4.3.3.5-05", "AMB-45"),
    "are not built against the rules",
    () => {
      const publicKey = new Uint8Array(128);
      expect(() => buildCertificate({})).toThrow("either ephemeral groups or static keys");
      expect(() => buildCertificate({ ephemeralGroups: [2], staticKeys: [{ group: 14, publicKey }] })).toThrow(
        "not both",
      );
      expect(() => buildCertificate({ ephemeralGroups: [2, 2] })).toThrow("a group is named twice: 2, 2");
      const twice = [
        { group: 2, publicKey },
        { group: 2, publicKey },
      ];
      expect(() => buildCertificate({ staticKeys: twice })).toThrow("named twice");
    },
  );

  it(...rfc("R7425-4.3.3-02"), "may hold unknown options, which count in the fingerprint", () => {
    const certificate = parse(`03551234${canonical}`)!;
    expect(certificate.ephemeralGroups).toEqual([2, 14]);
    expect(certificate.staticKeys.size).toBe(0);
    expect(certificate.id).toBe(toHex(nodeProvider.sha256(fromHex(`03551234${canonical}`))));
    expect(parse(`0155${canonical}`)?.ephemeralGroups).toEqual([2, 14]);
  });

  it(...rfc("AMB-48"), "with two static keys of one group go by the first", () => {
    const [first, second] = ["11".repeat(32), "22".repeat(32)] as const;
    const certificate = parseCertificate(nodeProvider, fromHex(`221d1f${first}221d1f${second}`));
    expect(toHex(certificate?.staticKeys.get(31) ?? new Uint8Array(0))).toBe(first);
  });

  it(...rfc("R7425-4.2-03", "R7425-4.3.3.4-01"), "may name unknown groups, however large their numbers", () => {
    expect(parse("02156302150e")?.ephemeralGroups).toEqual([99, 14]);
    expect(parse("0b1581ffffffffffffffff7f02150e")?.ephemeralGroups).toEqual([2 ** 64, 14]);
    expect(parse("0b1582808080808080808000")).toBeUndefined();
  });

  it(
    ...rfc("R7425-4.3.3.1-02", "R7425-4.3.3.2-02", "R7425-4.3.3.4-02", "R7425-4.3.3.5-02"),
    "say nothing outside of it",
    () => {
      const certificate = parse("0215020003006869010a02150e051d02010203")!;
      expect(certificate.ephemeralGroups).toEqual([2]);
      expect(certificate.hostname).toBeUndefined();
      expect(certificate.acceptsAncillaryData).toBe(false);
      expect(certificate.staticKeys.size).toBe(0);
      expect(certificate.canonicalSectionLength).toBe(3);
    },
  );

  it(
    ...rfc("AMB-48", "R7425-4.3.3.1-01", "R7425-4.3.3.1-03"),
    "with two hostnames are malformed, unless one does not count",
    () => {
      expect(toHex(parse("0300686902150200")!.hostname!)).toBe("6869");
      expect(parse("0300686903006869021502")).toBeUndefined();
      expect(parse("0300686902150200030068690300686a")?.hostname?.length).toBe(2);
    },
  );

  it(...rfc("R7425-4.3.4-01", "R7425-3-01", "R7425-3-04", "AMB-45"), "are authentic if and only if well formed", () => {
    expect(parse("")?.id).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const bytes = fromHex(worked);
    const whole = new Set([0, 2, 5, 8, 26, 27, 31]);
    for (let length = 0; length <= bytes.length; length++) {
      const parsed = parseCertificate(nodeProvider, bytes.subarray(0, length));
      expect(parsed !== undefined, `${length} bytes`).toBe(whole.has(length));
    }
    expect(parse("03ff0100021502")?.ephemeralGroups).toEqual([2]);
    expect(parse(`${canonical}00040eaabb`)).toBeUndefined();
    expect(parse(`${canonical}00ff`)).toBeUndefined();
    expect(parse("0115")).toBeUndefined();
    expect(parse("021581")).toBeUndefined();
    expect(parse("011d")).toBeUndefined();
  });

  it("keep their own copy of the bytes", () => {
    const bytes = fromHex(worked);
    const certificate = parseCertificate(nodeProvider, bytes)!;
    bytes.fill(0);
    expect(toHex(certificate.bytes)).toBe(worked);
    expect(certificate.selectedBy(fromHex("030a7878"))).toBe(true);
  });

  it("never throw on random or mutated bytes", () => {
    const dice = new Dice(12);
    for (let round = 0; round < 5000; round++) {
      const bytes = dice.below(2) === 0 ? dice.bytes(dice.below(60)) : fromHex(worked);
      if (bytes.length > 0) bytes[dice.below(bytes.length)] = dice.below(256);
      const parsed = parseCertificate(nodeProvider, bytes);
      if (parsed !== undefined) expect(parsed.canonicalSectionLength).toBeLessThanOrEqual(bytes.length);
    }
  });
});

describe("glare", () => {
  it(
    ...rfc("V2-82", "V2-83", "V2-84", "V2-85", "R7425-4.3.6-01", "R7425-4.3.6-02", "R7016-3.2-07"),
    "orders by bytes",
    () => {
      const table: [string, string, boolean][] = [
        ["010a", "010b", true],
        ["01ff", "010b", false],
        ["010a", "010a00", true],
        ["010a00", "010a", false],
        ["010a", "010a", true],
        ["", "00", true],
      ];
      for (const [near, far, prevails] of table) {
        expect(ordersFirst(fromHex(near), fromHex(far)), `${near} against ${far}`).toBe(prevails);
        expect(ordersFirst(fromHex(far), fromHex(near))).toBe(near === far || !prevails);
      }
      const dice = new Dice(13);
      for (let round = 0; round < 500; round++) {
        const a = dice.bytes(dice.below(6));
        const b = concatBytes(a.subarray(0, dice.below(a.length + 1)), dice.bytes(dice.below(3)));
        if (toHex(a) !== toHex(b)) expect(ordersFirst(a, b)).toBe(!ordersFirst(b, a));
      }
    },
  );
});
