/** Where those begin who have waited for a stream, and those who come later. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { type Member, Mesh, type Viewer } from "./mesh.ts";

const FRAME_MS = 40;
/** Three fragments each, 25 a second. */
const FRAME_BYTES = 2_200;

interface Beginning {
  readonly mesh: Mesh;
  readonly publisher: Member;
  readonly players: readonly Viewer[];
}

/** Viewers wait for so long; the stream begins with `burst` frames at once, and goes on live up to 12 s of it. */
function begin(seed: number, viewers: number, burst: number, options: { waitMs: number; arrives: boolean }): Beginning {
  const mesh = new Mesh({ seed, loss: 0.01 });
  const publisher = mesh.add(4_000_000);
  const watching = Array.from({ length: viewers }, () => mesh.add());
  const audience = options.arrives ? watching : mesh.members;
  for (const member of audience) {
    while (member.neighbours.size < Math.min(13, audience.length - 1)) {
      const other = audience[mesh.prng.int(audience.length)];
      if (other !== undefined) mesh.connect(member, other);
    }
  }
  const players = watching.map((member) => member.play("live"));
  mesh.run(options.waitMs);
  const publication = publisher.multicast.publish("live");
  const start = mesh.clock.now;
  const write = (number: number): void =>
    publication.write(9, number * FRAME_MS, new Uint8Array(FRAME_BYTES).fill(0x22));
  for (let number = 0; number < burst; number++) write(number);
  for (let number = burst; number < 300; number++)
    mesh.clock.at(start + (number - burst) * FRAME_MS, () => write(number));
  // Who comes to publish knows nobody yet.
  if (options.arrives) mesh.clock.at(start + 500, () => mesh.mingle(publisher, 13));
  return { mesh, publisher, players };
}

function frames({ messages }: Viewer): number[] {
  return messages.map(({ message }) => message.timestamp / FRAME_MS);
}

const ALL = Array.from({ length: 300 }, (_, number) => number);

describe("a stream that begins with more than can be told of at once", () => {
  for (const arrives of [false, true]) {
    const who = arrives ? "a member that has just come" : "a neighbour";
    for (const [seed, viewers, burst] of [
      [1, 1, 22],
      [2, 8, 50],
      [3, 30, 50],
    ] as const) {
      describe(`by ${who}, with ${burst} frames for ${viewers} viewers`, () => {
        it(...rfc("G-3", "P-4"), "comes whole to those who have waited for it", () => {
          const { mesh, players } = begin(seed, viewers, burst, { waitMs: 5_000, arrives });
          mesh.run(25_000);
          for (const player of players) expect(frames(player)).toEqual(ALL);
        });
      });
    }
  }

  it(...rfc("G-3", "P-4"), "is joined late where it is then, though its beginning is still there", () => {
    const { mesh } = begin(4, 8, 50, { waitMs: 5_000, arrives: false });
    mesh.run(5_000);
    const late = mesh.add();
    mesh.mingle(late, 4);
    const player = late.play("live");
    mesh.run(10_000);
    const [first] = frames(player);
    expect(first).toBeGreaterThan(50 + 5_000 / FRAME_MS - 25);
  });
});
