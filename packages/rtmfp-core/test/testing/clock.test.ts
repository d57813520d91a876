import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { Prng, SimClock } from "../../src/testing/index.ts";

describe("SimClock", () => {
  it("runs events by time, and in order of scheduling where times are equal", () => {
    const clock = new SimClock();
    const prng = new Prng("order");
    const ran: [number, number][] = [];
    for (let i = 0; i < 2000; i++) {
      const time = prng.int(50);
      clock.at(time, () => ran.push([clock.now, i]));
    }
    clock.run(Number.POSITIVE_INFINITY);
    const sorted = ran.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
    expect(ran).toHaveLength(2000);
    expect(ran).toEqual(sorted);
  });

  it("passes exactly the time that run was given, and leaves later events for later", () => {
    const clock = new SimClock();
    const ran: number[] = [];
    clock.at(10, () => ran.push(10));
    clock.at(10.5, () => ran.push(10.5));
    clock.run(10);
    expect([clock.now, ran]).toEqual([10, [10]]);
    clock.run(5);
    expect([clock.now, ran]).toEqual([15, [10, 10.5]]);
  });

  it("does not run what was cancelled", () => {
    const clock = new SimClock();
    const ran: string[] = [];
    const cancel = clock.after(1, () => ran.push("first"));
    clock.after(2, () => ran.push("second"));
    cancel();
    clock.run(10);
    expect(ran).toEqual(["second"]);
  });

  it("steps by one event and stops where a predicate holds", () => {
    const clock = new SimClock();
    let count = 0;
    for (let i = 1; i <= 5; i++) clock.at(i * 10, () => count++);
    expect(clock.step()).toBe(true);
    expect([clock.now, count]).toEqual([10, 1]);
    expect(clock.runUntil(() => count === 3, 1000)).toBe(true);
    expect(clock.now).toBe(30);
    expect(clock.runUntil(() => count === 9, 1000)).toBe(false);
    expect([clock.now, count, clock.step()]).toEqual([1030, 5, false]);
  });

  it("lets a promise chain of any length finish before time passes", async () => {
    const clock = new SimClock();
    const seen: number[] = [];
    clock.at(1, () => {
      void (async () => {
        for (let i = 0; i < 1000; i++) await null;
        seen.push(clock.now);
      })();
    });
    clock.at(1, () => seen.push(-1));
    clock.at(2, () => seen.push(2));
    await clock.runAsync(10);
    expect(seen).toEqual([1, -1, 2]);
  });

  it("settles a promise in virtual time, far faster than real time", async () => {
    const clock = new SimClock();
    const work = async (): Promise<string> => {
      for (let hour = 0; hour < 24; hour++) await clock.sleep(3_600_000);
      return "a day";
    };
    expect(await clock.settle(work(), 100_000_000)).toBe("a day");
    expect(clock.now).toBe(24 * 3_600_000);
  });

  it("passes on a rejection, and reports a promise that stays pending", async () => {
    const clock = new SimClock();
    const failing = clock.sleep(5).then(() => Promise.reject(new Error("refused")));
    await expect(clock.settle(failing, 100)).rejects.toThrow("refused");
    await expect(clock.settle(new Promise(() => {}), 250)).rejects.toThrow(
      "still pending after 250 ms of virtual time",
    );
    await expect(clock.settle(clock.sleep(1000), Number.POSITIVE_INFINITY)).resolves.toBeUndefined();
  });
});

describe("Prng", () => {
  it("repeats with its seed and differs with another", () => {
    const draw = (seed: string | number): string => new Prng(seed).bytes(32).join();
    expect(draw(1)).toBe(draw(1));
    expect(new Set([1, 2, "a", "b", ""].map(draw)).size).toBe(5);
  });

  it("is uniform enough, and a fork does not disturb its parent", () => {
    const prng = new Prng("uniform");
    const other = new Prng("uniform");
    const buckets = new Array<number>(16).fill(0);
    for (let i = 0; i < 64_000; i++) {
      prng.fork("child").next();
      const value = prng.int(16);
      buckets[value] = (buckets[value] as number) + 1;
      expect(value).toBe(other.int(16));
    }
    // 4000 expected in each; the standard deviation is 61.
    for (const count of buckets) expect(Math.abs(count - 4000)).toBeLessThan(250);
  });
});
