import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import type { MulticastPublication } from "../../../src/group/multicast/publication.ts";
import { type Member, Mesh, type Viewer } from "./mesh.ts";
import { runSwarm } from "./swarm.ts";

const FRAME_MS = 40;

/** Publishes a frame of 2,200 bytes every 40 ms, for so long; the time of the first is 0. */
function stream(mesh: Mesh, publication: MulticastPublication, ms: number): void {
  const start = mesh.clock.now;
  for (let at = 0; at < ms; at += FRAME_MS) {
    mesh.clock.at(start + at, () => publication.write(9, at, new Uint8Array(2_200).fill(0x22)));
  }
}

function group(seed: number, count: number, loss = 0): { mesh: Mesh; publisher: Member; viewers: Member[] } {
  const mesh = new Mesh({ seed, loss });
  const members = Array.from({ length: count }, () => mesh.add());
  for (const member of members) mesh.mingle(member, 13);
  const [publisher, ...viewers] = members as [Member, ...Member[]];
  return { mesh, publisher, viewers };
}

function times({ messages }: Viewer): number[] {
  return messages.map(({ message }) => message.timestamp);
}

describe("a stream in a group", () => {
  it(...rfc("G-3"), "reaches the one other member whole and in order, with loss on the way", () => {
    const { mesh, publisher, viewers } = group(1, 2, 0.05);
    const viewer = viewers[0]?.play("live");
    const publication = publisher.multicast.publish("live");
    stream(mesh, publication, 10_000);
    mesh.run(12_000);
    expect(viewer && times(viewer)).toEqual(Array.from({ length: 250 }, (_, i) => i * FRAME_MS));
    expect(viewer?.messages.every(({ missing, message }) => missing === 0 && message.payload.length === 2_200)).toBe(
      true,
    );
    expect(viewer?.events).toEqual(["published"]);
    const { fragmentsPushedToPeers, fragmentsRequestedByPeers, sendDataBytesPerSecond } = publication.info;
    expect(fragmentsPushedToPeers).toBeGreaterThan(0.9 * 750);
    expect(fragmentsPushedToPeers + fragmentsRequestedByPeers).toBeGreaterThanOrEqual(750);
    expect(sendDataBytesPerSecond).toBe(0);
  });

  it(...rfc("G-3"), "costs the publisher of ten members little more than itself, and all have all of it", () => {
    const result = runSwarm({ members: 10, seconds: 40, seed: 1, loss: 0.01 });
    expect(result.deliveredLeast).toBe(1);
    expect(result.upload).toBeLessThan(1.6);
    expect(result.duplicates).toBeLessThan(0.02);
    expect(result.startP99).toBeLessThan(1_000);
    expect(result.delayP99).toBeLessThan(1_500);
  });

  it(
    ...rfc("G-3"),
    "reaches a hundred members, of whom a fifth leaves and joins each minute",
    () => {
      const result = runSwarm({ members: 100, seconds: 32, seed: 2, loss: 0.01, churn: 0.2 });
      expect(result.deliveredLeast).toBeGreaterThan(0.995);
      expect(result.upload).toBeLessThan(3.2);
      expect(result.duplicates).toBeLessThan(0.04);
      expect(result.joinP99).toBeLessThan(2_000);
      expect(result.delayP99).toBeLessThan(2_500);
    },
    120_000,
  );

  it(
    ...rfc("G-3"),
    "goes on for all survivors when a third of a hundred members is gone at once",
    () => {
      const result = runSwarm({ members: 100, seconds: 45, seed: 3, loss: 0.01, massacre: { at: 15, part: 0.3 } });
      expect(result.deliveredLeast).toBeGreaterThan(0.995);
    },
    120_000,
  );

  it(...rfc("G-3"), "is there for a member that joins late, with what decoders need, within a second", () => {
    const { mesh, publisher, viewers } = group(4, 8, 0.01);
    for (const viewer of viewers) viewer.play("live");
    const publication = publisher.multicast.publish("live");
    const [config, key, inter] = [0x1700, 0x1701, 0x2701].map((head) => {
      const bytes = new Uint8Array(2_200);
      new DataView(bytes.buffer).setUint16(0, head);
      return bytes;
    }) as [Uint8Array, Uint8Array, Uint8Array];
    publication.write(9, 0, config.subarray(0, 40));
    for (let at = 0; at < 20_000; at += FRAME_MS)
      mesh.clock.at(at + 1_000, () => publication.write(9, at, at % 1_000 === 0 ? key : inter));
    mesh.run(10_500);
    const late = mesh.add();
    mesh.mingle(late, 4);
    const viewer = late.play("live");
    mesh.run(1_000);
    expect(late.notified).toEqual(["publish live"]);
    expect(viewer.messages[0]?.at).toBeLessThan(11_500);
    mesh.run(1_000);
    const heads = viewer.messages.map(({ message }) => (message.payload[0] ?? 0) * 256 + (message.payload[1] ?? 0));
    expect(heads.indexOf(0x1700)).toBeGreaterThanOrEqual(0);
    expect(heads.indexOf(0x1700)).toBe(heads.indexOf(0x1701) - 1);
  });

  it(...rfc("G-3"), "ends for everybody when its publisher ends it, and after the window when that is gone", () => {
    for (const kind of ["closed", "killed"] as const) {
      const { mesh, publisher, viewers } = group(5, 20);
      const players = viewers.slice(1).map((viewer) => viewer.play("live"));
      const publication = publisher.multicast.publish("live");
      let closedAt = 0;
      publication.onClosed = () => {
        closedAt = mesh.clock.now;
      };
      stream(mesh, publication, 5_000);
      mesh.run(5_100);
      if (kind === "closed") publication.close();
      else publisher.kill(10_000);
      mesh.run(2_000);
      const [idle] = viewers;
      if (kind === "closed") {
        expect(players.map((player) => [player.events, times(player).length])).toEqual(
          players.map(() => [["published", "unpublished"], 125]),
        );
        expect(idle?.notified).toEqual(["publish live", "unpublish live"]);
        mesh.run(2_000);
        expect(closedAt).toBeGreaterThan(7_000);
      } else {
        expect(players.every(({ events }) => events.length === 1)).toBe(true);
        mesh.run(20_000);
        expect(players.map(({ events }) => events)).toEqual(players.map(() => ["published", "lost"]));
      }
    }
  });

  it(...rfc("G-3"), "is followed by the next one of its name, of another publisher or the same", () => {
    const { mesh, publisher, viewers } = group(6, 10);
    const players = viewers.slice(1).map((viewer) => viewer.play("live"));
    const first = publisher.multicast.publish("live");
    stream(mesh, first, 30_000);
    mesh.run(5_000);
    const second = viewers[0]?.multicast.publish("live", { windowMs: 5_000 });
    if (second !== undefined) stream(mesh, second, 10_000);
    mesh.run(10_000);
    for (const player of players) {
      expect(player.events).toEqual(["published", "reset"]);
      expect(player.subscription.settings.windowMs).toBe(5_000);
      const last = times(player).slice(-100);
      expect(last).toEqual(last.map((_, i) => (last[0] ?? 0) + i * FRAME_MS));
      expect(last.at(-1)).toBeLessThan(10_000);
    }
    // The newer one ends without a word: the older goes on.
    viewers[0]?.kill(5_000);
    mesh.run(15_000);
    for (const player of players) {
      expect(player.events).toEqual(["published", "reset", "reset"]);
      expect(times(player).at(-1)).toBeGreaterThan(28_000);
    }
  });

  it(...rfc("G-3"), "is pulled where nobody pushes", () => {
    const { mesh, publisher, viewers } = group(7, 6);
    publisher.uplink = 10_000_000;
    const players = viewers.map((viewer) => viewer.play("live", { pushLimit: 0, fetchMs: 500 }));
    const publication = publisher.multicast.publish("live", { pushLimit: 0, fetchMs: 500 });
    stream(mesh, publication, 10_000);
    mesh.run(14_000);
    players.forEach((player, i) => {
      expect(times(player)).toHaveLength(250);
      expect(player.subscription.info.fragmentsPushedFromPeers).toBe(0);
      const compared = viewers[i]?.multicast.stats.audits ?? 0;
      expect(player.subscription.info.fragmentsRequestedFromPeers - compared).toBe(750);
    });
    expect(publication.info.fragmentsPushedToPeers).toBe(0);
  });

  it(...rfc("G-3"), "goes round members that send slowly", () => {
    const mesh = new Mesh({ seed: 8, loss: 0.01 });
    const members = Array.from({ length: 20 }, (_, i) => mesh.add(i % 4 === 1 ? 64_000 : 2_000_000));
    for (const member of members) mesh.mingle(member, 10);
    const [publisher, ...viewers] = members as [Member, ...Member[]];
    const players = viewers.map((viewer) => viewer.play("live"));
    const publication = publisher.multicast.publish("live");
    const sent: number[] = [];
    for (let at = 0; at < 40_000; at += FRAME_MS) {
      mesh.clock.at(at + 500, () => {
        sent.push(mesh.clock.now);
        publication.write(9, at, new Uint8Array(2_200));
      });
    }
    mesh.run(50_000);
    for (const player of players) {
      const inTime = player.messages.filter(
        ({ message, at }) => at - (sent[message.timestamp / FRAME_MS] ?? 0) <= 8_000,
      );
      expect(inTime.length / 1_000).toBeGreaterThan(0.995);
      const late = player.messages.slice(750).map(({ message, at }) => at - (sent[message.timestamp / FRAME_MS] ?? 0));
      expect(late.sort((a, b) => a - b)[Math.floor(late.length / 2)]).toBeLessThan(1_500);
    }
  });

  it(...rfc("G-3"), "does not mix with others, nor with others of the same members", () => {
    const { mesh, publisher, viewers } = group(9, 6);
    const [other, ...rest] = viewers as [Member, ...Member[]];
    const one = rest.map((viewer) => viewer.play("one"));
    const two = rest.map((viewer) => viewer.play("two"));
    const back = publisher.play("two");
    const [first, second] = [publisher.multicast.publish("one"), other.multicast.publish("two")];
    for (let i = 0; i < 200; i++) {
      mesh.clock.at(i * 20, () => {
        first.write(8, i, Uint8Array.of(0x20, 1, i));
        second.write(8, i, Uint8Array.of(0x20, 2, i));
      });
    }
    mesh.run(6_000);
    const got = (players: Viewer[]): string[] =>
      players.map(({ messages }) => messages.map(({ message }) => message.payload.subarray(1).join(".")).join(" "));
    const whole = (name: number): string => Array.from({ length: 200 }, (_, i) => `${name}.${i}`).join(" ");
    expect(got(one)).toEqual(one.map(() => whole(1)));
    expect(got([...two, back])).toEqual([...two, back].map(() => whole(2)));
  });

  it(...rfc("G-3"), "leaves nothing behind when it is over", () => {
    const { mesh, publisher, viewers } = group(10, 5);
    const players = viewers.map((viewer) => viewer.play("live"));
    const publication = publisher.multicast.publish("live");
    stream(mesh, publication, 3_000);
    mesh.run(5_000);
    publication.close();
    for (const { subscription } of players) subscription.close();
    for (const member of mesh.members) member.multicast.close();
    mesh.run(400_000);
    // No timer is left: nothing happens any more.
    expect(mesh.clock.step()).toBe(false);
  });
});
