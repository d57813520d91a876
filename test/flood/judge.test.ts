import { describe, expect, it } from "vitest";
import { caseFaults } from "./judge.ts";
import type { CaseResult } from "./run-case.ts";

/** What a sound run of that case shows, with some of it otherwise. */
function result(changes: Partial<CaseResult> = {}): CaseResult {
  return {
    name: "hellos",
    asked: 20_000,
    rate: 20_000,
    sent: 600_000,
    sessions: 0,
    late: 0,
    goodputBefore: 100e6,
    goodput: 60e6,
    goodputAfter: 95e6,
    pingMs: 20,
    undisturbedPingMs: 10,
    lost: 0,
    pings: 600,
    cpu: 0.7,
    memoryBefore: 150e6,
    memoryPeak: 170e6,
    memoryHeld: 155e6,
    memoryAfter: 151e6,
    counters: { ihellos: 600_000, rateLimited: 580_000 },
    sessionsLeft: 0,
    survived: true,
    ...changes,
  };
}

describe("the judge of floods", () => {
  it("finds nothing wrong with a sound run", () => {
    expect(caseFaults(result(), false)).toEqual([]);
    expect(caseFaults(result(), true)).toEqual([]);
  });

  it("measures goodput during a flood against that before it, whatever is left after it", () => {
    const harmed = result({ goodput: 31e6, goodputAfter: 20e6 });
    expect(caseFaults(harmed, false)).toEqual(["goodput fell below half", "goodput is not back after the flood"]);
    expect(caseFaults(harmed, true)).toEqual([]);
    expect(caseFaults(result({ goodput: 50e6, goodputAfter: 79e6 }), false)).toEqual([
      "goodput is not back after the flood",
    ]);
    expect(caseFaults(result({ goodput: 50e6, goodputAfter: 80e6 }), false)).toEqual([]);
  });

  it("wants counters that a hundredth of the flood has raised, or a thousand packets", () => {
    const rose = (ihellos: number, sent: number): string[] =>
      caseFaults(result({ sent, counters: { ihellos, rateLimited: sent } }), true);
    expect(rose(1, 600_000)).toEqual(["ihellos rose by 1, too little for 600000 packets"]);
    expect(rose(999, 600_000)).toHaveLength(1);
    expect(rose(1_000, 600_000)).toEqual([]);
    expect(rose(19, 2_000)).toHaveLength(1);
    expect(rose(20, 2_000)).toEqual([]);
    expect(rose(0, 0)).toHaveLength(2);
    expect(caseFaults(result({ counters: { ihellos: 600_000 } }), true)).toEqual([
      "rateLimited rose by 0, too little for 600000 packets",
    ]);
  });

  it("wants as many sessions ended as so many packets take, and one at least", () => {
    const abused = (sessionsAbused: number, lenient: boolean): string[] =>
      caseFaults(result({ name: "pings", sessions: 40, counters: { pingsRefused: 500_000, sessionsAbused } }), lenient);
    expect(abused(0, true)).toEqual(["sessionsAbused rose by 0, too little for 600000 packets"]);
    expect(abused(1, true)).toEqual([]);
    expect(abused(2, false)).toEqual(["too few sessions were ended"]);
    expect(abused(3, false)).toEqual([]);
  });

  it("names sessions ended that should not be, sessions left, and an established one that did not live", () => {
    const counters = { pingsRefused: 300_000, leftUnread: 300_000, sessionsAbused: 1 };
    expect(caseFaults(result({ name: "patient-pings", sessions: 42, counters }), true)).toEqual([
      "sessions were ended that should not be",
    ]);
    expect(caseFaults(result({ sessionsLeft: 2, survived: false }), true)).toEqual([
      "the established session ended",
      "2 sessions of the attacker stay",
    ]);
  });

  it("leaves speed alone where it is lenient, and judges it where it is not", () => {
    const slow = result({ rate: 10_000, pingMs: 51 });
    expect(caseFaults(slow, true)).toEqual([]);
    expect(caseFaults(slow, false)).toEqual(["only 10000 packets/s were sent", "pings took more than 50 ms"]);
  });
});
