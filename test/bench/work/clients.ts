/** What a connected client that does nothing costs a server: memory with many and with few, as a slope. */
import { setTimeout as sleep } from "node:timers/promises";
import { eachOf, openClient, openServer } from "./clients-open.ts";
import { loopbackHost } from "./open.ts";
import type { Figures, Work } from "./work.ts";

export const clients: Work = {
  async serve() {
    const { server, address } = await openServer();
    let few: Figures = {};
    return {
      address,
      mark: async () => {
        few = await atRest(server.stats.clients);
      },
      report: async () => {
        const many = await atRest(server.stats.clients);
        const slope = (of: keyof typeof many): number =>
          ((many[of] ?? 0) - (few[of] ?? 0)) / ((many["sessions"] ?? 0) - (few["sessions"] ?? 0));
        return {
          sessions: many["sessions"] ?? 0,
          heapBytes: slope("heapUsed"),
          externalBytes: slope("external"),
          residentBytes: slope("rss"),
        };
      },
    };
  },
  async drive({ idle = 100 }, address) {
    const few = Math.floor(idle / 5);
    await eachOf(few, async (i) => void (await openClient(address, loopbackHost(i))));
    return async () => {
      await eachOf(idle - few, async (i) => void (await openClient(address, loopbackHost(few + i))));
      return {};
    };
  },
};

/** Memory when all garbage is collected. What handshakes leave behind for a while counts. */
async function atRest(sessions: number): Promise<Figures> {
  await sleep(REST_MS);
  for (let i = 0; i < COLLECTIONS; i++) {
    await sleep(1);
    globalThis.gc?.();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { sessions, heapUsed, external, rss };
}

const REST_MS = 2_000;
const COLLECTIONS = 4;
