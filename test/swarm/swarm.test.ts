import { Prng, SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { Delivery } from "./delivery.ts";
import { figuresOf } from "./figures.ts";
import { Histogram } from "./histogram.ts";
import { canMeet, makeHome, NAT_MIX } from "./network.ts";
import { parseOptions, STEP_MS, type SwarmOptions } from "./options.ts";
import { Parcel, unpack } from "./parcel.ts";
import { Parts } from "./parts.ts";
import { describe as inWords, toJson } from "./print.ts";
import { inspectRing } from "./ring.ts";
import type { ShardReport } from "./shard.ts";
import { isKey, makeStream, numberOf } from "./source.ts";
import { runSwarm } from "./swarm.ts";
import { faults } from "./targets.ts";

const options = (text: string): SwarmOptions => parseOptions(text.split(" ").filter(Boolean)) as SwarmOptions;

describe("a swarm", () => {
  it(
    ...rfc("G-3"),
    "gets a stream to every member that stays, by members",
    async () => {
      const run = await runSwarm(options("--members 8 --seconds 24 --churn 30 --seed 3"));
      const figures = figuresOf(run);
      expect(faults(figures)).toEqual([]);
      expect(figures.left).toBeGreaterThan(0);
      expect(figures.measured).toBeGreaterThan(4);
      expect(figures.publisherUpload).toBeGreaterThan(0.9);
      expect(inWords(figures)).toMatch(/delivered {3}100\.00 %/);
      expect(JSON.parse(toJson(figures)).figures.members).toBe(8);
    },
    60_000,
  );

  it(
    ...rfc("G-6"),
    "goes on for those who are left when a third is gone at once",
    async () => {
      const figures = figuresOf(
        await runSwarm(options("--members 12 --seconds 40 --churn 0 --kill 30 --kill-at 18 --seed 2")),
      );
      expect(faults(figures)).toEqual([]);
      expect(figures.left).toBe(4);
      expect(figures.healed?.silence).toBeGreaterThan(0);
    },
    60_000,
  );

  it("is the same each time, by its seed alone", async () => {
    const once = async (): Promise<string> => {
      const run = await runSwarm(options("--members 4 --seconds 8 --crypto plain"));
      const { wallSeconds, cpuSeconds, peakHeapMiB, ...rest } = figuresOf(run);
      return JSON.stringify(rest);
    };
    expect(await once()).toBe(await once());
  }, 60_000);
});

describe("the book of a member", () => {
  it("counts from the first key frame on what came within the window, and silences between", () => {
    const at = Array.from({ length: 100 }, (_, i) => i * 100);
    const delivery = new Delivery({ at }, 0);
    for (let number = 5; number < 100; number++) {
      // 20 is late, 30 never comes, 40 to 59 come together.
      if (number === 30) continue;
      const now = number === 20 ? 11_000 : number >= 40 && number < 60 ? 6_000 : number * 100 + 50;
      if (number !== 20) delivery.take(number, 10, number === 10, now);
    }
    delivery.take(20, 10, false, 11_000);
    expect(delivery.take(21, 10, false, 11_000)).toBeUndefined();
    expect(delivery.repeated).toBe(1);
    expect(delivery.firstKeyAt).toBe(1_050);
    expect(delivery.share(9_900, 8_000)).toEqual({ due: 90, got: 88 });
    expect(delivery.missingTimes(9_900, 8_000)).toEqual([2_000, 3_000]);
    expect(delivery.silences.map(({ from, to }) => [from, to])).toEqual([
      [3_950, 6_000],
      [9_950, 11_000],
    ]);
  });

  it("holds it against a member that nothing comes to", () => {
    const at = Array.from({ length: 200 }, (_, i) => i * 100);
    expect(new Delivery({ at }, 0).share(19_900, 8_000)).toEqual({ due: 100, got: 0 });
  });
});

describe("the ring", () => {
  const member = (address: string, ...neighbours: string[]) => ({ address, neighbours: new Set(neighbours) });

  it("is right where both sides are connected, both ways, and broken where there is no way", () => {
    const whole = [member("a", "b", "d"), member("b", "a", "c"), member("c", "b", "d"), member("d", "c", "a")];
    expect(inspectRing(whole, () => true)).toEqual({ members: 4, right: 4, pairs: 4, connected: 4, pieces: 1 });
    const torn = [member("a", "b"), member("b", "a"), member("c", "d"), member("d", "c", "a")];
    expect(inspectRing(torn, () => true)).toEqual({ members: 4, right: 0, pairs: 4, connected: 2, pieces: 2 });
    expect(inspectRing(torn, (a, b) => a.address < b.address && b.address < "c").pairs).toBe(1);
  });

  it("expects no session between strict NATs and symmetric ones", () => {
    expect(canMeet("symmetric", "symmetric")).toBe(false);
    expect(canMeet("port-restricted-cone", "symmetric")).toBe(false);
    expect(canMeet("restricted-cone", "symmetric")).toBe(true);
    expect(canMeet("port-restricted-cone", "port-restricted-cone")).toBe(true);
  });
});

describe("the parts of a swarm", () => {
  it("are one group by the datagrams that they exchange, and the same whichever thread has them", async () => {
    const run = async (threads: number): Promise<ShardReport[]> => {
      const settings = { ...options("--members 20 --seconds 14 --churn 0 --crypto plain"), threads };
      const all = Array.from({ length: threads }, (_, index) => new Parts(settings, index));
      let underWay: [number, Uint8Array][] = [];
      for (let now = STEP_MS; now <= settings.seconds * 1000; now += STEP_MS) {
        for (const parts of all) await parts.runTo(now);
        // As threads do: what one has sent in a step is there at the end of the next.
        for (const [to, parcel] of underWay) all[to]?.receive(parcel);
        underWay = all.flatMap((parts) => [...parts.parcels().entries()]);
      }
      return all.flatMap((parts) => parts.reports());
    };
    const reports = await run(1);
    expect(reports.map(({ viewers }) => viewers.length)).toEqual([7, 7, 6]);
    for (const { viewers } of reports) {
      for (const { share, neighbours } of viewers) {
        expect(neighbours).toBeGreaterThan(6);
        expect(share.due).toBeGreaterThan(0);
        expect(share.got).toBe(share.due);
      }
    }
    const [first, third, second] = await run(2);
    expect([first, second, third]).toEqual(reports);
  }, 60_000);

  it("get datagrams as they were packed", () => {
    const parcel = new Parcel();
    const crossings = Array.from({ length: 200 }, (_, i) => ({
      datagram: {
        from: { host: `198.18.0.${i}`, port: 1_000 + i },
        to: { host: "203.0.113.255", port: 65_535 },
        bytes: new Uint8Array(i * 7).fill(i),
      },
      at: i / 3,
    }));
    for (const crossing of crossings) parcel.add(crossing);
    expect([...unpack(parcel.take())]).toEqual(crossings);
    expect(parcel.take()).toHaveLength(0);
  });
});

describe("what a swarm is made of", () => {
  it("make a stream of the rate that was asked for, with a key frame every two seconds", () => {
    const stream = makeStream(500, 20);
    const bytes = stream.reduce((sum, { tag }) => sum + tag.data.length, 0);
    expect((bytes * 8) / 20_000).toBeCloseTo(500, -1);
    expect(stream.filter(({ tag }) => isKey(tag)).map(({ at }) => at)).toEqual(
      [...Array(10).keys()].map((i) => i * 2_000),
    );
    expect(stream.slice(2).map(({ tag }) => numberOf(tag))).toEqual([...stream.keys()].slice(2));
    expect(stream.slice(0, 2).map(({ tag }) => numberOf(tag))).toEqual([undefined, undefined]);
  });

  it("draw NATs as the mix says", () => {
    const world = new SimWorld(1);
    const prng = new Prng(1);
    const drawn = Array.from({ length: 2_000 }, (_, i) => makeHome(world, prng, `${i}`, 0, 2e6).access);
    for (const [access, share] of NAT_MIX)
      expect(drawn.filter((each) => each === access).length / 2_000).toBeCloseTo(share, 1);
  });

  it("tell quantiles", () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 1_000; ms++) histogram.add(ms);
    expect([histogram.quantile(0.5), histogram.quantile(0.99)]).toEqual([500, 990]);
    expect(new Histogram().quantile(0.5)).toBe(0);
  });

  it("refuse bad options in one line", () => {
    expect(() => parseOptions(["--members", "0"])).toThrow(
      'expected --members from 1 to 10000, a whole number, got "0"',
    );
    expect(() => parseOptions(["--loss", "x"])).toThrow('expected --loss from 0 to 100 percent, got "x"');
    expect(() => parseOptions(["--crypto", "rot13"])).toThrow('expected --crypto real or plain, got "rot13"');
    expect(parseOptions(["--help"])).toBeUndefined();
    expect([options("--members 100").crypto, options("--members 101").crypto]).toEqual(["real", "plain"]);
    expect(options("--loss 0.5 --churn 5 --seconds 30")).toMatchObject({ loss: 0.005, churn: 0.05, joinSeconds: 10 });
  });
});
