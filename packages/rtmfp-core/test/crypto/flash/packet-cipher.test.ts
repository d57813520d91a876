import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { checksum16 } from "../../../src/crypto/flash/checksum.ts";
import {
  createSessionCipher,
  createStartupCipher,
  DEFAULT_SESSION_KEY,
  type FlashPacketCipher,
  type SessionCipherOptions,
} from "../../../src/crypto/flash/packet-cipher.ts";
import { deriveSessionKeys } from "../../../src/crypto/flash/session-key.ts";
import { concatBytes, fromHex, toHex } from "../../../src/proto/bytes.ts";
import { scrambleSessionId } from "../../../src/proto/packet.ts";
import { Dice, nodeProvider, providers, seal } from "../support.ts";

const dhSecret = fromHex("0123456789");
const skic = fromHex("110e101112131415161718191a1b1c1d1e1f031a020a021e02");
const skrc = fromHex("110e202122232425262728292a2b2c2d2e2f031a0100021e01");
const keys = deriveSessionKeys(nodeProvider, { dhSecret, nearComponent: skic, farComponent: skrc });
const ping = fromHex("01010000");

/** A cipher and its mirror image: what one seals, the other opens. */
function pair(
  options: Partial<SessionCipherOptions>,
  provider = nodeProvider,
): { near: FlashPacketCipher; far: FlashPacketCipher } {
  const { sendHmacLength = 0, sendSequence = false, firstSequence = 0 } = options;
  const far = { encryptKey: keys.decryptKey, decryptKey: keys.encryptKey, hmacRecvKey: keys.hmacSendKey };
  return {
    near: createSessionCipher(provider, { ...keys, sendHmacLength, sendSequence, firstSequence }),
    far: createSessionCipher(provider, { ...far, recvHmacLength: sendHmacLength, recvSequence: sendSequence }),
  };
}

function datagram(sealed: Uint8Array, sessionId: number): string {
  const bytes = concatBytes(new Uint8Array(4), sealed);
  scrambleSessionId(bytes, bytes.length, sessionId);
  return toHex(bytes);
}

/** The plaintext blocks of a sealed packet. */
function blocks(sealed: Uint8Array, hmacLength = 0): string {
  return toHex(nodeProvider.createDecryptor(keys.encryptKey.slice(0, 16)).decrypt(sealed, sealed.length - hmacLength));
}

describe("worked packets", () => {
  for (const provider of providers) {
    it(
      ...rfc("V2-52", "V2-53", "V1-07", "R7425-4.1-01", "R7425-4.1-02", "R7425-4.6.6-08", "R7016-2.2.3-01"),
      `startup, by ${provider.name}`,
      () => {
        expect(toHex(DEFAULT_SESSION_KEY)).toBe("41646f62652053797374656d73203032");
        const cipher = createStartupCipher(provider);
        const packet = fromHex(
          "0330003a29280a72746d66703a2f2f7365727665722e6578616d706c652e636f6d2f6170702f696e7374616e6365" +
            "000102030405060708090a0b0c0d0e0f",
        );
        const sealed = seal(cipher, packet);
        expect(datagram(sealed, 0)).toBe(
          "87c78cf769a34879ee64c48e21346f0b8a0f064ea4c9304702465d4757477becbc1e418b3247b57a3527b394f1a3710b" +
            "4f03c55c0f3eece1eb0652fab72bc5a995bdb8c1",
        );
        const plain = provider.createDecryptor(DEFAULT_SESSION_KEY).decrypt(sealed, sealed.length);
        expect(toHex(plain.subarray(0, 2))).toBe("1dbf");
        expect(toHex(cipher.open(sealed)!)).toBe(toHex(packet));
      },
    );

    it(...rfc("V2-71", "V2-72", "R7425-4.7.2-03"), `with sequence number and HMAC, by ${provider.name}`, () => {
      const { near, far } = pair({ sendHmacLength: 10, sendSequence: true }, provider);
      const sealed = seal(near, ping);
      expect(blocks(sealed, 10)).toBe("0001010000ffffffffffffffffffffff");
      expect(datagram(sealed, 0x01020304)).toBe("11e40995e7879181f7619b1031458826b8c9840694f32cc30111b580a5f1");
      expect(toHex(far.open(sealed)!)).toBe("01010000ffffffffffffffffffffff");
    });

    it(...rfc("V2-73", "V2-74", "R7425-4.7.3.1-02", "R7425-4.7.3.1-03"), `odd checksum, by ${provider.name}`, () => {
      const { near, far } = pair({ sendSequence: true }, provider);
      const sealed = seal(near, ping);
      expect(blocks(sealed)).toBe("00fdff01010000ffffffffffffffffff");
      expect(datagram(sealed, 0x01020304)).toBe("f98e88fe5e7b8f7ba6f704811814f724cfce86fe");
      expect(toHex(far.open(sealed)!)).toBe("01010000ffffffffffffffffff");
      expect(blocks(seal(near, fromHex("0a0b0c0d")))).toBe("01e8e80a0b0c0dffffffffffffffffff");
    });

    it(
      ...rfc("V2-75", "V2-76", "R7425-4.6.3-02", "R7425-4.7.1-01", "R7425-4.7.2-04"),
      `plain checksum, by ${provider.name}`,
      () => {
        const { near, far } = pair({}, provider);
        const sealed = seal(near, ping);
        expect(blocks(sealed)).toBe("fefe01010000ffffffffffffffffffff");
        expect(datagram(sealed, 0x01020304)).toBe("c97b9db9735029e2bb29b75ff90b875649b9a02b");
        expect(toHex(far.open(sealed)!)).toBe("01010000ffffffffffffffffffff");
        expect(blocks(seal(near, fromHex("0101000058")))).toBe("a5ff0101000058ffffffffffffffffff");
      },
    );
  }
});

