/** Tokens: who is let in, and what a user's name grants. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NetConnection, type NetConnectionOptions } from "rtmfp-client";
import { authKey, authToken, boundToken, defaultProvider } from "rtmfp-core/crypto";
import type { AmfValue } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { Client } from "../src/client.ts";
import type { ServerOptions } from "../src/server-options.ts";
import { parseUser } from "../src/user.ts";
import { SimServer } from "./support/sim.ts";

const provider = defaultProvider();
const token = (app: string, user?: string, key = "supersecret") => authToken(provider, authKey(key), app, user);

async function locked(options: ServerOptions = {}) {
  const sim = new SimServer({ authKeys: ["supersecret"], ...options });
  const seen: [Client, AmfValue[]][] = [];
  sim.server.application("lobby", () => ({ onConnect: (client, ...args) => void seen.push([client, args]) }));
  await sim.listen();
  /** Connects, and tells the answer. */
  const enter = async (app: string, ...args: AmfValue[]) => {
    const client = await sim.open();
    return { client, info: await sim.run(client.connect(app, args)) };
  };
  return { sim, seen, enter };
}

describe("a server with keys for tokens", () => {
  it(...rfc("O-6"), "lets in by the token of the application, and by nothing else", async () => {
    const { enter } = await locked();
    for (const args of [[], ["wrong"], [token("lobby/two")], [token("lobby", "mike")], [7], ["mike", "wrong"]]) {
      const { info, client } = await enter("lobby", ...args);
      expect(info["code"]).toBe("NetConnection.Connect.Rejected");
      expect(client.codes).toEqual([]);
    }
    expect((await enter("key")).info["description"]).toBe("A token is needed.");
    expect((await enter("lobby", token("lobby"))).info["code"]).toBe("NetConnection.Connect.Success");
    expect((await enter("lobby/two", token("lobby/two"))).info["code"]).toBe("NetConnection.Connect.Success");
    expect((await enter("key", token("key"))).info["code"]).toBe("NetConnection.Connect.Success");
  });

  it(
    ...rfc("O-6"),
    "takes a token bound to its nonce, and proves by the client's that it knows the token too",
    async () => {
      const { sim } = await locked();
      const client = await sim.open();
      const plain = token("lobby");
      const bound = boundToken(provider, client.session.farNonce, plain);
      const info = await sim.run(client.connect("lobby", [bound]));
      expect(info["code"]).toBe("NetConnection.Connect.Success");
      expect(info["authToken"]).toBe(boundToken(provider, client.session.nearNonce, plain));
      const other = await sim.open();
      expect((await sim.run(other.connect("lobby", [bound])))["code"]).toBe("NetConnection.Connect.Rejected");
    },
  );

  it(...rfc("O-6"), "knows a user by name and token, and gives the application what comes after", async () => {
    const { enter, seen } = await locked();
    const text = "67890;name=mike;pri=5;exp=1e10";
    const { info } = await enter("lobby", text, token("lobby", text), "more", 7);
    expect(info["code"]).toBe("NetConnection.Connect.Success");
    expect(seen[0]?.[0].user).toMatchObject({ text, publisherName: "mike", maxPriority: 5 });
    expect(seen[0]?.[1]).toEqual(["more", 7]);
    await enter("lobby", token("lobby"), "more");
    expect([seen[1]?.[0].user, seen[1]?.[1]]).toEqual([undefined, ["more"]]);
  });

  it(...rfc("O-6", "O-5"), "may ask by other keys, or not at all, in an application of its own", async () => {
    const { enter, sim } = await locked();
    sim.server.application("vip", () => ({}), { authKeys: ["velvet"], maxClients: 1 });
    sim.server.application("open", () => ({}), { authKeys: "off" });
    const code = async (app: string, ...args: AmfValue[]) => (await enter(app, ...args)).info["code"];
    const [yes, no] = ["NetConnection.Connect.Success", "NetConnection.Connect.Rejected"];
    expect(await code("vip/room", token("vip/room"))).toBe(no);
    expect(await code("vip/room", token("vip/room", undefined, "velvet"))).toBe(yes);
    expect((await enter("vip/room", token("vip/room", undefined, "velvet"))).info["description"]).toMatch(/full/);
    expect(await code("open/room")).toBe(yes);
    expect(await code("lobby", token("lobby", undefined, "velvet"))).toBe(no);
    sim.server.setAuthKeys(undefined, "vip");
    expect(await code("vip/two", token("vip/two"))).toBe(yes);
    sim.server.setAuthKeys(["other"]);
    expect([await code("lobby", token("lobby")), await code("lobby", token("lobby", undefined, "other"))]).toEqual([
      no,
      yes,
    ]);
    expect(() => sim.server.setAuthKeys({ file: join(tmpdir(), "no-such-file") })).toThrow(/cannot be read/);
    expect(await code("lobby", token("lobby", undefined, "other"))).toBe(yes);
    sim.server.setAuthKeys(undefined);
    expect([await code("lobby"), await code("key")]).toEqual([yes, yes]);
    sim.server.setKeys(["other"]);
    expect([await code("lobby"), await code("key"), await code("other")]).toEqual([
      yes,
      "NetConnection.Connect.Failed",
      yes,
    ]);
  });

  it(...rfc("O-6"), "lets nobody in while its list or its file is empty, and warns of that", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rtmfp-"));
    const file = join(folder, "keys");
    try {
      writeFileSync(file, "# none yet\n");
      for (const authKeys of [[], { file }]) {
        const { enter, sim } = await locked({ authKeys });
        expect((await enter("lobby")).info["code"]).toBe("NetConnection.Connect.Rejected");
        expect((await enter("lobby", token("lobby"))).info["code"]).toBe("NetConnection.Connect.Rejected");
        expect(sim.logged("keys")).toEqual([
          { message: expect.stringMatching(/ holds no key, so .*nobody is let in/) },
        ]);
      }
      writeFileSync(file, "supersecret\n");
      const { enter, sim } = await locked({ authKeys: { file } });
      expect(sim.logged("keys")).toEqual([]);
      writeFileSync(file, "");
      expect((await enter("lobby", token("lobby"))).info["code"]).toBe("NetConnection.Connect.Rejected");
      expect(sim.logged("keys")).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it(...rfc("O-6"), "takes the keys of a file, bytes among them, as they are now", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rtmfp-"));
    const file = join(folder, "keys");
    try {
      writeFileSync(file, "first # a comment\nhex:00ff\n");
      const { enter } = await locked({ authKeys: { file } });
      const code = async (key: string) => (await enter("lobby", token("lobby", undefined, key))).info["code"];
      expect(await code("first")).toBe("NetConnection.Connect.Success");
      expect(await code("hex:00FF")).toBe("NetConnection.Connect.Success");
      expect(await code("second")).toBe("NetConnection.Connect.Rejected");
      writeFileSync(file, "second\n");
      expect(await code("first")).toBe("NetConnection.Connect.Rejected");
      expect(await code("second")).toBe("NetConnection.Connect.Success");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it(
    ...rfc("O-6"),
    "lets a user in from nbf to use_by and exp, and ends the connection at exp or after exi",
    async () => {
      const { sim, enter } = await locked();
      const now = Date.now() / 1_000;
      const asUser = (user: string) => enter("lobby", user, token("lobby", user));
      for (const user of [`nbf=${now + 1_000}`, `use_by=${now - 1_000}`, `exp=${now - 1_000}`, "exp=soon", "nbf="]) {
        expect((await asUser(user)).info["code"]).toBe("NetConnection.Connect.Rejected");
      }
      const early = await asUser("exi=100");
      const late = await asUser(`nbf=${now - 1_000};use_by=${now + 1_000};exp=${now + 1_000}`);
      const free = await asUser("name=free");
      await sim.pass(90_000);
      expect(early.client.tree?.end).toBeUndefined();
      await sim.pass(20_000);
      expect(early.client.codes).toEqual(["NetConnection.Connect.Rejected"]);
      expect(early.client.tree?.end).toBe("closed");
      expect(late.client.tree?.end).toBeUndefined();
      await sim.pass(1_000_000);
      expect(late.client.tree?.end).toBe("closed");
      expect(free.client.tree?.end).toBeUndefined();
    },
  );

  it(...rfc("O-6"), "has one connection of an exclusive user in an application: the newest", async () => {
    const { sim, enter } = await locked();
    const user = "7;xcl";
    const first = await enter("lobby", user, token("lobby", user));
    const elsewhere = await enter("lobby/two", user, token("lobby/two", user));
    const second = await enter("lobby", user, token("lobby", user));
    await sim.pass(1_000);
    const ends = [first, elsewhere, second].map(({ client }) => client.tree?.end);
    expect(ends).toEqual(["closed", undefined, undefined]);
    expect(first.client.codes).toEqual(["NetConnection.Connect.Rejected"]);
  });

  it(
    ...rfc("O-6"),
    "lets a user publish as many streams as its token says, and names it to players and peers",
    async () => {
      const { sim, enter } = await locked();
      const mike = async (user: string) => (await enter("key", user, token("key", user))).client;
      const publisher = await mike("name=mike;pub=1");
      const viewer = await mike("");
      await sim.run(viewer.play("one"));
      await sim.run(publisher.publish("one"));
      expect(await sim.run(viewer.status("NetStream.Play.PublishNotify"))).toMatchObject({ publisherName: "mike" });
      const id = await sim.run(publisher.createStream());
      publisher.command(id, "publish", ["two"]);
      await sim.run(publisher.status("NetStream.Publish.Denied"));
      publisher.send("relay", viewer.peerId, "hello");
      const { args } = await sim.run(viewer.commandNamed("onRelay"));
      expect({ ...(args[0] as object) }).toEqual({ sender: publisher.peerId, senderName: "mike" });
    },
  );
});

describe("our client", () => {
  const connect = async (sim: SimServer, options: NetConnectionOptions) => {
    const host = sim.world.host(`peer ${sim.world.now}`);
    const nc = new NetConnection({
      carrier: () => host.open([{ port: 0 }]),
      clock: { now: () => sim.world.now, after: (ms, run) => sim.world.after(ms, run) },
      random: (length) => host.random(length),
      ...options,
    });
    return sim.run(nc.connect(`rtmfp://${sim.address}/lobby/one`, "more")).then(
      ({ code }) => code,
      ({ code, message }) => [code, message],
    );
  };

  it(...rfc("O-6"), "gets in by a token, for itself or for the application, without sending it", async () => {
    const { sim, seen } = await locked();
    const app = "lobby/one";
    expect(await connect(sim, { auth: { token: token(app) } })).toBe("NetConnection.Connect.Success");
    expect(await connect(sim, { auth: { token: token(app, "mike"), user: "mike" } })).toBe(
      "NetConnection.Connect.Success",
    );
    expect(seen.map(([client, args]) => [client.user?.text, args])).toEqual([
      [undefined, ["more"]],
      ["mike", ["more"]],
    ]);
    const refused = ["NetConnection.Connect.Rejected", "The token is not valid here."];
    expect(await connect(sim, { auth: { token: token("lobby") } })).toEqual(refused);
  });

  it(...rfc("O-6"), "leaves a server that does not know its token", async () => {
    const sim = await new SimServer().listen();
    const [code, message] = await connect(sim, { auth: { token: token("lobby/one") } });
    expect(code).toBe("NetConnection.Connect.Failed");
    expect(message).toMatch(/^the server does not know the token: .*/);
    await sim.pass(1_000);
    expect(sim.server.stats.clients).toBe(0);
    expect(() => new NetConnection({ auth: { token: "secret" } })).toThrow(
      "auth.token: expected 64 lower-case hex digits",
    );
  });
});

describe("a user's name", () => {
  it("is read as settings; what is no number grants nothing", () => {
    const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
    expect(parseUser("67890;name=mike=me;x=1")).toEqual({
      text: "67890;name=mike=me;x=1",
      publisherName: "mike=me",
      maxPriority: undefined,
      isExclusive: false,
      maxPublishers: POSITIVE_INFINITY,
      connectFrom: NEGATIVE_INFINITY,
      connectUntil: POSITIVE_INFINITY,
      expiresAt: POSITIVE_INFINITY,
      expiresInMs: POSITIVE_INFINITY,
    });
    expect(parseUser("pri=high;pub=;exi=x;xcl")).toMatchObject({
      maxPriority: NEGATIVE_INFINITY,
      maxPublishers: 0,
      expiresInMs: 0,
      isExclusive: true,
    });
  });
});
