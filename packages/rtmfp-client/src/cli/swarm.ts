/** What a command tells of the group that its stream is in. */
import type { MulticastInfo } from "rtmfp-core/group";
import { NetGroup } from "../group/net-group.ts";
import type { Work } from "./run.ts";

/** The group beside the stream: one and the same membership. With `--json` it reports a `swarm` every second, and at the end. */
export class Swarm {
  readonly #group: NetGroup;
  readonly #report: (figures: object) => void = () => {};
  readonly #timer: NodeJS.Timeout | undefined;

  /** The reports tell the figures of the stream that `measured` gives, as long as it goes on, and the name of a channel, if any. */
  constructor(
    { connection, reporter }: Work,
    groupspec: string,
    measured: () => Measured | undefined,
    channel?: string,
  ) {
    this.#group = new NetGroup(connection, groupspec);
    this.#group.on("status", ({ code }) => reporter.log("debug", "status", { code }, code));
    if (!reporter.json) return;
    const name = channel === undefined ? {} : { channel };
    this.#report = (figures) => {
      if (!connection.connected) return;
      const { bytesIn, bytesOut } = connection.core.endpoint.stats;
      const neighbors = this.#group.neighbors.map((each) => ({
        peerId: each.peerID,
        bytesIn: each.bytesIn,
        bytesOut: each.bytesOut,
      }));
      reporter.event("swarm", { ...name, peerId: connection.nearID, bytesIn, bytesOut, neighbors, ...figures }, "");
    };
    this.#timer = setInterval(() => this.#report({ multicastInfo: measured()?.multicastInfo }), REPORT_MS).unref();
  }

  /** Resolves when there are so many neighbours. */
  neighbors(count: number): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.#group.neighborCount >= count) resolve();
      };
      this.#group.on("status", check);
      check();
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#report({});
    this.#group.close();
  }
}

/** A stream in the group. */
export interface Measured {
  readonly multicastInfo: MulticastInfo;
}

const REPORT_MS = 1_000;
