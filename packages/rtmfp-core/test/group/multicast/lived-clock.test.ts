/** A clock that stands still while the process does. */
import { describe, expect } from "vitest";
import { pausable } from "../../../../../test/support/pausable-clock.ts";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { LivedClock } from "../../../src/group/multicast/lived-clock.ts";
import { SimClock } from "../../../src/testing/clock.ts";

/** Both clocks; timers of the process ring late while it is paused. */
function scene() {
  const world = new SimClock();
  const { clock, pause } = pausable(world);
  return { world, clock: new LivedClock(clock), pause };
}

describe("time as a member lives it", () => {
  it(...rfc("G-3"), "is that of the world as long as timers ring in time, or a little late", () => {
    const { world, clock, pause } = scene();
    const rung: number[] = [];
    clock.after(100, () => rung.push(clock.now()));
    world.run(50);
    pause(200);
    world.run(1_000);
    expect([rung, clock.now()]).toEqual([[250], 1_050]);
  });

  it(
    ...rfc("G-3"),
    "stands still while the process does, for timers and for messages that are read before them",
    () => {
      for (const isReadFirst of [false, true]) {
        const { world, clock, pause } = scene();
        const rung: number[] = [];
        const beat = (): void => {
          rung.push(clock.now());
          clock.after(100, beat);
        };
        clock.after(100, beat);
        world.run(150);
        pause(3_000);
        if (isReadFirst) {
          world.run(2_999);
          expect(clock.now()).toBe(450);
          world.run(201);
        } else world.run(3_200);
        // The second beat, due at 200, came at 3,150; the third 100 ms later.
        expect([rung.slice(0, 3), clock.now()]).toEqual([[100, 450, 550], 650]);
      }
    },
  );

  it(...rfc("G-3"), "lets no timer ring before its time has been lived", () => {
    const { world, clock, pause } = scene();
    const rung: number[] = [];
    clock.after(100, () => {});
    clock.after(1_000, () => rung.push(world.now));
    world.run(50);
    pause(2_050);
    world.run(5_000);
    // 1,750 ms were not lived: 2,100 ms of the world less 350.
    expect(rung).toEqual([2_750]);
  });

  it(...rfc("G-3"), "waits for no timer that was cancelled, and goes on where there are none", () => {
    const { world, clock } = scene();
    const cancel = clock.after(100, () => expect.unreachable());
    cancel();
    world.run(10_000);
    expect(clock.now()).toBe(10_000);
  });
});
