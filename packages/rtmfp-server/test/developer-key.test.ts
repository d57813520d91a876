import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { SimServer } from "./support/sim.ts";

describe("the application behind developer keys", () => {
  it(...rfc("C-7"), "relays to a peer by its ID, also one with another key, quietly", async () => {
    const sim = await new SimServer().listen();
    const [alice, bob] = [await sim.connect("key1"), await sim.connect("key2/room")];
    alice.send("relay", bob.peerId, "this is a relay message", 5);
    const relayed = await sim.run(bob.commandNamed("onRelay"));
    expect(relayed).toMatchObject({ transactionId: 0, commandObject: null });
    expect(relayed.args.slice(1)).toEqual(["this is a relay message", 5]);
    expect({ ...(relayed.args[0] as object) }).toEqual({ sender: alice.peerId });
    await sim.pass(1_000);
    expect(alice.commands("onRelay")).toEqual([]);
    expect(alice.got.length).toBe(2);
  });

  it(...rfc("C-7"), "names the sender to Flash's API as Adobe's service did, to others as tcserver does", async () => {
    const flash = { flashVer: "WIN 32,0,0,465" };
    for (const [relaySender, forFlash, forOthers] of [
      ["auto", "id", "object"],
      ["id", "id", "id"],
      ["object", "object", "object"],
    ] as const) {
      const sim = await new SimServer({ relaySender }).listen();
      const [alice, bob] = [await sim.connect("key", [], flash), await sim.connect("key")];
      alice.send("broadcast", "invite", "cam");
      const forms = { id: alice.peerId, object: { sender: alice.peerId } };
      for (const [client, form] of [
        [alice, forFlash],
        [bob, forOthers],
      ] as const) {
        const { args } = await sim.run(client.commandNamed("onRelay"));
        expect(args).toEqual([forms[form], "invite", "cam"]);
      }
    }
  });

  it(...rfc("C-7"), "fails a relay to nobody, if the caller asks for an answer", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    const reply = await sim.run(client.call("relay", "00".repeat(32), "anybody?"));
    expect(reply.args[0]).toMatchObject({
      code: "NetConnection.Call.Failed",
      description: "nobody with that peer ID is connected",
    });
  });

  it(...rfc("C-7"), "broadcasts to all with the same key, the sender included", async () => {
    const sim = await new SimServer().listen();
    const [alice, bob, eve] = [await sim.connect("key1"), await sim.connect("key1"), await sim.connect("key2")];
    alice.send("broadcast", "this is a broadcast", "foo");
    for (const client of [alice, bob]) {
      const relayed = await sim.run(client.commandNamed("onRelay"));
      expect(relayed.args.slice(1)).toEqual(["this is a broadcast", "foo"]);
      expect({ ...(relayed.args[0] as object) }).toEqual({ sender: alice.peerId });
    }
    await sim.pass(1_000);
    expect(eve.commands("onRelay")).toEqual([]);
  });

  it("tells a watcher when a peer goes, or is not there", async () => {
    const sim = await new SimServer().listen();
    const [alice, bob] = [await sim.connect(), await sim.connect()];
    alice.send("watch", bob.peerId);
    alice.send("watch", "ab".repeat(32));
    await sim.pass(1_000);
    expect(alice.commands("onDisconnected").map(({ args }) => args)).toEqual([["ab".repeat(32)]]);
    await bob.close();
    await sim.pass(1_000);
    expect(alice.commands("onDisconnected").map(({ args }) => args)).toEqual([["ab".repeat(32)], [bob.peerId]]);
  });
});
