import type { Address } from "../../src/proto/address.ts";
import type { SimCarrier, SimHost, SocketOptions } from "../../src/testing/index.ts";

/** A datagram as a {@link Node} received it. */
export interface Received {
  readonly at: number;
  readonly from: Address;
  readonly bytes: Uint8Array;
}

/** A carrier that keeps what it receives. */
export interface Node {
  readonly carrier: SimCarrier;
  readonly received: Received[];
  /** Address others reach it at, when nothing translates. */
  readonly address: Address;
  /** First byte of each datagram received, in order of arrival. */
  marks(): number[];
  /** Sends by the first socket. */
  send(to: Address, bytes: Uint8Array | number[]): void;
}

export function node(host: SimHost, sockets?: readonly SocketOptions[]): Node {
  const carrier = host.open(sockets);
  const received: Received[] = [];
  carrier.onDatagram = (bytes, from) => received.push({ at: carrier.now(), from, bytes: bytes.slice() });
  return {
    carrier,
    received,
    address: { host: host.addresses[0] as string, port: carrier.sockets[0]?.address.port ?? 0 },
    marks: () => received.map(({ bytes }) => bytes[0] as number),
    send: (to, bytes) => carrier.send(Uint8Array.from(bytes), 0, to),
  };
}
