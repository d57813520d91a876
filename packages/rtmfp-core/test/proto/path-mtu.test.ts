import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { LOST_SIZE_MS } from "../../src/proto/params.ts";
import { LostSizes } from "../../src/proto/path-mtu.ts";

describe("lost sizes", () => {
  it("block their size and larger ones for 10 minutes, on their host alone", () => {
    const lost = new LostSizes();
    lost.add("192.0.2.1", 1_422, 1_000);
    expect(lost.blockedUntil("192.0.2.1", 1_422, 2_000)).toBe(1_000 + LOST_SIZE_MS);
    expect(lost.blockedUntil("192.0.2.1", 1_472, 2_000)).toBe(1_000 + LOST_SIZE_MS);
    expect(lost.blockedUntil("192.0.2.1", 1_372, 2_000)).toBe(0);
    expect(lost.blockedUntil("192.0.2.2", 1_472, 2_000)).toBe(0);
    expect(lost.blockedUntil("192.0.2.1", 1_472, 1_000 + LOST_SIZE_MS)).toBe(0);
  });

  it("keep the least, until a late answer takes it back", () => {
    const lost = new LostSizes();
    lost.add("192.0.2.1", 1_280, 0);
    lost.add("192.0.2.1", 1_472, 1_000);
    expect(lost.blockedUntil("192.0.2.1", 1_280, 2_000)).toBe(1_000 + LOST_SIZE_MS);
    lost.remove("192.0.2.1", 1_472);
    expect(lost.blockedUntil("192.0.2.1", 1_280, 2_000)).not.toBe(0);
    lost.remove("192.0.2.1", 1_280);
    expect(lost.blockedUntil("192.0.2.1", 1_472, 2_000)).toBe(0);
  });

  it(...rfc("R7016-5-04"), "forget the host of the oldest beyond 1024 hosts", () => {
    const lost = new LostSizes();
    for (let i = 0; i <= 1_024; i++) lost.add(`host ${i}`, 1_280, i);
    expect(lost.blockedUntil("host 0", 1_280, 2_000)).toBe(0);
    expect(lost.blockedUntil("host 1", 1_280, 2_000)).not.toBe(0);
    expect(lost.blockedUntil("host 1024", 1_280, 2_000)).not.toBe(0);
  });
});
