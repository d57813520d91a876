import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { type Member, Mesh, type Viewer } from "./mesh.ts";
import { Outlaw } from "./outlaw.ts";

const SECONDS = 12;
const FRAMES = SECONDS * 25;
const SETTLED = 75;

/** A stream of 500 kbit/s from a publisher to six viewers, all neighbours of each other, and outlaws among them. */
class Scene {
  readonly mesh: Mesh;
  readonly publisher: Member;
  readonly viewers: { member: Member; viewer: Viewer }[] = [];
  readonly outlaws: Outlaw[];

  constructor(seed: number, outlaws = 1) {
    this.mesh = new Mesh({ seed, uplink: 4_000_000 });
    this.publisher = this.mesh.add();
    this.outlaws = Array.from({ length: outlaws }, () => new Outlaw(this.mesh));
    for (let i = 0; i < 6; i++) {
      const member = this.mesh.add();
      this.viewers.push({ member, viewer: member.play("live") });
    }
    for (const a of this.mesh.members) for (const b of this.mesh.members) this.mesh.connect(a, b);
  }

  /** Publishes it all, and ends. */
  run(): void {
    const { clock } = this.mesh;
    const publication = this.publisher.multicast.publish("live");
    for (let frame = 0; frame < FRAMES; frame++) {
      clock.at(1_000 + frame * 40, () => {
        const payload = new Uint8Array(frame % 25 === 0 ? 8_000 : 2_200).fill(frame);
        payload[0] = frame % 25 === 0 ? 0x12 : 0x22;
        publication.write(9, frame, payload);
      });
    }
    this.mesh.run(1_000 + SECONDS * 1_000 + 12_000);
  }

  /** Least part of the true messages that a viewer had, and the most that were false, from 3 s after the beginning on. */
  get served(): { least: number; false: number } {
    const parts = this.viewers.map(({ viewer }) => {
      const truth = viewer.messages.filter(({ message: { timestamp, payload } }) => isTrue(timestamp, payload));
      const late = new Set(truth.map(({ message }) => message.timestamp).filter((time) => time >= SETTLED));
      return { part: late.size / (FRAMES - SETTLED), wrong: viewer.messages.length - truth.length };
    });
    return { least: Math.min(...parts.map(({ part }) => part)), false: Math.max(...parts.map(({ wrong }) => wrong)) };
  }

  /** A counter of all viewers and the publisher. */
  count(name: keyof Member["multicast"]["stats"]): number {
    return [this.publisher, ...this.viewers.map(({ member }) => member)].reduce(
      (sum, { multicast }) => sum + multicast.stats[name],
      0,
    );
  }

  get outlaw(): Outlaw {
    return this.outlaws[0] as Outlaw;
  }
}

function isTrue(frame: number, payload: Uint8Array): boolean {
  const bytes = frame % 25 === 0 ? 8_000 : 2_200;
  return payload.length === bytes && payload.subarray(1).every((byte) => byte === (frame & 255));
}

function everything(newest: number): Uint8Array {
  return new Uint8Array(Math.ceil(newest / 8)).fill(255);
}

