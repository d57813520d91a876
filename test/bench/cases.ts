/** The bulk cases: what each end does. Receiver and sender are separate processes. */
import { createSocket } from "node:dgram";
import { type Address, UdpEndpoint, type UdpEndpointOptions } from "rtmfp-core";

/** What a bulk run gives. */
export interface BulkResult {
  megabytesPerSecond: number;
  senderCpuPerGB: number;
  receiverCpuPerGB: number;
}

/** One end of a case. */
export interface BulkCase {
  /** Binds, calls `ready`, and `done` once `bytes` have arrived. */
  receive(bytes: number, ready: (address: Address) => void, done: () => void): Promise<void>;
  /** Sends `bytes` of user data; resolves when all of it has arrived. */
  send(bytes: number, to: Address): Promise<void>;
}

/** Names of the cases. */
export type CaseName = "raw" | "bulk-checksum" | "bulk-hmac";

function bulk(profile: NonNullable<UdpEndpointOptions["profile"]>): BulkCase {
  return {
    async receive(bytes, ready, done) {
      const endpoint = await UdpEndpoint.open({ host: "127.0.0.1", profile });
      let received = 0;
      endpoint.onFlow = (flow) => {
        flow.onMessage = (message) => {
          received += message.length;
        };
        flow.onEnd = () => {
          if (received >= bytes) done();
        };
      };
      ready(endpoint.address);
    },
    async send(bytes, to) {
      const endpoint = await UdpEndpoint.open({ host: "127.0.0.1", profile });
      const session = await endpoint.connect(to);
      const flow = session.openFlow("bulk");
      const message = new Uint8Array(MESSAGE_BYTES);
      for (let sent = 0; sent < bytes; sent += MESSAGE_BYTES) {
        await flow.ready;
        flow.write(message);
      }
      await flow.close();
      await endpoint.close();
    },
  };
}

/** Plain datagrams of 1200 bytes, 256 in flight, one answer per 32: what the sockets alone can do without loss. */
const raw: BulkCase = {
  receive(bytes, ready, done) {
    const socket = createSocket("udp4");
    let received = 0;
    let packets = 0;
    socket.on("message", (datagram, from) => {
      received += datagram.length;
      if (++packets % ANSWER_EVERY === 0) socket.send(ANSWER, from.port, from.address);
      if (received >= bytes) done();
    });
    return new Promise((resolve) => {
      socket.bind(0, "127.0.0.1", () => {
        socket.setRecvBufferSize(4 * 1024 * 1024);
        ready({ host: "127.0.0.1", port: socket.address().port });
        resolve();
      });
    });
  },
  send(bytes, to) {
    const socket = createSocket("udp4");
    const datagram = new Uint8Array(DATAGRAM_BYTES);
    const total = Math.ceil(bytes / DATAGRAM_BYTES / ANSWER_EVERY) * ANSWER_EVERY;
    let sent = 0;
    let answered = 0;
    return new Promise((resolve) => {
      const fill = (): void => {
        for (; sent < total && sent - answered < IN_FLIGHT; sent++) socket.send(datagram);
      };
      socket.on("message", () => {
        answered += ANSWER_EVERY;
        if (answered >= total) socket.close(() => resolve());
        else fill();
      });
      socket.connect(to.port, to.host, fill);
    });
  },
};

const MESSAGE_BYTES = 16_384;
const DATAGRAM_BYTES = 1_200;
const IN_FLIGHT = 256;
const ANSWER_EVERY = 32;
const ANSWER = new Uint8Array(32);

/** Every case by name. */
export const CASES: Readonly<Record<CaseName, BulkCase>> = {
  raw,
  "bulk-checksum": bulk({ hmac: "none", sequence: "none" }),
  "bulk-hmac": bulk({ hmac: "request", sequence: "request" }),
};
