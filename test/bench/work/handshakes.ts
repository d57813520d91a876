/** Sessions opened one after the other, eight at once, each by an endpoint of its own with a socket of its own. */
import { loopbackHost, openEndpoint } from "./open.ts";
import type { Work } from "./work.ts";

export const handshakes: Work = {
  async serve(settings) {
    const endpoint = await openEndpoint(settings);
    let opened = 0;
    endpoint.onSession = () => {
      opened++;
    };
    return {
      address: endpoint.address,
      mark: () => {
        opened = 0;
      },
      report: () => ({ opened, rateLimited: endpoint.stats.rateLimited }),
    };
  },
  async drive(settings, address) {
    let index = 0;
    const one = async (): Promise<void> => {
      const endpoint = await openEndpoint(settings, loopbackHost(index++));
      await endpoint.connect(address);
      await endpoint.close();
    };
    /** For so long, and so many at least. */
    const run = async (seconds: number, least: number): Promise<number> => {
      const until = performance.now() + seconds * 1_000;
      let count = 0;
      const lane = async (): Promise<void> => {
        for (; performance.now() < until || count < least; count++) await one();
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      return count;
    };
    await run(settings.warmUp, settings.warmUp * WARM_UP_PER_SECOND);
    return async () => {
      const start = performance.now();
      const count = await run(settings.seconds, 0);
      return { count, ms: performance.now() - start };
    };
  },
};

const AT_ONCE = 8;
/** Each handshake runs its code but once, so the compiler needs many, however slow the machine is at first. */
const WARM_UP_PER_SECOND = 2_500;
