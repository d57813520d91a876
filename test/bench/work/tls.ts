/** TLS over TCP: 16 KB a write, AES-128-GCM. A shared key stands for the certificate, which a transfer does not use. */
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect, createServer, type TLSSocket } from "node:tls";
import type { Address } from "rtmfp-core";
import type { Work } from "./work.ts";

export const tls: Work = {
  serve() {
    const server = createServer({ ...COMMON, pskCallback: () => KEY }, (socket) => {
      socket.resume();
      socket.on("error", () => {});
    });
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        resolve({ address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } });
      });
    });
  },
  async drive(settings, address) {
    await transfer(await open(address), settings.warmUp);
    const socket = await open(address);
    return async () => {
      const start = performance.now();
      const bytes = await transfer(socket, settings.seconds);
      return { bytes, ms: performance.now() - start };
    };
  },
};

function open(address: Address): Promise<TLSSocket> {
  const options: ConnectionOptions = {
    ...COMMON,
    host: address.host,
    port: address.port,
    pskCallback: () => ({ psk: KEY, identity: "bench" }),
    checkServerIdentity: () => undefined,
  };
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => resolve(socket)).once("error", reject);
  });
}

/** Writes for so many seconds; the far end closes when it has read all. */
async function transfer(socket: TLSSocket, seconds: number): Promise<number> {
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  const until = performance.now() + seconds * 1_000;
  let bytes = 0;
  while (performance.now() < until) {
    bytes += MESSAGE.length;
    if (!socket.write(MESSAGE)) await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  await closed;
  return bytes;
}

const COMMON = { ciphers: "PSK-AES128-GCM-SHA256", maxVersion: "TLSv1.2" } as const;
const KEY: Buffer = Buffer.alloc(32, 1);
const MESSAGE: Uint8Array = new Uint8Array(16_384).fill(0x5a);
