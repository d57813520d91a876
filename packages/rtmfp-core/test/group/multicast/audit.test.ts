/** Who is right where two neighbours have different copies of a fragment. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { Audit } from "../../../src/group/multicast/audit.ts";
import { FragmentStore } from "../../../src/group/multicast/fragment-store.ts";
import type { MediaLink } from "../../../src/group/multicast/link.ts";
import { MAX_AUDITS, MAX_WITNESSES } from "../../../src/group/multicast/params.ts";
import { Standing } from "../../../src/group/multicast/standing.ts";
import { newMulticastStats } from "../../../src/group/multicast/stats.ts";

const TRUTH = Uint8Array.of(1);
const POISON = Uint8Array.of(2);

/** A member whose neighbours answer with a copy each, or not at all; the first has brought it fragments up to 100. */
function scene(answers: readonly (Uint8Array | undefined)[], brought: Uint8Array = answers[0] ?? TRUTH) {
  const store = new FragmentStore(1_000_000);
  const stats = newMulticastStats();
  const struck: number[] = [];
  const asked: [at: number, id: number][] = [];
  const links = answers.map((_, at) => ({
    isUp: true,
    granted: 0,
    newest: 100,
    rttMs: 50,
    examined: 0,
    examineAt: 0,
    announcedAt: at,
    standing: new Standing(),
    has: () => true,
    send: ({ id }: { id: number }) => asked.push([at, id]) > 0,
  })) as unknown as MediaLink[];
  const audit = new Audit({ store, stats, chance: () => 0, struck: (link) => struck.push(links.indexOf(link)) });
  store.begin(1);
  for (let id = 1; id <= 100; id++) store.put(id, brought, 0, links[0]);
  let now = 0;
  const run = (ms: number): void => {
    for (const end = now + ms; now < end; now += 100) {
      audit.tick(links, now);
      for (const [at, id] of asked.splice(0)) {
        const bytes = answers[at];
        const link = links[at] as MediaLink;
        if (bytes !== undefined && audit.takes(id, link)) audit.onCopy(id, link, bytes, now);
      }
    }
  };
  return { store, stats, struck, asked, links, audit, run };
}

describe("copies of a fragment", () => {
  it(...rfc("G-3"), "are asked of each neighbour once, and whose agree are believed", () => {
    const { stats, struck, links, audit, run } = scene([TRUTH, TRUTH, TRUTH, TRUTH]);
    expect(links.map((link) => audit.doubtMs(link) > 0)).toEqual([true, true, true, true]);
    run(10_000);
    expect(links.map((link) => audit.doubtMs(link))).toEqual([0, 0, 0, 0]);
    expect([stats.audits, stats.contradicting, struck]).toEqual([3, 0, []]);
  });

  it(...rfc("G-3"), "that differ are asked of others: who has another than most is struck", () => {
    const { store, stats, struck, audit, links, run } = scene([TRUTH, TRUTH, POISON, TRUTH, TRUTH]);
    run(2_000);
    expect([struck, stats.contradicting]).toEqual([[2], 1]);
    expect(audit.doubtMs(links[2] as MediaLink)).toBe(Number.POSITIVE_INFINITY);
    expect(Array.from({ length: 100 }, (_, i) => store.get(i + 1)).every((bytes) => bytes === TRUTH)).toBe(true);
  });

  it(
    ...rfc("G-3"),
    "that most neighbours have replace the one that came first, where the first to announce has none",
    () => {
      const { store, struck, links, run } = scene([POISON, TRUTH, TRUTH, TRUTH, undefined]);
      Object.assign(links[4] as MediaLink, { announcedAt: -1, has: () => false });
      run(2_000);
      expect(struck[0]).toBe(0);
      expect(store.get(100)).toBe(TRUTH);
    },
  );

  it(
    ...rfc("G-3"),
    "of the first that announced the stream decide, until most have said otherwise for eight seconds",
    () => {
      const { audit, links, stats, run } = scene([
        POISON,
        TRUTH,
        TRUTH,
        TRUTH,
        TRUTH,
        TRUTH,
        TRUTH,
        TRUTH,
        TRUTH,
        TRUTH,
      ]);
      run(2_000);
      expect(stats.contradicting).toBeGreaterThan(0);
      expect((links[0] as MediaLink).standing.isStruck).toBe(false);
      for (let second = 0; second < 12; second++) {
        for (const link of links) Object.assign(link, { examined: 0 });
        run(1_000);
      }
      expect(links.map(({ standing }) => standing.isStruck)).toEqual(links.map((_, at) => at === 0));
      expect(audit.doubtMs(links[0] as MediaLink)).toBeGreaterThan(0);
    },
  );

  it(...rfc("G-3"), "of two neighbours alone: who announced the stream first is believed", () => {
    const first = scene([TRUTH, POISON]);
    first.run(1_000);
    expect([first.struck, first.store.get(100)]).toEqual([[1], TRUTH]);
    const { links, struck, store, run } = scene([POISON, TRUTH]);
    Object.assign(links[0] as MediaLink, { announcedAt: 5 });
    run(1_000);
    expect([struck, store.get(100)]).toEqual([[0], TRUTH]);
  });

  it(...rfc("G-3"), "are compared up to so many at a time, and asked of so many neighbours", () => {
    const { stats, audit, links } = scene(Array.from({ length: 30 }, () => undefined));
    for (let id = 1; id <= 100; id++) audit.onCopy(id, links[1] as MediaLink, POISON, 0);
    expect([audit.pending, stats.contradicting]).toEqual([MAX_AUDITS, 100]);
    for (let id = 1; id <= 100; id++) audit.onNew(id, links[1] as MediaLink, 0);
    audit.tick(links, 100);
    expect(stats.audits).toBeLessThanOrEqual(MAX_AUDITS * (MAX_WITNESSES - 2));
  });

  it(...rfc("G-3"), "that nobody sends are not waited for, and those who went are asked for nothing", () => {
    const { audit, links, run } = scene([TRUTH, undefined, undefined]);
    run(300);
    expect(audit.pending).toBeGreaterThan(0);
    for (const link of links) audit.drop(link);
    run(100);
    Object.assign(links[1] as MediaLink, { isUp: false });
    Object.assign(links[2] as MediaLink, { isUp: false });
    run(3_000);
    expect(audit.pending).toBe(0);
  });
});
