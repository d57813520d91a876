import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { encodeMulticast } from "../../../src/group/wire/multicast.ts";
import { type Member, Mesh, type Viewer } from "./mesh.ts";
import { Outlaw, type Victim } from "./outlaw.ts";

const FRAMES = 500;
/** Of the first three seconds, in which nobody knows yet whom to believe, parts may be missing. */
const SETTLED = 75;

/** 20 s of a stream from a publisher to six viewers, all neighbours of each other and of an outlaw. */
function play(seed: number, crime: (outlaw: Outlaw) => void): { least: number; viewers: Viewer[]; members: Member[] } {
  const mesh = new Mesh({ seed, uplink: 4_000_000 });
  const publisher = mesh.add();
  const outlaw = new Outlaw(mesh);
  const members = Array.from({ length: 6 }, () => mesh.add());
  const viewers = members.map((member) => member.play("live"));
  for (const a of mesh.members) for (const b of mesh.members) mesh.connect(a, b);
  crime(outlaw);
  const publication = publisher.multicast.publish("live");
  for (let frame = 0; frame < FRAMES; frame++) {
    mesh.clock.at(1_000 + frame * 40, () => {
      const payload = new Uint8Array(frame % 25 === 0 ? 8_000 : 2_200).fill(frame);
      payload[0] = frame % 25 === 0 ? 0x12 : 0x22;
      publication.write(9, frame, payload);
    });
  }
  mesh.run(30_000);
  const shares = viewers.map(({ messages }) => {
    const right = messages.filter(({ message: { timestamp, payload } }) => payload[1] === (timestamp & 255));
    const settled = right.map(({ message }) => message.timestamp).filter((frame) => frame >= SETTLED);
    return new Set(settled).size / (FRAMES - SETTLED);
  });
  return { least: Math.min(...shares), viewers, members };
}

/** 20 s of a stream that an outlaw knows and one viewer, its neighbour, is about to hear of. */
function beforeTheOthers() {
  const mesh = new Mesh({ seed: 5, uplink: 4_000_000 });
  const publisher = mesh.add();
  const outlaw = new Outlaw(mesh);
  const members = Array.from({ length: 7 }, () => mesh.add());
  mesh.connect(publisher, outlaw.member);
  mesh.connect(members[0] as Member, outlaw.member);
  const publication = publisher.multicast.publish("live");
  for (let at = 0; at < 20_000; at += 40)
    mesh.clock.at(at, () => publication.write(9, at, new Uint8Array(2_200).fill(0x22)));
  mesh.run(1_000);
  return { mesh, publisher, outlaw, members };
}

