import { NetConnection, type NetConnectionOptions, type NetStream } from "rtmfp-client";
import type { FlvTag } from "rtmfp-core/flv";
import type { SimHost, SimNat, SimWorld } from "rtmfp-core/testing";
import { createServer, type Server, type ServerOptions } from "rtmfp-server";

/** URL of the server that {@link startServer} makes. */
export const URL = "rtmfp://server.test/app";

/** A server on a public host of the world, found by name. */
export async function startServer(world: SimWorld, options: ServerOptions = {}): Promise<Server> {
  const host = world.host("server", { addresses: ["198.51.100.1"], link: { latencyMs: 10 } });
  world.name("server.test", ["198.51.100.1"]);
  const server = createServer({
    carrier: () => host.open([{ port: 1935 }]),
    random: (n) => host.random(n),
    ...options,
  });
  await world.settle(server.listen(), 1_000);
  return server;
}

/** A NetConnection on a host of its own, behind a NAT if one is given; not connected yet. */
export function makeClient(
  world: SimWorld,
  name: string,
  behind?: SimNat,
  options: NetConnectionOptions = {},
): { nc: NetConnection; host: SimHost } {
  const host = world.host(name, { link: { latencyMs: 15 }, ...(behind === undefined ? {} : { behind }) });
  const nc = new NetConnection({
    carrier: () => host.open([{ port: 0 }]),
    clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
    random: (n) => host.random(n),
    ...options,
  });
  return { nc, host };
}

/** What a stream yields, as it comes. */
export function collect(stream: NetStream): FlvTag[] {
  const got: FlvTag[] = [];
  void (async () => {
    for await (const tag of stream) got.push(tag);
  })();
  return got;
}
