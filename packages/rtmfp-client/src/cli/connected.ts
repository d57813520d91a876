/** Waiting for a connection that comes back. */
import type { NetConnection } from "../net-connection.ts";

/** Resolves when there is a connection, at once if there is one, or when `signal` is aborted. */
export function connected(connection: NetConnection, signal: AbortSignal): Promise<void> {
  if (connection.connected || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      connection.off("status", onStatus);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const onStatus = ({ code }: { readonly code: string }): void => {
      if (code === "NetConnection.Connect.Success") done();
    };
    connection.on("status", onStatus);
    signal.addEventListener("abort", done, { once: true });
  });
}
