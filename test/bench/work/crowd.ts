/** A hundred sessions that transfer, beside as many idle ones as the settings say. What counts is the server's CPU. */
import type { Address, Session } from "rtmfp-core";
import { pump } from "./bulk.ts";
import { loopbackHost, openEndpoint } from "./open.ts";
import type { Settings, Work } from "./work.ts";

export const crowd: Work = {
  async serve(settings) {
    const endpoint = await openEndpoint(settings);
    endpoint.onFlow = (flow) => {
      flow.onMessage = () => {};
    };
    const packets = (): number => endpoint.stats.datagramsIn + endpoint.stats.datagramsOut;
    let before = 0;
    return {
      address: endpoint.address,
      mark: () => {
        before = packets();
      },
      report: () => ({ packets: packets() - before, sessions: endpoint.sessions.size }),
    };
  },
  async drive(settings, address) {
    await openSessions(settings, address, settings.idle ?? 0);
    const sessions = await openSessions(settings, address, ACTIVE);
    const run = async (seconds: number): Promise<void> => {
      const until = performance.now() + seconds * 1_000;
      await Promise.all(sessions.map((session) => pump(session.openFlow("bulk"), until)));
    };
    await run(settings.warmUp);
    return async () => {
      const start = performance.now();
      await run(settings.seconds);
      return { ms: performance.now() - start };
    };
  },
};

/** Each by an endpoint of its own, which lives on and answers: an address can have one session. */
async function openSessions(settings: Settings, address: Address, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  const lane = async (first: number): Promise<void> => {
    for (let i = first; i < count; i += AT_ONCE) {
      const endpoint = await openEndpoint(settings, loopbackHost(i));
      sessions.push(await endpoint.connect(address));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => lane(first)));
  return sessions;
}

const ACTIVE = 100;
const AT_ONCE = 16;