describe("hostile members of a group that carries a stream", () => {
  it(...rfc("G-3"), "are none in this scene yet: everybody has everything", () => {
    const scene = new Scene(1, 0);
    scene.run();
    expect(scene.served).toEqual({ least: 1, false: 0 });
  });

  it(...rfc("G-3"), "claim everything and send nothing: pushes and pulls go to others", () => {
    const scene = new Scene(2);
    scene.outlaw.every(100, (victim) => {
      scene.outlaw.say(victim, {
        type: "map",
        newest: scene.outlaw.newest + 10,
        have: everything(scene.outlaw.newest),
      });
    });
    scene.run();
    expect(scene.served).toEqual({ least: 1, false: 0 });
    expect(scene.count("stalls")).toBeGreaterThan(0);
  });

  it(...rfc("G-3"), "ask for all pushes and give nothing back: others are pushed to as well", () => {
    const scene = new Scene(3, 2);
    for (const outlaw of scene.outlaws) outlaw.every(500, (victim) => outlaw.say(victim, { type: "push", mask: 0xff }));
    scene.run();
    expect(scene.served).toEqual({ least: 1, false: 0 });
    // Without those who pass on what they get, nine of ten fragments would have to be pulled.
    const { pushedFrom, requestedFrom } = totals(scene);
    expect(pushedFrom / (pushedFrom + requestedFrom)).toBeGreaterThan(0.6);
  });

  it(...rfc("G-3"), "pull thousands of fragments: as many are answered as the stream has, and some", () => {
    const scene = new Scene(4);
    const { outlaw } = scene;
    outlaw.every(100, (victim) => {
      for (let i = 0; i < 500; i++) outlaw.say(victim, { type: "pull", id: Math.max(1, outlaw.newest - i) });
    });
    scene.run();
    expect(scene.served).toEqual({ least: 1, false: 0 });
    expect(scene.count("refused")).toBeGreaterThan(100_000);
    for (const { fragments } of outlaw.victims.values()) expect(fragments.length).toBeLessThan(6_000);
  });

  for (const ahead of [1, 1_000, 16_000, 2 ** 40]) {
    it(...rfc("G-3"), `tell of fragments that are ${ahead} ahead: they are not believed alone`, () => {
      const scene = new Scene(5);
      const { outlaw } = scene;
      outlaw.every(200, (victim) => {
        const newest = outlaw.newest + ahead;
        outlaw.say(victim, { type: "map", newest, have: new Uint8Array(1_000).fill(255) });
      });
      scene.run();
      expect(scene.served).toEqual({ least: 1, false: 0 });
    });

    it(...rfc("G-3"), `send fragments that are ${ahead} ahead: the stream goes on where it is`, () => {
      const scene = new Scene(6);
      const { outlaw } = scene;
      outlaw.every(200, (victim, now) => {
        if (now < 3_000) return;
        outlaw.say(victim, { type: "map", newest: outlaw.newest + ahead, have: new Uint8Array(0) });
        outlaw.push(victim, { id: outlaw.newest + ahead, timestamp: 4_000_000 });
      });
      scene.run();
      expect(scene.served.least).toBeGreaterThan(0.98);
    });
  }

  it(...rfc("G-3"), "send others' fragments in other bytes without being asked: they are dropped, and counted", () => {
    const scene = new Scene(7);
    const { outlaw } = scene;
    outlaw.every(100, (victim) => {
      for (let back = 1; back < 20; back++)
        outlaw.push(victim, { id: Math.max(1, outlaw.newest - back), timestamp: 7 });
    });
    scene.run();
    expect(scene.served.least).toBeGreaterThan(0.9);
    expect(scene.count("unasked")).toBeGreaterThan(1_000);
  });

  it(...rfc("G-3"), "say that the stream has ended, or ends far ahead: it goes on", () => {
    const scene = new Scene(8);
    const { outlaw } = scene;
    outlaw.every(300, (victim, now) => {
      outlaw.say(victim, { type: "end", last: Math.floor(now) % 3 === 0 ? outlaw.newest + 15_000 : outlaw.newest });
    });
    scene.run();
    expect(scene.served).toEqual({ least: 1, false: 0 });
    expect(scene.viewers.flatMap(({ viewer }) => viewer.events)).not.toContain("reset");
  });

  it(...rfc("G-3"), "announce thousands of streams of the name: the true one is played on", () => {
    const scene = new Scene(9);
    const { outlaw } = scene;
    outlaw.every(20, (victim) => {
      if (outlaw.info !== undefined) outlaw.announce(victim, { ...outlaw.info, key: outlaw.key() });
    });
    scene.run();
    expect(scene.served).toEqual({ least: 1, false: 0 });
    expect(scene.count("streamsRefused")).toBeGreaterThan(1_000);
  });

  it(...rfc("G-3"), "announce thousands of streams of other names before it begins: it is played", () => {
    const scene = new Scene(11, 2);
    let number = 0;
    for (const outlaw of scene.outlaws)
      outlaw.every(1, (victim) => {
        if (number < 10_000) outlaw.announce(victim, { name: `stream ${number++ >> 3}`, key: outlaw.key() });
      });
    scene.run();
    expect(scene.served.least).toBe(1);
    expect(scene.count("streamsRefused")).toBeGreaterThan(1_000);
  });

  it(...rfc("G-3"), "announce other settings all the time: those that came first stay", () => {
    const scene = new Scene(12);
    const { outlaw } = scene;
    let turn = 0;
    outlaw.every(100, (victim) => {
      if (outlaw.info === undefined) return;
      const windowMs = turn++ % 2 === 0 ? 0 : 2 ** 50;
      const info = { ...outlaw.info, windowMs, fetchMs: windowMs, updateMs: windowMs, expiryMs: windowMs };
      outlaw.say(victim, { type: "info", info });
    });
    scene.run();
    expect(scene.served.least).toBeGreaterThan(0.9);
    for (const { heard } of outlaw.victims.values())
      expect(heard.filter(({ type }) => type === "info").length).toBeLessThan(2 * SECONDS);
  });
});

/** What viewers were sent. */
function totals(scene: Scene): { pushedFrom: number; requestedFrom: number } {
  let [pushedFrom, requestedFrom] = [0, 0];
  for (const { viewer } of scene.viewers) {
    const { info } = viewer.subscription;
    pushedFrom += info.fragmentsPushedFromPeers ?? 0;
    requestedFrom += info.fragmentsRequestedFromPeers ?? 0;
  }
  return { pushedFrom, requestedFrom };
}
