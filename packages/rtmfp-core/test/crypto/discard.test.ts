import { expect, it } from "vitest";
import { discard } from "../../src/crypto/discard.ts";
import { nodeProvider } from "./support.ts";

/** As many as are given back in one call, whatever was waiting before. */
const ENOUGH = 64;

it("gives memory back by and by, but none that is small or shared", () => {
  const whole = Array.from({ length: ENOUGH }, () => new Uint8Array(8_192));
  const small = new Uint8Array(100).fill(1);
  const shared = new Uint8Array(16_384).fill(2);
  const view = shared.subarray(4_096, 12_288);
  discard(small);
  discard(view);
  for (const bytes of whole) discard(bytes);
  expect(whole[0]!.length).toBe(0);
  expect(whole.filter((bytes) => bytes.length > 0).length).toBeLessThan(ENOUGH / 2);
  expect(small[99]).toBe(1);
  expect(view[8_191]).toBe(2);
});

it("leaves the buffer in which packets are encrypted in place", () => {
  const encryptor = nodeProvider.createEncryptor(new Uint8Array(16).fill(7));
  const decryptor = nodeProvider.createDecryptor(new Uint8Array(16).fill(7));
  const opened: Uint8Array[] = [];
  for (let i = 0; i < ENOUGH; i++) {
    const buffer = new Uint8Array(8_192).fill(i);
    encryptor.encrypt(buffer, 0, buffer.length);
    opened.push(decryptor.decrypt(buffer, buffer.length));
  }
  expect(opened.map((bytes) => bytes.every((byte, _, all) => byte === all[0]) && bytes[0])).toEqual(
    Array.from({ length: ENOUGH }, (_, i) => i),
  );
});
