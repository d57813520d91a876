import { describe, expect, it } from "vitest";
import { Pacer } from "../../src/proto/pacing.ts";
import { RoundTripTimer } from "../../src/proto/rtt.ts";

const PACKET = 1_200;

/** Sends packets from `now` on for as long as the pacer lets them out; gives their number. */
function burst(pacer: Pacer, now: number, window: number, srtt: number | undefined, limit = 10_000): number {
  let sent = 0;
  while (sent < limit && pacer.allows(now, window, srtt, PACKET)) {
    pacer.onSent(PACKET);
    sent++;
  }
  return sent;
}

describe("the pacer", () => {
  it("lets six packets out at once, and then the window twice per round trip", () => {
    const pacer = new Pacer();
    // 240 packets per second are 0.288 bytes per microsecond: 4.17 ms apart.
    const [window, srtt] = [12 * PACKET, 100];
    expect(burst(pacer, 0, window, srtt)).toBe(6);
    let sent = 0;
    let now = 0;
    while (now < 100) {
      expect(pacer.at).toBeGreaterThanOrEqual(now + 1);
      now = pacer.at;
      sent += burst(pacer, now, window, srtt);
    }
    expect(sent).toBeGreaterThanOrEqual(23);
    expect(sent).toBeLessThanOrEqual(25);
  });

  it("lets a millisecond's worth out at once when that is more, once per millisecond", () => {
    const pacer = new Pacer();
    const [window, srtt] = [1_000 * PACKET, 50];
    expect(burst(pacer, 0, window, srtt)).toBe(40);
    expect(pacer.at).toBe(1);
    expect(burst(pacer, 0.5, window, srtt)).toBeLessThanOrEqual(20);
    expect(burst(pacer, 1.5, window, srtt)).toBe(40);
  });

  it("gives no more for a long silence, and holds nothing back that comes slower than the window", () => {
    const pacer = new Pacer();
    const [window, srtt] = [12 * PACKET, 100];
    burst(pacer, 0, window, srtt);
    expect(burst(pacer, 60_000, window, srtt)).toBe(6);
    for (let now = 61_000; now < 63_000; now += 10) expect(burst(pacer, now, window, srtt, 2)).toBe(2);
  });

  it("holds nothing back without a round trip to spread it over", () => {
    expect(burst(new Pacer(), 0, 5_000, undefined, 500)).toBe(500);
  });

  it("takes no round trip of neighbours, whose samples tell how busy they are once one was within a tick", () => {
    const rtt = new RoundTripTimer();
    const sample = (ms: number): void => rtt.onEcho((10_000 - ms) / 4, 10_000);
    expect(rtt.pacedRtt).toBeUndefined();
    sample(40);
    expect(rtt.pacedRtt).toBe(40);
    sample(4);
    expect(rtt.pacedRtt).toBe(35.5);
    sample(0);
    sample(80);
    expect(rtt.srtt).toBeGreaterThan(30);
    expect(rtt.pacedRtt).toBeUndefined();
  });
});