describe("the checksum", () => {
  it(...rfc("V2-80", "V2-81", "R7425-4.7.3.1-01", "R7425-4.7.3.1-02"), "has the worked values", () => {
    expect(checksum16(fromHex("0102030405060708"), 0, 8)).toBe(0xefeb);
    expect(checksum16(fromHex("01020304050607"), 0, 7)).toBe(0xf6ec);
    expect(checksum16(fromHex("ff010203040506070809"), 1, 9)).toBe(0xefeb);
  });

  it(...rfc("R7425-4.7.3.1-01"), "is what adding word by word gives, at any offset and length", () => {
    const bytes = new Dice(5).bytes(3000).fill(0xff, 1000, 2000);
    for (let start = 0; start < 9; start++) {
      for (const end of [start, start + 1, 40, 41, 1200, 2047, 3000]) {
        let sum = 0;
        for (let i = start; i < end; i += 2) sum += i + 1 < end ? bytes[i]! * 256 + bytes[i + 1]! : bytes[i]!;
        while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
        expect(checksum16(bytes, start, end)).toBe(0xffff - sum);
      }
    }
  });
});

describe("sealing", () => {
  const shapes: Partial<SessionCipherOptions>[] = [];
  for (const sendHmacLength of [0, 4, 5, 10, 16, 31, 32]) {
    for (const sendSequence of [false, true]) shapes.push({ sendHmacLength, sendSequence });
  }

  for (const provider of providers) {
    it(
      ...rfc("R7425-4.7.2-01", "R7425-4.7.3.2-04", "R7425-4.6.4-05"),
      `opens again, every shape, by ${provider.name}`,
      () => {
        const dice = new Dice(6);
        for (const shape of shapes) {
          const { near, far } = pair(shape, provider);
          for (let length = 1; length < 70; length++) {
            const packet = dice.bytes(length);
            const sealed = seal(near, packet);
            expect(sealed.length % 16).toBe((shape.sendHmacLength ?? 0) % 16);
            const opened = far.open(sealed)!;
            expect(toHex(opened.subarray(0, length))).toBe(toHex(packet));
            expect([...opened.subarray(length)].every((byte) => byte === 0xff)).toBe(true);
            expect(opened.length - length).toBeLessThan(16);
          }
        }
      },
    );
  }

  it(
    ...rfc("R7425-4.7.2-01"),
    "refuse what is no whole number of blocks for its size, before anything else is looked at",
    () => {
      for (const shape of shapes) {
        const { near, far } = pair(shape);
        const sealed = seal(near, new Uint8Array(40));
        const blocks = sealed.length - (shape.sendHmacLength ?? 0);
        for (let cut = 1; cut < blocks; cut++) {
          if (cut % 16 === 0) continue;
          expect(far.open(sealed.subarray(cut))).toBeUndefined();
          expect(far.failure).toBe("size");
        }
        expect(far.open(sealed)).toBeDefined();
      }
    },
  );

  it("writes only between the headroom and the end it returns, and uses 47 bytes behind the packet at most", () => {
    for (const shape of shapes) {
      const { near } = pair({ ...shape, firstSequence: 16_380 });
      for (let length = 1; length < 40; length++) {
        const start = 20;
        const buffer = new Uint8Array(start + length + 48).fill(0xee);
        const headroom = near.headroom;
        const end = near.seal(buffer, start, start + length);
        expect(toHex(buffer.subarray(0, start - headroom))).toBe("ee".repeat(start - headroom));
        expect(toHex(buffer.subarray(end))).toBe("ee".repeat(buffer.length - end));
        expect(end - start - length).toBeLessThanOrEqual(47);
      }
    }
  });

  it("fills a datagram to the byte that packetCapacity promises", () => {
    for (const shape of shapes) {
      for (const firstSequence of [0, 127, 128, 16_383, 16_384]) {
        for (let size = 60; size < 100; size++) {
          const { near } = pair({ ...shape, firstSequence });
          const capacity = near.packetCapacity(size);
          expect(4 + seal(near, new Uint8Array(capacity)).length).toBeLessThanOrEqual(size);
          const again = pair({ ...shape, firstSequence }).near;
          expect(4 + seal(again, new Uint8Array(capacity + 1)).length).toBeGreaterThan(size);
        }
      }
      expect(pair(shape).near.packetCapacity(10)).toBe(0);
    }
  });

  it("gives memory that stays as it is while the input is reused", () => {
    for (const provider of providers) {
      const { near, far } = pair({}, provider);
      const sealed = seal(near, ping);
      const opened = far.open(sealed)!;
      sealed.fill(0);
      const other = far.open(seal(near, fromHex("02414141")))!;
      expect(toHex(opened.subarray(0, 4))).toBe("01010000");
      expect(toHex(other.subarray(0, 4))).toBe("02414141");
      expect(Object.getPrototypeOf(opened)).toBe(Uint8Array.prototype);
    }
  });

  it(...rfc("R7425-4.7.3.2-02"), "uses each end's own HMAC length: 4 one way, 32 the other", () => {
    const near = createSessionCipher(nodeProvider, { ...keys, sendHmacLength: 4, recvHmacLength: 32 });
    const far = createSessionCipher(nodeProvider, {
      encryptKey: keys.decryptKey,
      decryptKey: keys.encryptKey,
      hmacSendKey: keys.hmacRecvKey,
      hmacRecvKey: keys.hmacSendKey,
      sendHmacLength: 32,
      recvHmacLength: 4,
    });
    expect(seal(near, ping).length).toBe(16 + 4);
    expect(seal(far, ping).length).toBe(16 + 32);
    expect(far.open(seal(near, ping))).toBeDefined();
    expect(near.open(seal(far, ping))).toBeDefined();
  });

  it(...rfc("R7425-4.6.4-05"), "refuses HMAC lengths that cannot be", () => {
    for (const sendHmacLength of [1, 2, 3, 33]) {
      expect(() => createSessionCipher(nodeProvider, { ...keys, sendHmacLength })).toThrow(`got ${sendHmacLength}`);
    }
    const { encryptKey, decryptKey } = keys;
    expect(() => createSessionCipher(nodeProvider, { encryptKey, decryptKey, recvHmacLength: 16 })).toThrow("HMAC key");
  });
});

