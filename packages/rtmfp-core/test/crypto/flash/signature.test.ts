import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { createFlashProfile } from "../../../src/crypto/flash/profile.ts";
import { type PasswordCredential, signParameters, verifyPasswords } from "../../../src/crypto/flash/signature.ts";
import { concatBytes, fromHex, toHex } from "../../../src/proto/bytes.ts";
import { Dice, nodeProvider, providers } from "../support.ts";

function credential(id: string, password: string): PasswordCredential {
  return { id: new TextEncoder().encode(id), password: new TextEncoder().encode(password) };
}

const parameters = new Dice(1).bytes(100);
const alice = credential("alice", "correct horse");
const bob = credential("bob", "battery staple");

describe("simple passwords", () => {
  it(...rfc("R7425-4.3.5.1.1-01", "R7425-4.3.5.1-01", "R7425-4.3.5-01"), "are an HMAC and the password's name", () => {
    for (const provider of providers) {
      const signature = signParameters(provider, [alice], parameters);
      const hmac = provider.createHmacKey(alice.password).digest(parameters);
      expect(toHex(signature)).toBe(`261d${toHex(hmac)}${toHex(alice.id)}`);
      expect(verifyPasswords(provider, [alice], signature, parameters)).toBe(true);
      expect(verifyPasswords(provider, [alice], signature, parameters.subarray(1))).toBe(false);
      const second = signParameters(provider, [bob], parameters);
      expect(signParameters(provider, [alice, bob], parameters)).toEqual(concatBytes(signature, second));
    }
  });

  it(...rfc("R7425-4.3.5.1.1-02", "R7425-4.3.5.1.1-03"), "need one known and none of the known wrong", () => {
    const wrongBob = credential("bob", "password");
    const table: [PasswordCredential[], PasswordCredential[], boolean][] = [
      [[alice, bob], [bob], true],
      [[alice, bob], [alice, bob], true],
      [[alice, wrongBob], [alice, bob], false],
      [[wrongBob, alice], [alice, bob], false],
      [[alice, wrongBob], [alice], true],
      [[alice], [bob], false],
      [[], [bob], false],
    ];
    for (const [signers, accepted, valid] of table) {
      const signature = signParameters(nodeProvider, signers, parameters);
      expect(verifyPasswords(nodeProvider, accepted, signature, parameters)).toBe(valid);
    }
  });

  it(...rfc("R7425-4.3.5-01", "R7425-4.3.5.1-02", "AMB-48"), "stand beside unknown options and Markers", () => {
    const signature = concatBytes(fromHex("0355010200"), signParameters(nodeProvider, [bob], parameters));
    expect(verifyPasswords(nodeProvider, [bob], signature, parameters)).toBe(true);
  });

  it(...rfc("R7425-4.3.5-03"), "in a malformed field count for nothing", () => {
    const signature = signParameters(nodeProvider, [bob], parameters);
    for (let length = 0; length < signature.length; length++) {
      expect(verifyPasswords(nodeProvider, [bob], signature.subarray(0, length), parameters)).toBe(false);
    }
    const tail = [fromHex("58"), fromHex("021d00")];
    for (const junk of tail) {
      expect(verifyPasswords(nodeProvider, [bob], concatBytes(signature, junk), parameters)).toBe(false);
    }
  });
});

describe("the profile's signatures", () => {
  const identity = { keys: "ephemeral" } as const;

  it(...rfc("R7425-4.3.5-02", "V1-10"), "are the byte 58 when there is nothing to sign with", () => {
    expect(toHex(createFlashProfile({ identity }).sign(parameters))).toBe("58");
  });

  it(...rfc("R7425-4.3.5-04", "V1-10"), "are all accepted when none is required", () => {
    const profile = createFlashProfile({ identity });
    for (const signature of ["", "58", "ffff", "031d0000"]) {
      expect(profile.verify(fromHex(signature), parameters)).toBe(true);
    }
  });

  it(
    ...rfc("R7425-4.3.5-05", "R7425-4.3.5-03", "AMB-71"),
    "must be one of the accepted passwords when required",
    () => {
      const signer = createFlashProfile({ identity, passwords: [alice] });
      const verifier = createFlashProfile({ identity, acceptedPasswords: [alice] });
      expect(verifier.verify(signer.sign(parameters), parameters)).toBe(true);
      for (const signature of ["", "58", "ffff"]) expect(verifier.verify(fromHex(signature), parameters)).toBe(false);
      const nobody = createFlashProfile({ identity, acceptedPasswords: [] });
      expect(nobody.verify(signer.sign(parameters), parameters)).toBe(false);
    },
  );
});
