/** The attacking process: sends one kind of datagram at a steady rate. */
import { constants, setPriority } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
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

// What an attacker spends on its packets, its target's machine does not have: it yields to the others, and still keeps its rate.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

serve({
  prepare: async ({ name, address, rate }: { name: AttackName; address: Address; rate: number }): Promise<void> => {
    attack = await attacks[name](address, rate);
  },
  /** Sends `rate` datagrams a second for so many seconds. */
  run: async ({ seconds, rate }: { seconds: number; rate: number }): Promise<AttackReport> => {
    const start = performance.now();
    let calls = 0;
    let elapsed = 0;
    for (let before = 0; elapsed < seconds * 1_000; elapsed = performance.now() - start) {
      const due = Math.floor((elapsed * rate) / 1_000);
      const until = Math.min(due, calls + Math.ceil(((elapsed - before) * rate * CATCH_UP) / 1_000));
      before = elapsed;
      for (; calls < until; calls++) attack?.send();
      // It must hear, too, that a session has ended.
      await wait(1);
    }
    return { sent: attack?.sent?.() ?? calls, ms: elapsed, sessions: attack?.sessions?.() ?? 0 };
  },
  end: async (): Promise<void> => {
    await attack?.end();
  },
});

/** What it is behind with, because it had no processor, it sends at no more than this many times the rate. */
const CATCH_UP = 2;
