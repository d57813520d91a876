import { createCipheriv, createDecipheriv } from "node:crypto";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { modpGroup } from "../../src/crypto/dh-groups.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { loadNodeCrypto } from "../../src/crypto/node.ts";
import { keptModpKeys, keyObjectModpKeys } from "../../src/crypto/node-modp.ts";
import { equalRange, equalSecrets, MAX_SHARED_MESSAGES } from "../../src/crypto/primitives.ts";
import { fromHex, toHex } from "../../src/proto/bytes.ts";
import { Dice, nodeProvider, providers } from "./support.ts";

const key = fromHex("000102030405060708090a0b0c0d0e0f");
const zeroIv = new Uint8Array(16);

describe("AES-128-CBC", () => {
  it(...rfc("R7425-4.7.1-01"), "gives what one-shot ciphers give, over 100,000 packets of random length", () => {
    const dice = new Dice(1);
    const encryptor = nodeProvider.createEncryptor(key);
    const decryptor = nodeProvider.createDecryptor(key);
    const source = dice.bytes(4096);
    let wrong = 0;
    for (let round = 0; round < 100_000; round++) {
      const length = 16 * (1 + dice.below(round % 100 === 0 ? 90 : 6));
      const from = dice.below(2000);
      const packet = source.slice(from, from + length);
      const expected = createCipheriv("aes-128-cbc", key, zeroIv).setAutoPadding(false).update(packet);
      encryptor.encrypt(packet, 0, length);
      if (Buffer.compare(packet, expected) !== 0) wrong++;
      if (Buffer.compare(decryptor.decrypt(packet, length), source.subarray(from, from + length)) !== 0) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("decrypts on after forged packets as if they had never come", () => {
    const dice = new Dice(2);
    const decryptor = nodeProvider.createDecryptor(key);
    for (let round = 0; round < 200; round++) {
      const forged = dice.bytes(16 * (1 + dice.below(4)));
      const plain = createDecipheriv("aes-128-cbc", key, zeroIv).setAutoPadding(false).update(forged);
      expect(Buffer.compare(decryptor.decrypt(forged, forged.length), plain)).toBe(0);
    }
  });

  it("is the same by node and by noble, within a buffer and for a part of the input", () => {
    const dice = new Dice(3);
    const ciphers = providers.map((provider) => provider.createEncryptor(key));
    const deciphers = providers.map((provider) => provider.createDecryptor(key));
    for (let round = 0; round < 300; round++) {
      const length = 16 * (1 + dice.below(80));
      const plain = dice.bytes(length + 20);
      const sealed = ciphers.map((cipher) => {
        const buffer = plain.slice();
        cipher.encrypt(buffer, 7, 7 + length);
        return buffer;
      });
      expect(toHex(sealed[0]!)).toBe(toHex(sealed[1]!));
      expect(toHex(sealed[0]!.subarray(0, 7))).toBe(toHex(plain.subarray(0, 7)));
      expect(toHex(sealed[0]!.subarray(7 + length))).toBe(toHex(plain.subarray(7 + length)));
      const input = sealed[0]!.slice(7);
      const opened = deciphers.map((decipher) => toHex(decipher.decrypt(input, length)));
      expect(opened).toEqual([toHex(plain.subarray(7, 7 + length)), toHex(plain.subarray(7, 7 + length))]);
      expect(toHex(input)).toBe(toHex(sealed[0]!.subarray(7)));
    }
  });

  it("of several messages together is that of each alone, in memory that no more than a few share", () => {
    const dice = new Dice(4);
    for (const provider of providers) {
      const together = provider.createDecryptor(key);
      const alone = provider.createDecryptor(key);
      for (let round = 0; round < 60; round++) {
        const messages = Array.from({ length: dice.below(20) }, () =>
          dice.bytes(16 * (1 + dice.below(round % 20 === 0 ? 1_000 : 80)) + dice.below(16)),
        );
        const lengths = messages.map(({ length }) => length - (length % 16));
        const opened = together.decryptAll(messages, lengths);
        expect(opened.map(toHex)).toEqual(messages.map((bytes, i) => toHex(alone.decrypt(bytes, lengths[i]!))));
        for (const { buffer } of opened)
          expect(opened.filter((other) => other.buffer === buffer).length).toBeLessThanOrEqual(MAX_SHARED_MESSAGES);
        expect(toHex(together.decrypt(key, 16))).toBe(toHex(alone.decrypt(key, 16)));
      }
    }
  });

  it("refuses keys and lengths that are not whole blocks", () => {
    for (const provider of providers) {
      expect(() => provider.createEncryptor(new Uint8Array(15))).toThrow("expected an AES-128 key of 16 bytes, got 15");
      expect(() => provider.createDecryptor(new Uint8Array(32))).toThrow("got 32");
      expect(() => provider.createEncryptor(key).encrypt(new Uint8Array(32), 0, 17)).toThrow();
      expect(() => provider.createDecryptor(key).decrypt(new Uint8Array(32), 17)).toThrow();
    }
  });
});

describe("hashes", () => {
  it("agree between providers for every length up to three blocks and for large packets, the empty key included", () => {
    const dice = new Dice(4);
    const lengths = [...Array.from({ length: 200 }, (_, i) => i), 1_184, 8_191, 8_192, 8_193, 60_000];
    for (const length of lengths) {
      const message = dice.bytes(length);
      const hmacKey = dice.bytes(length);
      const [node, noble] = providers.map((provider) => {
        const prepared = provider.createHmacKey(hmacKey);
        return [provider.sha256(message), prepared.digest(message), prepared.digest(message)].map(toHex);
      });
      expect(node).toEqual(noble);
      expect(node![1]).toBe(node![2]);
    }
  });

  it("come back as plain Uint8Arrays, whose slice copies", () => {
    for (const provider of providers) {
      for (const bytes of [provider.sha256(key), provider.createHmacKey(key).digest(key), provider.randomBytes(32)]) {
        expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
        expect(bytes.length).toBe(32);
      }
    }
  });

  it("random bytes differ", () => {
    for (const provider of providers) expect(toHex(provider.randomBytes(32))).not.toBe(toHex(provider.randomBytes(32)));
  });
});

describe("comparison of secrets", () => {
  it(...rfc("AMB-55"), "looks at every byte of the range and at no other", () => {
    const a = fromHex("00112233445566");
    for (let i = 0; i < a.length; i++) {
      const b = a.slice();
      b[i] = b[i]! ^ 0x80;
      expect(equalSecrets(a, b)).toBe(false);
      expect(equalRange(a, 2, b, 2, 3)).toBe(i < 2 || i >= 5);
    }
    expect(equalSecrets(a, a.slice())).toBe(true);
    expect(equalSecrets(a, a.subarray(1))).toBe(false);
    expect(equalRange(a, 5, a, 5, 3)).toBe(false);
  });
});

describe("Diffie-Hellman keys", () => {
  const crypto = loadNodeCrypto()!;
  const ways = [keptModpKeys(crypto), keyObjectModpKeys(crypto), nobleProvider.modpKey];

  for (const id of [2, 5, 14, 16]) {
    it(...rfc("R7425-4.2-01", "R7425-4.2-02"), `of group ${id} agree in every way of computing them`, () => {
      const group = modpGroup(id)!;
      const dice = new Dice(id);
      const [mine, theirs] = [dice.bytes(group.exponentBytes), dice.bytes(group.exponentBytes)];
      const far = nobleProvider.modpKey(group, theirs).publicKey();
      const publicKeys = ways.map((way) => toHex(way(group, mine).publicKey()));
      const secrets = ways.map((way) => toHex(way(group, mine).agree(far)));
      expect(new Set(publicKeys).size).toBe(1);
      expect(new Set(secrets).size).toBe(1);
      expect(publicKeys[0]!.length).toBe(2 * group.primeBytes.length);
      expect(secrets[0]).toBe(toHex(nobleProvider.modpKey(group, theirs).agree(fromHex(publicKeys[0]!))));
    });
  }

  it("are padded to the group's length also when the number is short", () => {
    const group = modpGroup(2)!;
    // 2^7 = 128: one byte of number, 128 bytes of public key.
    const expected = `${"00".repeat(127)}80`;
    for (const way of ways) expect(toHex(way(group, Uint8Array.of(7)).publicKey())).toBe(expected);
  });

  it("of X25519 give the values of RFC 7748 §6.1", () => {
    const bob = fromHex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    const bobPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    const alicePublic = fromHex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    const secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    for (const provider of providers) {
      expect(toHex(provider.x25519Key(bob).publicKey())).toBe(bobPublic);
      expect(toHex(provider.x25519Key(bob).agree(alicePublic))).toBe(secret);
    }
  });
});
