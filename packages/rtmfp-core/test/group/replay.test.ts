import { describe, expect, vi } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import {
  decodeControl,
  decodeFragment,
  decodeMulticast,
  encodeJoin,
  fragmentIdOf,
  GroupFlow,
  Multicast,
  mapHas,
  type Report,
} from "../../src/group/index.ts";
import { MediaLink } from "../../src/group/multicast/link.ts";
import { fromHex, toHex } from "../../src/proto/index.ts";
import { PORTS, type RecordedMessage, readRecorded } from "./recorded.ts";
import { hmac, Scripted, type ScriptedRecvFlow, ScriptedSession } from "./scripted.ts";

const { messages, keys } = readRecorded();
const [{ groupTxt, groupHex, myPeerId }] = keys as [(typeof keys)[0]];
const { control, multicastControl, multicastData } = GroupFlow;
/** From here on packets were left out of the recording; seconds. */
const COMPLETE_UNTIL = 3.018;

/** The recorder's part, played by our engine: hears what the recorder heard, when it heard it. */
class Replay {
  readonly played: { type: number; timestamp: number; payload: Uint8Array }[] = [];
  readonly multicast: Multicast;
  readonly scripted: Scripted;
  readonly sessions = new Map<string, ScriptedSession>();
  readonly #flows = new Map<string, ScriptedRecvFlow>();

  constructor() {
    let multicast: Multicast | undefined;
    this.scripted = new Scripted(`${groupTxt}00`, myPeerId, "replay", ({ clock, random }) => {
      multicast = new Multicast({ clock, random, host: { publishNotify: () => {}, unpublishNotify: () => {} } });
      return [multicast];
    });
    this.multicast = multicast as unknown as Multicast;
    this.multicast.play("gtest", {
      message: (message) => this.played.push(message),
      reset: () => {},
      published: () => {},
      unpublished: () => {},
    });
  }

