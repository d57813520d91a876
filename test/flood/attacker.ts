/** The attacking process: sends one kind of datagram at a steady rate. */
import { setTimeout as wait } from "node:timers/promises";
import type { Address } from "rtmfp-core";
import { type Attack, type AttackName, attacks } from "./attacks.ts";
import { serve } from "./remote.ts";

let attack: Attack | undefined;

serve({
  prepare: async ({ name, address }: { name: AttackName; address: Address }): Promise<void> => {
    attack = await attacks[name](address);
  },
  /** Sends `rate` datagrams a second for so many seconds; gives how many it sent. */
  run: async ({ seconds, rate }: { seconds: number; rate: number }): Promise<number> => {
    const start = performance.now();
    let sent = 0;
    for (let elapsed = 0; elapsed < seconds * 1_000; elapsed = performance.now() - start) {
      for (const due = Math.floor((elapsed * rate) / 1_000); sent < due; sent++) attack?.send();
      await wait(1);
    }
    return sent;
  },
  end: async (): Promise<void> => {
    await attack?.end();
  },
});
