import { canonicalEpd, createFlashProfile, createIdentity, defaultProvider, SERVER_IDENTITY } from "rtmfp-core/crypto";
import { type Chunk, ChunkType, decodePacket, fromHex } from "rtmfp-core/proto";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import type { Application } from "../src/application.ts";
import { SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

/** A server whose decrypted packets are kept. */
async function traced(options: ConstructorParameters<typeof SimServer>[0] = {}, setUp?: (sim: SimServer) => void) {
  const sent: { to: string; chunks: readonly Chunk[] }[] = [];
  const sim = new SimServer({
    ...options,
    trace: {
      trace: ({ direction, peer, packet }) => {
        if (direction !== "out") return;
        const chunks = decodePacket(packet)?.chunks.filter((chunk) => chunk !== undefined) ?? [];
        sent.push({ to: `${peer.host}:${peer.port}`, chunks });
      },
    },
  });
  setUp?.(sim);
  await sim.listen();
  const chunks = <T extends Chunk["type"]>(type: T) =>
    sent.flatMap((packet) =>
      packet.chunks.flatMap((chunk) => (chunk.type === type && !("opaque" in chunk) ? [{ to: packet.to, chunk }] : [])),
    ) as { to: string; chunk: Extract<Chunk, { type: T }> }[];
  return { sim, chunks };
}

function meet(asker: TestClient, target: TestClient, timeoutMs = 20_000) {
  target.session.introductions = "rhello";
  return asker.endpoint.connect({ peerId: target.peerId, via: [asker.session] }, { timeoutMs });
}

function at({ endpoint }: TestClient, host: string): string {
  return `${host}:${endpoint.carrier.sockets[0]?.address.port}`;
}

describe("an introduction", () => {
  it(
    ...rfc("R7016-3.5.1.6-01", "R7016-3.5.1.6-02", "R7016-3.5.1.6-03", "R7425-5.4.1-02", "AMB-62", "C-5"),
    "answers one IHello with a Redirect of observed and reported addresses, and with a FIHello to the target",
    async () => {
      const { sim, chunks } = await traced();
      const [alice, bob] = [await sim.connect(), await sim.connect()];
      bob.setPeerInfo("192.168.1.7:1935", "[2001:db8::7]:1935", "not an address", "0.0.0.0:5");
      await sim.pass(1_000);
      const session = await sim.run(meet(alice, bob));
      expect(session.peerId).toBe(bob.peerId);
      const aliceAt = at(alice, alice.endpoint.carrier.interfaceAddresses()[0]?.host ?? "");
      const bobAt = bob.endpoint.carrier.interfaceAddresses()[0];
      const redirects = chunks(ChunkType.redirect);
      const forwarded = chunks(ChunkType.forwardedIHello);
      expect(redirects.map(({ to }) => to)).toEqual([aliceAt]);
      // Alice has shown no IPv6 address of hers, so Bob's is of no use to her.
      expect(redirects[0]?.chunk.destinations).toEqual([
        { ...bobAt, origin: 2 },
        { host: "192.168.1.7", port: 1935, origin: 1 },
      ]);
      expect(forwarded.map(({ to }) => to)).toEqual([`${bobAt?.host}:${bobAt?.port}`]);
      expect(forwarded[0]?.chunk.tag).toEqual(redirects[0]?.chunk.tagEcho);
      expect(`${forwarded[0]?.chunk.replyAddress.host}:${forwarded[0]?.chunk.replyAddress.port}`).toBe(aliceAt);
      const short = (client: TestClient) => `${client.peerId.slice(0, 8)}…`;
      expect(sim.server.stats.introductions).toMatchObject({ introduced: 1, recent: [{ target: short(bob) }] });
    },
  );

  it(...rfc("AMB-63", "C-5"), "is made between sessions that never sent a connect", async () => {
    const { sim, chunks } = await traced();
    const [alice, bob] = [await sim.open(), await sim.open()];
    const session = await sim.run(meet(alice, bob));
    expect(session.peerId).toBe(bob.peerId);
    expect(chunks(ChunkType.redirect)[0]?.chunk.destinations.map(({ origin }) => origin)).toEqual([2]);
  });

  it(
    ...rfc("C-5"),
    "is all that the server sees: what the peers then tell each other does not reach its sockets",
    async () => {
      const { sim } = await traced();
      const [alice, bob] = [await sim.connect(), await sim.connect()];
      const session = await sim.run(meet(alice, bob));
      let received = 0;
      bob.endpoint.onFlow = (flow) => {
        flow.onMessage = (data) => {
          received += data.length;
        };
      };
      const flow = session.openFlow("bulk");
      for (let i = 0; i < 50; i++) flow.write(new Uint8Array(10_000));
      await sim.run(flow.close());
      expect(received).toBe(500_000);
      const [made] = sim.server.stats.introductions.recent;
      expect((made?.bytesInSince ?? 0) + (made?.bytesOutSince ?? 0)).toBeLessThan(2_000);
    },
  );

  it(
    ...rfc("R7016-3.5.1.5-04", "AMB-20", "AMB-65"),
    "of a peer that nobody knows gets silence, and is counted",
    async () => {
      const { sim, chunks } = await traced();
      const alice = await sim.connect();
      const stranger = createFlashProfile({ identity: createIdentity(defaultProvider(), SERVER_IDENTITY) });
      const asked = alice.endpoint.connect({ peerId: stranger.id, via: [alice.session] }, { timeoutMs: 8_000 });
      const outcome = asked.then(
        () => "open",
        (error: { code: string }) => error.code,
      );
      expect(await sim.run(outcome)).toBe("CONNECT_TIMEOUT");
      expect(chunks(ChunkType.redirect)).toEqual([]);
      expect(chunks(ChunkType.forwardedIHello)).toEqual([]);
      expect(sim.server.stats.introductions.unknown).toBeGreaterThan(1);
      // One line, though the initiator repeats itself.
      expect(sim.logged("introduction")).toHaveLength(1);
    },
  );

  it(...rfc("AMB-20"), "names the newest of several sessions with one identity", async () => {
    const { sim, chunks } = await traced();
    const identity = createIdentity(defaultProvider(), { keys: "static", groups: [31] });
    const [alice, older, newer] = [await sim.connect(), await sim.open({}, identity), await sim.open({}, identity)];
    expect(newer.peerId).toBe(older.peerId);
    expect((await sim.run(meet(alice, newer))).peerId).toBe(newer.peerId);
    const [address] = newer.endpoint.carrier.interfaceAddresses();
    expect(chunks(ChunkType.redirect)[0]?.chunk.destinations).toEqual([{ ...address, origin: 2 }]);
  });

  it(...rfc("F-12"), "is refused by the application of either end", async () => {
    const { sim, chunks } = await traced({}, ({ server }) => {
      server.application("lobby", () => ({ onPeerLookup: (asker, target) => asker.app === target.app }));
      server.application("open", () => ({}));
    });
    const [one, two, other] = [
      await sim.connect("lobby/one"),
      await sim.connect("lobby/one"),
      await sim.connect("lobby/two"),
    ];
    const [outside, silent] = [await sim.connect("open"), await sim.open()];
    for (const [asker, target] of [
      [other, one],
      [one, other],
      [outside, one],
      [one, outside],
      [silent, one],
      [one, silent],
    ] as const) {
      const before = sim.server.stats.introductions.denied;
      const outcome = meet(asker, target, 1_000).then(
        () => "open",
        (error: { code: string }) => error.code,
      );
      expect(await sim.run(outcome)).toBe("CONNECT_TIMEOUT");
      expect(sim.server.stats.introductions.denied).toBeGreaterThan(before);
    }
    expect(chunks(ChunkType.redirect)).toEqual([]);
    expect(sim.logged("application")).toEqual([]);
    expect((await sim.run(meet(one, two))).peerId).toBe(two.peerId);
    expect((await sim.run(meet(outside, silent))).peerId).toBe(silent.peerId);
  });

  it(
    ...rfc("F-12"),
    "is a no when both applications fail, one at once and one later, and nothing else happens",
    async () => {
      const { sim } = await traced({}, ({ server }) => {
        server.application("late", () => ({ onPeerLookup: () => Promise.reject(new Error("later")) }));
        server.application("soon", () => ({
          onPeerLookup: () => {
            throw new Error("at once");
          },
        }));
      });
      const [late, soon] = [await sim.connect("late"), await sim.connect("soon")];
      for (const [asker, target] of [
        [soon, late],
        [late, soon],
      ] as const) {
        const outcome = meet(asker, target, 1_000).catch((error: { code: string }) => error.code);
        expect(await sim.run(outcome)).toBe("CONNECT_TIMEOUT");
      }
      expect(new Set(sim.logged("application").map(({ message }) => message))).toEqual(new Set(["later", "at once"]));
    },
  );

  it(...rfc("F-12"), "waits for an application that takes its time; a failure is a no", async () => {
    let answer: (allowed: boolean) => void = () => {};
    let asks = 0;
    const { sim, chunks } = await traced({}, ({ server }) => {
      server.application("slow", () => ({
        onPeerLookup: () => {
          asks++;
          return new Promise((resolve) => {
            answer = resolve;
          });
        },
      }));
      server.application("broken", () => ({
        onPeerLookup: () => {
          throw new Error("oops");
        },
      }));
    });
    const [alice, bob, broken] = [await sim.connect("slow"), await sim.connect("slow"), await sim.connect("broken")];
    const meeting = meet(alice, bob);
    await sim.pass(1_000);
    expect(asks).toBe(1);
    expect(chunks(ChunkType.redirect)).toEqual([]);
    answer(true);
    expect((await sim.run(meeting)).peerId).toBe(bob.peerId);
    const outcome = meet(broken, broken === bob ? alice : await sim.connect("other"), 1_000).then(
      () => "open",
      () => "failed",
    );
    expect(await sim.run(outcome)).toBe("failed");
  });

  it(...rfc("F-12"), "takes whatever can be awaited for an answer, as the queries of databases are", async () => {
    let [row, queries] = [true, 0];
    const query = () => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is shown.
      then: (resolve: (row: boolean) => void) => {
        queries++;
        resolve(row);
      },
    });
    const { sim } = await traced({}, ({ server }) =>
      server.application("lobby", () => ({ onPeerLookup: () => query() as unknown as boolean })),
    );
    const [alice, bob] = [await sim.connect("lobby"), await sim.connect("lobby")];
    expect((await sim.run(meet(alice, bob))).peerId).toBe(bob.peerId);
    expect(queries).toBe(1);
    row = false;
    const carol = await sim.connect("lobby");
    const refused = meet(carol, bob, 1_000).catch((error: { code: string }) => error.code);
    expect(await sim.run(refused)).toBe("CONNECT_TIMEOUT");
    expect(sim.server.stats.introductions.denied).toBeGreaterThan(0);
  });

  it("keeps loopback addresses from peers that are elsewhere, and finds them another way", async () => {
    const { sim, chunks } = await traced();
    const near = await sim.run(sim.openOn(sim.host, "127.0.0.1:1935"));
    await sim.run(near.connect("key"));
    const [inside] = near.endpoint.carrier.interfaceAddresses();
    near.setPeerInfo(`${inside?.host}:${inside?.port}`);
    const far = await sim.connect();
    await sim.pass(1_000);
    expect((await sim.run(meet(far, near))).peerId).toBe(near.peerId);
    expect(chunks(ChunkType.redirect)[0]?.chunk.destinations).toEqual([{ ...inside, origin: 1 }]);
    // The other way round, the target is told the address that the asker has reported.
    const other = await sim.connect();
    expect((await sim.run(meet(near, other))).peerId).toBe(other.peerId);
    expect(chunks(ChunkType.forwardedIHello).at(-1)?.chunk.replyAddress).toMatchObject({ ...inside });
  });

  it("uses loopback addresses between peers on the server's own machine", async () => {
    const { sim, chunks } = await traced();
    const one = await sim.openOn(sim.host, "127.0.0.1:1935");
    const two = await sim.openOn(sim.host, "127.0.0.1:1935");
    expect((await sim.run(meet(one, two))).peerId).toBe(two.peerId);
    expect(chunks(ChunkType.redirect)[0]?.chunk.destinations.map(({ host }) => host)).toEqual(["127.0.0.1"]);
  });

  it(
    ...rfc("R7425-5.3.3-11", "R7425-5.3.3-05"),
    "takes a client whose observed address is not listed to be behind a NAT",
    async () => {
      let app: Application | undefined;
      const { sim } = await traced({}, ({ server }) => {
        server.application("lobby", (made) => {
          app = made;
          return {};
        });
      });
      const client = await sim.connect("lobby");
      const guess = () => [...(app?.clients ?? [])][0]?.behindNat;
      expect(guess()).toBeUndefined();
      const [own] = client.endpoint.carrier.interfaceAddresses();
      client.setPeerInfo(`${own?.host}:${own?.port}`, "10.0.0.1:5");
      await sim.pass(500);
      expect(guess()).toBe(false);
      client.setPeerInfo();
      await sim.pass(500);
      expect(guess()).toBe(true);
    },
  );

  it(
    ...rfc("AMB-20", "F-12"),
    "asked for by who has no session is logged as detail, and beyond the rate counted alone",
    async () => {
      const { sim } = await traced({ introductionRates: { perAsker: { perSecond: 0, burst: 1 } } });
      const gone = await sim.open();
      gone.session.abort();
      await sim.pass(1_000);
      const epd = canonicalEpd(new Uint8Array(32));
      for (let i = 0; i < 3; i++) {
        const asked = gone.endpoint.connect(sim.address, { epd, timeoutMs: 1_000 }).catch(() => {});
        await sim.run(asked);
      }
      expect(sim.server.stats.introductions).toMatchObject({ unknown: 1, limited: 2 });
      expect(sim.server.introductions).toMatchObject([{ reason: "target-gone", asker: { id: "" } }]);
      const lines = sim.log.filter(({ event }) => event === "introduction");
      expect(lines).toMatchObject([{ level: "debug", fields: { client: "nobody" } }]);
    },
  );

  it(...rfc("AMB-20", "AMB-21"), "is limited per target and per source", async () => {
    const { sim, chunks } = await traced();
    const bob = await sim.connect();
    const asker = await sim.connect();
    const send = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const ask = asker.endpoint.connect({ peerId: bob.peerId, via: [asker.session] }, { timeoutMs: 1 });
        ask.catch(() => {});
        await sim.pass(2);
      }
    };
    bob.session.introductions = "ignore";
    await send(600);
    await sim.pass(1_000);
    const { introduced, limited } = sim.server.stats.introductions;
    expect(introduced).toBeGreaterThanOrEqual(500);
    expect(introduced).toBeLessThan(600);
    expect(limited).toBe(600 - introduced);
    expect(chunks(ChunkType.forwardedIHello).length).toBeLessThanOrEqual(introduced);
    await sim.pass(20_000);
    expect(sim.server.introductions.filter(({ reason }) => reason === "rate")).toHaveLength(1);
  });

  it(...rfc("AMB-20", "AMB-21"), "keeps half of a peer's rate for askers with a session", async () => {
    const { sim, chunks } = await traced({ introductionRates: { perTarget: { perSecond: 0, burst: 20 } } });
    const bob = await sim.connect();
    const epd = canonicalEpd(fromHex(bob.peerId));
    for (let i = 0; i < 20; i++) {
      const stranger = await sim.open();
      stranger.session.abort();
      await sim.pass(100);
      await sim.run(stranger.endpoint.connect(sim.address, { epd, timeoutMs: 1_000 }).catch(() => {}));
    }
    expect(sim.server.stats.introductions).toMatchObject({ introduced: 10, limited: 10 });
    const alice = await sim.connect();
    expect((await sim.run(meet(alice, bob))).peerId).toBe(bob.peerId);
    expect(chunks(ChunkType.forwardedIHello)).toHaveLength(11);
  });
});
