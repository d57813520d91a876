import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { SERVER_IDENTITY } from "../../src/crypto/index.ts";
import { type Address, Origin } from "../../src/proto/address.ts";
import type { Session } from "../../src/proto/session.ts";
import { type NatKind, SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { ordered, SEEDS, stream } from "./scenario.ts";
import { connect, endpointOn, makePair, SERVER_ADDRESS } from "./support.ts";

function open(node: RawNode, name: string, to: Address): Session {
  return node.endpoint.open(node.driver.now(), nameOf(name), { candidates: [{ address: to, via: 0 }] });
}

/** Makes a node redirect whoever asks for somebody else. */
function redirecting(node: RawNode, to: readonly Address[]): RawNode {
  node.onEvent = (event) => {
    if (event.type !== "introduction") return;
    const addresses = to.map((address) => ({ ...address, origin: Origin.observed }));
    node.endpoint.redirect(node.driver.now(), event.id, addresses);
  };
  return node;
}

function released(...nodes: RawNode[]): void {
  for (const { endpoint } of nodes) expect([endpoint.sessions.size, endpoint.timers.size]).toEqual([0, 0]);
}

describe("redirects", () => {
  it("in a chain of up to eight lead to the far end, over lossy links", () => {
    for (const seed of SEEDS) {
      for (let length = 1; length <= 8; length++) {
        const world = new SimWorld(`${seed} ${length}`);
        const link = { loss: 0.1 };
        const node = (name: string): RawNode => rawNode(world.host(name, { link }), name, { keepaliveMs: 0 });
        const far = node("far");
        let at = far.address;
        for (let i = 0; i < length; i++) at = redirecting(node(`redirector ${i}`), [at]).address;
        const near = node("near");
        const session = open(near, "far", at);
        expect(world.runUntil(() => session.isOpen, 60_000)).toBe(true);
        expect(session.address).toEqual(far.address);
        expect(far.open().map(({ farId }) => farId)).toEqual([session.nearId]);
      }
    }
  });

  it("in loops of one to five end with the attempt, after 95 s and no more hellos than single addresses would bring", () => {
    for (const seed of SEEDS) {
      for (let length = 1; length <= 5; length++) {
        const world = new SimWorld(`${seed} ${length}`);
        const nodes = Array.from({ length }, (_, i) => rawNode(world.host(`node ${i}`), `node ${i}`, { port: 1_935 }));
        for (const [i, node] of nodes.entries()) {
          redirecting(node, [(nodes[(i + 1) % length] as RawNode).address, node.address]);
        }
        const near = rawNode(world.host("near", { link: { jitterMs: 5 } }), "near");
        const hellos = world.capture(({ event, sender }) => event === "sent" && sender === "near");
        const session = open(near, "far", (nodes[0] as RawNode).address);
        world.run(94_900);
        expect(session.state).toBe("S_IHELLO_SENT");
        world.run(200);
        expect(session.state).toBe("S_OPEN_FAILED");
        // At 0, 1.5, 4.5, 9 s and so on: eleven for each address.
        expect(hellos.records.length).toBeLessThanOrEqual(11 * length);
        expect(near.told("closed").length).toBe(1);
        world.run(200_000);
        released(near, ...nodes);
      }
    }
  });

  it("to more than 24 addresses reach the far end if it is among the first 24", () => {
    for (const seed of SEEDS) {
      for (const [dead, reached] of [
        [5, true],
        [6, true],
        [7, false],
        [9, false],
      ] as const) {
        const world = new SimWorld(`${seed} ${dead}`);
        const node = (name: string): RawNode => rawNode(world.host(name), name, { keepaliveMs: 0 });
        const nowhere = (from: number, count: number): Address[] =>
          Array.from({ length: count }, (_, i) => ({ host: `203.0.113.${from + i}`, port: 9 }));
        const far = node("far");
        // Seventeen addresses that lead on or nowhere, then the dead ones, the far end, and as many again.
        const third = redirecting(node("third"), [...nowhere(101, dead), far.address, ...nowhere(151, 10)]);
        const second = redirecting(node("second"), [...nowhere(51, 7), third.address]);
        const first = redirecting(node("first"), [...nowhere(1, 7), second.address]);
        const near = node("near");
        const targets = world.capture(({ event, sender }) => event === "sent" && sender === "near");
        const session = open(near, "far", first.address);
        world.run(20_000);
        expect(session.isOpen).toBe(reached);
        expect(new Set(targets.records.map(({ to }) => to.host)).size).toBeLessThanOrEqual(24);
        if (reached) continue;
        expect(new Set(targets.records.map(({ to }) => to.host)).size).toBe(24);
        world.run(75_100);
        expect(session.state).toBe("S_OPEN_FAILED");
      }
    }
  });
});

describe("a cookie", () => {
  it("that comes back while it is young opens a session, however late the answers are", async () => {
    for (const seed of SEEDS) {
      const pair = makePair(seed, { latencyMs: 20 }, { crypto: { groups: [31] } });
      // Nothing that the client sends arrives from the first answer on, for 80 s.
      let answered = false;
      pair.world.filter(({ sender }) => {
        if (sender === "server") answered = true;
        return answered && sender === "client" && pair.world.now < 80_000 ? "drop" : undefined;
      });
      await connect(pair, 95_000);
      expect(pair.world.now).toBeGreaterThan(80_000);
      expect([pair.client.sessions.size, pair.server.sessions.size]).toEqual([1, 1]);
    }
  });

  it("of before a restart of the server opens none, and the next attempt does", async () => {
    for (const seed of SEEDS) {
      const pair = makePair(seed, { latencyMs: 20 }, { crypto: { groups: [31] } });
      const { world, client } = pair;
      const attempt = client.connect(SERVER_ADDRESS).catch((error: { code: string }) => error.code);
      let answered = false;
      const stop = world.filter(({ sender }) => {
        if (sender === "server") answered = true;
        return undefined;
      });
      await world.runUntilAsync(() => answered, 5_000);
      stop();
      await pair.server.close();
      const server = endpointOn(pair.serverHost, SERVER_IDENTITY, { port: 1_935, crypto: { groups: [31] } });
      expect(await world.settle(attempt, 96_000)).toBe("CONNECT_TIMEOUT");
      expect(server.stats.badCookie).toBeGreaterThan(5);
      await world.settle(client.connect(SERVER_ADDRESS), 1_000);
      expect(server.sessions.size).toBe(1);
    }
  });
});

describe("a NAT that forgets its mappings in mid-handshake", () => {
  const KINDS: readonly NatKind[] = ["full-cone", "restricted-cone", "port-restricted-cone", "symmetric"];

  it("of whatever kind, at whatever moment, costs a few seconds and no second session", async () => {
    for (const kind of KINDS) {
      for (let ms = 0; ms <= 100; ms += 4) {
        const world = new SimWorld(`${kind} ${ms}`);
        const nat = world.nat("nat", { kind });
        const options = { crypto: { groups: [31] } };
        const pair = makePair(1, { latencyMs: 15 }, options, { world, client: { behind: nat } });
        world.after(ms, () => nat.rebind());
        const { near, far } = await connect(pair, 8_000);
        expect([pair.client.sessions.size, pair.server.sessions.size]).toEqual([1, 1]);
        expect(near.inner.farId).toBe(far.inner.nearId);
        const [up, down] = [
          stream(world, near, far, { count: 10, size: 2_000, name: "up" }),
          stream(world, far, near, { count: 10, size: 2_000, name: "down" }),
        ];
        await world.settle(Promise.all([up.done, down.done]), 10_000);
        expect([up.got, down.got]).toEqual([ordered(10), ordered(10)]);
        expect(nat.mappings.map(({ outside }) => outside.port)).toContain(far.address.port);
      }
    }
  });

  it("after the one change of cookie that there may be, costs the attempt at most, and the next one opens", async () => {
    const outcomes = new Set<string>();
    for (const seed of SEEDS) {
      const world = new SimWorld(seed);
      const nat = world.nat("nat", { kind: "port-restricted-cone" });
      const pair = makePair(seed, { latencyMs: 15 }, { crypto: { groups: [31] } }, { world, client: { behind: nat } });
      for (const ms of [30 + 7 * seed, 70 + 7 * seed]) world.after(ms, () => nat.rebind());
      const attempt = pair.client.connect(SERVER_ADDRESS).then(
        () => "open",
        (error: { code: string }) => error.code,
      );
      const outcome = await world.settle(attempt, 95_100);
      outcomes.add(outcome);
      await world.settle(pair.client.connect(SERVER_ADDRESS), 1_000);
      expect([pair.client.sessions.size, pair.server.sessions.size]).toEqual([1, 1]);
    }
    expect([...outcomes].sort()).toEqual(["CONNECT_TIMEOUT", "open"]);
  });
});
