/** The established session: transfers without pause, and pings every 50 ms. */
import { setTimeout as wait } from "node:timers/promises";
import { type Address, type SendFlow, type Session, UdpEndpoint } from "rtmfp-core";
import { BULK } from "./names.ts";
import { serve } from "./remote.ts";

/** Pings of a stretch of time. */
export interface PingReport {
  /** Round trips, ms; of those without an answer, the time they were waited for. */
  readonly times: readonly number[];
  /** Without an answer. */
  readonly lost: number;
}

/** A stretch of time: round trips, ms, and when the pings without an answer so far were sent. */
interface Stretch {
  readonly times: number[];
  readonly sent: Map<number, number>;
}

const endpoint = await UdpEndpoint.open({ host: "127.0.0.1" });
let stretch: Stretch = { times: [], sent: new Map() };
/** Stretches that have ended, whose last answers may still come. */
const waiting = new Set<Stretch>();
let nextPing = 1;
let session: Session | undefined;

serve({
  start: async (address: Address): Promise<void> => {
    session = await endpoint.connect(address);
    session.onPong = (message) => {
      const id = new DataView(message.buffer, message.byteOffset).getUint32(0);
      for (const { times, sent } of [stretch, ...waiting]) {
        const at = sent.get(id);
        if (at !== undefined && sent.delete(id)) times.push(performance.now() - at);
      }
    };
    void transfer(session.openFlow(BULK));
    setInterval(ping, PING_MS);
  },
  /** Begins a stretch of time. */
  begin: (): void => {
    stretch = { times: [], sent: new Map() };
  },
  /** Ends it; gives its pings once the last of them has been answered or has had its time. */
  pings: async (): Promise<PingReport> => {
    const ended = stretch;
    stretch = { times: [], sent: new Map() };
    waiting.add(ended);
    await wait(ANSWER_MS);
    waiting.delete(ended);
    const lost = ended.sent.size;
    return { times: [...ended.times, ...new Array<number>(lost).fill(ANSWER_MS)], lost };
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
  stretch.sent.set(nextPing++, performance.now());
  session?.ping(message);
}

const PING_MS = 50;
const ANSWER_MS = 1_000;
const MESSAGE_BYTES = 16_384;
