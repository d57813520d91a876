import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  buildGroupspec,
  type ControlMessage,
  canonicalPart,
  encodeControl,
  GroupFlow,
  groupProof,
} from "../../src/group/index.ts";
import { toHex } from "../../src/proto/index.ts";
import { Prng } from "../../src/testing/index.ts";
import { hmac, Scripted, type ScriptedRecvFlow, ScriptedSession } from "./scripted.ts";

const SPEC = buildGroupspec({ version: 2, name: "proofs", multicastEnabled: true });

/** A member, and peers who may or may not be. */
class Scene {
  readonly prng: Prng;
  readonly nearId: string;
  readonly scripted: Scripted;
  #peers = 0;

  constructor(seed: string) {
    this.prng = new Prng(seed);
    this.nearId = toHex(this.prng.bytes(32));
    this.scripted = new Scripted(SPEC, this.nearId, seed, () => []);
  }

  get group(): Scripted["group"] {
    return this.scripted.group;
  }

  session(peerId: string = toHex(this.prng.bytes(32))): ScriptedSession {
    const address = { host: `10.0.${++this.#peers >> 8}.${this.#peers & 255}`, port: 1935 };
    return new ScriptedSession(this.scripted, peerId, address, this.prng.bytes(32), this.prng.bytes(32));
  }

  /** The first message of whoever knows that groupspec, for whoever has that nonce. */
  connect(nonce: Uint8Array, spec: string = SPEC): Uint8Array {
    return encodeControl({
      type: "connect",
      groupId: this.group.groupId,
      proof: groupProof(canonicalPart(spec), nonce, hmac),
      target: this.nearId,
    });
  }

  /** A peer that becomes a neighbour. */
  join(): { session: ScriptedSession; flow: ScriptedRecvFlow } {
    const session = this.session();
    const flow = session.flow(GroupFlow.control);
    flow.say(this.connect(session.nearNonce));
    say(flow, { type: "begin", nearest: false }, { type: "report", report: { addresses: [], peers: [] } });
    return { session, flow };
  }
}

function say(flow: ScriptedRecvFlow, ...messages: ControlMessage[]): void {
  for (const message of messages) flow.say(encodeControl(message));
}

describe("whoever does not know the groupspec", () => {
  it(...rfc("G-7", "G-1"), "is let in by no proof of another session, nor by our own sent back", () => {
    const scene = new Scene("replay");
    const { session: known } = scene.join();
    expect(scene.group.neighborCount).toBe(1);
    const ours = known.sentOn(GroupFlow.control)[0] as Uint8Array;
    const stranger = scene.session();
    for (const overheard of [scene.connect(known.nearNonce), scene.connect(known.farNonce), ours]) {
      const flow = stranger.flow(GroupFlow.control);
      flow.say(overheard);
      expect(flow.isOver).toBe(true);
    }
    expect(scene.group.neighborCount).toBe(1);
    expect(scene.group.stats.wrongProofs).toBe(3);
    expect(stranger.sent).toEqual([]);
  });

  it(...rfc("G-7"), "is answered nothing, however often it tries, and keeps nobody else out", () => {
    const scene = new Scene("guess");
    const stranger = scene.session();
    const other = buildGroupspec({ version: 2, name: "another", multicastEnabled: true });
    for (let i = 0; i < 1_000; i++) stranger.flow(GroupFlow.control).say(scene.connect(stranger.nearNonce, other));
    expect(stranger.refused).toBe(1_000);
    expect(scene.group.stats.wrongProofs).toBe(1_000);
    expect(stranger.sent).toEqual([]);
    for (let i = 0; i < 500; i++) scene.session().flow(GroupFlow.control).say(scene.prng.bytes(100));
    expect(scene.scripted.door.stats.strangers).toBe(500);
    scene.join();
    expect(scene.group.neighborCount).toBe(1);
  });

  it(...rfc("G-7"), "is let in for no other group of ours, though it is a member of one", () => {
    const scene = new Scene("two");
    const session = scene.session();
    const flow = session.flow(GroupFlow.control);
    const other = buildGroupspec({ version: 2, name: "another", multicastEnabled: true });
    flow.say(scene.connect(session.nearNonce, other));
    expect([flow.isOver, scene.group.stats.wrongProofs]).toEqual([true, 1]);
  });
});

describe("a member that has proved to be one", () => {
  it(...rfc("G-6"), "is dropped when it asks for its end over and over", () => {
    const scene = new Scene("ask");
    const members = Array.from({ length: 5 }, () => scene.join());
    const [{ session, flow }] = members as [(typeof members)[0]];
    for (let i = 0; i < 1_000; i++) say(flow, { type: "askClose" });
    expect(flow.isOver).toBe(true);
    expect(scene.group.stats.useless).toBeLessThan(20);
    expect(scene.group.neighborCount).toBe(4);
    const again = session.flow(GroupFlow.control);
    again.say(scene.connect(session.nearNonce));
    expect(again.isOver).toBe(true);
  });

  it(...rfc("G-6"), "may ask for its end once in a while", () => {
    const scene = new Scene("polite");
    const { flow } = scene.join();
    for (let i = 0; i < 12; i++) {
      say(flow, { type: "askClose" }, { type: "report", report: { addresses: [], peers: [] } });
      scene.scripted.clock.run(30_000);
    }
    expect([flow.isOver, scene.group.stats.useless]).toEqual([false, 0]);
  });
});
