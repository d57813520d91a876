import {
  CLIENT_IDENTITY,
  createFlashProfile,
  type FlashProfileOptions,
  SERVER_IDENTITY,
} from "../../src/crypto/index.ts";
import { PeerEndpoint, type PeerEndpointOptions, type Session } from "../../src/index.ts";
import { type HostOptions, type LinkOptions, type SimHost, SimWorld } from "../../src/testing/index.ts";

/** An endpoint on a simulated host, all random bytes from the host's seed. */
export function endpointOn(
  host: SimHost,
  identity: FlashProfileOptions["identity"],
  options: Partial<PeerEndpointOptions> & { crypto?: Partial<FlashProfileOptions>; port?: number; host?: string } = {},
): PeerEndpoint {
  const { crypto, port, host: bound, ...rest } = options;
  const random = (length: number): Uint8Array => host.random(length);
  const profile = createFlashProfile({ identity, random, ...crypto });
  return new PeerEndpoint(host.open([{ port: port ?? 0, ...(bound === undefined ? {} : { host: bound }) }]), {
    profile,
    random,
    ...rest,
  });
}

/** Two hosts, a client's endpoint and a server's; all impairment is on the client's access link. */
export interface Pair {
  readonly world: SimWorld;
  readonly clientHost: SimHost;
  readonly serverHost: SimHost;
  readonly client: PeerEndpoint;
  readonly server: PeerEndpoint;
}

export function makePair(
  seed: number,
  link: Partial<LinkOptions> = {},
  options: Parameters<typeof endpointOn>[2] = {},
  place: { readonly world?: SimWorld; readonly client?: HostOptions } = {},
): Pair {
  const world = place.world ?? new SimWorld(seed);
  const clientHost = world.host("client", { ...(place.client ?? { addresses: ["192.0.2.1"] }), link });
  const serverHost = world.host("server", { addresses: ["198.51.100.1"], link: { latencyMs: 1 } });
  const client = endpointOn(clientHost, CLIENT_IDENTITY, options);
  const server = endpointOn(serverHost, SERVER_IDENTITY, { ...options, port: 1935 });
  return { world, clientHost, serverHost, client, server };
}

/** Where the server of {@link makePair} listens. */
export const SERVER_ADDRESS = { host: "198.51.100.1", port: 1935 } as const;

/** Connects the client to the server in virtual time. */
export async function connect(pair: Pair, limitMs = 100_000): Promise<{ near: Session; far: Session }> {
  let far: Session | undefined;
  pair.server.onSession = (session) => {
    far = session;
  };
  const near = await pair.world.settle(pair.client.connect(SERVER_ADDRESS), limitMs);
  if (far === undefined) throw new Error("the server has no session");
  return { near, far };
}

/** Message `index` of a test stream: its number and a body that can be checked. */
export function numbered(index: number, size: number): Uint8Array {
  const message = new Uint8Array(size);
  new DataView(message.buffer).setUint32(0, index);
  for (let i = 4; i < size; i++) message[i] = (index + i) & 0xff;
  return message;
}

/** The number of a message of {@link numbered}; -1 if its body is damaged. */
export function numberOf(message: Uint8Array): number {
  const index = new DataView(message.buffer, message.byteOffset, message.length).getUint32(0);
  for (let i = 4; i < message.length; i++) if (message[i] !== ((index + i) & 0xff)) return -1;
  return index;
}
