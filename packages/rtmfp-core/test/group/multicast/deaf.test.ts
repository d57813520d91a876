import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import {
  buildGroupspec,
  canonicalPart,
  encodeControl,
  encodeMulticast,
  fragmentIdOf,
  GroupFlow,
  groupProof,
  MEDIA_DEFAULTS,
  Multicast,
} from "../../../src/group/index.ts";
import { toHex } from "../../../src/proto/index.ts";
import { Prng } from "../../../src/testing/index.ts";
import { hmac, Scripted, ScriptedSession } from "../scripted.ts";

const SPEC = buildGroupspec({ version: 2, name: "deaf", multicastEnabled: true });
const { control, multicastControl, multicastData } = GroupFlow;

describe("a publisher with a neighbour that acknowledges nothing", () => {
  it(...rfc("G-3"), "leaves out what that one does not take, and goes on pushing to another", () => {
    const prng = new Prng("deaf");
    const nearId = toHex(prng.bytes(32));
    let made: Multicast | undefined;
    const scripted = new Scripted(SPEC, nearId, "deaf", ({ clock, random }) => {
      made = new Multicast({ clock, random, host: { publishNotify: () => {}, unpublishNotify: () => {} } });
      return [made];
    });
    const multicast = made as unknown as Multicast;
    const publication = multicast.publish("live");
    /** A neighbour that wants these stripes. */
    const join = (mask: number): ScriptedSession => {
      const address = { host: "10.0.0.1", port: 1000 + mask };
      const session = new ScriptedSession(scripted, toHex(prng.bytes(32)), address, prng.bytes(32), prng.bytes(32));
      const flow = session.flow(control);
      const proof = groupProof(canonicalPart(SPEC), session.nearNonce, hmac);
      flow.say(encodeControl({ type: "connect", groupId: scripted.group.groupId, proof, target: nearId }));
      flow.say(encodeControl({ type: "begin", nearest: false }));
      flow.say(encodeControl({ type: "report", report: { addresses: [], peers: [] } }));
      const stream = session.flow(multicastControl, session.opened.get(control));
      const { key } = publication;
      stream.say(encodeMulticast({ type: "info", info: { ...MEDIA_DEFAULTS, name: "live", key } }));
      stream.say(encodeMulticast({ type: "push", mask }));
      return session;
    };
    const deaf = join(0x0f);
    deaf.isDeaf = true;
    const other = join(0xf0);
    for (let i = 0; i < 3_000; i++) {
      publication.write(9, i * 10, new Uint8Array(900).fill(i));
      scripted.clock.run(10);
    }
    const sent = (session: ScriptedSession) =>
      session.sentOn(multicastData).reduce((sum, { length }) => sum + length, 0);
    expect(sent(deaf)).toBeGreaterThan(8_192);
    expect(sent(deaf)).toBeLessThanOrEqual(262_144);
    const ids = new Set(other.sentOn(multicastData).map((bytes) => fragmentIdOf(bytes)));
    const missing = Array.from({ length: 3_000 }, (_, i) => i + 1).filter((id) => id % 8 >= 4 && !ids.has(id));
    expect(missing).toEqual([]);
    expect(other.opened.get(multicastData)?.bufferedBytes).toBe(0);
    expect(deaf.sentOn(multicastControl).length).toBeLessThan(3_000);
  });
});
