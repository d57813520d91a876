/** The established session: transfers without pause, and pings. */
import { type SendFlow, type Session, UdpEndpoint } from "rtmfp-core";
import { serveHonest } from "./honest-pings.ts";
import { BULK } from "./names.ts";

const endpoint = await UdpEndpoint.open({ host: "127.0.0.1" });
/** Pings without an answer so far, by what they carry. */
const waiting = new Map<number, () => void>();
let nextPing = 1;
let session: Session | undefined;

serveHonest({
  start: async (address) => {
    session = await endpoint.connect(address);
    session.onPong = (message) => {
      const id = new DataView(message.buffer, message.byteOffset).getUint32(0);
      waiting.get(id)?.();
      waiting.delete(id);
    };
    void transfer(session.openFlow(BULK));
  },
  ping: () =>
    new Promise((resolve) => {
      const message = new Uint8Array(4);
      new DataView(message.buffer).setUint32(0, nextPing);
      waiting.set(nextPing++, resolve);
      session?.ping(message);
    }),
  isOpen: () => session?.isOpen === true,
});

async function transfer(flow: SendFlow): Promise<void> {
  const message = new Uint8Array(MESSAGE_BYTES);
  while (session?.isOpen === true) {
    await flow.ready;
    flow.write(message);
  }
}

const MESSAGE_BYTES = 16_384;
