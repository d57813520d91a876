/** Plain datagrams of 1200 bytes, 256 in flight, one answer per 32: what the sockets alone can do without loss. */
import { createSocket } from "node:dgram";
import type { Work } from "./work.ts";

export const raw: Work = {
  serve() {
    const socket = createSocket("udp4");
    let datagrams = 0;
    socket.on("message", (_datagram, from) => {
      if (++datagrams % ANSWER_EVERY === 0) socket.send(ANSWER, from.port, from.address);
    });
    return new Promise((resolve) => {
      socket.bind(0, "127.0.0.1", () => {
        socket.setRecvBufferSize(4 * 1024 * 1024);
        resolve({ address: { host: "127.0.0.1", port: socket.address().port } });
      });
    });
  },
  async drive(settings, address) {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.connect(address.port, address.host, resolve));
    const datagram = new Uint8Array(settings.datagramBytes ?? 1_200);
    const run = (seconds: number): Promise<number> =>
      new Promise((resolve) => {
        const until = performance.now() + seconds * 1_000;
        let sent = 0;
        let answered = 0;
        const fill = (): void => {
          for (; sent - answered < IN_FLIGHT; sent++) socket.send(datagram);
        };
        const onAnswer = (): void => {
          answered += ANSWER_EVERY;
          if (performance.now() < until) fill();
          else if (answered >= sent) {
            socket.off("message", onAnswer);
            resolve(sent);
          }
        };
        socket.on("message", onAnswer);
        fill();
      });
    await run(settings.warmUp);
    return async () => {
      const start = performance.now();
      const datagrams = await run(settings.seconds);
      return { bytes: datagrams * datagram.length, ms: performance.now() - start, datagrams };
    };
  },
};

const IN_FLIGHT = 256;
const ANSWER_EVERY = 32;
const ANSWER = new Uint8Array(32);
