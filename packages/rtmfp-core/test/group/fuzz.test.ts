import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  buildGroupspec,
  canonicalPart,
  encodeControl,
  encodeMulticast,
  GroupFlow,
  groupProof,
  MEDIA_DEFAULTS,
  Multicast,
} from "../../src/group/index.ts";
import { toHex } from "../../src/proto/index.ts";
import { Prng } from "../../src/testing/index.ts";
import { readRecorded } from "./recorded.ts";
import { hmac, Scripted, type ScriptedRecvFlow, ScriptedSession } from "./scripted.ts";

const SPEC = buildGroupspec({ version: 2, name: "fuzz", multicastEnabled: true });
const { control, multicastControl, multicastData } = GroupFlow;
const corpus = readRecorded().messages;
const STEPS = 3_000;

/** A member that plays and publishes, and three neighbours whose messages are recorded ones, damaged or not, in any order. */
class Round {
  readonly prng: Prng;
  readonly nearId: string;
  readonly scripted: Scripted;
  readonly sessions: ScriptedSession[] = [];
  readonly flows: { session: ScriptedSession; kind: number; flow: ScriptedRecvFlow }[] = [];
  #multicast: Multicast | undefined;

  constructor(seed: number) {
    this.prng = new Prng(`fuzz ${seed}`);
    this.nearId = toHex(this.prng.bytes(32));
    this.scripted = new Scripted(SPEC, this.nearId, `member ${seed}`, ({ clock, random }) => {
      const host = { publishNotify: () => {}, unpublishNotify: () => {} };
      this.#multicast = new Multicast({ clock, random, host });
      return [this.#multicast];
    });
    const sink = { message: () => {}, reset: () => {}, published: () => {}, unpublished: () => {} };
    this.multicast.play("gtest", sink);
    const publication = this.multicast.publish("own");
    const { clock } = this.scripted;
    for (let at = 0; at < 60_000; at += 100) clock.at(at, () => publication.write(8, at, this.prng.bytes(200)));
  }

  get multicast(): Multicast {
    return this.#multicast as Multicast;
  }

  step(): void {
    const { prng } = this;
    const open = this.sessions.filter(({ isOpen }) => isOpen);
    const dice = prng.int(100);
    if (open.length < 3) this.join();
    else if (dice < 3) this.#leave(open[prng.int(open.length)] as ScriptedSession);
    else if (dice < 13) this.#open(open[prng.int(open.length)] as ScriptedSession);
    else if (dice < 16) this.flows[prng.int(this.flows.length)]?.flow.end();
    else if (dice < 26) this.scripted.clock.run(prng.int(400));
    else this.#say();
  }

  /** A neighbour, as far as the first messages make one. */
  join(): void {
    const { prng } = this;
    const address = { host: `10.0.0.${1 + prng.int(200)}`, port: 1935 };
    const session = new ScriptedSession(this.scripted, toHex(prng.bytes(32)), address, prng.bytes(32), prng.bytes(32));
    session.isDeaf = prng.next() < 0.2;
    this.sessions.push(session);
    const flow = session.flow(control);
    this.flows.push({ session, kind: control, flow });
    const proof = groupProof(canonicalPart(SPEC), session.nearNonce, hmac);
    const { groupId } = this.scripted.group;
    flow.say(encodeControl({ type: "connect", groupId, proof, target: this.nearId }));
    flow.say(encodeControl({ type: "begin", nearest: false }));
    flow.say(encodeControl({ type: "report", report: { addresses: [], peers: [] } }));
  }

  #leave(session: ScriptedSession): void {
    session.isOpen = false;
    for (const each of this.flows) if (each.session === session) each.flow.end();
    for (const flow of session.opened.values()) flow.close();
  }

  /** A flow that answers the right one of the member's, or any, or none; a stream's begins with an announcement. */
  #open(session: ScriptedSession): void {
    const { prng } = this;
    const kind = [multicastControl, multicastControl, multicastData, control, 0x18, 0x55][prng.int(6)] as number;
    const right = kind === multicastControl ? control : multicastControl;
    const answered = prng.next() < 0.8 ? right : [control, multicastControl, multicastData, 0][prng.int(4)];
    const flow = session.flow(kind, session.opened.get(answered as number));
    this.flows.push({ session, kind, flow });
    if (this.flows.length > 60) this.flows.shift();
    if (kind !== multicastControl || prng.next() < 0.1) return;
    const key = new Uint8Array(32).fill(prng.int(3));
    const name = prng.next() < 0.7 ? "gtest" : `s${prng.int(100)}`;
    flow.say(encodeMulticast({ type: "info", info: { ...MEDIA_DEFAULTS, name, key } }));
  }

  #say(): void {
    const { prng } = this;
    const { kind, flow } = this.flows[prng.int(this.flows.length)] as (typeof this.flows)[0];
    const fitting = prng.next() < 0.9 ? corpus.filter((message) => message.kind === kind) : corpus;
    const bytes = (fitting[prng.int(fitting.length)]?.bytes ?? prng.bytes(prng.int(50))).slice();
    for (let i = prng.int(3); i > 0 && bytes.length > 0; i--)
      bytes[prng.int(Math.min(bytes.length, 12))] = prng.int(256);
    flow.say(prng.next() < 0.1 ? bytes.subarray(0, prng.int(bytes.length + 1)) : bytes);
  }
}

describe("a member whose neighbours say anything", () => {
  it(...rfc("G-3", "G-6"), "goes on, within its caps, and serves who comes next", () => {
    const counted = new Set<string>();
    for (let seed = 1; seed <= 6; seed++) {
      const round = new Round(seed);
      for (let step = 0; step < STEPS; step++) round.step();
      const { group } = round.scripted;
      const { multicast, prng } = round;
      expect(multicast.published.length).toBeLessThanOrEqual(256);
      for (const [name, count] of Object.entries({ ...group.stats, ...multicast.stats }))
        if (count > 0) counted.add(name);
      for (const session of round.sessions)
        for (const [kind, { bufferedBytes }] of session.opened)
          expect(bufferedBytes).toBeLessThanOrEqual(kind === multicastData ? 262_144 + 2_048 : 65_536 + 16_384);
      round.join();
      const last = round.sessions.at(-1) as ScriptedSession;
      round.scripted.clock.run(500 + prng.int(500));
      expect(group.neighbours.some(({ peerId }) => peerId === last.peerId)).toBe(true);
      expect(last.sentOn(multicastControl).length).toBeGreaterThan(0);
    }
    // What is wrong was met in many ways, and each is counted.
    for (const name of ["fragments", "useless", "flowsRefused", "farAhead", "late", "streamsRefused"])
      expect([...counted]).toContain(name);
  });
});
