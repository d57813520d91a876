import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ByteWriter, concatBytes } from "../../src/proto/bytes.ts";
import { CHUNK_HEADER_BYTES, decodePacket, encodePacket, writeChunk } from "../../src/proto/chunk/codec.ts";
import { type Chunk, ChunkType, type FragmentChunk } from "../../src/proto/chunk/types.ts";
import { STARTUP_HEADER } from "../../src/proto/packet.ts";
import { fragmentPacket } from "../../src/proto/startup/packet-fragments.ts";
import { SimWorld } from "../../src/testing/index.ts";
import { bulky, nameOf, type RawNode, rawNode } from "./raw.ts";
import { fetchCookie, iiKeying, Scripted } from "./scripted.ts";
import { Sniffer } from "./sniffer.ts";

/** A name, which is a certificate, of that many bytes. */
function longName(length: number): string {
  return "n".repeat(length);
}

interface Bench {
  readonly world: SimWorld;
  readonly node: RawNode;
  readonly far: Scripted;
}

function bench(): Bench {
  const world = new SimWorld(1);
  const link = { latencyMs: 0 };
  const node = rawNode(world.host("near", { link }), "near", { port: 1935, keepaliveMs: 0 });
  const far = new Scripted(world.host("far", { link }), longName(3_000), node.address);
  far.mode = 1;
  return { world, node, far };
}

/** A startup packet with one chunk, cut into fragments of `size` bytes. */
function cut(chunk: Chunk, packetId: number, size: number, mode = 3): FragmentChunk[] {
  const writer = new ByteWriter(new Uint8Array(70_000));
  encodePacket(writer, { ...STARTUP_HEADER, mode }, [chunk]);
  const packet = writer.bytes.subarray(0, writer.pos);
  const fragments: FragmentChunk[] = [];
  for (let at = 0; at < packet.length; at += size) {
    const data = packet.slice(at, at + size);
    const more = at + size < packet.length;
    fragments.push({ type: ChunkType.fragment, more, packetId, index: fragments.length, data });
  }
  return fragments;
}

/** Sends fragments one per packet, and gives the types of what comes back. */
function answerTo(b: Bench, fragments: readonly FragmentChunk[], from: Scripted = b.far): number[] {
  from.take();
  for (const fragment of fragments) from.sendStartup(0, fragment);
  b.world.run(1);
  return from.take().flatMap(({ chunks }) => chunks.map(({ type }) => type));
}

function keyingOf(b: Bench, from: Scripted = b.far): Chunk {
  return iiKeying(from, fetchCookie(b.world, b.node, from));
}

