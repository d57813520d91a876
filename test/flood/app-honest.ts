/** Two established NetConnections: one calls the server with text without pause, the other every 50 ms. */
import { NetConnection } from "rtmfp-client";
import type { Address } from "rtmfp-core";
import { serveHonest } from "./honest-pings.ts";
import { APPLICATION } from "./names.ts";

const busy = new NetConnection();
const idle = new NetConnection();

serveHonest({
  start: async ({ port }: Address): Promise<void> => {
    const url = `rtmfp://127.0.0.1:${port}/${APPLICATION}`;
    await Promise.all([busy.connect(url), idle.connect(url)]);
    for (let i = 0; i < CALLS_AT_ONE_TIME; i++) void transfer();
  },
  ping: async (): Promise<void> => {
    await idle.call("echo", null, 1);
  },
  isOpen: () => busy.connected && idle.connected,
});

async function transfer(): Promise<void> {
  const text = "x".repeat(TEXT_BYTES);
  while (busy.connected) {
    // A call that fails ends this process, and the case.
    await busy.call("take", null, text);
  }
}

/** As much as a window of the server's. */
const CALLS_AT_ONE_TIME = 32;
const TEXT_BYTES = 16_384;
