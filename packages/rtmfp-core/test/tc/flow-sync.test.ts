import fc from "fast-check";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { MAX_RECEIVING_FLOWS } from "../../src/proto/params.ts";
import { FlowSync, MAX_BARRIERS } from "../../src/tc/flow-sync.ts";

type Item = string | readonly [syncId: number, count: number];

/** Figure 2 of §5.2. */
const FIGURE_2: Readonly<Record<string, readonly Item[]>> = {
  F1: ["M1", "M2", "M4", [8, 2], [13, 2], "M7"],
  F2: ["M3", [8, 2], "M5", [13, 2], "M6"],
};

describe("FlowSync", () => {
  it(...rfc("V1-42", "R7425-5.2-05"), "keeps the order of Figure 2, whichever flow is read first", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.boolean()), (choices) => {
        const order = replay(FIGURE_2, choices);
        expect([...order].sort()).toEqual(["M1", "M2", "M3", "M4", "M5", "M6", "M7"]);
        const at = (message: string) => order.indexOf(message);
        for (const before of ["M1", "M2", "M3", "M4"]) expect(at(before)).toBeLessThan(at("M5"));
        for (const after of ["M6", "M7"]) expect(at(after)).toBeGreaterThan(at("M5"));
        expect(at("M1")).toBeLessThan(at("M2"));
        expect(at("M2")).toBeLessThan(at("M4"));
      }),
    );
  });

  it(...rfc("V1-42"), "leaves M3 and M6 free where Figure 2 does", () => {
    const orders = fc
      .sample(fc.infiniteStream(fc.boolean()), { numRuns: 200, seed: 1 })
      .map((choices) => replay(FIGURE_2, choices));
    const both = (a: string, b: string) => new Set(orders.map((order) => order.indexOf(a) < order.indexOf(b))).size;
    expect(both("M3", "M1")).toBe(2);
    expect(both("M3", "M4")).toBe(2);
    expect(both("M6", "M7")).toBe(2);
  });

  it(...rfc("AMB-60", "R7425-5.2-03"), "lets counts of 0 and 1 pass at once", () => {
    const sync = new FlowSync<string>();
    for (const count of [0, 1]) {
      expect(sync.arrive("a", 1, count, 0)).toEqual([]);
      expect(sync.isSuspended("a")).toBe(false);
    }
    expect(sync.pollTimeout()).toBeUndefined();
  });

  it(...rfc("AMB-59"), "goes by the first count, and frees the ID when the barrier opens", () => {
    const sync = new FlowSync<string>();
    sync.arrive("a", 1, 2, 0);
    expect(sync.arrive("b", 1, 9, 0)).toEqual(["a"]);
    expect([sync.isSuspended("a"), sync.isSuspended("b")]).toEqual([false, false]);
    sync.arrive("b", 1, 3, 0);
    sync.arrive("a", 1, 2, 0);
    expect([sync.isSuspended("a"), sync.isSuspended("b")]).toEqual([true, true]);
    expect(sync.arrive("c", 1, 3, 0)).toEqual(["b", "a"]);
  });

  it(...rfc("AMB-59"), "counts a flow that closed or was rejected as arrived", () => {
    const sync = new FlowSync<string>();
    sync.arrive("a", 1, 3, 0);
    sync.arrive("b", 1, 3, 0);
    expect(sync.leave("c")).toEqual(["a", "b"]);
    expect(sync.pollTimeout()).toBeUndefined();
  });

  it(...rfc("AMB-59"), "lets a sync pass that comes after its barrier opened without it", () => {
    const sync = new FlowSync<string>({ timeoutMs: 1_000 });
    sync.arrive("a", 1, 2, 0);
    expect(sync.leave("unrelated")).toEqual(["a"]);
    expect(sync.arrive("b", 1, 2, 10)).toEqual([]);
    expect(sync.isSuspended("b")).toBe(false);
    sync.arrive("b", 1, 2, 20);
    expect(sync.isSuspended("b")).toBe(true);
    expect(sync.handleTimeout(1_020)).toEqual(["b"]);
    expect(sync.arrive("a", 1, 2, 2_019)).toEqual([]);
    expect(sync.isSuspended("a")).toBe(false);
    sync.arrive("c", 2, 2, 3_000);
    expect(sync.leave("unrelated")).toEqual(["c"]);
    sync.arrive("d", 2, 2, 4_000);
    expect(sync.isSuspended("d")).toBe(true);
  });

  it(...rfc("AMB-59"), "does not resume a flow that left while it waited", () => {
    const sync = new FlowSync<string>();
    sync.arrive("a", 1, 3, 0);
    sync.arrive("b", 1, 3, 0);
    expect(sync.leave("a")).toEqual([]);
    expect(sync.arrive("c", 1, 3, 0)).toEqual(["b"]);
    sync.arrive("b", 2, 2, 0);
    sync.leave("b");
    expect(sync.pollTimeout()).toBeUndefined();
  });

  it(...rfc("AMB-59"), "opens a barrier that nobody completes when its time is up", () => {
    const sync = new FlowSync<string>({ timeoutMs: 1_000 });
    sync.arrive("a", 1, MAX_RECEIVING_FLOWS, 500);
    sync.arrive("b", 2, 2, 700);
    expect(sync.pollTimeout()).toBe(1_500);
    expect(sync.handleTimeout(1_499)).toEqual([]);
    expect(sync.handleTimeout(1_500)).toEqual(["a"]);
    expect(sync.isSuspended("a")).toBe(false);
    expect(sync.pollTimeout()).toBe(1_700);
    expect(sync.handleTimeout(9_999)).toEqual(["b"]);
    expect([sync.timeouts, sync.pollTimeout()]).toEqual([2, undefined]);
  });

  it(...rfc("R7425-5.2-05", "AMB-59"), "refuses a barrier of more flows than a session can have", () => {
    const sync = new FlowSync<string>();
    expect(sync.arrive("a", 1, MAX_RECEIVING_FLOWS + 1, 0)).toEqual([]);
    expect(sync.arrive("b", 1, 0xffffffff, 0)).toEqual([]);
    expect([sync.isSuspended("a"), sync.isSuspended("b"), sync.refused]).toEqual([false, false, 2]);
    expect(sync.pollTimeout()).toBeUndefined();
    sync.arrive("a", 1, MAX_RECEIVING_FLOWS, 0);
    expect([sync.isSuspended("a"), sync.refused]).toEqual([true, 2]);
  });

  it(...rfc("R7425-5.2-05", "AMB-59"), "refuses barriers beyond the cap, and lets all their syncs pass", () => {
    const sync = new FlowSync<string>({ timeoutMs: 1_000 });
    for (let id = 0; id < MAX_BARRIERS; id++) sync.arrive(`a${id}`, id, 2, 0);
    expect([sync.isSuspended(`a${MAX_BARRIERS - 1}`), sync.refused]).toEqual([true, 0]);
    sync.arrive("c", 9_999, 2, 0);
    expect([sync.isSuspended("c"), sync.refused]).toEqual([false, 1]);
    expect(sync.arrive("b0", 0, 2, 0)).toEqual(["a0"]);
    sync.arrive("d", 9_999, 2, 0);
    expect([sync.isSuspended("d"), sync.refused]).toEqual([false, 1]);
    sync.arrive("c", 9_999, 2, 0);
    expect([sync.isSuspended("c"), sync.refused]).toEqual([true, 1]);
  });

  it(...rfc("R7425-5.2-05"), "does no more work for many barriers and flows than the cap allows", () => {
    for (const count of [2_000, 0xffffffff]) {
      const sync = new FlowSync<string>();
      const arrivals = stepsOf(() => {
        for (let id = 0; id < 400; id++) sync.arrive(`a${id}`, id, count, 0);
      });
      expect(arrivals).toBeGreaterThan(400);
      expect(arrivals).toBeLessThan(400 * 16);
      const leaves = stepsOf(() => {
        for (let other = 0; other < 400; other++) sync.leave(`b${other}`);
      });
      expect(leaves).toBeLessThan(400 * (MAX_BARRIERS + 16));
    }
  });

  it(...rfc("AMB-59"), "does not look at all barriers that opened early when a sync comes", () => {
    const sync = new FlowSync<string>();
    for (let id = 0; id < 400; id++) {
      sync.arrive("a", id, 2, 0);
      sync.leave("b");
    }
    const steps = stepsOf(() => {
      for (let id = 1_000; id < 1_400; id++) sync.arrive("a", id, 1, 0);
    });
    expect(steps).toBeLessThan(400 * 16);
    sync.arrive("a", 0, 2, 0);
    expect(sync.isSuspended("a")).toBe(true);
    sync.arrive("c", 399, 2, 0);
    expect(sync.isSuspended("c")).toBe(false);
  });
});

