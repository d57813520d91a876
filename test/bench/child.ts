/** One side of a work, as a process of its own: answers the calls of `remote.ts` until the parent is gone. */
import type { Address } from "rtmfp-core";
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

const work: Work = WORKS[process.argv[2] as WorkName];
let serving: Serving | undefined;
let run: (() => Promise<Figures>) | undefined;
let cpuAtMark = process.cpuUsage();

const handlers = {
  serve: async (settings: Settings): Promise<Address | undefined> => {
    serving = await work.serve?.(settings);
    return serving?.address;
  },
  mark: (): void => {
    serving?.mark?.();
    cpuAtMark = process.cpuUsage();
  },
  report: (): Figures => ({ ...serving?.report?.(), cpuSeconds: cpuSince(cpuAtMark) }),
  drive: async ({ settings, address }: { settings: Settings; address: Address }): Promise<void> => {
    run = await work.drive(settings, address);
  },
  run: async (): Promise<Figures> => {
    const before = process.cpuUsage();
    const figures = await run?.();
    return { ...figures, cpuSeconds: cpuSince(before) };
  },
};

process.on("message", async ({ id, name, argument }: Call) => {
  try {
    answer({ id, value: await handlers[name](argument as never) });
  } catch (error) {
    answer({ id, error: (error as Error).stack ?? String(error) });
  }
});
process.on("disconnect", () => process.exit(0));

function answer(reply: Answer): void {
  if (process.connected) process.send?.(reply);
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
