/** A process under attack: what it tells of itself. */
import { writeFileSync } from "node:fs";
import { Session as Inspector } from "node:inspector/promises";
import { type Address, letHeapGrow } from "rtmfp-core";
import { serve } from "./remote.ts";

/** What the server tells of itself. */
export interface Snapshot {
  /** User data of the established session so far, bytes. */
  readonly received: number;
  /** Of this process, ms. */
  readonly at: number;
  /** User and system time so far, ms. */
  readonly cpuMs: number;
  /** Open sessions. */
  readonly sessions: number;
  /** Counters by name. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What is under attack. */
export interface Victim {
  readonly address: Address;
  /** Each as in {@link Snapshot}. */
  readonly received: () => number;
  readonly sessions: () => number;
  readonly counters: () => Record<string, number>;
}

/** Answers calls about it until the parent is gone, with the heap of the rtmfp-server command. */
export function serveVictim(victim: Victim): void {
  letHeapGrow();
  const inspector = new Inspector();
  let peak = 0;
  let watch: NodeJS.Timeout | undefined;
  serve({
    address: (): Address => victim.address,
    snapshot: (): Snapshot => {
      const { user, system } = process.cpuUsage();
      return {
        received: victim.received(),
        at: performance.now(),
        cpuMs: (user + system) / 1_000,
        sessions: victim.sessions(),
        counters: victim.counters(),
      };
    },
    /** Starts to look where this process spends its time. */
    profile: async (): Promise<void> => {
      inspector.connect();
      await inspector.post("Profiler.enable");
      await inspector.post("Profiler.start");
    },
    /** Writes what it saw, as `node --cpu-prof` does. */
    profileTo: async (file: string): Promise<void> => {
      const { profile } = await inspector.post("Profiler.stop");
      inspector.disconnect();
      writeFileSync(file, JSON.stringify(profile));
    },
    /** Starts to look at resident memory. */
    watch: (): void => {
      peak = process.memoryUsage.rss();
      watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage.rss());
      }, WATCH_MS);
    },
    /** The most it was since then, before any collection that nobody asked for; bytes. */
    peak: (): number => {
      clearInterval(watch);
      return Math.max(peak, process.memoryUsage.rss());
    },
    /** Resident memory after a collection, bytes. */
    memory: (): number => {
      globalThis.gc?.();
      globalThis.gc?.();
      return process.memoryUsage.rss();
    },
  });
}

const WATCH_MS = 100;
