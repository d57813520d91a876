import { type AmfObject, AmfXml, encodeCommand } from "rtmfp-core/tc";
import type { SimHost } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { Application } from "../src/application.ts";
import type { Client } from "../src/client.ts";
import { Reject } from "../src/reject.ts";
import { lobby, SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

describe("a server", () => {
  it("keeps nothing of clients that are gone, however they went", async () => {
    const { sim, apps } = await lobby();
    const clients = [await sim.connect("lobby"), await sim.connect("lobby"), await sim.connect("lobby")];
    const [publisher, viewer, silent] = clients as [TestClient, TestClient, TestClient];
    await sim.run(publisher.publish("cam"));
    await sim.run(viewer.play("cam"));
    await sim.run(silent.play("cam"));
    expect(apps[0]?.streams.streams.get("cam")?.subscriptions.size).toBe(2);
    await sim.run(publisher.tree?.close() ?? Promise.reject(new Error("no tree")));
    await sim.run(publisher.session.close(), 100_000);
    await viewer.close();
    // Nobody says goodbye for the third: its keepalive goes unanswered.
    sim.world.partition([sim.host], [sim.hosts.at(-1) as SimHost]);
    await sim.pass(300_000);
    expect(sim.server.stats).toMatchObject({ sessions: 0, clients: 0 });
    expect(apps[0]?.clients.size).toBe(0);
    expect(apps[0]?.streams.streams.size).toBe(0);
    await sim.connect("lobby");
    expect(apps.length).toBe(2);
  });
});

describe("connect", () => {
  it(
    ...rfc("R7425-5.3.2-01", "F-1", "C-1", "C-3"),
    "answers on a flow associated to the client's, with Connect.Success and the client's own identity",
    async () => {
      const sim = await new SimServer().listen();
      const client = await sim.open();
      const info = await sim.run(client.connect("0123456789abcdef01234567-89abcdef0123"));
      expect(info).toMatchObject({ level: "status", code: "NetConnection.Connect.Success", objectEncoding: 0 });
      expect(info["connectionID"]).toBe(client.peerId);
      expect(client.tree?.farControl).toBeDefined();
      expect(sim.logged("connect")).toEqual([
        { client: `${client.peerId.slice(0, 8)}…`, app: "0123456789abcdef01234567-89abcdef0123", outcome: "accepted" },
      ]);
    },
  );

  it(...rfc("R7425-5.3.4-01", "R7425-5.3.4-04"), "sets keepalive timers after the answer, as configured", async () => {
    const sim = await new SimServer({ keepalive: { serverMs: 20_000, peerMs: 45_000 } }).listen();
    const client = await sim.connect();
    await sim.run(client.first((got) => (got.kind === "control" ? got : undefined)));
    expect(client.got[1]).toEqual({
      kind: "control",
      streamId: 0,
      control: { event: "setKeepalive", serverMs: 20_000, peerMs: 45_000 },
    });
  });

  it(...rfc("F-3"), "rejects with what the application threw, then closes", async () => {
    const sim = new SimServer();
    sim.server.application("lobby", () => ({
      onConnect(_client, name) {
        if (typeof name !== "string") throw new Reject({ why: "tell us your name" });
      },
    }));
    await sim.listen();
    const client = await sim.open();
    const info = await sim.run(client.connect("lobby/room1", [7]));
    expect(info["code"]).toBe("NetConnection.Connect.Rejected");
    expect((info["application"] as AmfObject)["why"]).toBe("tell us your name");
    await sim.run(client.tree?.whenEnded ?? Promise.reject(new Error("no tree")));
    expect(client.tree?.end).toBe("closed");
    expect(sim.server.stats.clients).toBe(0);
  });

  it("answers who deletes a stream by a call", async () => {
    const sim = new SimServer();
    await sim.listen();
    const client = await sim.open();
    await sim.run(client.connect("key"));
    const [id] = (await sim.run(client.call("createStream"))).args;
    expect(await sim.run(client.call("deleteStream", id as number))).toMatchObject({ name: "_result", args: [null] });
    expect((await sim.run(client.call("deleteStream"))).name).toBe("_result");
  });

  it("hides what else an application throws, and logs it", async () => {
    const sim = new SimServer();
    sim.server.application("lobby", () => ({
      onConnect() {
        throw new Error("the database password is wrong");
      },
    }));
    await sim.listen();
    const client = await sim.open();
    const info = await sim.run(client.connect("lobby"));
    expect(info).toMatchObject({ code: "NetConnection.Connect.Rejected", description: "Connection failed" });
    expect(sim.logged("application")).toEqual([{ message: "the database password is wrong" }]);
  });

  it(...rfc("F-3"), "leaves a client pending until the promise settles, and keeps what is sent to it", async () => {
    let admit: () => void = () => {};
    const sim = new SimServer();
    let seen: Application | undefined;
    sim.server.application("lobby", (app) => ({
      onConnect: (client) => {
        seen = app;
        client.send("welcome", 1);
        return new Promise<void>((resolve) => {
          admit = resolve;
        });
      },
    }));
    await sim.listen();
    const client = await sim.open();
    const connecting = client.connect("lobby");
    await sim.pass(5_000);
    expect(client.got).toEqual([]);
    expect(seen?.clients.size).toBe(0);
    admit();
    expect((await sim.run(connecting))["code"]).toBe("NetConnection.Connect.Success");
    await sim.run(client.commandNamed("welcome"));
    const names = client.got.map((got) => (got.kind === "command" ? got.command.name : got.kind));
    expect(names).toEqual(["_result", "control", "welcome"]);
    expect(seen?.clients.size).toBe(1);
  });

  it("refuses without what AMF cannot carry, and logs it", async () => {
    const sim = new SimServer();
    sim.server.application("lobby", () => ({
      onConnect() {
        throw new Reject(Symbol("x") as never);
      },
    }));
    await sim.listen();
    const client = await sim.open();
    const info = await sim.run(client.connect("lobby"));
    expect(info["code"]).toBe("NetConnection.Connect.Rejected");
    expect("application" in info).toBe(false);
    expect(sim.logged("application").length).toBe(1);
  });

  it("tells applications the outcome of a promise that rejects", async () => {
    const sim = new SimServer();
    sim.server.application("lobby", () => ({ onConnect: () => Promise.reject(new Reject("full")) }));
    await sim.listen();
    const client = await sim.open();
    expect((await sim.run(client.connect("lobby")))["application"]).toBe("full");
  });

  it(...rfc("R7425-5.3.3-08"), "speaks AMF3 with a client that asks for it", async () => {
    const sim = new SimServer();
    sim.server.application("lobby", () => ({
      onConnect: (client) => client.expose({ echo: (value) => value }),
    }));
    await sim.listen();
    const client = await sim.connect("lobby", [], { objectEncoding: 3 });
    const reply = await sim.run(client.call("echo", new AmfXml("<a/>", false)));
    expect(reply.args).toEqual([new AmfXml("<a/>", false)]);
    const types = client.got.flatMap((got) => (got.kind === "command" ? [got.type] : []));
    // The answer to connect comes as connect did.
    expect(types).toEqual([20, 17]);
  });

  it(...rfc("C-1"), "fails for a key that is not listed", async () => {
    const sim = await new SimServer({ keys: ["good"] }).listen();
    const client = await sim.open();
    expect((await sim.run(client.connect("bad")))["code"]).toBe("NetConnection.Connect.Failed");
    const other = await sim.open();
    expect((await sim.run(other.connect("good/room")))["code"]).toBe("NetConnection.Connect.Success");
  });
});

describe("a client of an application", () => {
  it(...rfc("F-7"), "calls what was exposed to it, and nothing else", async () => {
    const sim = new SimServer();
    sim.server.application("lobby", () => ({
      onConnect: (client) =>
        client.expose({
          add: (a, b) => Number(a) + Number(b),
          later: async () => "done",
          fail: () => {
            throw new Error("no such room");
          },
          unspeakable: () => Symbol("x"),
        }),
    }));
    await sim.listen();
    const client = await sim.connect("lobby");
    expect((await sim.run(client.call("add", 2, 3))).args).toEqual([5]);
    expect((await sim.run(client.call("later"))).args).toEqual(["done"]);
    for (const [name, description] of [
      ["fail", "no such room"],
      ["toString", "Method not found (toString)."],
      ["relay", "Method not found (relay)."],
    ] as const) {
      const reply = await sim.run(client.call(name));
      expect(reply.name).toBe("_error");
      expect(reply.args[0]).toMatchObject({ level: "error", code: "NetConnection.Call.Failed", description });
    }
    expect((await sim.run(client.call("unspeakable"))).args[0]).toMatchObject({ code: "NetConnection.Call.Failed" });
  });

  it(...rfc("F-7"), "is called, and its reply or error comes back", async () => {
    const sim = new SimServer();
    let server = undefined as Client | undefined;
    sim.server.application("lobby", () => ({
      onConnect: (client) => {
        server = client;
      },
    }));
    await sim.listen();
    const client = await sim.connect("lobby");
    if (server === undefined) throw new Error("no client");
    const called = server.call("ask", "who?");
    const ask = await sim.run(client.commandNamed("ask"));
    expect(ask.args).toEqual(["who?"]);
    client.command(0, "_result", ["me"], ask.transactionId);
    expect(await sim.run(called)).toBe("me");
    const refused = server.call("refuse");
    const refuse = await sim.run(client.commandNamed("refuse"));
    client.command(0, "_error", ["no"], refuse.transactionId);
    await expect(sim.run(refused)).rejects.toMatchObject({ code: "NetConnection.Call.Failed" });
    const unanswered = server.call("ask");
    const outcome = unanswered.catch((error: { code: string }) => error.code);
    await client.close();
    expect(await sim.run(outcome)).toBe("NetConnection.Call.Failed");
  });

  it(...rfc("F-6", "F-8"), "gets what is broadcast in its instance, the sender included", async () => {
    const sim = new SimServer();
    const gone: string[] = [];
    sim.server.application("lobby", (app) => ({
      onConnect: (client) => client.expose({ say: (text) => app.broadcastMsg("onSay", client.farID, text) }),
      onDisconnect: (client) => void gone.push(client.farID),
    }));
    await sim.listen();
    const [alice, bob, carol] = [
      await sim.connect("lobby/one"),
      await sim.connect("lobby/one"),
      await sim.connect("lobby/two"),
    ];
    alice.send("say", "hello");
    expect((await sim.run(bob.commandNamed("onSay"))).args).toEqual([alice.peerId, "hello"]);
    expect((await sim.run(alice.commandNamed("onSay"))).args).toEqual([alice.peerId, "hello"]);
    await alice.close();
    await sim.pass(1_000);
    expect(carol.commands("onSay")).toEqual([]);
    expect(gone).toEqual([alice.peerId]);
    expect(sim.logged("disconnect")).toEqual([{ client: `${alice.peerId.slice(0, 8)}…`, reason: "session" }]);
  });

  it("is one of an instance that begins with its first client and ends with its last", async () => {
    const sim = new SimServer();
    const made: string[] = [];
    sim.server.application("lobby", (app) => {
      made.push(`${app.name}/${app.instance}`);
      return {};
    });
    await sim.listen();
    const alice = await sim.connect("lobby/one");
    const bob = await sim.connect("lobby/one");
    await sim.connect("lobby/one/two?query");
    expect(made).toEqual(["lobby/one", "lobby/one/two"]);
    await Promise.all([alice.close(), bob.close()]);
    await sim.pass(1_000);
    await sim.connect("lobby/one");
    expect(made).toEqual(["lobby/one", "lobby/one/two", "lobby/one"]);
  });

  it("gets a quiet answer to the calls of old clients", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    for (const name of ["releaseStream", "FCPublish", "FCSubscribe", "checkBandwidth", "getStreamLength"]) {
      expect((await sim.run(client.call(name, "x"))).name).toBe("_result");
    }
    client.send("FCUnpublish", "x");
    await sim.pass(1_000);
    expect(client.commands("_error")).toEqual([]);
    expect(sim.log.filter((entry) => entry.level !== "info")).toEqual([]);
  });

  it(
    ...rfc("R7425-5.3.2-04", "R7425-5.3.5.1-01"),
    "may open more flows of stream 0, and commands on them are obeyed",
    async () => {
      const sim = await new SimServer().listen();
      const client = await sim.connect();
      const more = client.tree?.openFlow(0);
      more?.write(encodeCommand({ name: "createStream", transactionId: 77, commandObject: null, args: [] }));
      const result = await sim.run(
        client.first((got) => (got.kind === "command" && got.command.transactionId === 77 ? got.command : undefined)),
      );
      expect(result).toMatchObject({ name: "_result", args: [1] });
      void more?.close();
      await sim.pass(1_000);
      expect((await sim.run(client.call("createStream"))).args).toEqual([2]);
    },
  );

  it("is told that the server shuts down, and is closed in good order", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    const closing = sim.server.close();
    expect((await sim.run(client.status("NetConnection.Connect.AppShutdown")))["level"]).toBe("error");
    await sim.run(closing);
    await sim.run(client.session.closed);
    expect(client.tree?.end).toBe("closed");
    expect(sim.server.stats).toMatchObject({ sessions: 0, clients: 0 });
  });

  it(...rfc("R7425-5.3-02", "R7425-5.3.6-02"), "is gone when it closes or rejects the control flows", async () => {
    const sim = await new SimServer().listen();
    const [closing, aborting] = [await sim.connect("a"), await sim.connect("b")];
    await sim.run(closing.tree?.close() ?? Promise.reject(new Error("no tree")));
    aborting.tree?.abort();
    await sim.pass(1_000);
    expect(sim.logged("disconnect").map(({ reason }) => reason)).toEqual(["closed", expect.any(String)]);
    expect(sim.server.stats).toMatchObject({ sessions: 2, clients: 0 });
  });

  it(...rfc("R7425-5.1-03"), "counts messages that make no sense, and goes on", async () => {
    const sim = await new SimServer().listen();
    const client = await sim.connect();
    client.flow(0, "main").write(Uint8Array.of(20, 0, 0, 0, 0, 0xff, 0xff));
    client.flow(0, "main").write(Uint8Array.of(3, 0, 0, 0, 0, 1));
    client.flow(0, "main").write(Uint8Array.of(20));
    expect((await sim.run(client.call("createStream"))).args).toEqual([1]);
    await client.close();
    await sim.pass(1_000);
    expect(sim.server.stats.malformedMessages).toBe(1);
  });
});