describe("liars among the members of a group", () => {
  it(...rfc("G-3"), "announce streams of the name that get on in words: the true one is played on", () => {
    const keys = new Map<Victim, { flow: ReturnType<Outlaw["announce"]>; newest: number }>();
    const { least, viewers } = play(1, (outlaw) => {
      outlaw.every(100, (victim, now) => {
        if (outlaw.info === undefined) return;
        let own = keys.get(victim);
        if (own === undefined || now % 5_000 < 100) {
          own = { flow: outlaw.announce(victim, { ...outlaw.info, key: outlaw.key() }), newest: 10 };
          keys.set(victim, own);
        }
        own.newest += 5;
        const have = new Uint8Array(own.newest >> 3).fill(255);
        if (own.flow.isOpen) own.flow.write(encodeMulticast({ type: "map", newest: own.newest, have }));
      });
    });
    expect(least).toBe(1);
    expect(viewers.map(({ events }) => events)).toEqual(viewers.map(() => ["published"]));
  });

  it(...rfc("G-3"), "announce streams of the name before there is one: the true one is found within a second", () => {
    const { least, viewers } = play(2, (outlaw) => {
      for (let i = 0; i < 3; i++) {
        const key = outlaw.key();
        outlaw.every(200, (victim, now) => {
          if (now < 400) outlaw.announce(victim, { name: "live", key });
        });
      }
    });
    expect(least).toBe(1);
    expect(viewers.map(({ events }) => events)).toEqual(viewers.map(() => ["published"]));
  });

  it(...rfc("G-3"), "announce other settings: those of the first announcement hold", () => {
    let turn = 0;
    const { least, viewers } = play(3, (outlaw) => {
      outlaw.every(100, (victim, now) => {
        if (outlaw.info === undefined || now < 2_000) return;
        const windowMs = turn++ % 2 === 0 ? 0 : 2 ** 50;
        const info = { ...outlaw.info, windowMs, fetchMs: windowMs, updateMs: windowMs, expiryMs: windowMs };
        outlaw.say(victim, { type: "info", info });
      });
    });
    expect(least).toBe(1);
    expect(viewers[0]?.subscription.settings.windowMs).toBe(8_000);
  });

  it(
    ...rfc("G-3"),
    "announce it first, to be forgotten at once, looked for seldom or asked for at once: nothing is lost",
    () => {
      for (const change of [{ expiryMs: 0 }, { updateMs: 2 ** 50 }, { fetchMs: 0 }]) {
        const { mesh, publisher, outlaw, members } = beforeTheOthers();
        const [first, ...others] = members as [Member, ...Member[]];
        const viewers = members.map((member) => member.play("live"));
        for (const victim of outlaw.victims.values()) {
          const { info } = outlaw;
          if (info !== undefined && victim.neighbour.peerId === first.peerId)
            outlaw.announce(victim, { ...info, ...change });
        }
        mesh.run(300);
        // Those who hear of it from the first.
        for (const other of others) mesh.connect(first, other);
        mesh.run(300);
        for (const a of members) for (const b of [publisher, ...members]) mesh.connect(a, b);
        mesh.run(25_000);
        const settled = viewers.map(
          ({ messages }) => messages.filter(({ message }) => message.timestamp >= 3_000).length,
        );
        expect(settled).toEqual(viewers.map(() => 17_000 / 40));
      }
    },
  );

  it(...rfc("G-3"), "announce a stream with no window first: it has a second at least", () => {
    const { viewers } = play(4, (outlaw) => {
      const key = outlaw.key();
      outlaw.every(50, (victim, now) => {
        const none = { windowMs: 0, fetchMs: 2 ** 50, updateMs: 2 ** 50, expiryMs: 0 };
        if (now < 150) outlaw.announce(victim, { name: "other", key, ...none });
      });
      const other = outlaw.member.mesh.members[2]?.play("other");
      outlaw.member.mesh.clock.at(1_000, () => {
        expect(other?.subscription.settings).toMatchObject({ windowMs: 1_000, fetchMs: 500, updateMs: 250 });
      });
    });
    expect(viewers[0]?.events).toEqual(["published"]);
  });

  it(...rfc("G-3"), "send what nobody can read, and what is too long: it is counted, and the stream goes on", () => {
    let turn = 0;
    const { least, members } = play(5, (outlaw) => {
      const { prng } = outlaw.member.mesh;
      const long = new Uint8Array(100_000).fill(255);
      outlaw.every(50, (victim) => {
        outlaw.say(victim, { type: "push", mask: 0 });
        const noise = Uint8Array.from({ length: 40 }, () => prng.int(256));
        outlaw.sayBytes(victim, noise);
        outlaw.pushBytes(victim, noise.with(0, 0x20));
        if (turn++ % 40 !== 0) return;
        outlaw.sayBytes(victim, long.with(0, 0x22).with(1, 1));
        outlaw.pushBytes(victim, long.with(0, 0x20).with(1, outlaw.newest & 127));
      });
    });
    expect(least).toBeGreaterThan(0.98);
    for (const { multicast } of members) expect(multicast.stats.useless).toBeGreaterThan(100);
  });
});
