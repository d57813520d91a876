/** An {@link Outlaw} that puts bytes of its own into a stream, and what the others see of the stream meanwhile. */
import { encodeFragment } from "../../../src/group/wire/fragment.ts";
import { type Member, Mesh, type MeshOptions, type Viewer } from "./mesh.ts";
import { Outlaw, type Victim } from "./outlaw.ts";

/** How a poisoner goes about it. */
export interface Poison {
  /** Fragments that it claims to have, and sends, beyond the newest that others have told of. Default 0. */
  readonly lead?: number;
  /** Until then, ms, it sends what is true, as a member does. Default 0. */
  readonly from?: number;
  /** Fragments that it is asked for one by one are true. Default false. */
  readonly answersTruly?: boolean;
  /** Part of the other fragments that are false. Default 1. */
  readonly part?: number;
}

/** Makes an outlaw do it, from now on. */
export function poison(outlaw: Outlaw, { lead = 0, from = 0, answersTruly = false, part = 1 }: Poison): void {
  const truth = new Map<number, Uint8Array>();
  const done = new Map<Victim, { heard: number; fragments: number; mask: number; pushed: number }>();
  const isForged = (id: number): boolean => (id * 0.618_033_988_7) % 1 < part;
  outlaw.every(20, (victim, now) => {
    if (outlaw.newest === 0) return;
    const state = done.get(victim) ?? { heard: 0, fragments: 0, mask: 0, pushed: 0 };
    const isNew = !done.has(victim);
    done.set(victim, state);
    for (; state.fragments < victim.fragments.length; state.fragments++) {
      const bytes = victim.fragments[state.fragments] as Uint8Array;
      truth.set(idOf(bytes), bytes);
    }
    const isHonest = now < from;
    const newest = isHonest ? Math.max(0, ...truth.keys()) : outlaw.newest + lead;
    if (newest === 0 && !isNew) return;
    const have = new Uint8Array(Math.ceil(newest / 8));
    for (let id = newest - 1; id > 0; id--) {
      if (!isHonest || truth.has(id)) have[(newest - 1 - id) >> 3]! |= 1 << ((newest - 1 - id) & 7);
    }
    if (newest > 0) outlaw.say(victim, { type: "map", newest, have });
    // It has the stream pushed to it like anybody else.
    if (isNew && (from > 0 || answersTruly || part < 1)) outlaw.say(victim, { type: "push", mask: 0xff });
    const send = (id: number, isAsked: boolean): void => {
      const bytes = truth.get(id);
      const isFalse = !isHonest && !(isAsked && answersTruly) && isForged(id);
      if (!isFalse && bytes !== undefined) outlaw.pushBytes(victim, bytes);
      if (isFalse) outlaw.pushBytes(victim, bytes === undefined ? made(id) : bytes.with(-1, ~(bytes.at(-1) ?? 0)));
    };
    for (; state.heard < victim.heard.length; state.heard++) {
      const message = victim.heard[state.heard]!;
      if (message.type === "pull") send(message.id, true);
      if (message.type === "push") state.mask = message.mask;
    }
    for (let id = Math.max(state.pushed, newest - 20) + 1; id <= newest; id++) {
      if ((state.mask & (1 << (id % 8))) !== 0) send(id, false);
    }
    state.pushed = Math.max(state.pushed, newest);
  });
}

/** What happens. */
export interface PoisonedScene extends Pick<MeshOptions, "seed"> {
  readonly viewers: number;
  /** One poisoner each. */
  readonly poison: readonly Poison[];
  /** Of the stream. Default 20. */
  readonly seconds?: number;
  /** Neighbours of each. Default all. */
  readonly neighbours?: number;
}

/** What came of it. */
export interface PoisonedResult {
  /** By viewer, the part of the frames of which the true bytes came, from 3 s after the beginning on. */
  readonly right: number[];
  /** Frames that came in other bytes, of all viewers, from then on. */
  readonly wrong: number;
  readonly members: Member[];
  /** A counter of all viewers. */
  count(name: keyof Member["multicast"]["stats"]): number;
}

/** A stream of 500 kbit/s from a publisher to viewers, with poisoners among them. */
export function playPoisoned(scene: PoisonedScene): PoisonedResult {
  const { seed, seconds = 20, neighbours } = scene;
  const mesh = new Mesh({ seed, uplink: 4_000_000 });
  const publisher = mesh.add();
  const outlaws = scene.poison.map(() => new Outlaw(mesh));
  const members = Array.from({ length: scene.viewers }, () => mesh.add());
  const viewers = members.map((member) => member.play("live"));
  const isOutlaw = (member: Member): boolean => outlaws.some((outlaw) => outlaw.member === member);
  for (const a of mesh.members) {
    if (neighbours !== undefined) mesh.mingle(a, neighbours);
    else for (const b of mesh.members) if (!isOutlaw(a) || !isOutlaw(b)) mesh.connect(a, b);
  }
  for (const [i, outlaw] of outlaws.entries()) poison(outlaw, scene.poison[i] ?? {});
  const publication = publisher.multicast.publish("live");
  const frames = seconds * 25;
  for (let frame = 0; frame < frames; frame++) {
    mesh.clock.at(1_000 + frame * 40, () => {
      const payload = new Uint8Array(frame % 25 === 0 ? 8_000 : 2_200).fill(frame);
      payload[0] = frame % 25 === 0 ? 0x12 : 0x22;
      publication.write(9, frame, payload);
    });
  }
  mesh.run(1_000 + seconds * 1_000 + 12_000);
  const seen = viewers.map((viewer) => seenBy(viewer, frames));
  return {
    right: seen.map(({ right }) => right),
    wrong: seen.reduce((sum, { wrong }) => sum + wrong, 0),
    members,
    count: (name) => members.reduce((sum, { multicast }) => sum + multicast.stats[name], 0),
  };
}

function seenBy(viewer: Viewer, frames: number): { right: number; wrong: number } {
  const right = new Set<number>();
  let wrong = 0;
  for (const { message, at } of viewer.messages) {
    const { timestamp, payload } = message;
    if (isTrue(timestamp, payload)) {
      if (timestamp >= SETTLED) right.add(timestamp);
    } else if (at >= 1_000 + SETTLED * 40) wrong++;
  }
  return { right: right.size / (frames - SETTLED), wrong };
}

function isTrue(frame: number, payload: Uint8Array): boolean {
  const bytes = frame % 25 === 0 ? 8_000 : 2_200;
  return payload.length === bytes && payload.subarray(1).every((byte) => byte === (frame & 255));
}

/** The number of an encoded fragment. */
function idOf(bytes: Uint8Array): number {
  let id = 0;
  for (const byte of bytes.subarray(1)) {
    id = id * 128 + (byte & 127);
    if (byte < 128) break;
  }
  return id;
}

/** A fragment that there is not. */
function made(id: number): Uint8Array {
  return encodeFragment({ kind: "whole", id, left: 0, type: 9, timestamp: 777, payload: new Uint8Array(100) });
}

/** Of the first three seconds, in which nobody knows yet whom to believe, parts may be missing. */
export const SETTLED = 75;
