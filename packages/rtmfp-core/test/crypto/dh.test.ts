import { getDiffieHellman } from "node:crypto";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { agree, generateKeyPair, keyPairOf } from "../../src/crypto/dh.ts";
import { bigintFromBytes, isAcceptablePublicKey, isKnownGroup, modpGroup, padTo } from "../../src/crypto/dh-groups.ts";
import type { CryptoProvider } from "../../src/crypto/primitives.ts";
import { concatBytes, fromHex, toHex } from "../../src/proto/bytes.ts";
import { nodeProvider, providers } from "./support.ts";

const p2 = modpGroup(2)!.prime;

function key(value: bigint): Uint8Array {
  return padTo(fromHex(value.toString(16).padStart(256, "0")), 128);
}

/** A provider whose exponentiation always ends in `secret`. */
function fixedSecret(secret: Uint8Array): CryptoProvider {
  const dhKey = { publicKey: () => key(3n ** 300n), agree: () => secret };
  return { ...nodeProvider, modpKey: () => dhKey, x25519Key: () => dhKey };
}

describe("MODP public keys", () => {
  it(...rfc("R7425-4.2-01", "R7425-4.2-02"), "belong to the groups of RFC 2409 and RFC 3526", () => {
    for (const id of [2, 5, 14, 16]) {
      const known = getDiffieHellman(`modp${id}`);
      expect(toHex(modpGroup(id)?.primeBytes ?? new Uint8Array(0))).toBe(known.getPrime("hex"));
      expect(known.getGenerator("hex")).toBe("02");
    }
  });

  it(...rfc("R7425-4.6.2-01"), "must lie between 2^24 and p - 2^24 and have 16 bits of each kind", () => {
    const busy = 0x5555_5555_5555_5555n << 200n;
    const table: [string, bigint, boolean][] = [
      ["0", 0n, false],
      ["1", 1n, false],
      ["2^24 - 1", 2n ** 24n - 1n, false],
      ["2^24", 2n ** 24n, false],
      ["2^500", 2n ** 500n, false],
      ["15 ones, many zeros", (2n ** 15n - 1n) << 100n, false],
      ["16 ones, many zeros", (2n ** 16n - 1n) << 100n, true],
      ["all ones, 600 bits", 2n ** 600n - 1n, false],
      ["15 zeros, many ones", (2n ** 600n - 1n) << 15n, false],
      ["16 zeros, many ones", (2n ** 600n - 1n) << 16n, true],
      ["an ordinary one", busy, true],
      ["p - 2^24 - 1", p2 - 2n ** 24n - 1n, true],
      ["p - 2^24", p2 - 2n ** 24n, true],
      ["p - 2^24 + 1", p2 - 2n ** 24n + 1n, false],
      ["p - 1", p2 - 1n, false],
      ["p", p2, false],
      ["p + an ordinary one", p2 + 2n ** 20n, false],
    ];
    for (const [name, value, fit] of table) expect(isAcceptablePublicKey(2, key(value)), name).toBe(fit);
  });

  it(...rfc("AMB-47"), "may have any length: leading zeros are stripped and do not count as zero bits", () => {
    const value = key((2n ** 16n - 1n) << 100n);
    const short = fromHex("ffff0000");
    for (const bytes of [value, concatBytes(new Uint8Array(300), value), value.subarray(100)]) {
      expect(isAcceptablePublicKey(2, bytes)).toBe(true);
    }
    expect(isAcceptablePublicKey(2, short)).toBe(true);
    expect(isAcceptablePublicKey(2, fromHex("00000000ffff8000"))).toBe(false);
    expect(isAcceptablePublicKey(2, new Uint8Array(0))).toBe(false);
    expect(isAcceptablePublicKey(2, new Uint8Array(500))).toBe(false);
    expect(isAcceptablePublicKey(2, new Uint8Array(129).fill(0xa5))).toBe(false);
  });

  it("of X25519 are 32 bytes, whatever their bits", () => {
    expect(isAcceptablePublicKey(31, new Uint8Array(32))).toBe(true);
    expect(isAcceptablePublicKey(31, new Uint8Array(31).fill(1))).toBe(false);
    expect(isAcceptablePublicKey(31, new Uint8Array(33).fill(1))).toBe(false);
  });

  it(...rfc("R7425-4.2-03"), "of unknown groups are never acceptable", () => {
    expect(isKnownGroup(15)).toBe(false);
    expect(isAcceptablePublicKey(15, key(3n ** 300n))).toBe(false);
    expect(() => generateKeyPair(nodeProvider, 15, nodeProvider.randomBytes)).toThrow(
      "group 2, 5, 14, 16 or 31, got 15",
    );
  });
});

