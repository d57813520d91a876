/** The attacking process: sends one kind of datagram at a steady rate. */
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import type { Address } from "rtmfp-core";
import { type Attack, type AttackName, attacks } from "./attacks.ts";
import { serve } from "./remote.ts";

/** What an attacker tells of its work. */
export interface AttackReport {
  /** Datagrams of the kind that went out. */
  readonly sent: number;
  /** How long that took, ms. */
  readonly ms: number;
  /** Sessions that it has opened, also before the flood. */
  readonly sessions: number;
}

let attack: Attack | undefined;

serve({
  prepare: async ({ name, address, rate }: { name: AttackName; address: Address; rate: number }): Promise<void> => {
    attack = await attacks[name](address, rate);
  },
  /** Sends `rate` datagrams a second for so many seconds. */
  run: async ({ seconds, rate }: { seconds: number; rate: number }): Promise<AttackReport> => {
    const start = performance.now();
    let calls = 0;
    let elapsed = 0;
    for (; elapsed < seconds * 1_000; elapsed = performance.now() - start) {
      const due = Math.floor((elapsed * rate) / 1_000);
      const until = Math.min(due, calls + BURST);
      for (; calls < until; calls++) attack?.send();
      // Behind or not, it must hear that a session has ended.
      await (calls < due ? nextTurn() : wait(1));
    }
    return { sent: attack?.sent?.() ?? calls, ms: elapsed, sessions: attack?.sessions?.() ?? 0 };
  },
  end: async (): Promise<void> => {
    await attack?.end();
  },
});

/** Datagrams that are sent in one turn of the loop, at most. */
const BURST = 200;
