/** Applications as a library: the order of events, decisions, and what an instance knows of itself. */
import { NetConnection, type RtmfpError } from "rtmfp-client";
import type { AmfObject } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { ApplicationStatus } from "../src/application.ts";
import type { Client } from "../src/client.ts";
import { Reject } from "../src/reject.ts";
import { lobby, SimServer } from "./support/sim.ts";

describe("an application", () => {
  it(...rfc("F-3", "O-2"), "hears of everything in AMS's order, once per instance and client", async () => {
    const heard: string[] = [];
    const { sim } = await lobby(({ path }) => ({
      onAppStart: () => void heard.push(`onAppStart ${path}`),
      onConnect: (_client, name) => void heard.push(`onConnect ${name}`),
      onConnectAccept: (client) => void heard.push(`onConnectAccept ${client.app.clients.size}`),
      onPublish: (_client, { name }) => void heard.push(`onPublish ${name}`),
      onUnpublish: (_client, { name }) => void heard.push(`onUnpublish ${name}`),
      onPlay: (_client, { name }) => void heard.push(`onPlay ${name}`),
      onStop: (_client, { name }) => void heard.push(`onStop ${name}`),
      onDisconnect: (client) => void heard.push(`onDisconnect ${client.app.clients.size}`),
      onAppStop: () => void heard.push(`onAppStop ${path}`),
    }));
    const alice = await sim.connect("lobby/one", ["alice"]);
    const bob = await sim.connect("lobby/one", ["bob"]);
    await sim.run(alice.publish("cam"));
    await sim.run(bob.play("cam"));
    await bob.close();
    await sim.pass(1_000);
    await alice.close();
    await sim.pass(1_000);
    expect(heard).toEqual([
      "onAppStart lobby/one",
      "onConnect alice",
      "onConnectAccept 1",
      "onConnect bob",
      "onConnectAccept 2",
      "onPublish cam",
      "onPlay cam",
      "onStop cam",
      "onDisconnect 1",
      "onUnpublish cam",
      "onDisconnect 0",
      "onAppStop lobby/one",
    ]);
  });

  it(...rfc("F-3"), "hears of a client it refused, and of none that was refused before it was asked", async () => {
    const heard: unknown[] = [];
    const { sim, apps } = await lobby(() => ({
      onConnect: () => {
        throw new Reject("why", "because");
      },
      onConnectReject: (client, { application, message }) => void heard.push([client.farID, application, message]),
      onDisconnect: () => void heard.push("onDisconnect"),
    }));
    const client = await sim.open();
    await sim.run(client.connect("lobby"));
    expect(heard).toEqual([[client.peerId, "why", "because"]]);
    expect(apps[0]?.getStats()).toMatchObject({ clients: 0, accepted: 0, rejected: 1 });
    await sim.pass(1_000);
    expect(heard.length).toBe(1);
  });

  it(...rfc("F-4"), "redirects a client by code 302 and the URL, with AMS's description", async () => {
    const { sim } = await lobby(() => ({
      onConnect: () => {
        throw Reject.redirect("rtmfp://other.example/lobby");
      },
    }));
    const client = await sim.open();
    const info = await sim.run(client.connect("lobby"));
    expect(info).toMatchObject({ code: "NetConnection.Connect.Rejected", description: "Connection failed" });
    expect({ ...(info["ex"] as AmfObject) }).toEqual({ code: 302, redirect: "rtmfp://other.example/lobby" });
    expect("application" in info).toBe(false);
    await sim.run(client.tree?.whenEnded ?? Promise.reject(new Error("no tree")));
  });

  it(...rfc("F-4", "F-3"), "is heard by our client with all that it gave: where to go, or why not", async () => {
    const reasons = [Reject.redirect("rtmfp://other.example/lobby"), new Reject({ wait: 5 }, "later")];
    const { sim } = await lobby(() => ({ onConnect: () => Promise.reject(reasons.shift()) }));
    const connect = async () => {
      const host = sim.world.host(`peer ${reasons.length}`);
      const nc = new NetConnection({
        carrier: () => host.open([{ port: 0 }]),
        clock: { now: () => sim.world.now, after: (ms, run) => sim.world.after(ms, run) },
        random: (length) => host.random(length),
      });
      return sim.run(nc.connect(`rtmfp://${sim.address}/lobby`).catch((error: RtmfpError) => error.info));
    };
    const code = "NetConnection.Connect.Rejected";
    const ex = { code: 302, redirect: "rtmfp://other.example/lobby" };
    expect(await connect()).toMatchObject({ code, description: "Connection failed", ex });
    expect(await connect()).toMatchObject({ code, description: "later", application: { wait: 5 } });
  });

  it("sends what it sends in onConnectAccept after the answer to connect, and after what was held", async () => {
    const { sim } = await lobby(() => ({
      onConnect: (client) => client.send("first"),
      onConnectAccept: (client) => client.send("second"),
    }));
    const client = await sim.connect("lobby");
    await sim.run(client.commandNamed("second"));
    const names = client.got.map((got) => (got.kind === "command" ? got.command.name : got.kind));
    expect(names).toEqual(["_result", "control", "first", "second"]);
  });

  it(
    ...rfc("F-3", "O-2"),
    "is told by onStatus what its handlers threw or rejected with, and nobody else is disturbed",
    async () => {
      const told: ApplicationStatus[] = [];
      const { sim } = await lobby(() => ({
        onConnectAccept: () => {
          throw new Error("no greeting");
        },
        onPublish: () => Promise.reject(new Error("no database")),
        onDisconnect: async () => {
          throw new Error("no farewell");
        },
        onStatus: (status) => {
          told.push(status);
          throw new Error("nor a status");
        },
      }));
      const client = await sim.connect("lobby");
      const id = await sim.run(client.createStream());
      client.command(id, "publish", ["cam"]);
      expect(await sim.run(client.status("NetStream.Publish.Denied"))).toMatchObject({
        description: "Connection failed",
      });
      await client.close();
      await sim.pass(1_000);
      expect(told.map(({ code, description }) => [code, description])).toEqual(
        ["no greeting", "no database", "no farewell"].map((text) => ["Application.Script.Error", text]),
      );
      expect(sim.logged("application").map(({ message }) => message)).toEqual(
        ["no greeting", "no database", "no farewell"].flatMap((text) => [text, "nor a status"]),
      );
      expect(sim.server.stats).toMatchObject({ clients: 0, sessions: 0 });
    },
  );

  it(...rfc("F-3", "O-2"), "may begin, and take its statuses, by a Promise that rejects: that is logged", async () => {
    const { sim } = await lobby(() => ({
      onAppStart: async () => {
        throw new Error("no database");
      },
      onStatus: async () => {
        throw new Error("nor a status");
      },
    }));
    const client = await sim.connect("lobby");
    await client.close();
    await sim.pass(1_000);
    expect(sim.logged("application").map(({ message }) => message)).toEqual(["no database", "nor a status"]);
  });

  it(...rfc("F-3", "F-7"), "may give whatever can be awaited, as the queries of databases are", async () => {
    /** Begins when it is awaited. */
    const query = (run: () => unknown) => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is shown.
      then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
        void sim.world.sleep(1_000).then(run).then(resolve, reject);
      },
    });
    const { sim } = await lobby(() => ({
      onConnect: (client, isKnown) => {
        client.expose({ look: () => query(() => "found") });
        return query(() => {
          if (isKnown !== true) throw new Reject("who are you?");
        });
      },
      onDisconnect: () => query(() => Promise.reject(new Error("no farewell"))),
    }));
    const stranger = await sim.open();
    expect((await sim.run(stranger.connect("lobby")))["application"]).toBe("who are you?");
    const client = await sim.connect("lobby", [true]);
    expect((await sim.run(client.call("look"))).args).toEqual(["found"]);
    await client.close();
    await sim.pass(2_000);
    expect(sim.logged("application")).toEqual([{ message: "no farewell" }]);
  });

  it("whose factory fails refuses its clients, and is made anew for the next one", async () => {
    let attempts = 0;
    const { sim } = await lobby(() => {
      if (attempts++ === 0) throw new Error("not today");
      return {};
    });
    const client = await sim.open();
    expect((await sim.run(client.connect("lobby")))["code"]).toBe("NetConnection.Connect.Rejected");
    expect(sim.logged("application")).toEqual([{ message: "not today" }]);
    await sim.connect("lobby");
    expect(sim.server.applicationStats.size).toBe(1);
  });

  it(
    ...rfc("F-3", "O-2"),
    "whose factory gives a Promise, or nothing, refuses its clients and says why; the server goes on",
    async () => {
      const sim = new SimServer();
      // As from JavaScript, which nobody has checked.
      const define = (name: string, factory: () => unknown) => sim.server.application(name, factory as () => object);
      define("async", async () => ({}));
      define("rejects", () => Promise.reject(new Error("no database")));
      define("nothing", () => undefined);
      define("odd", () => {
        throw Object.create(null);
      });
      await sim.listen();
      for (const name of ["async", "rejects", "nothing", "odd"]) {
        const client = await sim.open();
        expect((await sim.run(client.connect(name)))["code"], name).toBe("NetConnection.Connect.Rejected");
      }
      const later = "a Promise: return them at once, and wait in onConnect";
      expect(sim.logged("application").map(({ message }) => message)).toEqual([
        `the factory of application "async" must return handlers, not ${later}`,
        `the factory of application "rejects" must return handlers, not ${later}`,
        "no database",
        'the factory of application "nothing" must return handlers, not nothing',
        "something that has no text was thrown",
      ]);
      await sim.connect("key");
      expect(sim.server.applicationStats.size).toBe(1);
    },
  );

  it(...rfc("F-7"), "exposes functions to all its clients, who come first among the arguments", async () => {
    const { sim } = await lobby((app) => {
      app.expose({ whoami: (client: Client, greeting) => `${greeting} ${client.farID}`, both: () => "all" });
      return { onConnect: (client, own) => (own === true ? client.expose({ both: () => "own" }) : undefined) };
    });
    const [plain, special] = [await sim.connect("lobby"), await sim.connect("lobby", [true])];
    expect((await sim.run(plain.call("whoami", "hello"))).args).toEqual([`hello ${plain.peerId}`]);
    expect((await sim.run(plain.call("both"))).args).toEqual(["all"]);
    expect((await sim.run(special.call("both"))).args).toEqual(["own"]);
    expect((await sim.run(special.call("constructor"))).args[0]).toMatchObject({ code: "NetConnection.Call.Failed" });
  });

  it(...rfc("F-8"), "sees of a client what it said of itself, and what the session says", async () => {
    const seen: Client[] = [];
    const { sim } = await lobby(() => ({ onConnect: (client) => void seen.push(client) }));
    const said = { pageUrl: "http://page", swfUrl: "http://swf", flashVer: "LNX 1" };
    const client = await sim.connect("lobby/one", [], said);
    const [server] = seen as [Client];
    expect(server).toMatchObject({
      farID: client.peerId,
      nearID: client.session.peerId,
      protocol: "rtmfp",
      uri: "rtmfp://test/lobby/one",
      pageUrl: "http://page",
      referrer: "http://swf",
      agent: "LNX 1",
      user: undefined,
    });
    expect(server.farNonce).toEqual(client.session.nearNonce);
    expect(server.nearNonce).toEqual(client.session.farNonce);
    expect(server.ip).toBe(sim.hosts[0]?.addresses[0]);
    expect(server.stats.bytesReceived).toBeGreaterThan(0);
  });

  it(...rfc("F-17"), "that is unloaded tells its clients AppShutdown, pending ones too, and ends", async () => {
    const stopped: string[] = [];
    let admit: () => void = () => {};
    const { sim, apps } = await lobby((app) => ({
      onConnect: (_client, wait) => (wait === true ? new Promise<void>((resolve) => (admit = resolve)) : undefined),
      onAppStop: () => void stopped.push(app.path),
    }));
    const [alice, other] = [await sim.connect("lobby/one"), await sim.connect("lobby/two")];
    const pending = await sim.open();
    const refused = pending.connect("lobby/one", [true]);
    await sim.pass(1_000);
    const ended = apps[0]?.shutdown() as Promise<void>;
    // Too late: it has its answer.
    admit();
    expect((await sim.run(refused))["code"]).toBe("NetConnection.Connect.AppShutdown");
    expect((await sim.run(alice.status("NetConnection.Connect.AppShutdown")))["level"]).toBe("error");
    await sim.run(ended);
    expect(stopped).toEqual(["lobby/one"]);
    expect(alice.tree?.end).toBe("closed");
    expect(pending.tree?.end).toBe("closed");
    expect(pending.commands("_result")).toEqual([]);
    expect(sim.logged("connect").map(({ outcome }) => outcome)).toEqual([
      "accepted",
      "accepted",
      "NetConnection.Connect.AppShutdown",
    ]);
    expect(other.tree?.end).toBeUndefined();
    await sim.connect("lobby/one");
    expect(apps.map(({ path }) => path)).toEqual(["lobby/one", "lobby/two", "lobby/one"]);
  });

  it("disconnects a client", async () => {
    const seen: Client[] = [];
    const { sim, apps } = await lobby(() => ({ onConnect: (client) => void seen.push(client) }));
    const [one, two] = [await sim.connect("lobby"), await sim.connect("lobby")];
    await sim.run(apps[0]?.disconnect(seen[0] as Client) as Promise<void>);
    expect([one.tree?.end, two.tree?.end]).toEqual(["closed", undefined]);
    expect(sim.server.clients.map(({ farID }) => farID)).toEqual([two.peerId]);
  });

  it(
    ...rfc("F-18"),
    "counts its clients, streams, messages and bytes, the last 15 seconds of them per second",
    async () => {
      const { sim, apps } = await lobby(() => ({}));
      const [publisher, viewer] = [await sim.connect("lobby"), await sim.connect("lobby")];
      const id = await sim.run(publisher.publish("cam"));
      await sim.run(viewer.play("cam"));
      const before = apps[0]?.getStats();
      for (let i = 0; i < 150; i++) {
        publisher.media(id, "video", i * 100, new Uint8Array(1_000));
        await sim.pass(100);
      }
      const stats = apps[0]?.getStats();
      expect(stats).toMatchObject({ clients: 2, accepted: 2, rejected: 0, publishers: 1, players: 1 });
      expect(stats?.lifespanMs).toBeGreaterThan(15_000);
      expect(stats?.received.messages).toBe((before?.received.messages ?? 0) + 150);
      expect(stats?.received.bytes).toBe((before?.received.bytes ?? 0) + 150_000);
      expect(stats?.received.messagesPerSecond).toBeGreaterThan(9);
      expect(stats?.received.messagesPerSecond).toBeLessThan(11);
      expect(stats?.received.bytesPerSecond).toBeGreaterThan(9_000);
      expect(stats?.sent.bytesPerSecond).toBeGreaterThan(9_000);
      await sim.pass(20_000);
      const later = apps[0]?.getStats();
      expect(later?.received).toEqual({ ...stats?.received, messagesPerSecond: 0, bytesPerSecond: 0 });
      expect(sim.server.applicationStats.get("lobby")).toEqual(later);
    },
  );
});