describe("opening", () => {
  const shapes = [{}, { sendSequence: true }, { sendHmacLength: 16 }, { sendHmacLength: 10, sendSequence: true }];

  it(...rfc("R7425-4.7.3.2-03"), "refuses an HMAC packet with any single bit changed", () => {
    for (const shape of [{ sendHmacLength: 16 }, { sendHmacLength: 4, sendSequence: true }]) {
      const { near, far } = pair(shape);
      const sealed = seal(near, new Dice(7).bytes(50));
      for (let bit = 0; bit < 8 * sealed.length; bit++) {
        const forged = sealed.slice();
        forged[bit >>> 3] = forged[bit >>> 3]! ^ (1 << (bit & 7));
        expect(far.open(forged)).toBeUndefined();
        expect(far.failure).toBe("verify");
      }
      expect(far.open(sealed)).toBeDefined();
    }
  });

  it(...rfc("R7425-4.7.3.1-04"), "refuses a checksum packet with any single byte changed", () => {
    const { near, far } = pair({});
    const sealed = seal(near, new Dice(8).bytes(50));
    for (let i = 0; i < sealed.length; i++) {
      const forged = sealed.slice();
      forged[i] = forged[i]! ^ 0x41;
      expect(far.open(forged), `byte ${i}`).toBeUndefined();
      expect(far.failure).toBe("verify");
    }
    expect(far.open(sealed)).toBeDefined();
  });

  it(...rfc("R7425-4.7.2-02", "AMB-06"), "refuses every truncation and every surplus", () => {
    for (const shape of shapes) {
      const { near, far } = pair(shape);
      const sealed = seal(near, new Dice(9).bytes(40));
      for (let length = 0; length < sealed.length; length++) {
        expect(far.open(sealed.subarray(0, length))).toBeUndefined();
        const blocksLength = length - (shape.sendHmacLength ?? 0);
        expect(far.failure).toBe(blocksLength < 16 || blocksLength % 16 !== 0 ? "size" : "verify");
      }
      for (let extra = 1; extra < 17; extra++) {
        expect(far.open(concatBytes(sealed, new Uint8Array(extra)))).toBeUndefined();
      }
      expect(far.open(sealed)).toBeDefined();
    }
  });

  it(...rfc("AMB-55"), "verifies the HMAC before it decrypts", () => {
    let decrypted = 0;
    const watching = {
      ...nodeProvider,
      createDecryptor: (key: Uint8Array) => {
        const inner = nodeProvider.createDecryptor(key);
        return {
          decrypt: (bytes: Uint8Array, length: number) => {
            decrypted++;
            return inner.decrypt(bytes, length);
          },
          decryptAll: (messages: readonly Uint8Array[], lengths: readonly number[]) => {
            decrypted += messages.length;
            return inner.decryptAll(messages, lengths);
          },
        };
      },
    };
    const { near, far } = pair({ sendHmacLength: 16 }, watching);
    const sealed = seal(near, ping);
    const forged = sealed.slice();
    forged[0] = forged[0]! ^ 1;
    expect(far.open(forged)).toBeUndefined();
    expect(decrypted).toBe(0);
    expect(far.open(sealed)).toBeDefined();
    expect(decrypted).toBe(1);
    expect(far.openAll([forged, sealed, forged])).toEqual(["verify", far.open(sealed), "verify"]);
    expect(decrypted).toBe(3);
  });

  it("of several packets together gives what one after the other gives, forged, repeated and cut ones between", () => {
    const dice = new Dice(11);
    for (const provider of providers) {
      for (const shape of shapes) {
        const { near, far } = pair(shape, provider);
        const single = pair(shape, provider).far;
        const sent: Uint8Array[] = [];
        for (let round = 0; round < 12; round++) {
          const batch = Array.from({ length: 1 + dice.below(20) }, () => {
            const fate = dice.below(8);
            const sealed =
              fate === 0 && sent.length > 0
                ? sent[dice.below(sent.length)]!
                : seal(near, dice.bytes(1 + dice.below(90)));
            sent.push(sealed);
            if (fate === 1) return sealed.subarray(0, dice.below(sealed.length));
            if (fate === 2) return dice.bytes(sealed.length);
            return sealed;
          });
          const before = batch.map(toHex);
          const opened = far.openAll(batch).map((result) => (typeof result === "string" ? result : toHex(result)));
          const expected = batch.map((sealed) => {
            const packet = single.open(sealed);
            return packet === undefined ? single.failure : toHex(packet);
          });
          expect(opened).toEqual(expected);
          expect(batch.map(toHex)).toEqual(before);
        }
      }
    }
  });

  it("keeps working between two ends while forged and foreign packets arrive", () => {
    const dice = new Dice(10);
    for (const shape of shapes) {
      const { near, far } = pair(shape);
      for (let round = 0; round < 300; round++) {
        const packet = dice.bytes(1 + dice.below(80));
        const sealed = seal(near, packet);
        if (dice.below(2) === 0) far.open(dice.bytes(dice.below(100)));
        const opened = far.open(sealed)!;
        expect(toHex(opened.subarray(0, packet.length))).toBe(toHex(packet));
      }
    }
  });
});

