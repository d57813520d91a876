/** Streams that are over, and the room that they take. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import type { MulticastPublication } from "../../../src/group/multicast/publication.ts";
import { type Member, Mesh } from "./mesh.ts";
import { Outlaw } from "./outlaw.ts";

/** So many members, all of whom are neighbours. */
function scene(count: number) {
  const mesh = new Mesh({ seed: 5 });
  const members = Array.from({ length: count }, () => mesh.add(4_000_000));
  for (const a of members) for (const b of members) mesh.connect(a, b);
  mesh.run(100);
  return { mesh, members: members as [Member, Member, ...Member[]] };
}

function stream(mesh: Mesh, publication: MulticastPublication, ms: number): void {
  for (let at = mesh.clock.now; at < mesh.clock.now + ms; at += FRAME_MS) {
    const timestamp = at;
    mesh.clock.at(at, () => publication.write(9, timestamp, new Uint8Array(2_200).fill(0x22)));
  }
}

describe("a stream whose publisher is gone", () => {
  it(...rfc("G-3"), "is not told of to those who come, however many come and go", () => {
    const { mesh, members } = scene(5);
    const [publisher, idle, ...alive] = members;
    for (const member of alive) member.play("live");
    stream(mesh, publisher.multicast.publish("live"), 10_000);
    mesh.run(10_000);
    publisher.kill(1_000);
    for (let i = 0; i < 6; i++) {
      mesh.run(100_000);
      const newcomer = mesh.add(4_000_000);
      const viewer = newcomer.play("live");
      for (const other of mesh.members) if (other.isAlive) mesh.connect(newcomer, other);
      alive.shift()?.leave();
      alive.push(newcomer);
      mesh.run(20_000);
      expect([newcomer.notified, viewer.events]).toEqual([[], []]);
    }
    expect(idle.multicast.published).toEqual([]);
  });

  it(...rfc("G-3"), "leaves room for the next one, however often that happens in five minutes", () => {
    const { mesh, members } = scene(4);
    const viewers = members.map((member) => member.play("live"));
    for (let i = 0; i < 22; i++) {
      const publisher = mesh.add(4_000_000);
      for (const member of members) mesh.connect(publisher, member);
      mesh.run(100);
      const from = mesh.clock.now;
      stream(mesh, publisher.multicast.publish("live"), 10_000);
      mesh.run(10_000);
      publisher.kill(2_000);
      mesh.run(3_000);
      for (const { messages } of viewers) {
        const came = messages.filter(({ message }) => message.timestamp >= from).length;
        expect(came).toBeGreaterThan((10_000 / FRAME_MS) * 0.9);
      }
    }
  });
});

describe("one who announces streams and takes that back at once", () => {
  for (const [names, count] of [
    ["of the name that is played", 20],
    ["of other names", 300],
  ] as const) {
    it(...rfc("G-3"), `keeps nobody from the next publication, be they ${names}`, () => {
      const { mesh, members } = scene(5);
      const outlaw = new Outlaw(mesh);
      for (const member of members) mesh.connect(member, outlaw.member);
      const [publisher, ...others] = members;
      const viewers = others.map((member) => member.play("live"));
      const first = publisher.multicast.publish("live");
      stream(mesh, first, 10_000);
      mesh.run(10_000);
      for (let i = 0; i < count; i++) {
        mesh.clock.after(i * 50, () => {
          for (const victim of outlaw.victims.values()) {
            const name = count === 20 ? "live" : `name ${i}`;
            const flow = outlaw.announce(victim, { name, key: outlaw.key() });
            mesh.clock.after(60, () => void flow.close());
          }
        });
      }
      mesh.run(count * 50 + 1_000);
      outlaw.member.kill(100);
      first.close();
      mesh.run(3_000);
      const from = mesh.clock.now;
      stream(mesh, publisher.multicast.publish("live"), 10_000);
      mesh.run(15_000);
      const came = viewers.map(({ messages }) => messages.filter(({ message }) => message.timestamp >= from).length);
      expect(came).toEqual(viewers.map(() => 10_000 / FRAME_MS));
      for (const { multicast } of others) expect(multicast.stats.streamsRefused).toBeGreaterThan(0);
    });
  }
});

const FRAME_MS = 40;
