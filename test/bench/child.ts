/** One side of a work, as a process of its own: answers the calls of `remote.ts` until the parent is gone. */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { type Address, letHeapGrow } from "rtmfp-core";
import { WORKS, type WorkName } from "./work/index.ts";
import type { Figures, Serving, Settings, Work } from "./work/work.ts";

/** A call, by the channel between processes. */
export interface Call {
  readonly id: number;
  readonly name: keyof typeof handlers;
  readonly argument?: unknown;
}

/** Its answer. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

letHeapGrow();
const [name = "", profile] = process.argv.slice(2);
const work: Work = WORKS[name as WorkName];
/** Takes the profile, if one is wanted, of the time that counts. */
const inspector: Session | undefined = profile === undefined ? undefined : new Session();
let serving: Serving | undefined;
let run: (() => Promise<Figures>) | undefined;
let cpuAtMark = process.cpuUsage();

const handlers = {
  serve: async (settings: Settings): Promise<Address | undefined> => {
    serving = await work.serve?.(settings);
    return serving?.address;
  },
  mark: async (): Promise<void> => {
    await startProfile();
    await serving?.mark?.();
    cpuAtMark = process.cpuUsage();
  },
  report: async (): Promise<Figures> => {
    const cpuSeconds = cpuSince(cpuAtMark);
    const figures = { ...(await serving?.report?.()), cpuSeconds };
    await endProfile();
    return figures;
  },
  drive: async ({ settings, address }: { settings: Settings; address: Address }): Promise<void> => {
    run = await work.drive(settings, address);
  },
  run: async (): Promise<Figures> => {
    await startProfile();
    const before = process.cpuUsage();
    const figures = { ...(await run?.()), cpuSeconds: cpuSince(before) };
    await endProfile();
    return figures;
  },
};

process.on("message", async ({ id, name: handler, argument }: Call) => {
  try {
    answer({ id, value: await handlers[handler](argument as never) });
  } catch (error) {
    answer({ id, error: (error as Error).stack ?? String(error) });
  }
});
process.on("disconnect", () => process.exit(0));

function answer(reply: Answer): void {
  if (process.connected) process.send?.(reply);
}

async function startProfile(): Promise<void> {
  inspector?.connect();
  await inspector?.post("Profiler.enable");
  await inspector?.post("Profiler.start");
}

async function endProfile(): Promise<void> {
  if (inspector === undefined || profile === undefined) return;
  const taken = await inspector.post("Profiler.stop");
  writeFileSync(profile, JSON.stringify(taken.profile));
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
