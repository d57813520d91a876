/** Datagram sockets of a Node process as a carrier. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { performance } from "node:perf_hooks";
import { discard } from "../crypto/discard.ts";
import { type Address, canonicalHost } from "../proto/address.ts";
import { RtmfpError } from "../proto/errors.ts";
import type { Carrier, CarrierSocket } from "./carrier.ts";

/** Where to bind. */
export interface UdpBinding {
  /** An IP address of this host; "0.0.0.0" and "::" are all of the family. */
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
}

/** Options of {@link openUdpCarrier}. */
export interface UdpCarrierOptions {
  /** Asked of the kernel, which may give less; bytes, default 4 MiB. */
  readonly receiveBufferBytes?: number;
  /** Default 4 MiB. */
  readonly sendBufferBytes?: number;
}

/** Binds one socket per entry. Rejects with LISTEN_FAILED in one line; then nothing stays bound. */
export async function openUdpCarrier(
  bindings: readonly UdpBinding[],
  options: UdpCarrierOptions = {},
): Promise<UdpCarrier> {
  const sockets: Socket[] = [];
  try {
    for (const binding of bindings) sockets.push(await bind(binding, options));
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  return new UdpCarrier(sockets);
}

/** See {@link Carrier}; `via` is the index of the binding. */
export class UdpCarrier implements Carrier {
  onDatagram: (bytes: Uint8Array, from: Address, via: number) => void = () => {};
  onAlarm: () => void = () => {};
  readonly sockets: readonly CarrierSocket[];
  readonly #sockets: readonly Socket[];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Takes sockets that are bound; {@link openUdpCarrier} makes them. */
  constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    this.sockets = sockets.map((socket, via) => {
      const { address, port } = socket.address();
      return { via, address: { host: canonicalHost(address) ?? address, port } };
    });
    sockets.forEach((socket, via) => {
      socket.on("message", (bytes: Uint8Array, info: RemoteInfo) => {
        this.onDatagram(bytes, { host: stripZone(info.address), port: info.port }, via);
      });
      // A send that the kernel refuses is a lost datagram.
      socket.on("error", () => {});
    });
  }

  now(): number {
    return performance.now();
  }

  setAlarm(at: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed || at === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(Math.max(0, Math.ceil(at - performance.now())), MAX_TIMEOUT_MS);
    this.#timer = setTimeout(() => this.onAlarm(), wait);
  }

  defer(turn: () => void): void {
    setImmediate(turn);
  }

  send(datagram: Uint8Array, via: number, to: Address): void {
    const socket = this.#sockets[via];
    if (socket === undefined || this.#closed) return;
    // Behind one that waits it would wait too, and the bytes are borrowed for the call alone.
    if (socket.getSendQueueCount() > 0) {
      socket.send(datagram.slice(), to.port, to.host);
      return;
    }
    outgoing.set(datagram);
    socket.send(outgoing.subarray(0, datagram.length), to.port, to.host);
    // The kernel took it, or it waits in that memory until the kernel can.
    if (socket.getSendQueueCount() > 0) outgoing = new Uint8Array(MAX_DATAGRAM_BYTES);
  }

  /** Owns the bytes from now on, and frees their memory if it is large. */
  release(bytes: Uint8Array): void {
    discard(bytes);
  }

  interfaceAddresses(): readonly Address[] {
    return this.sockets.flatMap(({ address }) => {
      if (address.host !== "0.0.0.0" && address.host !== "::") return isPublishable(address.host) ? [address] : [];
      const family = address.host === "::" ? "IPv6" : "IPv4";
      return Object.values(networkInterfaces())
        .flatMap((entries) => entries ?? [])
        .filter((entry) => entry.family === family && !entry.internal && isPublishable(entry.address))
        .map((entry) => ({ host: canonicalHost(entry.address) ?? entry.address, port: address.port }));
    });
  }

  async resolve(host: string, port: number): Promise<readonly Address[]> {
    const bare = host.replace(/^\[(.*)\]$/, "$1");
    if (isIP(bare) !== 0) return [{ host: canonicalHost(bare) ?? bare, port }];
    try {
      const found = await lookup(bare, { all: true });
      return found.map(({ address }) => ({ host: canonicalHost(address) ?? address, port }));
    } catch {
      throw new RtmfpError("RESOLVE_FAILED", `the host name "${bare}" cannot be resolved`);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }
}

function bind(binding: UdpBinding, options: UdpCarrierOptions): Promise<Socket> {
  const { host, port } = binding;
  return new Promise((resolve, reject) => {
    const v6 = host.includes(":");
    const socket = createSocket(
      v6 ? { type: "udp6", ipv6Only: true, lookup: noLookup } : { type: "udp4", lookup: noLookup },
    );
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(new RtmfpError("LISTEN_FAILED", `cannot bind UDP ${v6 ? `[${host}]` : host}:${port}: ${explain(error)}`));
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      trySize(() => socket.setRecvBufferSize(options.receiveBufferBytes ?? SOCKET_BUFFER_BYTES));
      trySize(() => socket.setSendBufferSize(options.sendBufferBytes ?? SOCKET_BUFFER_BYTES));
      resolve(socket);
    });
  });
}

/** Hosts are IP literals by the time they get here. */
function noLookup(host: string, _options: unknown, done: (error: null, address: string, family: number) => void): void {
  done(null, host, host.includes(":") ? 6 : 4);
}

function trySize(set: () => void): void {
  try {
    set();
  } catch {
    // The kernel's limit is lower than what was asked: its default stays.
  }
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE") return "the port is in use; choose another or stop the other program";
  if (error.code === "EADDRNOTAVAIL") return "this host has no such address";
  if (error.code === "EACCES") return "permission denied; ports below 1024 need privileges";
  return error.message;
}

function isPublishable(host: string): boolean {
  return !/^(127\.|169\.254\.|::1$|fe[89ab])/.test(host);
}

function stripZone(host: string): string {
  const zone = host.indexOf("%");
  return zone < 0 ? host : host.slice(0, zone);
}

const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/** setTimeout takes no more. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Longer than any datagram can be. */
const MAX_DATAGRAM_BYTES = 65_536;
/** What is being sent, of whichever carrier: the kernel has the bytes when send returns. */
let outgoing: Uint8Array = new Uint8Array(MAX_DATAGRAM_BYTES);
