import { request } from "node:http";
import { afterEach, describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { MAX_BODY_BYTES } from "../src/http/api.ts";
import { type HttpOptions, type HttpSide, serveHttp } from "../src/http/index.ts";
import { MAX_LIMIT } from "../src/http/request.ts";
import type { LogEntry } from "../src/log.ts";
import { GROUP, join, newcomer, RECORDED_JOIN } from "./support/group.ts";
import { SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

const sides: HttpSide[] = [];
const TOKEN = "0123456789abcdef";

async function serve(options: HttpOptions = {}) {
  const sim = await new SimServer().listen();
  const listening = { url: "rtmfp://here", urls: ["rtmfp://here"], fingerprint: "ab".repeat(32), addresses: [] };
  const side = await serveHttp(sim.server, listening, { port: 0, ...options });
  sides.push(side);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(side.url + path, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests check.
    return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : {}) as any };
  };
  return { sim, side, ask };
}

afterEach(async () => {
  await Promise.all(sides.splice(0).map((side) => side.close()));
});

describe("the HTTP side", () => {
  it(...rfc("F-18", "O-2"), "tells of the server, its instances, clients and streams", async () => {
    const { sim, ask } = await serve();
    const [alice, bob] = [await sim.connect("lobby/one"), await sim.connect("other")];
    await sim.run(alice.publish("cam"));
    const health = await ask("/api/health");
    expect(health).toMatchObject({
      status: 200,
      body: { status: "ok", clients: 2, sessions: 2, urls: ["rtmfp://here"] },
    });
    expect((await ask("/api/stats")).body).toMatchObject({ clients: 2, transport: { sessionsOpened: 2 } });
    expect((await ask("/api/apps")).body).toMatchObject({
      total: 2,
      items: [
        { app: "lobby/one", clients: 1, publishers: 1, players: 0, lifespanMs: expect.any(Number) },
        { app: "other", clients: 1, received: { messages: expect.any(Number), bytesPerSecond: expect.any(Number) } },
      ],
    });
    const nat = { kind: "unknown" };
    expect((await ask("/api/clients")).body).toMatchObject({
      total: 2,
      items: [
        { id: alice.peerId, app: "lobby/one", nat, address: expect.stringMatching(/^198\.18\.\d+\.\d+:\d+$/) },
        { id: bob.peerId, app: "other", nat, security: { group: 31 } },
      ],
    });
    expect((await ask("/api/clients?app=other")).body.items.map(({ id }: { id: string }) => id)).toEqual([bob.peerId]);
    const one = await ask(`/api/clients/${alice.peerId.slice(0, 8).toUpperCase()}`);
    expect(one.body).toMatchObject({ id: alice.peerId, session: { cwnd: expect.any(Number) } });
    expect((await ask("/api/streams")).body).toEqual({
      total: 1,
      items: [{ app: "lobby/one", stream: "cam", publisher: alice.peerId, players: 0 }],
    });
    await sim.run(sim.server.close());
    expect(await ask("/api/health")).toMatchObject({ status: 503, body: { status: "closing" } });
  });

  it(...rfc("F-13", "O-2"), "tells of groups, and of one with its members in the order of the ring", async () => {
    const { sim, ask } = await serve();
    expect((await ask("/api/groups")).body).toEqual({ total: 0, items: [] });
    const members = [await newcomer(sim), await newcomer(sim), await newcomer(sim)];
    const counts = { group: GROUP, members: 3, joins: 3, leaves: 0, told: 6, untold: 0 };
    expect((await ask("/api/groups")).body).toEqual({ total: 1, items: [counts] });
    const { ring, ...one } = (await ask(`/api/groups/${GROUP.slice(0, 8).toUpperCase()}`)).body;
    expect(one).toEqual(counts);
    expect(ring.total).toBe(3);
    const address = expect.stringMatching(/^198\.18\.\d+\.\d+:\d+$/);
    expect(ring.items).toEqual(
      sim.server
        .groupMembers(GROUP)
        .map(({ peerID, groupAddress }) => ({ id: peerID, groupAddress, app: "key", address })),
    );
    const addresses = ring.items.map(({ groupAddress }: { groupAddress: string }) => groupAddress);
    expect(addresses).toEqual([...addresses].sort());
    expect(new Set(ring.items.map(({ id }: { id: string }) => id))).toEqual(
      new Set(members.map((m) => m.client.peerId)),
    );
    expect((await ask(`/api/groups/${GROUP}?limit=1&offset=2`)).body.ring).toEqual({
      total: 3,
      items: [ring.items[2]],
    });
    await sim.run(members[0]?.flow.close() ?? Promise.reject(new Error("no member")));
    join(members[1]?.client as TestClient, Uint8Array.of(1));
    join(await sim.open(), RECORDED_JOIN);
    await sim.pass(500);
    const { text } = await ask("/metrics");
    const counted = text.split("\n").filter((line) => /^rtmfp_group/.test(line));
    expect(counted).toEqual([
      "rtmfp_groups 1",
      "rtmfp_group_members 2",
      "rtmfp_group_joins_total 3",
      "rtmfp_group_leaves_total 1",
      "rtmfp_group_members_told_total 6",
      "rtmfp_group_members_untold_total 0",
      "rtmfp_group_joins_refused_total 1",
      "rtmfp_group_malformed_total 1",
      `rtmfp_group_size{group="${GROUP}"} 2`,
    ]);
  });

  it(...rfc("F-12"), "lists introductions, all or some", async () => {
    const { sim, ask } = await serve();
    const [alice, bob] = [await sim.connect(), await sim.connect()];
    bob.session.introductions = "rhello";
    await sim.run(alice.endpoint.connect({ peerId: bob.peerId, via: [alice.session] }));
    const nobody = alice.endpoint.connect({ peerId: "ab".repeat(32), via: [alice.session] }, { timeoutMs: 1_000 });
    await sim.run(nobody.catch(() => {}));
    await sim.pass(20_000);
    const { total, items } = (await ask("/api/introductions")).body;
    expect(total).toBe(2);
    expect(items).toMatchObject([
      { outcome: "forwarded", asker: { id: alice.peerId, nat: { kind: "unknown" } }, target: { id: bob.peerId } },
      { outcome: "failed", reason: "target-gone", next: expect.any(String), explanation: expect.any(String) },
    ]);
    expect(new Date(items[0].time).toISOString()).toBe(items[0].time);
    expect((await ask("/api/introductions?outcome=failed")).body.total).toBe(1);
    expect((await ask(`/api/introductions?peer=${bob.peerId.slice(0, 8)}`)).body.total).toBe(1);
    expect((await ask("/api/introductions?limit=1&offset=1")).body.items).toMatchObject([{ outcome: "failed" }]);
  });

  it(...rfc("O-4"), "ends a client's connection, with a reason that the client is told", async () => {
    const { sim, ask } = await serve();
    const [alice, bob] = [await sim.connect(), await sim.connect()];
    const reason = JSON.stringify({ reason: "spam" });
    const kick = await ask(`/api/clients/${alice.peerId}/kick`, { method: "POST", body: reason });
    expect(kick).toMatchObject({ status: 200, body: { kicked: alice.peerId } });
    expect(await sim.run(alice.status("NetConnection.Connect.Rejected"))).toMatchObject({ description: "spam" });
    expect((await ask(`/api/clients/${bob.peerId.slice(0, 12)}`, { method: "DELETE" })).status).toBe(200);
    await sim.run(bob.status("NetConnection.Connect.Rejected"));
    await sim.pass(2_000);
    expect((await ask("/api/clients")).body.total).toBe(0);
  });

  it("answers what it cannot serve with one line of JSON", async () => {
    const { sim, side, ask } = await serve();
    const { peerId } = await sim.connect();
    const cases: readonly (readonly [number, string, RequestInit?])[] = [
      [404, "/"],
      [404, "/api/nothing"],
      [404, `/api/clients/${"0".repeat(64)}`],
      [400, "/api/clients/xyz"],
      [400, "/api/groups/xyz"],
      [404, `/api/groups/${GROUP}`],
      [400, "/api/clients?limit=-1"],
      [400, `/api/clients?limit=${MAX_LIMIT + 1}`],
      [400, "/api/introductions?offset=1e3"],
      [400, `/api/clients/${peerId}/kick`, { method: "POST", body: "{" }],
      [400, `/api/clients/${peerId}/kick`, { method: "POST", body: "null" }],
      [400, `/api/clients/${peerId}/kick`, { method: "POST", body: '{"reason":7}' }],
      [413, `/api/clients/${peerId}/kick`, { method: "POST", body: " ".repeat(MAX_BODY_BYTES + 1) }],
      [405, "/api/health", { method: "POST" }],
      [405, `/api/clients/${peerId}/kick`],
    ];
    for (const [status, path, init] of cases) {
      const answer = await ask(path, init);
      expect([path, answer.status]).toEqual([path, status]);
      expect(Object.keys(answer.body)).toEqual(["error"]);
      expect(answer.text).not.toContain("\n");
    }
    expect((await ask("/api/clients/00000000", { method: "PUT" })).headers.get("allow")).toBe("GET, DELETE");
    expect((await fetch(`${side.url}/api/health`, { method: "HEAD" })).status).toBe(200);
    expect((await ask("/api/clients")).body.total).toBe(1);
  });

  it(...rfc("O-2"), "tells Prometheus what the server counts", async () => {
    const { sim, ask } = await serve();
    const client = await sim.connect();
    const id = await sim.run(client.publish("cam"));
    client.media(id, "video", 0, new Uint8Array(500));
    await sim.pass(1_000);
    const { status, headers, text } = await ask("/metrics");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
    expect(value("rtmfp_clients")).toBe(1);
    expect(value("rtmfp_publishers")).toBe(1);
    expect(value("rtmfp_media_bytes_total")).toBe(500);
    expect(value("rtmfp_received_bytes_total")).toBe(sim.server.stats.bytesIn);
    expect(value('rtmfp_introductions_total\\{outcome="failed"\\}')).toBe(0);
    expect(value('rtmfp_transport_events_total\\{event="sessionsOpened"\\}')).toBe(1);
    expect(text).toContain("process_resident_memory_bytes");
    // Twice the same: nothing adds up.
    const again = (await ask("/metrics")).text;
    expect(/^rtmfp_media_bytes_total .*$/m.exec(again)?.[0]).toBe("rtmfp_media_bytes_total 500");
  });

  it("asks for its token, where it has one", async () => {
    let token: string | undefined = TOKEN;
    const { ask, side } = await serve({ host: "127.0.0.1", token: () => token });
    for (const authorization of [
      undefined,
      "",
      "Bearer",
      `Bearer ${TOKEN}x`,
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN} ${TOKEN}`,
    ]) {
      for (const path of ["/api/health", "/metrics", "/nothing"]) {
        const answer = await ask(path, authorization === undefined ? {} : { headers: { authorization } });
        expect([authorization, path, answer.status]).toEqual([authorization, path, 401]);
        expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
      }
    }
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await ask("/api/health", { headers })).status).toBe(200);
    token = "another, and longer".replace(/\W/g, "");
    expect((await ask("/api/health", { headers })).status).toBe(401);
    expect(side.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it("beyond loopback never does without", async () => {
    const { sim } = await serve();
    const listening = { url: "", urls: [], fingerprint: "", addresses: [] };
    const without = serveHttp(sim.server, listening, { host: "0.0.0.0", port: 0 });
    await expect(without).rejects.toThrow(/needs a token: RTMFP_HTTP_TOKEN=\$\(openssl rand -hex 32\)/);
    const short = serveHttp(sim.server, listening, { host: "0.0.0.0", port: 0, token: "short" });
    await expect(short).rejects.toThrow(/at least 16 characters/);
    let token: string | undefined = TOKEN;
    const side = await serveHttp(sim.server, listening, { host: "0.0.0.0", port: 0, token: () => token });
    sides.push(side);
    token = undefined;
    const url = side.url.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(`${url}/api/health`)).status).toBe(401);
    expect((await fetch(`${url}/api/health`, { headers: { authorization: "Bearer no token" } })).status).toBe(401);
  });

  it("is of no use to web pages that its operator looks at", async () => {
    const { side, ask, sim } = await serve();
    const { peerId } = await sim.connect();
    const { hostname, port } = new URL(side.url);
    // A name of the attacker's that leads here: fetch does not let its Host be chosen.
    const status = await new Promise((resolve) => {
      const headers = { host: "evil.example" };
      request({ hostname, port, path: "/api/clients", headers }, (response) => resolve(response.statusCode)).end();
    });
    expect(status).toBe(403);
    const headers = { origin: "http://evil.example" };
    expect((await ask(`/api/clients/${peerId}/kick`, { method: "POST", headers })).status).toBe(403);
    expect((await ask("/api/health", { headers: { origin: side.url } })).status).toBe(200);
    expect((await ask("/api/health")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("tells in one line why it cannot listen, and a failing route goes to the log", async () => {
    const log: LogEntry[] = [];
    const { sim, side, ask } = await serve({ log: (entry) => void log.push(entry) });
    const listening = { url: "", urls: [], fingerprint: "", addresses: [] };
    const port = Number(new URL(side.url).port);
    await expect(serveHttp(sim.server, listening, { port })).rejects.toThrow(
      /port is in use; choose another with --http/,
    );
    await expect(serveHttp(sim.server, listening, { port: 0, host: "192.0.2.1", token: TOKEN })).rejects.toThrow(
      /no such address/,
    );
    Object.defineProperty(sim.server, "introductions", {
      get() {
        throw new Error("oops");
      },
    });
    const failed = await ask("/api/introductions");
    expect(failed).toMatchObject({ status: 500, body: { error: expect.stringContaining("log") } });
    expect(failed.text).not.toContain("oops");
    expect(log).toMatchObject([{ level: "error", event: "http", fields: { message: "oops" } }]);
  });
});
