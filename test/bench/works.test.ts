import { describe, expect, it } from "vitest";
import { WORKS, type WorkName } from "./work/index.ts";
import type { Work } from "./work/work.ts";

describe("the works of the benchmark", () => {
  const names = Object.keys(WORKS) as WorkName[];
  it.each(names)(
    "%s transfers, and tells numbers of both sides",
    async (name) => {
      const work: Work = WORKS[name];
      // A stream for the relay has a tag every 20 ms: a process held up for that long must not end without one.
      const settings = { seconds: name === "relay" ? 0.5 : 0.05, warmUp: 0.05, idle: 20 };
      const serving = await work.serve?.(settings);
      const run = await work.drive(settings, serving?.address ?? { host: "127.0.0.1", port: 1 });
      await serving?.mark?.();
      const figures = { ...(await run()), ...(await serving?.report?.()) };
      expect(Object.keys(figures).length).toBeGreaterThan(0);
      for (const [key, value] of Object.entries(figures)) expect(value, key).toSatisfy(Number.isFinite);
      // Something must have happened: bytes, packets, round trips, handshakes or sessions.
      const counts = ["bytes", "packets", "count", "sessions"].map((key) => figures[key] ?? 0);
      expect(Math.max(...counts)).toBeGreaterThan(0);
    },
    60_000,
  );
});
