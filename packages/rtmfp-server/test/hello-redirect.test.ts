/** Redirects at the first hello: the client gets to another server without noticing (F-5). */
import { NetConnection } from "rtmfp-client";
import type { SimHost, SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { Hello } from "../src/hello-redirect.ts";
import { createServer, type Server } from "../src/server.ts";
import type { ServerOptions } from "../src/server-options.ts";
import { SimServer } from "./support/sim.ts";

/** Another server in the same world. */
async function another(world: SimWorld, name: string, options: ServerOptions = {}) {
  const host = world.host(name);
  const server = createServer({
    carrier: () => host.open([{ port: 1935 }]),
    random: (length) => host.random(length),
    ...options,
  });
  await server.listen();
  return { server, address: `${host.addresses[0]}:1935` };
}

function connection(world: SimWorld, host: SimHost): NetConnection {
  return new NetConnection({
    carrier: () => host.open([{ port: 0 }]),
    clock: { now: () => world.now, after: (ms, run) => world.after(ms, run) },
    random: (length) => host.random(length),
    timeoutMs: 10_000,
  });
}

const clientsOf = (...servers: Server[]) => servers.map(({ stats }) => stats.clients);

describe("a server that redirects hellos", () => {
  it(...rfc("F-5", "O-3"), "sends every client to one of the addresses, and keeps nothing of it", async () => {
    const targets: string[] = [];
    const sim = new SimServer({ redirect: () => targets });
    await sim.listen();
    const { server, address } = await another(sim.world, "target");
    targets.push(address);
    const nc = connection(sim.world, sim.world.host("client"));
    const event = await sim.run(nc.connect(`rtmfp://${sim.address}/key/room?x=1`));
    expect(event.code).toBe("NetConnection.Connect.Success");
    expect(clientsOf(sim.server, server)).toEqual([0, 1]);
    expect(sim.server.stats.sessions).toBe(0);
    await sim.run(nc.close());
  });

  it(
    ...rfc("F-5", "O-3"),
    "lets a function choose by the client's address and URI, and serves whom it does not send away",
    async () => {
      const seen: Hello[] = [];
      let to = "";
      const sim = new SimServer({
        redirect: (hello) => {
          seen.push(hello);
          return hello.uri?.endsWith("/away") ? [to] : undefined;
        },
      });
      await sim.listen();
      const { server, address } = await another(sim.world, "target");
      to = address;
      const [away, home] = [sim.world.host("away"), sim.world.host("home")];
      await sim.run(connection(sim.world, away).connect(`rtmfp://${sim.address}/away`));
      await sim.run(connection(sim.world, home).connect(`rtmfp://${sim.address}/home`));
      expect(clientsOf(sim.server, server)).toEqual([1, 1]);
      expect(seen.map(({ uri }) => uri)).toEqual([`rtmfp://${sim.address}/away`, `rtmfp://${sim.address}/home`]);
      expect(seen.map(({ from }) => from.host)).toEqual([away.addresses[0], home.addresses[0]]);
    },
  );

  it(...rfc("F-5"), "follows a chain of servers, and serves clients itself when its function fails", async () => {
    const sim = new SimServer({
      redirect: () => {
        throw new Error("no idea");
      },
    });
    await sim.listen();
    const middle = await another(sim.world, "middle", { redirect: [sim.address] });
    const first = await another(sim.world, "first", { redirect: [middle.address] });
    await sim.run(connection(sim.world, sim.world.host("client")).connect(`rtmfp://${first.address}/key`));
    expect(clientsOf(first.server, middle.server, sim.server)).toEqual([0, 0, 1]);
    expect(sim.logged("application")[0]).toEqual({ message: "no idea" });
  });

  it(...rfc("F-5"), "serves clients itself when its function gives a Promise, and says so", async () => {
    const redirect = (() => Promise.reject(new Error("no database"))) as unknown as () => string[];
    const sim = await new SimServer({ redirect }).listen();
    await sim.connect("key");
    expect(sim.logged("application")).toEqual([
      { message: "redirect must return addresses at once, not a Promise" },
      { message: "no database" },
    ]);
  });

  it("refuses a list with something else than addresses, in one line", () => {
    expect(() => createServer({ redirect: ["example.com:1935"] })).toThrow(
      'redirect: expected an IP address and a port, got "example.com:1935"',
    );
  });
});