describe("the shared secret", () => {
  it(...rfc("R7425-4.6.2-03", "V1-08"), "loses its leading zero bytes in MODP groups", () => {
    const padded = concatBytes(new Uint8Array(123), fromHex("0123456789"));
    const secret = agree(fixedSecret(padded), 2, Uint8Array.of(9), key(3n ** 300n));
    expect(toHex(secret!)).toBe("0123456789");
    expect(bigintFromBytes(secret!)).toBe(4886718345n);
  });

  it("of a real agreement is stripped alike at both ends when it happens to be short", () => {
    // The first far exponent whose secret with exponent 0x10001 begins with a zero byte.
    const near = keyPairOf(nodeProvider, 2, fromHex("ffff00010001ffff00010001ffff0001"));
    for (let x = 1; ; x++) {
      const far = keyPairOf(nodeProvider, 2, fromHex(`ffff0001ffff${x.toString(16).padStart(4, "0")}`));
      const secret = agree(nodeProvider, 2, near.privateKey, far.publicKey)!;
      if (secret.length === 128) continue;
      expect(secret.length).toBe(127);
      expect(secret[0]).not.toBe(0);
      for (const provider of providers) {
        expect(toHex(agree(provider, 2, far.privateKey, near.publicKey)!)).toBe(toHex(secret));
      }
      break;
    }
  });

  it("of group 31 keeps its leading zeros", () => {
    const secret = concatBytes(new Uint8Array(5), new Uint8Array(27).fill(7));
    expect(agree(fixedSecret(secret), 31, new Uint8Array(32), new Uint8Array(32).fill(9))).toEqual(secret);
  });

  it(...rfc("AMB-52"), "is refused if it is 0 or 1, and in group 31 if it is zero", () => {
    const far = key(3n ** 300n);
    expect(agree(fixedSecret(new Uint8Array(128)), 2, Uint8Array.of(9), far)).toBeUndefined();
    expect(agree(fixedSecret(padTo(Uint8Array.of(1), 128)), 2, Uint8Array.of(9), far)).toBeUndefined();
    expect(agree(fixedSecret(padTo(Uint8Array.of(2), 128)), 2, Uint8Array.of(9), far)).toEqual(Uint8Array.of(2));
    expect(agree(fixedSecret(new Uint8Array(32)), 31, new Uint8Array(32), new Uint8Array(32).fill(9))).toBeUndefined();
  });

  it("with points of low order is refused by both providers", () => {
    const lowOrder = [
      "00".repeat(32),
      `01${"00".repeat(31)}`,
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ];
    for (const provider of providers) {
      const { privateKey } = generateKeyPair(provider, 31, provider.randomBytes);
      for (const point of lowOrder) expect(agree(provider, 31, privateKey, fromHex(point)), point).toBeUndefined();
    }
  });

  it("is refused for an unacceptable far key before anything is computed", () => {
    const never: CryptoProvider = {
      ...nodeProvider,
      modpKey: () => {
        throw new Error("computed");
      },
    };
    expect(agree(never, 2, Uint8Array.of(9), key(p2 - 1n))).toBeUndefined();
  });
});

describe("key pairs", () => {
  for (const group of [2, 5, 14, 16, 31]) {
    it(`of group ${group} are random, of the wire's length, and agree across providers`, () => {
      const [node, noble] = providers.map((provider) => generateKeyPair(provider, group, provider.randomBytes));
      expect(toHex(node!.publicKey)).not.toBe(toHex(noble!.publicKey));
      for (const pair of [node!, noble!]) {
        expect(pair.publicKey.length).toBe(group === 31 ? 32 : modpGroup(group)!.primeBytes.length);
        expect(pair.privateKey.length).toBe(group === 16 ? 40 : 32);
        expect(isAcceptablePublicKey(group, pair.publicKey)).toBe(true);
      }
      const one = agree(providers[0]!, group, node!.privateKey, noble!.publicKey);
      const other = agree(providers[1]!, group, noble!.privateKey, node!.publicKey);
      expect(toHex(one!)).toBe(toHex(other!));
    });
  }
});
