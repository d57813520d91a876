/** Messages of 16 KB as fast as they go, over one flow or several of one session. */
import type { SendFlow, Session } from "rtmfp-core";
import { openEndpoint } from "./open.ts";
import type { Work } from "./work.ts";

export const bulk: Work = {
  async serve(settings) {
    const endpoint = await openEndpoint(settings);
    let received = 0;
    endpoint.onFlow = (flow) => {
      flow.onMessage = (message) => {
        received += message.length;
      };
    };
    return {
      address: endpoint.address,
      mark: () => {
        received = 0;
      },
      report: () => ({ received }),
    };
  },
  async drive(settings, address) {
    const endpoint = await openEndpoint(settings);
    const session = await endpoint.connect(address);
    const flows = settings.flows ?? 1;
    await transfer(session, flows, settings.warmUp);
    return async () => {
      const { datagramsOut } = endpoint.stats;
      const start = performance.now();
      const bytes = await transfer(session, flows, settings.seconds);
      const ms = performance.now() - start;
      return {
        bytes,
        ms,
        datagrams: endpoint.stats.datagramsOut - datagramsOut,
        datagramBytes: session.stats.datagramBytes,
      };
    };
  },
};

/** Writes for so many seconds and waits until everything is delivered; returns the bytes. */
async function transfer(session: Session, flows: number, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1_000;
  const sent = await Promise.all(Array.from({ length: flows }, () => pump(session.openFlow("bulk"), until)));
  return sent.reduce((sum, bytes) => sum + bytes, 0);
}

/** Writes to a flow until the time has come, then closes it; resolves when all of it is delivered. */
export async function pump(flow: SendFlow, until: number): Promise<number> {
  let bytes = 0;
  while (performance.now() < until && flow.isOpen) {
    flow.write(MESSAGE);
    bytes += MESSAGE.length;
    await flow.ready;
  }
  await flow.close();
  return bytes;
}

const MESSAGE: Uint8Array = new Uint8Array(16_384).fill(0x5a);
