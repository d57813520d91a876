/** Streams that stand still for long, and members that do not play for long. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import type { MulticastPublication } from "../../../src/group/multicast/publication.ts";
import { type Member, Mesh, type Viewer } from "./mesh.ts";

/** Five members, all of whom are neighbours, of whom the first publishes. */
function scene() {
  const mesh = new Mesh({ seed: 5 });
  const members = Array.from({ length: 5 }, () => mesh.add(4_000_000));
  for (const member of members) mesh.mingle(member, 4);
  const [publisher, ...others] = members as [Member, Member, ...Member[]];
  const publication = publisher.multicast.publish("live");
  return { mesh, publisher, others, publication };
}

/** Frames for so long, from now on; their times are those of the clock. */
function stream({ clock }: Mesh, publication: MulticastPublication, ms: number): void {
  for (let at = clock.now; at < clock.now + ms; at += FRAME_MS) {
    const timestamp = at;
    clock.at(at, () => publication.write(9, timestamp, new Uint8Array(2_200).fill(0x22)));
  }
}

/** How many frames came from a time on. */
function since(from: number, viewers: readonly Viewer[]): number[] {
  return viewers.map(({ messages }) => messages.filter(({ message }) => message.timestamp >= from).length);
}

describe("a stream that stands still", () => {
  for (const silenceMs of [5_000, 12_000, 60_000, 320_000]) {
    it(...rfc("G-3"), `for ${silenceMs / 1_000} s goes on with the first frame after that`, () => {
      const { mesh, others, publication } = scene();
      const viewers = others.map((member) => member.play("live"));
      stream(mesh, publication, 10_000);
      mesh.run(10_000 + silenceMs);
      const from = mesh.clock.now;
      stream(mesh, publication, 20_000);
      mesh.run(25_000);
      expect(since(from, viewers)).toEqual(viewers.map(() => 20_000 / FRAME_MS));
    });
  }

  it(...rfc("G-3"), "from its announcement on for longer than members remember it comes whole, however late", () => {
    const { mesh, others, publication } = scene();
    const viewers = others.map((member) => member.play("live"));
    mesh.run(320_000);
    stream(mesh, publication, 20_000);
    mesh.run(25_000);
    expect(since(0, viewers)).toEqual(viewers.map(() => 20_000 / FRAME_MS));
    expect(viewers[0]?.events).toEqual(["published", "lost", "published"]);
  });

  it(
    ...rfc("G-3"),
    "is forgotten where its publisher has vanished, by those who play it and by those who do not",
    () => {
      const { mesh, publisher, others, publication } = scene();
      const [first, second, ...idle] = others as [Member, Member, ...Member[]];
      for (const member of [first, second]) member.play("live");
      stream(mesh, publication, 10_000);
      mesh.run(10_000);
      publisher.kill(1_000);
      mesh.run(10_000);
      expect(idle.map(({ notified }) => notified)).toEqual(idle.map(() => ["publish live"]));
      mesh.run(310_000);
      expect(others.map(({ notified }) => notified)).toEqual(others.map(() => ["publish live", "unpublish live"]));
    },
  );
});

describe("a member that does not play a stream for longer than members remember it", () => {
  it(...rfc("G-3"), "is told all the time that it is there, and plays it when it likes", () => {
    const { mesh, others, publication } = scene();
    const [first, ...later] = others as [Member, ...Member[]];
    first.play("live");
    stream(mesh, publication, 370_000);
    mesh.run(340_000);
    expect(later.map(({ notified }) => notified)).toEqual(later.map(() => ["publish live"]));
    const viewers = later.map((member) => member.play("live"));
    mesh.run(30_000);
    for (const count of since(342_000, viewers)) expect(count).toBeGreaterThan(27_000 / FRAME_MS);
  });

  it(...rfc("G-3"), "having played it, plays it again", () => {
    const { mesh, others, publication } = scene();
    const [first, other] = others as [Member, Member];
    first.play("live");
    const before = other.play("live");
    stream(mesh, publication, 370_000);
    mesh.run(10_000);
    before.subscription.close();
    mesh.run(330_000);
    const again = other.play("live");
    mesh.run(30_000);
    expect(since(342_000, [again])[0]).toBeGreaterThan(27_000 / FRAME_MS);
  });
});

describe("streams of a member that has left the group", () => {
  it(...rfc("G-3"), "move nothing, and set no timers", () => {
    const mesh = new Mesh({ seed: 1 });
    const member = mesh.add();
    member.multicast.close();
    let timers = 0;
    const { after } = mesh.clock;
    mesh.clock.after = (ms, run) => {
      timers++;
      return after.call(mesh.clock, ms, run);
    };
    member.multicast.publish("live");
    member.play("live");
    mesh.run(60_000);
    expect(timers).toBe(0);
  });
});

const FRAME_MS = 40;
