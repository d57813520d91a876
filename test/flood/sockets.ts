/** Plain sockets of the attacker, each connected to the target, so that sending needs no look-up. */
import { createSocket, type Socket } from "node:dgram";
import type { Address } from "rtmfp-core";

/** A socket on a fresh port of loopback. */
export function openSocket(target: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", reject);
    socket.connect(target.port, target.host, () => {
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** Sends from ports that change: a few at a time, each replaced after so many datagrams. */
export class ChangingPorts {
  readonly #target: Address;
  readonly #sockets: Socket[];
  #sent = 0;

  private constructor(target: Address, sockets: Socket[]) {
    this.#target = target;
    this.#sockets = sockets;
  }

  static async open(target: Address): Promise<ChangingPorts> {
    return new ChangingPorts(target, await Promise.all(Array.from({ length: OPEN_PORTS }, () => openSocket(target))));
  }

  send(datagram: Uint8Array): void {
    const at = this.#sent++ % OPEN_PORTS;
    this.#sockets[at]?.send(datagram);
    if (this.#sent % DATAGRAMS_PER_PORT === 0) void this.#replace(at);
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  async #replace(at: number): Promise<void> {
    const fresh = await openSocket(this.#target);
    this.#sockets[at]?.close();
    this.#sockets[at] = fresh;
  }
}

const OPEN_PORTS = 64;
const DATAGRAMS_PER_PORT = 50;