describe("sequence numbers", () => {
  /** A packet sealed by hand: any bytes in front of the RTMFP packet, HMAC of 16 bytes. */
  function sealRaw(plain: string): Uint8Array {
    const length = Math.ceil(plain.length / 32) * 16;
    const buffer = fromHex(plain.padEnd(2 * length, "f"));
    nodeProvider.createEncryptor(keys.encryptKey.slice(0, 16)).encrypt(buffer, 0, length);
    return concatBytes(buffer, nodeProvider.createHmacKey(keys.hmacSendKey).digest(buffer).subarray(0, 16));
  }

  const shape = { sendHmacLength: 16, sendSequence: true };

  it(
    ...rfc("R7425-4.6.6-01", "R7425-4.6.6-02", "R7425-4.7.3.3-03", "R7425-4.6.6-05"),
    "start at 0 and rise by 1",
    () => {
      const { near, far } = pair(shape);
      for (let n = 0; n < 20_000; n += 1) {
        far.open(seal(near, ping));
        expect(far.lastSequence).toBe(BigInt(n));
      }
      expect(createSessionCipher(nodeProvider, { ...keys, sendSequence: true }).nextSequence).toBe(0);
    },
  );

  it(...rfc("R7425-4.6.6-03"), "are read with 64 bits, and with leading zero groups", () => {
    const { far } = pair(shape);
    const table: [string, bigint | undefined][] = [
      ["808005", 5n],
      ["c08080808080808000", 2n ** 62n],
      ["a08080808080800a", 2n ** 54n + 10n],
      ["81808080808080808000", 2n ** 63n],
      ["81ffffffffffffffff7f", 2n ** 64n - 1n],
      ["82808080808080808000", undefined],
      ["ffffffffffffffffff7f", undefined],
    ];
    for (const [vlu, value] of table) {
      const fresh = pair(shape).far;
      expect(fresh.open(sealRaw(`${vlu}01010000`)) !== undefined, vlu).toBe(value !== undefined);
      if (value !== undefined) expect(fresh.lastSequence).toBe(value);
      else expect(fresh.failure).toBe("verify");
    }
    expect(far.open(sealRaw("81ffffffffffffffff7f01010000"))).toBeDefined();
    expect(far.open(sealRaw("81ffffffffffffffff7e01010000"))).toBeDefined();
    expect(far.open(sealRaw("81ffffffffffffffff7f01010000"))).toBeUndefined();
    expect(far.failure).toBe("replay");
    expect(far.open(sealRaw("a08080808080800a01010000"))).toBeUndefined();
    expect(far.failure).toBe("replay");
  });

  it("that never end, or leave no packet behind them, are refused", () => {
    const { far } = pair(shape);
    for (const plain of ["80".repeat(16), `${"80".repeat(15)}01`, "ff".repeat(16)]) {
      expect(far.open(sealRaw(plain))).toBeUndefined();
      expect(far.failure).toBe("verify");
    }
    const sums = createSessionCipher(nodeProvider, { ...keys, decryptKey: keys.encryptKey, recvSequence: true });
    const noRoom = fromHex(`${"80".repeat(13)}010000`);
    nodeProvider.createEncryptor(keys.encryptKey.slice(0, 16)).encrypt(noRoom, 0, 16);
    expect(sums.open(noRoom)).toBeUndefined();
    expect(sums.failure).toBe("verify");
  });

  it(...rfc("R7425-4.7.3.3-02"), "seen before are refused as replays", () => {
    for (const own of [shape, { sendSequence: true }]) {
      const { near, far } = pair(own);
      const sealed = [0, 1, 2, 3].map(() => seal(near, ping));
      for (const packet of sealed) expect(far.open(packet)).toBeDefined();
      for (const packet of sealed) {
        expect(far.open(packet)).toBeUndefined();
        expect(far.failure).toBe("replay");
      }
    }
  });

  it(...rfc("AMB-53"), "are taken when a packet is sealed, and not again if it is never sent", () => {
    const { near, far } = pair(shape);
    const [first, , third] = [seal(near, ping), seal(near, ping), seal(near, ping)];
    expect(far.open(third!)).toBeDefined();
    expect(far.lastSequence).toBe(2n);
    expect(far.open(first!)).toBeDefined();
    expect(far.open(seal(near, ping))).toBeDefined();
    expect(far.lastSequence).toBe(3n);
  });

  it(...rfc("AMB-54"), "of forged packets do not move the window", () => {
    const { near, far } = pair(shape);
    const first = seal(near, ping);
    near.nextSequence = 1_000_000;
    const forged = seal(near, ping);
    forged[forged.length - 1] = forged[forged.length - 1]! ^ 1;
    expect(far.open(forged)).toBeUndefined();
    expect(far.open(first)).toBeDefined();
  });

  it(
    ...rfc("R7425-4.6.6-04", "R7425-4.7.3.3-03"),
    "run out before they wrap: the cipher says so in time, then refuses",
    () => {
      const last = Number.MAX_SAFE_INTEGER;
      const { near, far } = pair({ ...shape, firstSequence: last - 1024 });
      expect(near.exhausted).toBe(false);
      expect(far.open(seal(near, ping))).toBeDefined();
      expect(near.exhausted).toBe(true);
      near.nextSequence = last;
      expect(far.open(seal(near, ping))).toBeDefined();
      expect(far.lastSequence).toBe(2n ** 53n - 1n);
      expect(() => seal(near, ping)).toThrow("the session must close");
      expect(createStartupCipher(nodeProvider).exhausted).toBe(false);
    },
  );
});
