/** The established session: transfers without pause, and pings every 50 ms. */
import { type Address, type SendFlow, type Session, UdpEndpoint } from "rtmfp-core";
import { BULK } from "./names.ts";
import { serve } from "./remote.ts";

/** Pings since the last report. */
export interface PingReport {
  /** Round trips, ms. */
  readonly times: readonly number[];
  /** Without an answer: lost, as a datagram may be. */
  readonly lost: number;
}

const endpoint = await UdpEndpoint.open({ host: "127.0.0.1" });
let times: number[] = [];
let sent = new Map<number, number>();
let nextPing = 1;
let session: Session | undefined;

serve({
  start: async (address: Address): Promise<void> => {
    session = await endpoint.connect(address);
    session.onPong = (message) => {
      const id = new DataView(message.buffer, message.byteOffset).getUint32(0);
      const at = sent.get(id);
      if (at === undefined || !sent.delete(id)) return;
      times.push(performance.now() - at);
    };
    void transfer(session.openFlow(BULK));
    setInterval(ping, PING_MS);
  },
  /** Forgets the pings so far. */
  reset: (): void => {
    times = [];
    sent = new Map();
  },
  /** The pings since the reset that have been answered, or have had a second to be. */
  pings: (): PingReport => {
    const due = performance.now() - ANSWER_MS;
    const lost = [...sent.values()].filter((at) => at < due).length;
    return { times, lost };
  },
  isOpen: (): boolean => session?.isOpen === true,
});

async function transfer(flow: SendFlow): Promise<void> {
  const message = new Uint8Array(MESSAGE_BYTES);
  while (session?.isOpen === true) {
    await flow.ready;
    flow.write(message);
  }
}

function ping(): void {
  const message = new Uint8Array(4);
  new DataView(message.buffer).setUint32(0, nextPing);
  sent.set(nextPing++, performance.now());
  session?.ping(message);
}

const PING_MS = 50;
const ANSWER_MS = 1_000;
const MESSAGE_BYTES = 16_384;
