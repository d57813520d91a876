import { Multicast } from "../../../src/group/multicast/multicast.ts";
import type { SimClock } from "../../../src/testing/clock.ts";
import type { Prng } from "../../../src/testing/prng.ts";

/** The streams of a member in virtual time, as in any other run of the seed; `notified` gets the names that it is told of. */
export function makeMulticast(clock: Pick<SimClock, "now" | "after">, prng: Prng, notified: string[]): Multicast {
  return new Multicast({
    clock: { now: () => clock.now, after: (ms, run) => clock.after(ms, run) },
    random: (length) => Uint8Array.from({ length }, () => prng.int(256)),
    host: {
      publishNotify: (name) => notified.push(`publish ${name}`),
      unpublishNotify: (name) => notified.push(`unpublish ${name}`),
    },
  });
}
