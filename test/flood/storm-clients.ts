/** Many NetConnections in one process, each with sockets and an identity of its own. */
import { NetConnection } from "rtmfp-client";
import { createIdentity, defaultProvider, SERVER_IDENTITY } from "rtmfp-core/crypto";
import { serve } from "./remote.ts";

let connections: NetConnection[] = [];
let target = "";

serve({
  /** Makes the clients ahead: their long-term keys are not what the storm measures. */
  prepare: ({ url, count }: { url: string; count: number }): void => {
    target = url;
    const provider = defaultProvider();
    connections = Array.from(
      { length: count },
      () => new NetConnection({ identity: createIdentity(provider, SERVER_IDENTITY, provider.randomBytes) }),
    );
  },
  /** Connects all at once; gives the times of those that succeeded, ms. */
  connect: async (): Promise<number[]> => {
    const start = performance.now();
    const times = await Promise.allSettled(
      connections.map(async (connection) => {
        await connection.connect(target);
        return performance.now() - start;
      }),
    );
    return times.flatMap((time) => (time.status === "fulfilled" ? [time.value] : []));
  },
});
