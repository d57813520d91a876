import { type LinkOptions, type NatKind, type SimHost, SimWorld } from "rtmfp-core/testing";
import { NetConnection } from "../../src/index.ts";
import { MiniServer } from "./mini-server.ts";

/** A server and two clients or more, alice and bob first, in virtual time. */
export interface Scene {
  readonly world: SimWorld;
  readonly server: MiniServer;
  readonly serverHost: SimHost;
  readonly hosts: readonly SimHost[];
  readonly clients: readonly NetConnection[];
  readonly alice: NetConnection;
  readonly bob: NetConnection;
}

/** Clients of those names are connected to the server. */
export async function makeScene(
  seed: number,
  link: Partial<LinkOptions>,
  nats: readonly NatKind[] = [],
  names: readonly string[] = ["alice", "bob"],
): Promise<Scene> {
  const world = new SimWorld(seed);
  const clock = { now: () => world.now, after: (ms: number, run: () => void) => world.after(ms, run) };
  const serverHost = world.host("server", { addresses: ["198.51.100.1"] });
  const random = (length: number): Uint8Array => serverHost.random(length);
  const server = new MiniServer(serverHost.open([{ port: 1935 }]), { clock, random });
  const hosts = names.map((name, i) => {
    const kind = nats[i];
    return world.host(name, { link, ...(kind === undefined ? {} : { behind: world.nat(`${name}-nat`, { kind }) }) });
  });
  const clients = hosts.map(
    (host) =>
      new NetConnection({
        carrier: () => host.open([{ port: 0 }]),
        clock,
        random: (length) => host.random(length),
      }),
  );
  await world.settle(Promise.all(clients.map((each) => each.connect("rtmfp://198.51.100.1/app/room"))), 60_000);
  const [alice, bob] = clients as [NetConnection, NetConnection];
  return { world, server, serverHost, hosts, clients, alice, bob };
}
