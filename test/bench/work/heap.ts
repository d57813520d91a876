/** What an idle session costs a server: heap after collection with many sessions and with few, as a slope. */
import { type Address, PeerEndpoint } from "rtmfp-core";
import { MemoryNetwork } from "./memory-network.ts";
import { makeProfile } from "./open.ts";
import type { Settings, Work } from "./work.ts";

export const heap: Work = {
  async drive(settings) {
    const network = new MemoryNetwork();
    const server = new PeerEndpoint(network.attach(SERVER), {
      profile: makeProfile(settings),
      // The timer is there; none of the clients is.
      keepaliveMs: 1e9,
    });
    server.onFlow = (flow) => {
      flow.onMessage = () => {};
    };
    await addSessions(network, settings, FEW);
    const atRest = async (): Promise<NodeJS.MemoryUsage & { sessions: number }> => {
      network.advance(LINGER_MS);
      // The next handshake clears away the answers to those before it.
      await addSessions(network, settings, 1);
      network.advance(LINGER_MS);
      for (let i = 0; i < COLLECTIONS; i++) {
        await nextTurn();
        globalThis.gc?.();
      }
      return { ...process.memoryUsage(), sessions: server.sessions.size };
    };
    return async () => {
      const few = await atRest();
      await addSessions(network, settings, settings.idle ?? FEW);
      const many = await atRest();
      const sessions = many.sessions - few.sessions;
      return {
        sessions,
        heapBytes: (many.heapUsed - few.heapUsed) / sessions,
        externalBytes: (many.external - few.external) / sessions,
        residentBytes: (many.rss - few.rss) / sessions,
      };
    };
  },
};

/** Clients that open a session, send one message, and are gone without a word. */
async function addSessions(network: MemoryNetwork, settings: Settings, count: number): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    const clients = Array.from({ length: Math.min(BATCH, count - done) }, () => {
      const address = nextAddress();
      return { address, endpoint: new PeerEndpoint(network.attach(address), { profile: makeProfile(settings) }) };
    });
    const opening = clients.map(({ endpoint }) => endpoint.connect(SERVER));
    await nextTurn();
    network.settle();
    for (const session of await Promise.all(opening)) {
      const flow = session.openFlow("bench");
      flow.write(new Uint8Array(100));
      void flow.close();
    }
    network.advance(1_000);
    for (const { address } of clients) network.detach(address);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

let addresses = 0;
/** A new host each, so that no rate limit per address matters; joined, to be one string as those of a socket are. */
function nextAddress(): Address {
  const n = addresses++;
  return { host: [10, (n >> 16) & 255, (n >> 8) & 255, n & 255].join("."), port: 4_000 };
}

const SERVER: Address = { host: "10.255.255.1", port: 1_935 };
const FEW = 1_000;
const BATCH = 50;
/** Longer than anything that a handshake or a flow leaves for a while. */
const LINGER_MS = 300_000;
const COLLECTIONS = 4;