  /** Goes on to that time, in seconds. */
  async run(at: number): Promise<void> {
    const { clock } = this.scripted;
    clock.run(Math.max(0, at * 1_000 - clock.now));
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The session with another member, as the recorder's secrets make it. */
  session(peerId: string): ScriptedSession {
    const known = this.sessions.get(peerId);
    if (known !== undefined) return known;
    const key = keys.find(({ peer }) => peer === peerId) as (typeof keys)[0];
    const nonce = (component: string) => hmac(fromHex(key.sharedSecret), fromHex(component));
    const address = { host: "127.0.0.1", port: PORTS[peerId] as number };
    const session = new ScriptedSession(this.scripted, peerId, address, nonce(key.nearNonce), nonce(key.farNonce));
    this.sessions.set(peerId, session);
    return session;
  }

  /** Hears one of the recorded messages. */
  hear({ peerId, kind, bytes }: RecordedMessage): void {
    const session = this.session(peerId);
    const answered = { [multicastControl]: control, [multicastData]: multicastControl }[kind];
    const name = `${peerId} ${kind}`;
    const flow =
      this.#flows.get(name) ?? session.flow(kind, answered === undefined ? undefined : session.opened.get(answered));
    this.#flows.set(name, flow);
    flow.say(bytes);
  }

  /** What we said to a member on a kind of flow. */
  said(peerId: string, kind: number): Uint8Array[] {
    return this.session(peerId).sentOn(kind);
  }
}

/** What the recorder said to a member on a kind of flow. */
function recorded(peerId: string, kind: number, until = Number.POSITIVE_INFINITY): Uint8Array[] {
  return messages
    .filter((each) => !each.isIncoming && each.peerId === peerId && each.kind === kind && each.at < until)
    .map(({ bytes }) => bytes);
}

/**
 * Replays the whole; `skip` leaves messages of others out. The third member was told of by the server. Whom to ask for pushes
 * is chance: what was pushed to the recorder shall be welcome.
 */
async function replay(skip: (message: RecordedMessage) => boolean, until = Number.POSITIVE_INFINITY): Promise<Replay> {
  vi.spyOn(MediaLink.prototype, "isAsked").mockReturnValue(true);
  const replay = new Replay();
  const [told] = messages.filter(({ port }) => port === PORTS[THIRD]) as [RecordedMessage];
  let isTold = false;
  for (const message of messages) {
    if (message.at >= until) break;
    if (!isTold && message.at >= told.at) {
      isTold = true;
      await replay.run(told.at - 0.01);
      replay.scripted.group.memberTold(THIRD);
      replay.scripted.dialing.get(THIRD)?.(replay.session(THIRD));
    }
    await replay.run(message.at);
    if (message.isIncoming && !skip(message)) replay.hear(message);
  }
  return replay;
}

const [PUBLISHER, FIRST, THIRD] = Object.keys(PORTS) as [string, string, string];
const OTHERS = [FIRST, PUBLISHER, THIRD];
const nothing = () => false;

const isMap = ({ kind, bytes }: RecordedMessage) => kind === multicastControl && bytes[0] === 0x22;
const ids = (fragments: readonly Uint8Array[]) => fragments.map((bytes) => fragmentIdOf(bytes));

describe("the recorded conversation of four members, with us in the place of the recorder", () => {
  it(...rfc("G-1", "G-7"), "joins with the recorded bytes, proves membership with them, and begins", async () => {
    const { scripted, said } = bound(await replay(nothing));
    expect(toHex(encodeJoin({ groupId: scripted.group.groupId }))).toBe(`012115${groupHex}`);
    for (const peerId of OTHERS) {
      expect(said(peerId, control).slice(0, 3).map(toHex)).toEqual(recorded(peerId, control).slice(0, 3).map(toHex));
    }
    expect(scripted.group.neighborCount).toBe(3);
    expect(scripted.group.estimatedMemberCount).toBe(4);
    expect(scripted.group.stats).toMatchObject({ wrongProofs: 0, useless: 0, unproven: 0, flowsRefused: 0 });
  });

  it(...rfc("G-6"), "reports what the recorder did, but of the receiver itself", async () => {
    const { said } = bound(await replay(nothing));
    for (const peerId of OTHERS) {
      const [ours] = said(peerId, control).flatMap(reportOf) as [Report];
      const [theirs] = recorded(peerId, control).flatMap(reportOf) as [Report];
      expect([ours.you, ours.addresses]).toEqual([theirs.you, theirs.addresses]);
      const told = theirs.peers.filter((peer) => peer.peerId !== peerId);
      const byId = (report: Report["peers"]) => new Map(report.map((peer) => [peer.peerId, peer]));
      expect([...byId(ours.peers).keys()].sort()).toEqual([...byId(told).keys()].sort());
      for (const { peerId: id, addresses, ageSeconds } of told) {
        const peer = byId(ours.peers).get(id);
        expect(peer?.addresses).toEqual(addresses);
        expect(Math.abs((peer?.ageSeconds ?? 99) - ageSeconds)).toBeLessThanOrEqual(1);
      }
    }
  });

  it(...rfc("G-3"), "announces the stream in the recorded bytes, once to each", async () => {
    const { said } = bound(await replay(nothing));
    const isInfo = (bytes: Uint8Array) => decodeMulticast(bytes)?.type === "info";
    for (const peerId of OTHERS) {
      const [info, ...more] = said(peerId, multicastControl).filter(isInfo);
      expect(toHex(info as Uint8Array)).toBe(toHex(recorded(peerId, multicastControl).find(isInfo) as Uint8Array));
      expect(more).toEqual([]);
      expect(isInfo(said(peerId, multicastControl)[0] as Uint8Array)).toBe(true);
    }
  });

  it(...rfc("G-3"), "maps what it has in the recorded bytes", async () => {
    // Without the others' maps we ask for nothing: what we have is what the recorder had.
    const { said } = bound(await replay(isMap, COMPLETE_UNTIL));
    const maps = (all: readonly Uint8Array[]) => all.map(toHex).filter((hex) => hex.startsWith("22"));
    const ours = new Set(OTHERS.flatMap((peerId) => maps(said(peerId, multicastControl))));
    const theirs = OTHERS.flatMap((peerId) => maps(recorded(peerId, multicastControl, COMPLETE_UNTIL)));
    expect(theirs).toHaveLength(10);
    expect(theirs.filter((map) => !ours.has(map))).toEqual([]);
  });

  it(...rfc("G-3"), "passes on what was asked for, pushed and pulled, in the recorded bytes and order", async () => {
    const { said } = bound(await replay(isMap, 3.02));
    for (const peerId of OTHERS) {
      const theirs = recorded(peerId, multicastData, 3.02);
      expect(said(peerId, multicastData).map(toHex)).toEqual(theirs.map(toHex));
    }
    expect(ids(said(FIRST, multicastData))).toEqual([104, 112, 102, 106, 108, 110, 114]);
    expect(ids(said(THIRD, multicastData))).toEqual([102, 110]);
  });

  it(
    ...rfc("G-3"),
    "begins at the recorded fragment, asks for it and the one after it first, and for each stripe once",
    async () => {
      const { multicast, said } = bound(await replay(nothing, 2));
      const asked = OTHERS.flatMap((peerId) => said(peerId, multicastControl).map((bytes) => decodeMulticast(bytes)));
      const pulled = new Set(asked.flatMap((message) => (message?.type === "pull" ? [message.id] : [])));
      const first = recorded(PUBLISHER, multicastControl).flatMap((bytes) => {
        const message = decodeMulticast(bytes);
        return message?.type === "pull" ? [message.id] : [];
      });
      expect(first.slice(0, 2)).toEqual([102, 103]);
      expect([...pulled].sort((a, b) => a - b).slice(0, 2)).toEqual([102, 103]);
      expect(multicast.stats.useless).toBe(0);
      const masks = OTHERS.map((peerId) => said(peerId, multicastControl).map((bytes) => decodeMulticast(bytes)));
      const last = masks.map((all) => all.reduce((mask, each) => (each?.type === "push" ? each.mask : mask), 0));
      expect(last.reduce((sum, mask) => sum + mask, 0)).toBe(last.reduce((all, mask) => all | mask, 0));
    },
  );

  it(...rfc("G-3"), "plays the recorded pictures and sound, byte by byte as far as they are whole", async () => {
    const { played } = await replay(isMap);
    expect(played.length).toBeGreaterThan(20);
    const whole = new Set(
      messages
        .filter(({ kind, isIncoming }) => kind === multicastData && isIncoming)
        .flatMap(({ bytes }) => {
          const fragment = decodeFragment(bytes);
          return fragment?.kind === "whole" ? [toHex(fragment.payload)] : [];
        }),
    );
    for (const { payload } of played) whole.delete(toHex(payload));
    expect(whole.size).toBe(0);
  });

  it(...rfc("G-3"), "reads the recorder's maps as what it had been given", () => {
    const had = new Set<number>();
    for (const { at, isIncoming, kind, bytes } of messages) {
      if (at >= COMPLETE_UNTIL) break;
      if (isIncoming && kind === multicastData) had.add(fragmentIdOf(bytes) as number);
      const map = !isIncoming && kind === multicastControl ? decodeMulticast(bytes) : undefined;
      if (map?.type !== "map") continue;
      const told = Array.from({ length: map.newest }, (_, i) => i + 1).filter((id) => mapHas(map.newest, map.have, id));
      expect(told).toEqual([...had].sort((a, b) => a - b));
    }
  });
});

function reportOf(bytes: Uint8Array): Report[] {
  const message = decodeControl(bytes);
  return message?.type === "report" ? [message.report] : [];
}

/** So that its methods can be taken out. */
function bound(replay: Replay) {
  const { scripted, multicast } = replay;
  return { scripted, multicast, said: (peerId: string, kind: number) => replay.said(peerId, kind) };
}
