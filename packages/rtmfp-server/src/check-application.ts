/** The application that tells a client what its network allows, and then closes the connection (C-9). */
import type { ApplicationFactory } from "./application.ts";
import type { Client } from "./client.ts";
import { checkConnectivity, describeResults, resultsInfo } from "./connectivity-check.ts";
import { type Logger, shortId } from "./log.ts";
import type { PeerEntry } from "./peers.ts";
import type { Prober } from "./prober.ts";
import { Reject } from "./reject.ts";

/** What the check needs of the server. */
export interface CheckHost {
  readonly prober: () => Prober | undefined;
  readonly log: Logger;
  /** The session behind a client. */
  peerOf(client: Client): PeerEntry | undefined;
  after(ms: number, run: () => void): () => void;
}

/** Makes the handlers. */
export function checkApplication(host: CheckHost): ApplicationFactory {
  let running = 0;

  const check = async (client: Client, peer: PeerEntry): Promise<void> => {
    running++;
    try {
      await peerInfo(peer, host);
      const results = await checkConnectivity(peer, host.prober());
      client.send("onStatus", resultsInfo(results));
      const fields = {
        client: shortId(client.farID),
        address: results.publicAddress,
        ...describeResults(results, peer),
      };
      host.log({ level: "info", event: "check", fields });
      await client.close();
    } finally {
      running--;
    }
  };

  const refuse = (): never => {
    throw new Reject("This application only checks connectivity.");
  };
  return () => ({
    onPublish: refuse,
    onPlay: refuse,
    onConnect(client) {
      const peer = host.peerOf(client);
      if (peer === undefined || running >= MAX_CHECKS)
        throw new Reject("The check is busy; try again in a few seconds.");
      void check(client, peer);
    },
  });
}

/** Resolves when the client has told its own addresses, as it does right after `connect`, or does not. */
function peerInfo(peer: PeerEntry, host: CheckHost): Promise<void> {
  if (peer.reported !== undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = host.after(PEER_INFO_MS, resolve);
    peer.onReport = () => {
      cancel();
      resolve();
    };
  });
}

/** Checks under way at a time. */
export const MAX_CHECKS = 64;
const PEER_INFO_MS = 3_000;
