import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { parseCertificate } from "../../../src/crypto/flash/certificate.ts";
import { buildEpd, canonicalEpd, parseEpd, uriEpd } from "../../../src/crypto/flash/epd.ts";
import { concatBytes, fromHex, toHex } from "../../../src/proto/bytes.ts";
import { Dice, nodeProvider } from "../support.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const fingerprint = new Dice(1).bytes(32);

describe("endpoint discriminators", () => {
  it(...rfc("V2-50", "V1-41", "R7425-4.4.1-01", "R7425-4.4.2-01", "R7425-4.4.2.2-01"), "carry the server's URI", () => {
    const epd = uriEpd("rtmfp://server.example.com/app/instance");
    expect(epd.length).toBe(41);
    expect(toHex(epd)).toBe("280a72746d66703a2f2f7365727665722e6578616d706c652e636f6d2f6170702f696e7374616e6365");
    expect(parseEpd(epd)?.ancillaryData).toEqual(text("rtmfp://server.example.com/app/instance"));
  });

  it(...rfc("R7425-4.4.2-01"), "name their options as the RFC does", () => {
    const epd = { fingerprint, hostname: text("h"), ancillaryData: text("u") };
    const hex = `210f${toHex(fingerprint)}020068020a75`;
    expect(toHex(buildEpd(epd))).toBe(hex);
    expect(parseEpd(fromHex(hex))).toEqual(epd);
  });

  it(...rfc("R7425-4.4.1-01"), "are read to their last byte: a Marker ends nothing", () => {
    expect(parseEpd(fromHex("00 020a41 00 020042".replaceAll(" ", "")))).toEqual({
      fingerprint: undefined,
      hostname: text("B"),
      ancillaryData: text("A"),
    });
  });

  it(...rfc("V1-09", "R7425-4.4.4-01", "R7425-4.4.2.3-01"), "are 34 bytes when canonical", () => {
    expect(toHex(canonicalEpd(fingerprint))).toBe(`210f${toHex(fingerprint)}`);
    for (const length of [31, 33]) {
      expect(() => buildEpd({ fingerprint: new Uint8Array(length) })).toThrow(`got ${length}`);
      expect(parseEpd(concatBytes(Uint8Array.of(length + 1, 0x0f), new Uint8Array(length)))).toBeUndefined();
    }
  });

  it(...rfc("R7425-4.4.2.1-01", "R7425-4.4.2-02", "AMB-48"), "skip unknown options and Markers", () => {
    const epd = concatBytes(fromHex("025501"), fromHex("00"), buildEpd({ fingerprint, hostname: text("h") }));
    expect(parseEpd(epd)).toEqual({ fingerprint, hostname: text("h"), ancillaryData: undefined });
  });

  it(
    ...rfc("AMB-48", "R7425-4.4.2.1-02", "R7425-4.4.2.2-02", "R7425-4.4.2.3-02"),
    "with an option twice are malformed",
    () => {
      for (const one of [{ fingerprint }, { hostname: text("h") }, { ancillaryData: text("u") }]) {
        expect(parseEpd(buildEpd(one))).toBeDefined();
        expect(parseEpd(concatBytes(buildEpd(one), buildEpd(one)))).toBeUndefined();
      }
    },
  );

  it(...rfc("R7425-3-04", "R7425-3-01"), "that are cut off select nothing", () => {
    const epd = buildEpd({ fingerprint, hostname: text("host"), ancillaryData: text("rtmfp://a/b") });
    const ends = new Set([0, 34, 40, epd.length]);
    for (let length = 0; length <= epd.length; length++) {
      expect(parseEpd(epd.subarray(0, length)) !== undefined, `${length} bytes`).toBe(ends.has(length));
    }
  });
});

describe("selection", () => {
  const names = { none: undefined, right: text("server.example"), wrong: text("Server.example") };

  it(
    ...rfc("R7425-4.4.3-01", "R7425-4.4.3-02", "R7425-4.4.3-03", "R7425-4.4.3-04", "R7425-4.4.3-05", "AMB-56"),
    "follows the decision table in all its cases",
    () => {
      for (const certHostname of ["none", "right"] as const) {
        for (const accepts of [false, true]) {
          const hostnameOption = certHostname === "none" ? "" : `0f00${toHex(names.right)}`;
          const bytes = fromHex(`${hostnameOption}${accepts ? "010a" : ""}021502`);
          const certificate = parseCertificate(nodeProvider, bytes)!;
          const prints = { none: undefined, right: certificate.fingerprint, wrong: fingerprint };
          for (const print of ["none", "right", "wrong"] as const) {
            for (const host of ["none", "right", "wrong"] as const) {
              for (const ancillaryData of [undefined, text("rtmfp://x/y")]) {
                const epd = buildEpd({ fingerprint: prints[print], hostname: names[host], ancillaryData });
                const hostFits = host === "right" && certHostname === "right";
                const expected =
                  print !== "none"
                    ? print === "right"
                    : (host === "none" || hostFits) &&
                      (ancillaryData === undefined || accepts) &&
                      (host !== "none" || ancillaryData !== undefined);
                const name = `${print} fingerprint, ${host} hostname, ${ancillaryData?.length} ancillary`;
                expect(certificate.selectedBy(epd), name).toBe(expected);
                expect(certificate.selectedBy(epd), `again: ${name}`).toBe(expected);
              }
            }
          }
        }
      }
    },
  );

  it(...rfc("R7016-3.2-01", "R7016-3.2-02", "R7016-3.2-06"), "may find several by URI and one by fingerprint", () => {
    const [one, other] = ["010a021502", "010a02150e"].map((hex) => parseCertificate(nodeProvider, fromHex(hex))!);
    const uri = uriEpd("rtmfp://x/y");
    expect(one!.selectedBy(uri) && other!.selectedBy(uri)).toBe(true);
    expect(one!.selectedBy(one!.canonicalEpd)).toBe(true);
    expect(one!.selectedBy(other!.canonicalEpd)).toBe(false);
    expect(toHex(one!.canonicalEpd)).not.toBe(toHex(other!.canonicalEpd));
  });
});
