import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { Origin } from "../../src/proto/address.ts";
import { type Chunk, ChunkType } from "../../src/proto/chunk/types.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { fetchCookie, iiKeying, openScripted, Scripted } from "./scripted.ts";

const link = { latencyMs: 0 };

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
}

function bench(): Bench {
  const world = new SimWorld(1);
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  const far = new Scripted(world.host("far", { link }), "far", node.address);
  return { world, node, far };
}

/** How many of so many packets pass at once, and again a second after the first were too many. */
function passing(b: Bench, count: number, send: () => void, passed: () => number): [atOnce: number, later: number] {
  const burst = (): number => {
    const before = passed();
    for (let i = 0; i < count; i++) send();
    b.world.run(0);
    return passed() - before;
  };
  const atOnce = burst();
  b.world.run(1_000);
  return [atOnce, burst()];
}

const hello: Chunk = { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf("tag-0123") };

describe("rates of startup", () => {
  it(...rfc("R7016-5-04"), "are 500 IHellos a second from one address, and 2500 at one time", () => {
    const b = bench();
    const { stats } = b.node.endpoint;
    const passed = (): number => stats.ihellos - stats.rateLimited;
    expect(passing(b, 4_000, () => b.far.sendStartup(0, hello), passed)).toEqual([2_500, 500]);
  });

  it(...rfc("R7016-5-04"), "are 200 IIKeyings a second from one address, and 2500 at one time", () => {
    const b = bench();
    const { stats } = b.node.endpoint;
    const forged = iiKeying(b.far, new Uint8Array(64));
    expect(
      passing(
        b,
        4_000,
        () => b.far.sendStartup(0, forged),
        () => stats.badCookie,
      ),
    ).toEqual([2_500, 200]);
  });

  it(...rfc("R7016-5-04", "AMB-21"), "are 50 FIHellos a second from one introducer, and 500 at one time", () => {
    const b = bench();
    openScripted(b.world, b.node, b.far, "initiator").introductions = "redirect";
    const replyAddress = { host: "192.0.2.77", port: 9, origin: Origin.observed };
    const { stats } = b.node.endpoint;
    const { epd, tag } = hello as Chunk & { epd: Uint8Array; tag: Uint8Array };
    const send = (): void => b.far.send({ type: ChunkType.forwardedIHello, epd, replyAddress, tag });
    expect(passing(b, 1_000, send, () => stats.forwardedHellos)).toEqual([500, 50]);
  });
});

describe("an opening whose far end prevails nowhere", () => {
  it(
    ...rfc("R7016-5-04", "R7016-3.5.1.3-04"),
    "tries at most 8 sources of keyings at a time, each at once, the latest for longest",
    () => {
      const world = new SimWorld(1);
      // "a" prevails over "b": a keying with b's certificate names a candidate of a's own opening.
      const a = rawNode(world.host("a", { link }), "a", { port: 1935, keepaliveMs: 0 });
      const session = a.endpoint.open(a.driver.now(), nameOf("b"), {
        candidates: [{ address: { host: "203.0.113.9", port: 9 }, via: 0 }],
      });
      const strangers = Array.from({ length: 40 }, (_, i) => {
        const far = new Scripted(world.host(`stranger ${i}`, { link }), "b", a.address);
        far.mode = 1;
        far.nearId = i + 1;
        far.sendStartup(0, iiKeying(far, fetchCookie(world, a, far)));
        world.run(1);
        expect(far.takeChunks(ChunkType.iHello).length).toBe(1);
        return far;
      });
      world.run(90_000);
      const repeated = strangers.map((far) => far.takeChunks(ChunkType.iHello).length > 0);
      expect(repeated.lastIndexOf(false)).toBe(31);
      expect(repeated.filter((yes) => yes).length).toBeLessThanOrEqual(8 + 2);
      expect(session.isOpen).toBe(false);
      expect(a.endpoint.load.sessions).toBe(1);
    },
  );
});
