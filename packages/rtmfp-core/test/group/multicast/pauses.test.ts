/** Members whose processes stand still again and again, as on a machine that has too much to do. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { type Member, Mesh } from "./mesh.ts";

/** Frames that each of nine viewers lacks at the end, each of whom stands still every so often and for so long; ms. */
function missing(seed: number, everyMs: number, [leastMs, mostMs]: readonly [number, number]): number[] {
  const mesh = new Mesh({ seed, latencyMs: [0.5, 2], uplink: 20_000_000 });
  const members = Array.from({ length: 10 }, () => mesh.add());
  for (const member of members) mesh.mingle(member, 9);
  const [publisher, ...viewers] = members as [Member, ...Member[]];
  const players = viewers.map((viewer) => viewer.play("live"));
  const publication = publisher.multicast.publish("live");
  for (let at = 0; at < STREAM_MS; at += FRAME_MS)
    mesh.clock.at(at, () => publication.write(9, at, new Uint8Array(3_300).fill(0x22)));
  for (const viewer of viewers) {
    const prng = mesh.prng.fork(`pauses ${viewer.index}`);
    for (let at = 0; at < STREAM_MS; at += -Math.log(1 - prng.next()) * everyMs)
      mesh.clock.at(at, () => viewer.pause(leastMs + (mostMs - leastMs) * prng.next() ** 2));
  }
  mesh.run(STREAM_MS + 12_000);
  return players.map(({ messages }) => STREAM_MS / FRAME_MS - messages.length);
}

describe("a stream whose viewers stand still again and again", () => {
  const nothing = new Array<number>(9).fill(0);

  it(
    ...rfc("G-3"),
    "reaches all of them whole: what came while they stood still, and what they had no time to ask for",
    () => {
      expect(missing(1, 1_500, [1_000, 4_000])).toEqual(nothing);
      expect(missing(2, 1_000, [500, 3_000])).toEqual(nothing);
    },
    120_000,
  );
});

const FRAME_MS = 40;
const STREAM_MS = 16_000;
