import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { createUnprotectedTestProfile } from "../../src/crypto/plain.ts";
import { fromHex, toHex } from "../../src/proto/bytes.ts";

describe("the unprotected test profile", () => {
  const [alice, bob] = ["0a0a", "0b0b"].map((name) => createUnprotectedTestProfile(fromHex(name)));

  it("names endpoints by their certificates", () => {
    expect(alice!.id).toBe("0a0a");
    expect(alice!.selectsSelf(fromHex("0a0a"))).toBe(true);
    expect(alice!.selectsSelf(fromHex("0b0b"))).toBe(false);
    expect(alice!.parseCertificate(new Uint8Array(0))).toBeUndefined();
    const far = alice!.parseCertificate(bob!.certificate)!;
    expect(far.selectedBy(far.canonicalEpd)).toBe(true);
    expect(alice!.prevailsOver(far)).toBe(true);
    expect(bob!.prevailsOver(bob!.parseCertificate(alice!.certificate)!)).toBe(false);
  });

  it("keys both ends with mirrored nonces", () => {
    const initiation = alice!.initiate(alice!.parseCertificate(bob!.certificate)!)!.finish({})!;
    const response = bob!.respond(bob!.parseCertificate(alice!.certificate)!, initiation.skic)!.finish({})!;
    const keys = initiation.complete(response.skrc)!.finish({})!;
    expect(toHex(keys.nearNonce)).toBe(toHex(response.keys.farNonce));
    expect(toHex(keys.farNonce)).toBe(toHex(response.keys.nearNonce));
    expect(toHex(keys.nearNonce)).not.toBe(toHex(keys.farNonce));
    expect(initiation.complete(new Uint8Array(3))).toBeUndefined();
    expect(bob!.respond(bob!.parseCertificate(alice!.certificate)!, new Uint8Array(3))).toBeUndefined();
  });

  it("carries packets as they are, in memory of their own", () => {
    const cipher = alice!.startupCipher;
    const buffer = fromHex("01020304050607");
    expect(cipher.packetCapacity(100)).toBe(96);
    expect(cipher.seal(buffer, 2, 5)).toBe(5);
    const sealed = buffer.subarray(2, 5);
    const opened = cipher.open(sealed)!;
    buffer.fill(0);
    expect(toHex(opened)).toBe("030405");
    expect(cipher.open(new Uint8Array(0))).toBeUndefined();
    expect(cipher.failure).toBe("size");
  });
});
