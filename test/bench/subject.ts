/** What can be measured: one of our works, or the same by the peer's program. */
import type { Address } from "rtmfp-core";
import { type PeerFigures, type PeerMode, runPeer } from "./peer.ts";
import { type Launch, Remote } from "./remote.ts";
import type { WorkName } from "./work/index.ts";
import type { Figures, Settings } from "./work/work.ts";

/** What one run gave. */
export interface Measured {
  /** In the unit of the case. */
  readonly number: number;
  /** CPU of each side for a gigabyte, s. */
  readonly senderCpu?: number;
  readonly receiverCpu?: number;
  /** What else is worth telling, in words. */
  readonly note?: string;
}

/** What the command was told. */
export interface Context {
  readonly launch: Launch;
  /** The peer's program, if there is one. */
  readonly peer: string | undefined;
  readonly seconds: number;
  readonly warmUp: number;
  /** Fewer idle sessions where there are many. */
  readonly quick: boolean;
}

/** Something to run once and get a number from. */
export interface Subject {
  /** As the table calls it. */
  readonly name: string;
  /** True if it needs the peer's program. */
  readonly peer: boolean;
  /** `label` names the profiles. */
  run(context: Context, label: string): Promise<Measured>;
}

/** What both sides told. */
export interface Sides {
  readonly driver: Figures;
  readonly server: Figures;
}

/** One of our works with settings. */
export function ours(
  name: string,
  work: WorkName,
  settings: Omit<Settings, "seconds" | "warmUp">,
  read: (sides: Sides) => Measured,
): Subject {
  return {
    name,
    peer: false,
    async run({ launch, seconds, warmUp, quick }, label) {
      const idle = settings.idle === undefined ? {} : { idle: quick ? settings.idle / QUICK_FEWER : settings.idle };
      const all: Settings = { ...settings, ...idle, seconds, warmUp };
      const server = new Remote(work, launch, `${label}-receiver`);
      const driver = new Remote(work, launch, `${label}-sender`);
      try {
        const address = await server.call<Address>("serve", all);
        await driver.call("drive", { settings: all, address });
        await server.call("mark");
        const driven = await driver.call<Figures>("run");
        return read({ driver: driven, server: await server.call<Figures>("report") });
      } finally {
        driver.stop();
        server.stop();
      }
    },
  };
}

/** The peer's program in one of its modes; `args` tells it how much to do in about that time. */
export function peers(
  mode: PeerMode,
  args: (seconds: number) => readonly string[],
  read: (figures: PeerFigures) => Measured,
): Subject {
  return {
    name: "rtmfp-cpp",
    peer: true,
    run: async ({ peer, seconds }) => read(await runPeer(peer ?? "", mode, args(seconds))),
  };
}

const QUICK_FEWER = 10;