describe("packets too large for the path", () => {
  it(
    ...rfc("R7016-3.4-01", "R7016-3.4-02", "R7016-3.4-08"),
    "go in fragments, in startup alone, while small ones go whole",
    () => {
      const world = new SimWorld(1);
      const i = rawNode(world.host("i"), "i", { keepaliveMs: 0, profile: bulky("i", 6_000) });
      const r = rawNode(world.host("r"), "r", { keepaliveMs: 0, profile: bulky("r", 4_000) });
      const sniffer = new Sniffer(world, [i, r]);
      const session = i.endpoint.open(0, nameOf("r"), { candidates: [{ address: r.address, via: 0 }] });
      world.run(2_500);
      expect(session.state).toBe("S_OPEN");
      expect(new Set(sniffer.names)).toEqual(new Set(["i>r iHello", "i>r fragment", "r>i fragment", "r>i riKeying"]));
      const flow = session.openFlow(new Uint8Array(1));
      flow.write(new Uint8Array(50_000));
      const before = sniffer.names.length;
      world.run(10_000);
      expect(sniffer.names.slice(before).filter((name) => name.includes("fragment"))).toEqual([]);
      expect(flow.bufferedBytes).toBe(0);
    },
  );

  it(
    ...rfc("R7016-2.3.1-02", "R7016-2.3.1-03", "R7016-2.3.1-04"),
    "go in fragments numbered from 0, none empty, all but the last marked, each packet with an ID of its own",
    () => {
      // Whole fragments alone, too.
      expect(fragmentPacket(new Uint8Array(2_000), 7, 1_000).map(({ more, index }) => [more, index])).toEqual([
        [true, 0],
        [false, 1],
      ]);
      for (const length of [1_150, 1_200, 2_300, 20_000]) {
        const world = new SimWorld(1);
        const r = rawNode(world.host("r"), "r", { port: 1935, keepaliveMs: 0, profile: bulky("r", length) });
        const far = new Scripted(world.host("far"), "far", r.address);
        for (const tag of ["tag-0123 1", "tag-0123 2"])
          far.sendStartup(0, { type: ChunkType.iHello, epd: nameOf("r"), tag: nameOf(tag) });
        world.run(30_000);
        const fragments = far.takeChunks(ChunkType.fragment);
        const ids = [...new Set(fragments.map(({ packetId }) => packetId))];
        expect(ids.length).toBe(2);
        for (const [n, id] of ids.entries()) {
          const own = fragments.filter(({ packetId }) => packetId === id).sort((x, y) => x.index - y.index);
          expect(own.length).toBeGreaterThanOrEqual(Math.max(2, Math.ceil(length / 1_180)));
          expect(own.map(({ index }) => index)).toEqual(own.map((_, i) => i));
          expect(own.map(({ more }) => more)).toEqual(own.map((_, i) => i < own.length - 1));
          expect(Math.min(...own.map(({ data }) => data.length))).toBeGreaterThan(0);
          expect(decodePacket(concatBytes(...own.map(({ data }) => data)))).toMatchObject({
            header: { mode: 3 },
            chunks: [{ type: ChunkType.rHello, tagEcho: nameOf(`tag-0123 ${n + 1}`) }],
          });
        }
      }
    },
  );

  for (const [what, length, datagramBytes] of [
    ["a certificate", 20_000, 1_200],
    ["several packets at once of a certificate", 3_000, 1_200],
    ["a certificate in small packets", 3_000, 500],
  ] as const) {
    it(...rfc("R7016-3.4-11", "R7016-3.4-12"), `of ${what} leave at most 4 and 4380 bytes in 200 ms`, () => {
      const world = new SimWorld(1);
      const r = rawNode(world.host("r"), "r", {
        port: 1935,
        keepaliveMs: 0,
        datagramBytes,
        profile: bulky("r", length),
      });
      const far = new Scripted(world.host("far"), "far", r.address);
      const other = new Scripted(world.host("other"), "other", r.address);
      const capture = world.capture(({ event, sender }) => event === "sent" && sender === "r");
      const hello: Chunk = { type: ChunkType.iHello, epd: nameOf("r"), tag: nameOf("tag-0123") };
      for (const from of [far, far, far, other]) from.sendStartup(0, hello);
      world.run(30_000);
      for (const to of [far, other]) {
        const sent = capture.records.filter((record) => record.to.host === to.address.host);
        const size = Math.ceil((length + 90) / (datagramBytes - 50));
        expect(sent.length).toBeGreaterThanOrEqual(size * (to === far ? 3 : 1));
        for (const { time } of sent) {
          const window = sent.filter((record) => record.time >= time && record.time < time + 199);
          expect(window.length).toBeLessThanOrEqual(4);
          expect(window.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(4_380);
        }
      }
      const times = (to: Scripted): number[] =>
        capture.records.filter((record) => record.to.host === to.address.host).map(({ time }) => time);
      expect(Math.max(...times(other))).toBeLessThan(Math.max(...times(far)));
      expect(r.endpoint.timers.size).toBe(0);
    });
  }
});

describe("reassembly", () => {
  it(...rfc("R7016-3.4-04"), "joins fragments in index order, however they come", () => {
    const b = bench();
    const fragments = cut(keyingOf(b), 5, 500);
    const shuffled = [...fragments, ...fragments].sort((x, y) => ((x.index * 7) % 5) - ((y.index * 7) % 5));
    expect(answerTo(b, shuffled)).toEqual([ChunkType.riKeying]);
  });

  it(...rfc("R7016-3.4-05", "AMB-07"), "keeps sources apart, and takes the first copy of an index", () => {
    const b = bench();
    const other = new Scripted(b.world.host("other", { link: { latencyMs: 0 } }), longName(2_000), b.node.address);
    other.mode = 1;
    other.nearId = 99;
    const [mine, theirs] = [cut(keyingOf(b), 5, 500), cut(keyingOf(b, other), 5, 500)];
    for (let i = 0; i < Math.max(mine.length, theirs.length); i++) {
      const [one, two] = [mine[i], theirs[i]];
      if (one !== undefined) b.far.sendStartup(0, one, { ...one, data: new Uint8Array(500) });
      if (two !== undefined) other.sendStartup(0, two);
    }
    b.world.run(1);
    expect(b.far.takeChunks(ChunkType.riKeying).length).toBe(1);
    expect(other.takeChunks(ChunkType.riKeying).length).toBe(1);
  });

  it(...rfc("R7016-3.4-07"), "is not completed by an empty fragment", () => {
    const b = bench();
    const fragments = cut(keyingOf(b), 5, 500);
    const last = fragments.pop() as FragmentChunk;
    expect(answerTo(b, [...fragments, { ...last, data: new Uint8Array(0) }])).toEqual([]);
    expect(answerTo(b, [last])).toEqual([ChunkType.riKeying]);
  });

  it(...rfc("R7016-3.4-09", "R7016-3.4-10"), "drops what changes its mode on the way or inside", () => {
    const b = bench();
    const chunk = keyingOf(b);
    expect(answerTo(b, cut(chunk, 5, 500, 1))).toEqual([]);
    const fragments = cut(chunk, 6, 500);
    b.far.sendRaw(0, { ...STARTUP_HEADER, mode: 1 }, [fragments[0] as Chunk]);
    expect(answerTo(b, fragments.slice(1))).toEqual([]);
    expect(answerTo(b, fragments.slice(0, 1))).toEqual([ChunkType.riKeying]);
  });

  it(...rfc("AMB-07"), "ignores what lies beyond the last index, whenever it comes", () => {
    for (const early of [true, false]) {
      const b = bench();
      const fragments = cut(keyingOf(b), 5, 500);
      const stray = { ...(fragments[0] as FragmentChunk), index: fragments.length + 3 };
      const order = early ? [stray, ...fragments] : [...fragments.slice(1).reverse(), stray, ...fragments.slice(0, 1)];
      expect(answerTo(b, order)).toEqual([ChunkType.riKeying]);
    }
  });

  it(...rfc("AMB-07"), "does not nest", () => {
    const b = bench();
    const inner = cut(keyingOf(b), 5, 5_000);
    expect(inner.length).toBe(1);
    expect(answerTo(b, cut(inner[0] as Chunk, 6, 500))).toEqual([]);
  });

  it(...rfc("R7016-3.4-06"), "waits for a packet that makes progress each second, for 60 s at most", () => {
    const drip = (gapMs: number, size: number): number[] => {
      const b = bench();
      const fragments = cut(keyingOf(b), 5, size);
      b.far.take();
      for (const fragment of fragments) {
        b.far.sendStartup(0, fragment);
        b.world.run(gapMs);
      }
      return b.far.take().flatMap(({ chunks }) => chunks.map(({ type }) => type));
    };
    expect(drip(900, 100)).toEqual([ChunkType.riKeying]);
    expect(drip(900, 40)).toEqual([]);
    expect(drip(1_100, 500)).toEqual([]);
  });

  it("starts anew when an old packet of the same number was never finished", () => {
    const b = bench();
    const chunk = keyingOf(b);
    const old = cut({ ...chunk, signature: new Uint8Array(600) } as Chunk, 5, 300);
    expect(answerTo(b, old.slice(0, 3))).toEqual([]);
    b.world.run(1_200);
    expect(answerTo(b, cut(chunk, 5, 500))).toEqual([ChunkType.riKeying]);
  });

  it(...rfc("R7016-3.4-13", "R7016-3.4-14"), "holds 64 packets of 64 KiB at most, and the newest of them", () => {
    const b = bench();
    const chunk = keyingOf(b);
    const part = (packetId: number, index: number): FragmentChunk => ({
      type: ChunkType.fragment,
      more: true,
      packetId,
      index,
      data: new Uint8Array(1_000),
    });
    for (let id = 0; id < 500; id++) b.far.sendStartup(0, part(id, 0));
    b.world.run(1);
    expect(b.node.endpoint.stats.reassembliesDropped).toBe(500 - 64);
    expect(answerTo(b, cut(chunk, 5_000, 500))).toEqual([ChunkType.riKeying]);
    for (let index = 0; index < 66; index++) b.far.sendStartup(0, part(6_000, index));
    b.world.run(1);
    expect(b.node.endpoint.stats.reassembliesDropped).toBe(500 - 64 + 2);
  });

  it(...rfc("R7016-3.4-14"), "takes a packet of 65536 bytes, and none of one more", () => {
    const hello: Chunk = { type: ChunkType.iHello, epd: nameOf("near"), tag: nameOf("tag-0123") };
    for (const [length, answer] of [
      [65_536, [ChunkType.rHello]],
      [65_537, []],
    ] as const) {
      const writer = new ByteWriter(new Uint8Array(length));
      encodePacket(writer, STARTUP_HEADER, [hello]);
      const padding = new Uint8Array(length - writer.pos - 2 * CHUNK_HEADER_BYTES - 1_000);
      for (const payload of [padding, new Uint8Array(1_000)]) writeChunk(writer, { type: ChunkType.padding0, payload });
      expect(writer.pos).toBe(length);
      expect(answerTo(bench(), fragmentPacket(writer.bytes, 5, 1_000))).toEqual(answer);
    }
  });
});
