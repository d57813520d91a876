/** Servers and clients whose datagrams are as large as an Ethernet carries, not as loopback does. */
import { NetConnection } from "rtmfp-client";
import { type Address, type Carrier, openUdpCarrier } from "rtmfp-core";
import { createServer, type Server } from "rtmfp-server";

/** A server on loopback with the built-in application, and where it listens. */
export async function openServer(): Promise<{ server: Server; address: Address }> {
  const server = createServer({ carrier: () => openCarrier("127.0.0.1"), checkPort: "off" });
  const { addresses } = await server.listen();
  return { server, address: addresses[0] as Address };
}

/** A client from `host`, connected. */
export async function openClient({ host, port }: Address, from: string): Promise<NetConnection> {
  const connection = new NetConnection({ carrier: () => openCarrier(from) });
  await connection.connect(`rtmfp://${host}:${port}/bench`);
  return connection;
}

/** Calls `make` for 0 to `count` - 1, a few at once. */
export async function eachOf(count: number, make: (index: number) => Promise<void>): Promise<void> {
  const lane = async (first: number): Promise<void> => {
    for (let i = first; i < count; i += AT_ONCE) await make(i);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => lane(first)));
}

async function openCarrier(host: string): Promise<Carrier> {
  const carrier = await openUdpCarrier([{ host, port: 0 }]);
  const send = carrier.send.bind(carrier);
  carrier.send = (datagram, via, to) => {
    if (datagram.length <= ETHERNET_BYTES) send(datagram, via, to);
  };
  return carrier;
}

/** UDP payload over IPv4. */
const ETHERNET_BYTES = 1_472;
const AT_ONCE = 16;
