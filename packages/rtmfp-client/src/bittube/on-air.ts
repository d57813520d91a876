/** Whether somebody else sends a channel already. */
import { sleep } from "../clock.ts";
import { NetGroup } from "../group/net-group.ts";
import type { NetConnection } from "../net-connection.ts";
import { NetStream } from "../net-stream.ts";
import { CHANNEL_STREAM } from "./channel-group.ts";

/**
 * Joins the group and looks whether its stream goes on: what viewers still have of a sender that was killed does not count.
 * Takes a second where nobody is, three where viewers wait, and up to eight where members do not answer. The membership is left
 * again by its last user.
 */
export async function isOnAir(connection: NetConnection, groupspec: string, signal: AbortSignal): Promise<boolean> {
  const look = new Look(connection, groupspec);
  try {
    for (let waited = 0; waited < MOST_MS && !signal.aborted; waited += LOOK_MS) {
      await sleep(connection.core.clock, LOOK_MS, signal);
      const answer = look.answer();
      if (answer !== undefined) return answer;
    }
    return false;
  } finally {
    await look.close();
  }
}

/** A viewer who looks at no more than whether fragments come: pictures wait for their key frame, which may be 10 s away. */
class Look {
  readonly #connection: NetConnection;
  readonly #group: NetGroup;
  readonly #stream: NetStream;
  /** Times, ms: when the group was joined, the first neighbour was there, and fragments came first and last. */
  #joinedAt: number | undefined;
  #metAt: number | undefined;
  #firstAt: number | undefined;
  #lastAt = 0;
  #fragments = 0;
  #isRefused = false;

  constructor(connection: NetConnection, groupspec: string) {
    this.#connection = connection;
    connection.on("status", this.#onStatus);
    this.#group = new NetGroup(connection, groupspec);
    this.#stream = new NetStream(connection, groupspec);
    this.#stream.play(CHANNEL_STREAM).catch(() => {});
  }

  /** Undefined while it is not known. */
  answer(): boolean | undefined {
    const now = this.#connection.core.clock.now();
    this.#count(now);
    if (this.#firstAt !== undefined) {
      if (this.#lastAt - this.#firstAt >= GOING_MS) return true;
      return now - this.#lastAt >= GOING_MS ? false : undefined;
    }
    if (this.#group.neighborCount > 0) this.#metAt ??= now;
    if (this.#metAt !== undefined) return now - this.#metAt >= SILENT_MS ? false : undefined;
    const isAlone = this.#group.estimatedMemberCount === 1;
    const isIn = this.#joinedAt !== undefined && now - this.#joinedAt >= ALONE_MS;
    return this.#isRefused || (isIn && isAlone) ? false : undefined;
  }

  async close(): Promise<void> {
    this.#connection.off("status", this.#onStatus);
    await this.#stream.close();
    this.#group.close();
  }

  #count(now: number): void {
    const { fragmentsPushedFromPeers, fragmentsRequestedFromPeers } = this.#stream.multicastInfo;
    const fragments = fragmentsPushedFromPeers + fragmentsRequestedFromPeers;
    if (fragments === this.#fragments) return;
    this.#fragments = fragments;
    this.#firstAt ??= now;
    this.#lastAt = now;
  }

  readonly #onStatus = ({ code, group }: { readonly code: string; readonly group?: unknown }): void => {
    if (group !== this.#group) return;
    if (code === "NetGroup.Connect.Success") this.#joinedAt = this.#connection.core.clock.now();
    else this.#isRefused = true;
  };
}

/** The server tells of members together with the join. */
const ALONE_MS = 1_000;
/** Neighbours tell of streams, and send what they have, within this time. */
const SILENT_MS = 3_000;
/** A stream that still brings fragments so long after its first one goes on; one that has brought none for so long does not. */
const GOING_MS = 2_000;
/** Members of whom the server tells may be gone, or far away. */
const MOST_MS = 8_000;
const LOOK_MS = 100;
