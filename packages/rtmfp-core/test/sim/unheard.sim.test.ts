import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ChunkType } from "../../src/proto/chunk/types.ts";
import type { Session } from "../../src/proto/session.ts";
import { UnheardSessions } from "../../src/proto/startup/unheard.ts";
import { type SimHost, SimWorld } from "../../src/testing/index.ts";
import { nameOf, type RawNode, rawNode } from "./raw.ts";
import { iiKeying, Scripted } from "./scripted.ts";

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  /** Behind one address. */
  readonly crowd: SimHost;
  readonly other: SimHost;
}

let nextId = 1;

function bench(): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 1 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935 });
  return { world, node, crowd: world.host("crowd", { link }), other: world.host("other", { link }) };
}

/** Initiators on ports of their own, as far as their IIKeyings. */
function initiators(b: Bench, host: SimHost, count: number): Scripted[] {
  const far = Array.from({ length: count }, () => new Scripted(host, `${nextId++}`, b.node.address));
  for (const each of far) {
    each.mode = 1;
    each.nearId = nextId++;
    each.sendStartup(0, { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf("tag-0123") });
  }
  b.world.run(10);
  for (const each of far) {
    const cookie = each.takeChunks(ChunkType.rHello)[0]?.cookie;
    if (cookie === undefined) throw new Error("no RHello");
    each.sendStartup(0, iiKeying(each, cookie));
  }
  b.world.run(10);
  return far;
}

function speak(b: Bench, far: Scripted): void {
  far.farId = far.takeChunks(ChunkType.riKeying)[0]?.responderSessionId ?? 0;
  far.send({ type: ChunkType.ping, message: new Uint8Array(0) });
  b.world.run(10);
}

describe("sessions that nobody uses", () => {
  it(...rfc("R7016-5-04"), "stop at 2048 for one address, until one of them is used", () => {
    const b = bench();
    const { endpoint } = b.node;
    const far = initiators(b, b.crowd, 2_054);
    expect(endpoint.load.sessions).toBe(2_048);
    expect(endpoint.stats.unheardRefused).toBe(6);
    initiators(b, b.other, 1);
    expect(endpoint.load.sessions).toBe(2_049);
    speak(b, far[0] as Scripted);
    initiators(b, b.crowd, 2);
    expect(endpoint.load.sessions).toBe(2_050);
    expect(endpoint.stats.unheardRefused).toBe(7);
  });

  it("are none of our own, though their initiators have nothing to say", () => {
    const b = bench();
    const { endpoint } = b.node;
    const open = (from: number, to: number): void => {
      for (let n = from; n < to; n++) {
        const { driver } = rawNode(b.crowd, `idle ${n}`);
        driver.endpoint.open(driver.now(), nameOf("near"), { candidates: [{ address: b.node.address, via: 0 }] });
      }
      b.world.run(8_000);
    };
    open(0, 1_500);
    open(1_500, 3_000);
    expect(endpoint.load.sessions).toBe(3_000);
    expect(endpoint.stats.unheardRefused).toBe(0);
  });

  it(...rfc("R7016-5-04"), "are counted together for all of an IPv6 network of 64 bits", () => {
    const unheard = new UnheardSessions();
    const sessions = Array.from({ length: 2_048 }, () => ({ onHeard: undefined }) as Session);
    for (const [i, session] of sessions.entries())
      unheard.add(session, { host: `2001:db8::${i.toString(16)}`, port: 9 });
    expect(unheard.mayOpen({ host: "2001:db8::ffff:0:0:1", port: 9 })).toBe(false);
    expect(unheard.mayOpen({ host: "2001:db8:0:1::1", port: 9 })).toBe(true);
    sessions[5]?.onHeard?.();
    expect(unheard.mayOpen({ host: "2001:db8::5", port: 9 })).toBe(true);
  });

  it("that have ended make room for others", () => {
    const b = bench();
    initiators(b, b.crowd, 2_048);
    b.world.run(60_000);
    expect(b.node.endpoint.load.sessions).toBe(0);
    initiators(b, b.crowd, 10);
    expect(b.node.endpoint.load.sessions).toBe(10);
  });
});
