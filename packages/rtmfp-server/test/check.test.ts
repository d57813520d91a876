import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { MAX_CHECKS } from "../src/check-application.ts";
import { SimServer } from "./support/sim.ts";

describe("the check application", () => {
  it(...rfc("C-9"), "waits a while for a client's addresses, and tells those without", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect("check");
    const from = sim.world.now;
    client.command(await sim.run(client.createStream()), "publish", ["cam"]);
    await sim.run(client.status("NetStream.Publish.Denied"));
    const info = await sim.run(client.status("NetConnection.ConnectivityCheck.Results"));
    expect(sim.world.now - from).toBeGreaterThanOrEqual(2_700);
    // A carrier of one's own has no further ports: nothing is known but where the client is.
    expect(Object.keys(info)).toEqual(["level", "code", "description", "publicAddress"]);
    await sim.pass(2_000);
    expect(client.tree?.end).toBe("closed");
  });

  it(`checks ${MAX_CHECKS} clients at a time; more are told to come again`, async () => {
    const sim = await new SimServer().listen();
    const clients = await Promise.all(Array.from({ length: MAX_CHECKS + 1 }, () => sim.open()));
    const infos = await sim.run(Promise.all(clients.map((client) => client.connect("check"))));
    const codes = infos.map(({ code }) => code);
    expect(codes.filter((code) => code === "NetConnection.Connect.Rejected")).toHaveLength(1);
    await sim.pass(5_000);
    expect(sim.logged("check")).toHaveLength(MAX_CHECKS);
    const late = await sim.connect("check");
    await sim.run(late.status("NetConnection.ConnectivityCheck.Results"));
  });

  it("gives way to an application of that name", async () => {
    const sim = new SimServer();
    sim.server.application("check", () => ({ onConnect: (client) => client.expose({ who: () => "mine" }) }));
    await sim.listen();
    const client = await sim.connect("check");
    expect((await sim.run(client.call("who"))).args).toEqual(["mine"]);
  });
});
