import { ChunkType, decodePacket } from "rtmfp-core/proto";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { ApplicationHandlers } from "../src/application.ts";
import {
  type IntroductionReport,
  Introductions,
  MAX_PENDING,
  MAX_ROWS,
  MAX_STRANGER_PENDING,
  MAX_STRANGER_ROWS,
  REPORT_RATE,
} from "../src/introductions.ts";
import type { LookupAnswer, PeerLookup } from "../src/lookup-policy.ts";
import type { Peer, PeerEntry } from "../src/peers.ts";
import type { ServerOptions } from "../src/server-options.ts";
import { SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

async function serve(options: ServerOptions = {}, setUp?: (sim: SimServer) => void): Promise<SimServer> {
  const sim = new SimServer(options);
  setUp?.(sim);
  return sim.listen();
}

function meet(asker: TestClient, target: string | TestClient, timeoutMs = 20_000): Promise<string> {
  const peerId = typeof target === "string" ? target : target.peerId;
  if (typeof target !== "string") target.session.introductions = "rhello";
  return asker.endpoint.connect({ peerId, via: [asker.session] }, { timeoutMs }).then(
    (session) => session.peerId,
    (error: { code: string }) => error.code,
  );
}

function report(client: TestClient, other: TestClient, ...what: string[]): void {
  client.send("introductionReport", other.peerId, ...what);
}

describe("an introduction between clients that do not report", () => {
  it(...rfc("F-12"), "is called forwarded when nobody asks again, which is all that is known", async () => {
    const sim = await serve();
    const [alice, bob] = [await sim.connect(), await sim.connect()];
    expect(await sim.run(meet(alice, bob))).toBe(bob.peerId);
    expect(sim.server.introductions).toEqual([]);
    await sim.pass(16_000);
    const nat = { behindNat: undefined, keepsPort: undefined, symmetric: undefined, filtersPorts: undefined };
    expect(sim.server.introductions).toMatchObject([
      { outcome: "forwarded", reason: undefined, requests: 1, asker: { id: alice.peerId, ...nat }, target: nat },
    ]);
    expect(sim.logged("introduction")).toMatchObject([{ outcome: "forwarded", clientNat: "unknown" }]);
  });

  it(...rfc("F-12"), "has failed when the asker goes on asking", async () => {
    const sim = await serve();
    const [alice, bob] = [await sim.connect(), await sim.connect()];
    sim.world.partition([sim.hosts[0]!], [sim.hosts[1]!]);
    expect(await sim.run(meet(alice, bob))).toBe("CONNECT_TIMEOUT");
    expect(sim.server.introductions).toMatchObject([{ outcome: "failed", reason: "no-udp", requests: 4 }]);
  });

  it(...rfc("F-12"), "begins when the target comes while the asker still asks", async () => {
    const sim = await serve();
    const alice = await sim.connect();
    const host = sim.world.host("late");
    const late = await sim.openOn(host);
    const peerId = late.peerId;
    late.session.abort();
    await sim.pass(1_000);
    const meeting = meet(alice, peerId);
    await sim.pass(2_000);
    expect(sim.server.introductions).toMatchObject([{ reason: "target-gone", requests: 1 }]);
    await sim.run(late.endpoint.connect(sim.address)).then((session) => {
      session.introductions = "rhello";
    });
    expect(await sim.run(meeting)).toBe(peerId);
    await sim.pass(16_000);
    expect(sim.server.introductions.map(({ outcome }) => outcome)).toEqual(["forwarded", "failed"]);
  });

  it("is told as far as it is known when the server closes", async () => {
    const sim = await serve();
    const [alice, bob] = [await sim.connect(), await sim.connect()];
    await sim.run(meet(alice, bob));
    await sim.run(sim.server.close());
    expect(sim.logged("introduction")).toMatchObject([{ outcome: "forwarded" }]);
  });
});

describe("a client's report", () => {
  it(...rfc("F-12", "V-3"), "of a late refusal corrects the row, and is not logged again", async () => {
    const sim = await serve();
    const [alice, bob] = [await sim.connect(), await sim.connect()];
    await sim.run(meet(alice, bob));
    report(alice, bob, "connected");
    await sim.pass(3_000);
    expect(sim.server.introductions).toMatchObject([{ outcome: "connected" }]);
    report(bob, alice, "refused", "consent");
    await sim.pass(1_000);
    expect(sim.server.introductions).toMatchObject([{ outcome: "refused", reason: "consent" }]);
    expect(sim.logged("introduction")).toHaveLength(1);
  });

  it(...rfc("F-12", "V-3"), "where each asked for the other is of the request it is about", async () => {
    for (const isLate of [false, true]) {
      const sim = await serve();
      const [alice, bob] = [await sim.connect(), await sim.connect()];
      await sim.run(Promise.all([meet(alice, bob), meet(bob, alice)]));
      expect(sim.server.stats.introductions.introduced).toBe(2);
      report(bob, alice, "connected");
      await sim.pass(isLate ? 4_000 : 500);
      report(bob, alice, "refused", "consent");
      await sim.pass(4_000);
      const endings = sim.server.introductions.map(({ asker, outcome }) => [asker.id, outcome]);
      expect(new Map(endings as [string, string][])).toEqual(
        new Map([
          [alice.peerId, "refused"],
          [bob.peerId, "connected"],
        ]),
      );
      expect(endings).toHaveLength(2);
    }
  });

  it(...rfc("F-12"), "of others, or that makes no sense, changes nothing", async () => {
    const sim = await serve();
    const [alice, bob, eve] = [await sim.connect(), await sim.connect(), await sim.connect()];
    await sim.run(meet(alice, bob));
    report(eve, bob, "connected");
    report(eve, alice, "failed");
    for (const nonsense of [["refused"], ["refused", "mood"], ["done"], []]) report(alice, bob, ...nonsense);
    alice.send("introductionReport", 7, "connected");
    await sim.pass(3_000);
    expect(sim.server.introductions).toEqual([]);
    await sim.pass(15_000);
    expect(sim.server.introductions).toMatchObject([{ outcome: "forwarded" }]);
  });
});

describe("an application's policy", () => {
  it(...rfc("F-12"), "may answer with addresses: the asker is told those alone, the target nothing", async () => {
    const sent: { to: string; destinations?: readonly unknown[] }[] = [];
    let elsewhere = "";
    const sim = await serve(
      {
        trace: {
          trace: ({ direction, peer, packet }) => {
            if (direction !== "out") return;
            for (const chunk of decodePacket(packet)?.chunks ?? []) {
              if (chunk?.type === ChunkType.redirect && "destinations" in chunk)
                sent.push({ to: `${peer.host}`, destinations: chunk.destinations });
              if (chunk?.type === ChunkType.forwardedIHello) sent.push({ to: "forwarded" });
            }
          },
        },
      },
      ({ server }) => server.application("lobby", () => ({ onPeerLookup: () => [elsewhere] })),
    );
    const [alice, bob] = [await sim.connect("lobby"), await sim.connect("lobby")];
    elsewhere = "198.18.9.9:4000";
    expect(await sim.run(meet(alice, bob, 1_000))).toBe("CONNECT_TIMEOUT");
    expect(sent).toEqual([
      { to: sim.hosts[0]?.addresses[0], destinations: [{ host: "198.18.9.9", port: 4000, origin: 2 }] },
    ]);
    expect(sim.server.stats.introductions).toMatchObject({ redirected: 1, introduced: 0 });
    elsewhere = "no address";
    expect(await sim.run(meet(alice, bob, 1_000))).toBe("CONNECT_TIMEOUT");
    expect(sim.logged("application")).toMatchObject([{ message: expect.stringContaining("no address") }]);
    expect(sim.server.introductions[0]).toMatchObject({ reason: "denied" });
  });

  it(...rfc("F-12", "O-3"), "may know another server at which a peer is found", async () => {
    const asked: string[] = [];
    const elsewhere = "ab".repeat(32);
    class Elsewhere implements ApplicationHandlers {
      readonly others = ["198.18.9.9:4000"];

      async onPeerUnknown(_asker: Peer, { targetID }: PeerLookup) {
        asked.push(targetID);
        return this.others;
      }
    }
    const sim = await serve({}, ({ server }) => server.application("lobby", () => new Elsewhere()));
    const [alice, stranger] = [await sim.connect("lobby"), await sim.connect("open")];
    expect(await sim.run(meet(alice, elsewhere, 1_000))).toBe("CONNECT_TIMEOUT");
    expect(asked).toEqual([elsewhere]);
    expect(sim.server.introductions).toMatchObject([{ outcome: "forwarded", target: { address: undefined } }]);
    expect(await sim.run(meet(stranger, elsewhere, 1_000))).toBe("CONNECT_TIMEOUT");
    expect(sim.server.introductions[0]).toMatchObject({ reason: "target-gone" });
    expect(asked).toHaveLength(1);
  });

  it(...rfc("F-12"), "that forgets to answer has not agreed", async () => {
    for (const answer of [undefined, Promise.resolve(undefined)] as unknown as LookupAnswer[]) {
      const sim = await serve({}, ({ server }) => server.application("lobby", () => ({ onPeerLookup: () => answer })));
      const [alice, bob] = [await sim.connect("lobby"), await sim.connect("lobby")];
      expect(await sim.run(meet(alice, bob, 1_000))).toBe("CONNECT_TIMEOUT");
      expect(sim.server.introductions).toMatchObject([{ reason: "denied" }]);
    }
  });

  it(...rfc("F-12"), "may deny, and make the introduction itself by introducePeer", async () => {
    const sim = await serve({}, ({ server }) =>
      server.application("lobby", () => ({
        onPeerLookup: (_asker, target, { address, tag }) => {
          target.client?.introducePeer(address, tag);
          return false;
        },
      })),
    );
    const [alice, bob] = [await sim.connect("lobby"), await sim.connect("lobby")];
    expect(await sim.run(meet(alice, bob))).toBe(bob.peerId);
    expect(sim.server.stats.introductions).toMatchObject({ introduced: 0, denied: 1 });
  });
});

describe("the list of introductions", () => {
  /** A list whose clock stands, and peers that are there in name. */
  function list() {
    const ended: string[] = [];
    const introductions = new Introductions({
      now: () => 0,
      after: () => () => {},
      examine: () => {},
      onEnd: (row) => void ended.push(`${row.target.id} ${row.outcome}`),
    });
    const asker = { farID: "asker", address: { host: "192.0.2.1", port: 1 }, entry: undefined };
    const ask = (id: number, answer: "introduced" | "unknown", farID = "asker") =>
      introductions.answered(`tag ${id}`, { ...asker, farID }, `target ${id}`, undefined, answer);
    return { introductions, ended, ask };
  }

  it(...rfc("F-12"), `keeps the last ${MAX_ROWS}, the newest first`, () => {
    const { introductions, ended, ask } = list();
    for (let i = 0; i <= MAX_ROWS; i++) ask(i, "unknown");
    expect(ended).toHaveLength(MAX_ROWS + 1);
    expect(introductions.rows.map(({ target }) => target.id)).toEqual(
      Array.from({ length: MAX_ROWS }, (_, i) => `target ${MAX_ROWS - i}`),
    );
  });

  it(...rfc("F-12"), `keeps ${MAX_STRANGER_ROWS} of addresses without a session, which drive out no client's`, () => {
    const { introductions, ask } = list();
    ask(0, "unknown");
    for (let i = 1; i <= 2 * MAX_ROWS; i++) ask(i, "unknown", "");
    expect(introductions.rows).toHaveLength(MAX_STRANGER_ROWS + 1);
    expect(introductions.rows.at(-1)).toMatchObject({ asker: { id: "asker" }, target: { id: "target 0" } });
    expect(introductions.rows[0]).toMatchObject({ asker: { id: "" }, target: { id: `target ${2 * MAX_ROWS}` } });
    for (let i = 1; i <= 2 * MAX_ROWS; i++) ask(-i, "unknown");
    expect(introductions.rows).toHaveLength(MAX_ROWS);
    ask(2 * MAX_ROWS + 1, "unknown", "");
    expect(introductions.rows[0]).toMatchObject({ asker: { id: "" } });
  });

  it(`follows ${MAX_PENDING} at a time; beyond that the oldest is judged early`, () => {
    const { ended, ask } = list();
    for (let i = 0; i < MAX_PENDING; i++) ask(i, "introduced");
    expect(ended).toEqual([]);
    ask(MAX_PENDING, "introduced");
    expect(ended).toEqual(["target 0 forwarded"]);
  });

  it(`follows ${MAX_STRANGER_PENDING} of addresses without a session, which end no client's early`, () => {
    const { ended, ask } = list();
    ask(-1, "introduced");
    for (let i = 0; i < MAX_STRANGER_PENDING; i++) ask(i, "introduced", "");
    expect(ended).toEqual([]);
    for (let i = 1; i <= MAX_PENDING; i++) ask(-1 - i, "introduced", i % 2 === 0 ? "asker" : "");
    expect(ended).toHaveLength(MAX_PENDING / 2);
    expect(new Set(ended).has("target -1 forwarded")).toBe(false);
  });

  it("takes a report only of what is under way or has ended between the two", () => {
    const { introductions, ask } = list();
    ask(1, "introduced");
    const reporter = { farID: "asker", address: { host: "192.0.2.1", port: 1 }, nat: {} } as unknown as PeerEntry;
    const say = (id: string, what: IntroductionReport) => introductions.report(reporter, id, what);
    say("target 2", { outcome: "failed" });
    expect(introductions.rows).toEqual([]);
    say("target 1", { outcome: "failed" });
    expect(introductions.rows).toMatchObject([{ outcome: "failed", reason: "target-gone" }]);
  });

  it(`takes ${REPORT_RATE.burst} reports of one client at a time; the others are left out`, () => {
    const { introductions } = list();
    const address = { host: "192.0.2.1", port: 1 };
    const reporter = { farID: "asker", address, nat: {} } as unknown as PeerEntry;
    for (let i = 0; i <= REPORT_RATE.burst; i++)
      introductions.report(reporter, `target ${i}`, { outcome: "refused", reason: "limit" });
    expect(introductions.rows).toHaveLength(REPORT_RATE.burst);
    expect(introductions.rows[0]).toMatchObject({ outcome: "refused", reason: "limit", requests: 0 });
  });
});
