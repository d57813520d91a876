/** Whether somebody else sends a channel already. */
import { sleep } from "../clock.ts";
import { NetGroup } from "../group/net-group.ts";
import type { NetConnection } from "../net-connection.ts";
import { NetStream } from "../net-stream.ts";
import { CHANNEL_STREAM } from "./channel-group.ts";

/**
 * Joins the group and looks whether its stream goes on: what viewers still have of a sender that was killed does not count.
 * Takes a second where nobody is, and up to five where viewers wait. The membership is left again by its last user.
 */
export async function isOnAir(connection: NetConnection, groupspec: string, signal: AbortSignal): Promise<boolean> {
  const { clock } = connection.core;
  const group = new NetGroup(connection, groupspec);
  const end = new AbortController();
  const stream = new NetStream(connection, groupspec, { signal: AbortSignal.any([signal, end.signal]) });
  let firstAt: number | undefined;
  let lastAt = 0;
  const listening = (async () => {
    await stream.play(CHANNEL_STREAM);
    for await (const _ of stream) {
      lastAt = clock.now();
      firstAt ??= lastAt;
    }
  })().catch(() => {});
  try {
    await sleep(clock, ALONE_MS, signal);
    for (let waited = ALONE_MS; waited < MOST_MS && !signal.aborted; waited += LOOK_MS) {
      if (group.neighborCount === 0) return false;
      if (firstAt === undefined ? waited >= SILENT_MS : clock.now() - lastAt >= GOING_MS) return false;
      if (firstAt !== undefined && lastAt - firstAt >= GOING_MS) return true;
      await sleep(clock, LOOK_MS, signal);
    }
    return false;
  } finally {
    end.abort();
    await listening;
    await stream.close();
    group.close();
  }
}

/** The server tells of members, and they answer, within this time. */
const ALONE_MS = 1_000;
/** Neighbours tell of streams, and send what they have, within this time. */
const SILENT_MS = 3_000;
/** A stream that still brings tags so long after its first one goes on; one that has brought none for so long does not. */
const GOING_MS = 1_500;
const MOST_MS = 5_000;
const LOOK_MS = 100;