describe("onPublish and onPlay", () => {
  it(...rfc("O-2"), "refuse with a reason, at once or later, and are asked again the next time", async () => {
    let mood: () => unknown = () => undefined;
    const { sim } = await lobby(() => ({ onPublish: () => mood(), onPlay: () => mood() }));
    const client = await sim.connect("lobby");
    const id = await sim.run(client.createStream());
    mood = () => {
      throw new Reject({ retry: 5 }, "not you");
    };
    client.command(id, "publish", ["cam"]);
    const denied = await sim.run(client.status("NetStream.Publish.Denied"));
    expect(denied).toMatchObject({ level: "error", description: "not you", details: "cam" });
    expect({ ...(denied["application"] as AmfObject) }).toEqual({ retry: 5 });
    mood = () => Promise.reject(new Reject(null, "not that"));
    client.command(id, "play", ["cam"]);
    expect(await sim.run(client.status("NetStream.Play.Failed"))).toMatchObject({ description: "not that" });
    mood = () => sim.world.sleep(1_000);
    client.command(id, "publish", ["cam"]);
    await sim.pass(900);
    expect(client.codes).not.toContain("NetStream.Publish.Start");
    await sim.run(client.status("NetStream.Publish.Start"));
    expect(sim.logged("publish").map(({ outcome }) => outcome)).toEqual(["refused", "started"]);
  });

  it(...rfc("O-2"), "answer nobody who has gone on to something else meanwhile", async () => {
    const answers: (() => void)[] = [];
    const ended: string[] = [];
    const { sim, apps } = await lobby(() => ({
      onPublish: () => new Promise<void>((resolve) => answers.push(resolve)),
      onUnpublish: (_client, { name }) => void ended.push(name),
    }));
    const [client, gone] = [await sim.connect("lobby"), await sim.connect("lobby")];
    const id = await sim.run(client.createStream());
    client.command(id, "publish", ["first"]);
    client.command(id, "publish", ["second"]);
    const deleted = await sim.run(client.createStream());
    client.command(deleted, "publish", ["third"]);
    await sim.pass(500);
    client.send("deleteStream", deleted);
    const left = await sim.run(gone.createStream());
    gone.command(left, "publish", ["fourth"]);
    await sim.pass(500);
    await gone.close();
    await sim.pass(500);
    expect(answers.length).toBe(4);
    for (const answer of answers) answer();
    await sim.pass(500);
    expect([...(apps[0]?.streams.streams.keys() ?? [])]).toEqual(["second"]);
    expect(client.codes).toEqual(["NetStream.Publish.Start"]);
    await client.close();
    await sim.pass(500);
    expect(ended).toEqual(["second"]);
  });

  it("that give what AMF cannot carry refuse without it", async () => {
    const { sim } = await lobby(() => ({
      onPlay: () => {
        throw new Reject(Symbol("x") as never, "no");
      },
    }));
    const client = await sim.connect("lobby");
    const id = await sim.run(client.createStream());
    client.command(id, "play", ["cam"]);
    expect(await sim.run(client.status("NetStream.Play.Failed"))).toMatchObject({ description: "no" });
    expect(sim.logged("application").length).toBe(1);
  });
});
