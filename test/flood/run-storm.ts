/** Two thousand honest clients at one time, from one address, against rtmfp-server at its default limits. */
import { Remote } from "./remote.ts";

/** What the storm showed. */
export interface StormResult {
  readonly name: "storm";
  readonly clients: number;
  /** Accepted within a client's own patience. */
  readonly opened: number;
  /** From the first connect to the last acceptance. */
  readonly seconds: number;
  readonly slowestMs: number;
}

/** Rejects if one of the processes crashes. */
export async function runStorm(): Promise<StormResult> {
  const server = new Remote("storm-server");
  const clients = new Remote("storm-clients");
  try {
    const url = await server.call<string>("url");
    await clients.call("prepare", { url, count: CLIENTS });
    const start = performance.now();
    const times = await clients.call<number[]>("connect");
    const seconds = (performance.now() - start) / 1_000;
    return { name: "storm", clients: CLIENTS, opened: times.length, seconds, slowestMs: Math.max(...times) };
  } finally {
    for (const process of [clients, server]) process.stop();
  }
}

/** All clients must be open within this time. */
export const STORM_SECONDS = 20;
const CLIENTS = 2_000;
