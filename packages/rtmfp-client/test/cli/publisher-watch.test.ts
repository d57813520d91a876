import { afterEach, beforeEach, describe, expect, vi } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { GoingOn } from "../../src/cli/going-on.ts";
import { PublisherWatch } from "../../src/cli/publisher-watch.ts";
import { Reporter } from "../../src/cli/reporter.ts";
import type { StatusEvent } from "../../src/index.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const GONE = "NetStream.Play.UnpublishNotify";
const THERE = "NetStream.Play.PublishNotify";
const event = (code: string, reason?: string): StatusEvent => ({ code, level: "status", reason }) as StatusEvent;

/** The publisher of "cam", and what is told of it. */
function watched(isInGroup: boolean, wait?: number): { watch: PublisherWatch; over: string[]; told: string[] } {
  const [over, told]: [string[], string[]] = [[], []];
  const reporter = new Reporter({ json: false, level: "info" });
  vi.spyOn(reporter, "log").mockImplementation((level, name) => void told.push(`${level} ${name}`));
  const onOver = (): void => void over.push(watch.end ?? "");
  const watch = new PublisherWatch({ name: "cam", isInGroup, wait, reporter, onOver });
  return { watch, over, told };
}

describe("the publisher of what is played", () => {
  it("has two seconds to come back, whatever became of it", () => {
    for (const reason of [undefined, "lost", "removed", "of another server"]) {
      const { watch, over, told } = watched(false);
      watch.onStatus(event(GONE, reason));
      vi.advanceTimersByTime(1_900);
      watch.onTag();
      vi.advanceTimersByTime(1_900);
      watch.onStatus(event(THERE));
      vi.advanceTimersByTime(60_000);
      expect([over, watch.end]).toEqual([[], undefined]);
      watch.onStatus(event(GONE, reason));
      vi.advanceTimersByTime(2_000);
      expect(over).toEqual([reason === "lost" || reason === "removed" ? reason : "ended"]);
      expect(told).toEqual([]);
    }
  });

  it(...rfc("G-3"), "is waited for in a group that has lost it, as long as it takes or as told", () => {
    const { watch, over, told } = watched(true);
    watch.onStatus(event(GONE, "lost"));
    watch.onTag();
    vi.advanceTimersByTime(3_600_000);
    watch.onStatus(event(THERE));
    expect([over, told]).toEqual([[], ["warn interrupted", "info resumed"]]);
    watch.onStatus(event(GONE));
    vi.advanceTimersByTime(2_000);
    expect(over).toEqual(["ended"]);
    const impatient = watched(true, 30);
    impatient.watch.onStatus(event(GONE, "lost"));
    vi.advanceTimersByTime(29_900);
    expect(impatient.over).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(impatient.over).toEqual(["lost"]);
    impatient.watch.clear();
  });

  it("lets the time of the next publication go on behind that of the one before", () => {
    const time = new GoingOn();
    const place = (timestamp: number): number =>
      time.place({ type: "video", timestamp, data: new Uint8Array(1) }).timestamp;
    expect([place(7_000), place(7_040)]).toEqual([7_000, 7_040]);
    time.restart();
    expect([place(0), place(40), place(30)]).toEqual([7_080, 7_120, 7_110]);
    time.restart();
    expect([place(0xffff_ffff), place(39)]).toEqual([7_150, 7_190]);
  });
});
