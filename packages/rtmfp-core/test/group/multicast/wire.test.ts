import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import type { MulticastSink } from "../../../src/group/multicast/subscription.ts";
import { GroupFlow } from "../../../src/group/wire/flows.ts";
import { toHex } from "../../../src/proto/bytes.ts";
import { GTEST, Scene } from "./peer.ts";

const CONTROL = GroupFlow.multicastControl;
const DATA = GroupFlow.multicastData;

function newSink(): MulticastSink & { readonly got: string[] } {
  const got: string[] = [];
  return {
    got,
    message: ({ type, timestamp, payload }, missing) => got.push(`${type}@${timestamp}:${toHex(payload)}-${missing}`),
    reset: () => got.push("reset"),
    published: () => got.push("published"),
    unpublished: () => got.push("unpublished"),
  };
}

describe("a stream on the wire", () => {
  it(...rfc("G-3"), "is announced to every neighbour on a flow that answers its control flow", () => {
    const scene = new Scene();
    const early = scene.meet();
    const publication = scene.multicast.publish("gtest");
    const late = scene.meet();
    const info = GTEST.replace("9d".repeat(32), toHex(publication.key));
    for (const peer of [early, late]) {
      expect(peer.flows.map(({ metadata }) => metadata)).toEqual(["475211"]);
      expect(peer.flow("11")?.options.answers).toBe(peer.control);
      expect(peer.heard("11")).toEqual([info]);
    }
  });

  it(...rfc("G-3"), "is answered by its players with the same announcement, then masks, maps and pulls", () => {
    const scene = new Scene();
    const sink = newSink();
    scene.multicast.play("gtest", sink);
    const peer = scene.meet();
    // A live viewer that has one stripe: every eighth of the fragments up to 103.
    peer.open(CONTROL, [GTEST, "2267808080808080808080808080"]);
    expect(peer.heard("11")).toEqual([GTEST, "2b67"]);
    scene.clock.run(300);
    const asked = peer.heard("11");
    expect(asked.filter((message) => message.startsWith("23")).length).toBeGreaterThan(0);
    const data = peer.open(DATA, ["20670900000067aa", "206f08000000d1bb"], peer.flow("11"));
    expect(data.order).toBe("network");
    scene.clock.run(600);
    // 111 and, seven before it, 103.
    expect(peer.heard("11")).toContain("226f80");
    expect(sink.got).toEqual(["published", "9@103:aa-0"]);
  });

  it(...rfc("G-3"), "is announced and pushed to nobody who has just ended what we would answer", () => {
    const scene = new Scene();
    const publication = scene.multicast.publish("gtest");
    const [leaving, child, other] = [scene.meet(), scene.meet(), scene.meet()];
    const info = GTEST.replace("9d".repeat(32), toHex(publication.key));
    leaving.flow("11")?.close();
    leaving.control.hasEnded = true;
    leaving.open(CONTROL, [info, "23ff"]);
    expect(leaving.flows).toHaveLength(1);
    const control = child.open(CONTROL, [info, "23ff"]);
    other.open(CONTROL, [info, "23ff"]);
    control.hasEnded = true;
    for (let i = 0; i < 8; i++) publication.write(9, i, new Uint8Array(3));
    expect(child.flow("12")).toBeUndefined();
    expect(other.heard("12").length).toBeGreaterThan(0);
  });

  it(...rfc("G-3"), "is pushed as the bytes that came, to those who asked, on a flow that answers theirs", () => {
    const scene = new Scene();
    scene.multicast.play("gtest", newSink());
    const [source, child, other] = [scene.meet(), scene.meet(), scene.meet()];
    source.open(CONTROL, [GTEST, "228100ffff"]);
    const control = child.open(CONTROL, [GTEST, "2302"]);
    other.open(CONTROL, [GTEST, "2304"]);
    scene.clock.run(300);
    source.open(DATA, ["20810108000000 d1aa".replace(" ", "")], source.flow("11"));
    expect(child.flow("12")?.options.answers).toBe(control);
    expect(child.heard("12")).toEqual(["20810108000000d1aa"]);
    expect(other.flow("12")).toBeUndefined();
    expect(source.flow("12")).toBeUndefined();
    expect(child.flow("12")?.deadlines[0]).toBeLessThanOrEqual(8_000);
    control.say("2300");
    source.open(DATA, ["20810908000000d1bb"], source.flow("11"));
    expect(child.heard("12")).toEqual([]);
  });

  it(...rfc("G-3"), "is relayed without a copy", () => {
    const scene = new Scene();
    scene.multicast.play("gtest", newSink());
    const [source, child] = [scene.meet(), scene.meet()];
    source.open(CONTROL, [GTEST, "2210ffff"]);
    child.open(CONTROL, [GTEST, "2302"]);
    scene.clock.run(300);
    const flow = source.open(DATA, [], source.flow("11"));
    const bytes = Uint8Array.of(0x20, 0x11, 8, 0, 0, 0, 1, 0xaa);
    flow.onMessage?.(bytes, 0);
    expect(child.flow("12")?.arrays[0]).toBe(bytes);
  });

  it(...rfc("G-3"), "answers pulls for what is there, and nothing else", () => {
    const scene = new Scene();
    const publication = scene.multicast.publish("gtest");
    const peer = scene.meet();
    const info = GTEST.replace("9d".repeat(32), toHex(publication.key));
    publication.write(8, 7, Uint8Array.of(0xaf, 1));
    const control = peer.open(CONTROL, [info]);
    control.say("2b01");
    control.say("2b02");
    expect(peer.heard("12")).toEqual(["20010800000007af01"]);
    scene.clock.run(11_000);
    control.say("2b01");
    expect(peer.heard("12")).toEqual([]);
    expect(publication.info).toMatchObject({ fragmentsRequestedByPeers: 1, bytesRequestedByPeers: 9 });
  });

  it(...rfc("G-3"), "tells a neighbour what is there when that has changed, one after another, or all at once", () => {
    for (const sendToAll of [false, true]) {
      const scene = new Scene();
      const publication = scene.multicast.publish("gtest", { sendToAll });
      const info = GTEST.replace("9d".repeat(32), toHex(publication.key));
      const peers = [scene.meet(), scene.meet(), scene.meet()];
      for (const peer of peers) peer.open(CONTROL, [info]);
      publication.write(8, 0, Uint8Array.of(1));
      scene.clock.run(100);
      for (const peer of peers) peer.heard("11");
      scene.clock.run(1_000);
      expect(peers.map((peer) => peer.heard("11"))).toEqual([[], [], []]);
      publication.write(8, 0, Uint8Array.of(2));
      scene.clock.run(100);
      const first = peers.map((peer) => peer.heard("11").length);
      expect(first.reduce((sum, count) => sum + count)).toBe(sendToAll ? 3 : 1);
      scene.clock.run(300);
      const second = peers.map((peer) => peer.heard("11").length);
      expect(peers.map((_, i) => (first[i] ?? 0) + (second[i] ?? 0))).toEqual([1, 1, 1]);
    }
  });

  it(...rfc("G-3"), "ends for everybody with the number of its last fragment", () => {
    const scene = new Scene();
    const sink = newSink();
    scene.multicast.play("gtest", sink);
    const [source, other] = [scene.meet(), scene.meet()];
    const flow = source.open(CONTROL, [GTEST, "220201"]);
    other.open(CONTROL, [GTEST]);
    source.open(DATA, ["20010800000000aa", "20020800000005bb"], source.flow("11"));
    other.heard("11");
    flow.say("2102");
    expect(other.heard("11")).toContain("2102");
    scene.clock.run(500);
    expect(sink.got).toEqual(["published", "8@0:aa-0", "8@5:bb-0", "unpublished"]);
    expect(scene.notified).toEqual(["publish gtest", "unpublish gtest"]);
  });

  it(...rfc("G-3"), "has no end that newer fragments belie", () => {
    const scene = new Scene();
    const sink = newSink();
    scene.multicast.play("gtest", sink);
    const source = scene.meet();
    const flow = source.open(CONTROL, [GTEST, "2203"]);
    flow.say("2101");
    expect(scene.notified).toEqual(["publish gtest"]);
    flow.say("2103");
    flow.say("2204");
    scene.clock.run(100);
    source.open(DATA, ["20040800000000aa"], source.flow("11"));
    expect(sink.got).toEqual(["published"]);
    scene.clock.run(900);
    expect(sink.got).toEqual(["published", "8@0:aa-0"]);
  });

  it(...rfc("G-3"), "has the settings of its first announcement, whoever says otherwise later", () => {
    const scene = new Scene();
    const publication = scene.multicast.publish("gtest");
    scene.meet();
    publication.set({ fetchMs: 1_000, pushLimit: 2 });
    const changed = GTEST.replace("9d".repeat(32), toHex(publication.key)).replace("03079344", "03078768");
    expect(scene.meet().heard("11")).toEqual([changed]);
    const viewer = new Scene();
    const subscription = viewer.multicast.play("gtest", newSink(), { windowMs: 4_000 });
    const [source, other] = [viewer.meet(), viewer.meet()];
    const flow = source.open(CONTROL, [GTEST, "2203"]);
    flow.say(GTEST.replace("03079344", "03078768"));
    expect(subscription.settings).toMatchObject({ windowMs: 4_000, fetchMs: 2_500, updateMs: 100, pushLimit: 4 });
    expect(other.heard("11")).toEqual([GTEST]);
  });

  it(...rfc("G-3"), "that nobody plays here is heard of until its end, and played later", () => {
    const scene = new Scene();
    const peer = scene.meet();
    const flow = peer.open(CONTROL, [GTEST, "2210ff"]);
    expect([flow.rejected, peer.flows.length, scene.notified]).toEqual([undefined, 0, ["publish gtest"]]);
    const subscription = scene.multicast.play("gtest", newSink());
    expect(peer.heard("11")).toEqual([
      GTEST,
      ...Array.from({ length: 9 }, (_, i) => `2b${(i + 8).toString(16).padStart(2, "0")}`),
    ]);
    subscription.close();
    expect(peer.flow("11")?.isOpen).toBe(false);
    flow.onEnd?.();
    scene.clock.run(6_000);
    expect(scene.notified).toEqual(["publish gtest", "unpublish gtest"]);
  });

  it(...rfc("G-3"), "is announced again to who has refused it when it goes on, but not all the time", () => {
    const scene = new Scene();
    const publication = scene.multicast.publish("gtest");
    const peer = scene.meet();
    const info = GTEST.replace("9d".repeat(32), toHex(publication.key));
    const announcements = () => peer.flows.filter(({ metadata }) => metadata === "475211").length;
    peer.flow("11")?.refuse(0);
    scene.clock.run(400_000);
    expect(announcements()).toBe(1);
    publication.write(8, 0, Uint8Array.of(0xaf, 1));
    scene.clock.run(100);
    expect(peer.heard("11")).toEqual([info, "2201"]);
    peer.flow("11")?.refuse(0);
    for (let second = 0; second < 60; second++) {
      publication.write(8, second, Uint8Array.of(0xaf, 1));
      scene.clock.run(1_000);
      if (peer.flow("11")?.isOpen === true) peer.flow("11")?.refuse(0);
    }
    expect(announcements()).toBe(4);
  });
});
