/** Tales of members who are soon gone, told while a stream stands still. */
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import type { MulticastMessage } from "../../../src/group/wire/multicast.ts";
import { type Member, Mesh } from "./mesh.ts";
import { Outlaw } from "./outlaw.ts";

interface Tale {
  /** How long the stream has gone on before, ms. */
  readonly liveMs: number;
  /** How long it then stands still, and after how much of that the tale is told, ms. */
  readonly pauseMs: number;
  readonly afterMs: number;
  /** What is told, of a stream of which this is the newest fragment. */
  readonly tell: (newest: number) => MulticastMessage;
  /** Who told it is gone a second later. */
  readonly leaves: boolean;
}

/** Frames of the 30 s after the pause that each of five viewers lacks. */
function missing({ liveMs, pauseMs, afterMs, tell, leaves }: Tale): number[] {
  const mesh = new Mesh({ seed: 5 });
  const members = Array.from({ length: 6 }, () => mesh.add(4_000_000));
  const outlaw = new Outlaw(mesh);
  for (const a of mesh.members) for (const b of mesh.members) mesh.connect(a, b);
  const [publisher, ...others] = members as [Member, ...Member[]];
  mesh.run(100);
  const viewers = others.map((member) => member.play("live"));
  const publication = publisher.multicast.publish("live");
  const stream = (ms: number): void => {
    for (let at = mesh.clock.now; at < mesh.clock.now + ms; at += FRAME_MS) {
      const timestamp = at;
      mesh.clock.at(at, () => publication.write(9, timestamp, new Uint8Array(2_200).fill(0x22)));
    }
  };
  stream(liveMs);
  mesh.run(liveMs + afterMs);
  for (const victim of outlaw.victims.values()) outlaw.say(victim, tell(outlaw.newest));
  mesh.run(1_000);
  if (leaves) outlaw.member.leave();
  mesh.run(pauseMs - afterMs - 1_000);
  const from = mesh.clock.now;
  stream(STREAM_MS);
  mesh.run(STREAM_MS + 10_000);
  const came = viewers.map(({ messages }) => messages.filter(({ message }) => message.timestamp >= from).length);
  return came.map((count) => STREAM_MS / FRAME_MS - count);
}

const map = (ahead: number) => (newest: number) => ({
  type: "map" as const,
  newest: newest + ahead,
  have: new Uint8Array(Math.min(2_048, (newest + ahead) >> 3)).fill(255),
});
const end = (ahead: number) => (newest: number) => ({ type: "end" as const, last: newest + ahead });

describe("a tale of fragments that there are not, told of a stream that stands still", () => {
  const most = (tale: Tale): number => Math.max(...missing(tale));

  it(...rfc("G-3"), "ends with the stay of who told it, or when the stream goes on", () => {
    const tale = { liveMs: 10_000, pauseMs: 20_000, afterMs: 6_000 };
    for (const tell of [map(16_000), map(1_000), end(16_000)]) {
      expect(most({ ...tale, tell, leaves: true })).toBe(0);
      // It is found out when others tell of what there is: the frames of some seconds are gone by then.
      expect(most({ ...tale, tell, leaves: false })).toBeLessThan(100);
    }
    const late = { ...tale, pauseMs: 30_000, afterMs: 12_000, tell: map(16_000) };
    for (const leaves of [true, false]) expect(most({ ...late, leaves })).toBeLessThan(50);
  });

  it(...rfc("G-3"), "or has not begun, takes nothing from its beginning", () => {
    for (const leaves of [true, false]) {
      for (const pauseMs of [4_000, 20_000]) {
        const tale = { liveMs: 0, pauseMs, afterMs: 2_000, leaves };
        expect(most({ ...tale, tell: map(2 ** 40) })).toBe(0);
        expect(most({ ...tale, tell: end(2 ** 40) })).toBe(0);
      }
    }
  });
});

const FRAME_MS = 40;
const STREAM_MS = 30_000;
