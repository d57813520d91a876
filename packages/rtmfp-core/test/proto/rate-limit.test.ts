import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { RateLimit } from "../../src/proto/startup/rate-limit.ts";

const from = (n: number): { host: string; port: number } => ({ host: `10.0.${n >> 8}.${n & 255}`, port: 1 });

describe("a rate limit per address", () => {
  it("forgets addresses that have their whole burst again, and only those", () => {
    const limit = new RateLimit(10, 20, 1_000);
    for (let n = 0; n < 400; n++) limit.allow(0, from(n));
    for (let i = 0; i < 20; i++) limit.allow(1_000, from(7));
    // A second later all but one address have long had the one token back that they took.
    for (let n = 400; n < 800; n++) limit.allow(2_000, from(n));
    expect(limit.size).toBe(401);
    for (let i = 0; i < 10; i++) expect(limit.allow(2_000, from(7))).toBe(true);
    expect(limit.allow(2_000, from(7))).toBe(false);
  });

  it("lets the oldest give way when its table is full of addresses that are not quiet", () => {
    const limit = new RateLimit(1, 2, 3);
    for (let n = 0; n < 5; n++) for (let i = 0; i < 3; i++) limit.allow(0, from(n));
    expect(limit.size).toBe(3);
  });

  it(...rfc("R7016-5-04"), "remembers 16384 of them", () => {
    const limit = new RateLimit(1, 2);
    for (let n = 0; n < 20_000; n++) limit.allow(0, from(n));
    expect(limit.size).toBe(16_384);
  });

  it(...rfc("R7016-5-04"), "has one for all of an IPv6 network of 64 bits", () => {
    const limit = new RateLimit(1, 2);
    const allow = (host: string): boolean => limit.allow(0, { host, port: 1 });
    expect(["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3"].map(allow)).toEqual([true, true, false]);
    expect(allow("2001:db8:0:1::1")).toBe(true);
    expect(limit.size).toBe(2);
  });
});