/** How often `run` calls a method of a Map or Set, and how many of their entries it goes through. */
function stepsOf(run: () => void): number {
  let steps = 0;
  const undo: (() => void)[] = [];
  const count = (prototype: Record<string, (...args: unknown[]) => unknown>, name: string): void => {
    const original = prototype[name]!;
    undo.push(() => {
      prototype[name] = original;
    });
    prototype[name] = function (...args) {
      steps++;
      return original.apply(this, args);
    };
  };
  for (const collection of [new Map(), new Set()]) {
    for (const name of ["get", "set", "add", "has", "delete"])
      if (name in collection) count(Object.getPrototypeOf(collection), name);
    count(Object.getPrototypeOf(collection.values()), "next");
  }
  try {
    run();
  } finally {
    for (const restore of undo) restore();
  }
  return steps;
}

/** Reads the flows as an owner does, choosing at random which one next; every message must come out in the end. */
function replay(flows: Readonly<Record<string, readonly Item[]>>, choices: Iterable<boolean>): string[] {
  const sync = new FlowSync<string>();
  const at = new Map(Object.keys(flows).map((flow) => [flow, 0]));
  const delivered: string[] = [];
  const choice = choices[Symbol.iterator]();
  for (;;) {
    const ready = [...at.keys()].filter((flow) => at.get(flow)! < flows[flow]!.length && !sync.isSuspended(flow));
    const flow = ready.length > 1 && choice.next().value ? ready[1] : ready[0];
    if (flow === undefined) return delivered;
    const item = flows[flow]![at.get(flow)!]!;
    at.set(flow, at.get(flow)! + 1);
    if (typeof item === "string") delivered.push(item);
    else sync.arrive(flow, item[0], item[1], 0);
  }
}
