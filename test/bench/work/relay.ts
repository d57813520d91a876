/** One publisher of 2 Mbit/s and many players, relayed by the server. What counts is the server's CPU for each player. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { NetStream } from "rtmfp-client";
import { camera, serialOf } from "../../support/camera.ts";
import { eachOf, openClient, openServer } from "./clients-open.ts";
import { loopbackHost } from "./open.ts";
import type { Work } from "./work.ts";

export const relay: Work = {
  async serve() {
    const { server, address } = await openServer();
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    return {
      address,
      report: () => {
        globalThis.gc?.();
        const { clients, droppedMessages } = server.stats;
        return { clients, droppedMessages, residentBytes: process.memoryUsage().rss - before };
      },
    };
  },
  async drive({ players = 2, seconds, warmUp }, address) {
    const publisher = await openClient(address, loopbackHost(0));
    const cam = new NetStream(publisher);
    await cam.publish("cam");
    const startedAt = performance.now();
    void cam.feed(camera({ seconds: ENDLESS_S, bitsPerSecond: BITS_PER_SECOND, fps: 25, group: 50 }));
    // Late joiners, in the middle of a group.
    await sleep(500);
    const firstFrames: number[] = [];
    let worstDelay = 0;
    let bytes = 0;
    const play = async (index: number): Promise<void> => {
      const connection = await openClient(address, loopbackHost(index + 1));
      const view = new NetStream(connection, null, { reorderMs: 0 });
      const askedAt = performance.now();
      let join = (_now: number): void => {};
      const joined = new Promise<number>((resolve) => {
        join = resolve;
      });
      void (async () => {
        for await (const tag of view) {
          const now = performance.now();
          bytes += tag.data.length;
          if (tag.type === "data" || serialOf(tag) < 0) continue;
          worstDelay = Math.max(worstDelay, now - startedAt - tag.timestamp);
          if (tag.type === "video") join(now);
        }
      })();
      await view.play("cam");
      firstFrames.push((await joined) - askedAt);
    };
    await eachOf(players, play);
    await sleep(warmUp * 1_000);
    return async () => {
      worstDelay = 0;
      bytes = 0;
      const start = performance.now();
      await sleep(seconds * 1_000);
      const ms = performance.now() - start;
      firstFrames.sort((a, b) => a - b);
      return {
        ms,
        bytes,
        players,
        firstFrameMs: firstFrames[firstFrames.length >> 1] ?? Number.NaN,
        worstFirstFrameMs: firstFrames.at(-1) ?? Number.NaN,
        worstDelayMs: worstDelay,
      };
    };
  },
};

const BITS_PER_SECOND = 2_000_000;
const ENDLESS_S = 3_600;
