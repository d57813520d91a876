/** What a round trip costs that is encrypted and nothing else: datagrams of 100 bytes, AES-128-CBC, no session. */
import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { percentiles } from "./percentiles.ts";
import type { Work } from "./work.ts";

export const rawEcho: Work = {
  async serve() {
    const socket = await bound();
    const { seal, open } = ciphers();
    socket.on("message", (datagram, from) => socket.send(seal(open(datagram)), from.port, from.address));
    return { address: { host: "127.0.0.1", port: socket.address().port } };
  },
  async drive(settings, address) {
    const socket = await bound();
    const { seal, open } = ciphers();
    await new Promise<void>((resolve) => socket.connect(address.port, address.host, resolve));
    let onEcho = (): void => {};
    socket.on("message", (datagram) => {
      open(datagram);
      onEcho();
    });
    const run = (seconds: number): Promise<number[]> =>
      new Promise((resolve) => {
        const times: number[] = [];
        const until = performance.now() + seconds * 1_000;
        let at = performance.now();
        onEcho = () => {
          const now = performance.now();
          times.push(now - at);
          if (now > until) return resolve(times);
          at = performance.now();
          socket.send(seal(PLAIN));
        };
        socket.send(seal(PLAIN));
      });
    await run(settings.warmUp);
    return async () => percentiles(await run(settings.seconds));
  },
};

/** One cipher each way for good, chained over all datagrams: none is lost here. */
function ciphers(): { seal: (plain: Uint8Array) => Uint8Array; open: (sealed: Uint8Array) => Uint8Array } {
  const key = createSecretKey(Buffer.alloc(16, 7));
  const encrypt = createCipheriv("aes-128-cbc", key, Buffer.alloc(16)).setAutoPadding(false);
  const decrypt = createDecipheriv("aes-128-cbc", key, Buffer.alloc(16)).setAutoPadding(false);
  return { seal: (plain) => encrypt.update(plain), open: (sealed) => decrypt.update(sealed) };
}

function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => socket.bind(0, "127.0.0.1", () => resolve(socket)));
}

/** 100 bytes and the padding to whole blocks. */
const PLAIN: Uint8Array = new Uint8Array(112).fill(0x33);
