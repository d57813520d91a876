import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { Origin } from "../../src/proto/address.ts";
import { type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import type { Session } from "../../src/proto/session.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { data, fetchCookie, iiKeying, openScripted, Scripted, startup } from "./scripted.ts";
import { cipherOf, openSealed, sealedNode, sealWith } from "./sealed.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
  readonly session: Session;
}

/** A session whose far end obeys nothing, and whose flows nobody reads. */
function bench(): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  const session = openScripted(world, node, far, "initiator");
  return { world, node, far, session };
}

/** Sends packets at 20,000 a second. */
function flood(b: Bench, count: number, chunk: (index: number) => Chunk): void {
  for (let i = 0; i < count; i++) {
    b.far.send(chunk(i));
    if (i % 20 === 19) b.world.run(1);
  }
  b.world.run(1);
}

/** As old clients have it. */
const UNNUMBERED = { hmac: "none", sequence: "none" } as const;
const ping = (): Chunk => ({ type: ChunkType.ping, message: new Uint8Array(8) });
const openFlow = (id: number): Chunk => data(id, 1, 1, { options: startup("f") });
const unread = (i: number): Chunk => data(1, i + 1, i + 1, { options: startup("f"), data: 1_000 });
const forwardedHello = (): Chunk => ({
  type: ChunkType.forwardedIHello,
  epd: nameOf("near"),
  replyAddress: { host: "192.0.2.77", port: 9, origin: Origin.observed },
  tag: nameOf("tag-0123"),
});

const ABUSES: Readonly<Record<string, (index: number) => Chunk>> = {
  "Pings beyond their rate": ping,
  "flows beyond the cap": openFlow,
  "data beyond the window": unread,
  "forwarded hellos without being an introducer": forwardedHello,
};

describe("a far end", () => {
  for (const [what, chunk] of Object.entries(ABUSES)) {
    it(...rfc("R7016-5-04", "AMB-32"), `that goes on sending ${what} loses its session`, () => {
      const b = bench();
      b.session.introductions = "ignore";
      flood(b, 13_000, chunk);
      expect(b.node.told("closed").map(({ reason }) => reason)).toEqual(["abusive"]);
      expect(b.node.endpoint.stats.sessionsAbused).toBe(1);
      expect(b.node.endpoint.load.sessions).toBe(0);
      expect(b.far.takeChunks(ChunkType.closeAck).length).toBe(1);
      expect(b.node.endpoint.stats.unknownSession).toBeGreaterThan(0);
    });
  }

  it(
    ...rfc("R7016-5-04"),
    "that sends 10,000 packets too many at one time, and 500 a second from then on, keeps it",
    () => {
      const b = bench();
      flood(b, 200, ping);
      for (let i = 0; i < 10_000; i++) b.far.send(ping());
      b.world.run(0);
      for (let second = 0; second < 5; second++) {
        b.world.run(1_000);
        for (let i = 0; i < 600; i++) b.far.send(ping());
      }
      b.world.run(1);
      expect(b.node.endpoint.stats.pingsRefused).toBeGreaterThan(12_000);
      expect(b.session.isOpen).toBe(true);
    },
  );

  it(...rfc("R7016-5-04"), "that somebody replays, where packets have no numbers, keeps it; all is counted", () => {
    const world = new SimWorld(1);
    const link = { latencyMs: 0 };
    const near = sealedNode(world.host("near", { link }), UNNUMBERED);
    const far = sealedNode(world.host("far", { link }), UNNUMBERED, { port: 1935 });
    const sessions = openSealed(world, near, far);
    const captured = sealWith(cipherOf(sessions.near), sessions.near.farId, { mode: 1 }, ping());
    const stranger = world.host("stranger", { link }).open([{ port: 0 }]);
    for (let i = 0; i < 16_000; i++) {
      stranger.send(captured, 0, far.address);
      if (i % 20 === 19) world.run(1);
    }
    expect(far.endpoint.stats).toMatchObject({ sessionsAbused: 0, replayed: 0 });
    expect(far.endpoint.stats.pingsRefused).toBeGreaterThan(12_000);
    expect(sessions.far.isOpen).toBe(true);
  });

  it(...rfc("R7016-5-04"), "that has lost its session opens no other for 2.5 s, while other addresses do", () => {
    const b = bench();
    const other = new Scripted(b.world.host("other", { link: { latencyMs: 0 } }), "other", b.node.address);
    flood(b, 13_000, ping);
    expect(b.node.endpoint.stats.sessionsAbused).toBe(1);
    const before = b.node.endpoint.stats.rateLimited;
    const keying = (far: Scripted): number => {
      far.take();
      far.nearId++;
      far.sendStartup(0, iiKeying(far, fetchCookie(b.world, b.node, far)));
      b.world.run(50);
      return far.takeChunks(ChunkType.riKeying).length;
    };
    expect(keying(b.far)).toBe(0);
    expect(keying(other)).toBe(1);
    b.world.run(1_800);
    expect(keying(b.far)).toBe(0);
    expect(b.node.endpoint.stats.rateLimited).toBe(before + 2);
    b.world.run(500);
    expect(keying(b.far)).toBe(1);
  });

  it(
    ...rfc("R7016-5-04", "AMB-32"),
    "that is one of thirty, each within its bounds, is left unread beyond 2,000 useless packets a second in all",
    () => {
      const b = bench();
      const { stats } = b.node.endpoint;
      const others = Array.from({ length: 30 }, (_, i) => {
        const far = new Scripted(b.world.host(`other ${i}`, { link: { latencyMs: 0 } }), `other ${i}`, b.node.address);
        openScripted(b.world, b.node, far, "initiator");
        return far;
      });
      /** Packets that were read of two seconds in which each of them sends 480 useless ones a second. */
      const read = (): number => {
        const before = stats.leftUnread;
        for (let i = 0; i < 960; i++) {
          for (const far of others) far.send(forwardedHello());
          b.world.run(1_000 / 480);
        }
        return 28_800 - (stats.leftUnread - before);
      };
      const first = read();
      expect(first).toBeGreaterThan(13_800);
      expect(first).toBeLessThan(14_200);
      const second = read();
      expect(second).toBeGreaterThan(3_900);
      expect(second).toBeLessThan(4_100);
      expect(stats.forwardedHellosRefused).toBe(first + second);
      expect(stats.sessionsAbused).toBe(0);
      // Who sent nothing useless is heard meanwhile, and they are a second later.
      const pongs = (far: Scripted): number => far.takeChunks(ChunkType.pingReply).length;
      for (const far of [b.far, ...others]) pongs(far);
      for (const far of others) far.send(forwardedHello());
      b.far.send(ping());
      b.world.run(0);
      expect(stats.leftUnread).toBe(57_600 + 30 - stats.forwardedHellosRefused);
      expect(pongs(b.far)).toBe(1);
      b.world.run(1_100);
      for (const far of others) far.send(ping());
      b.world.run(0);
      expect(others.map(pongs)).toEqual(others.map(() => 1));
    },
  );

  it("that introduces others keeps it, however many hellos it passes on", () => {
    const b = bench();
    b.session.introductions = "rhello";
    flood(b, 13_000, forwardedHello);
    expect(b.node.endpoint.stats.forwardedHellosRefused).toBeGreaterThan(12_000);
    expect(b.session.isOpen).toBe(true);
  });
});
