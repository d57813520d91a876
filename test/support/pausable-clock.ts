import type { SimClock } from "../../packages/rtmfp-core/src/testing/clock.ts";

/** The part of a process's clock that stands still with it. */
interface ProcessClock {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

/** The clock of a process in `world` that can be paused: time goes on meanwhile, and its timers ring late. */
export function pausable(world: SimClock): { clock: ProcessClock; pause: (ms: number) => void } {
  let runsAgainAt = 0;
  const after = (ms: number, run: () => void): (() => void) => {
    let cancel: () => void;
    const ring = (): void => {
      if (world.now >= runsAgainAt) run();
      else cancel = world.at(runsAgainAt, ring);
    };
    cancel = world.after(ms, ring);
    return () => cancel();
  };
  return {
    clock: { now: () => world.now, after },
    pause: (ms) => {
      runsAgainAt = world.now + ms;
    },
  };
}
