import { describe, expect, it } from "vitest";
import { PACK_AT_COST_BYTES, PACKED_BLOCK_COST_BYTES, PACKED_MESSAGE_COST_BYTES } from "../../src/proto/params.ts";
import { type ReceivedMessage, unreadCostOf } from "../../src/proto/reassembly.ts";
import { UnreadMessages } from "../../src/proto/unread.ts";
import { Prng } from "../../src/testing/index.ts";

describe("unread messages", () => {
  it("come out in order and whole, with what was missing before each, of every size and however often they are read", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const prng = new Prng(seed);
      const unread = new UnreadMessages();
      const waiting: ReceivedMessage[] = [];
      for (let i = 0; i < 3_000; i++) {
        if (prng.next() < (i % 1_000 < 600 ? 0.8 : 0.2)) {
          const data = new Uint8Array(Math.floor(prng.next() ** 4 * 6_000)).fill(i);
          const message = { data, missingBefore: prng.next() < 0.1 ? i : 0 };
          waiting.push(message);
          unread.push(message);
        } else expect(summary(unread.shift())).toEqual(summary(waiting.shift()));
        expect(unread.length).toBe(waiting.length);
      }
      expect(unread.bytes).toBe(waiting.reduce((sum, { data }) => sum + data.length, 0));
      for (const message of waiting) expect(summary(unread.shift())).toEqual(summary(message));
      expect(unread.shift()).toBeUndefined();
      expect([unread.length, unread.bytes, unread.cost]).toEqual([0, 0, 0]);
    }
  });

  it("stay as they are while they are few or large, and lie together once small ones keep much memory", () => {
    const large = messages(PACK_AT_COST_BYTES / 4_096, 4_096);
    expect(kept(large)).toEqual({ same: large.length, buffers: large.length });
    const small = messages(1_000, 1_000);
    const { same, buffers } = kept(small);
    expect(same).toBeLessThan(PACK_AT_COST_BYTES / 1_000);
    expect(buffers).toBe(1_000);
    const unread = new UnreadMessages();
    for (const message of small) unread.push(message);
    const loose = same * unreadCostOf(small[0]?.data as Uint8Array);
    const packed = (1_000 - same) * (1_000 + PACKED_MESSAGE_COST_BYTES);
    expect(unread.cost - loose - packed).toBeGreaterThan(0);
    expect((unread.cost - loose - packed) % PACKED_BLOCK_COST_BYTES).toBe(0);
    unread.clear();
    expect([unread.length, unread.bytes, unread.cost, unread.shift()]).toEqual([0, 0, 0, undefined]);
  });
});

/** All bytes of a message are the same. */
function summary(message: ReceivedMessage | undefined): unknown {
  return message && [message.data.length, [...new Set(message.data)], message.missingBefore];
}

function messages(count: number, length: number): ReceivedMessage[] {
  return Array.from({ length: count }, (_, i) => ({ data: new Uint8Array(length).fill(i), missingBefore: 0 }));
}

/** How many come out as the arrays that went in, and how many buffers all of them have. */
function kept(list: readonly ReceivedMessage[]): { same: number; buffers: number } {
  const unread = new UnreadMessages();
  for (const message of list) unread.push(message);
  const out = list.map(() => unread.shift()?.data as Uint8Array);
  return {
    same: out.filter((data, i) => data === list[i]?.data).length,
    buffers: new Set(out.map(({ buffer }) => buffer)).size,
  };
}
