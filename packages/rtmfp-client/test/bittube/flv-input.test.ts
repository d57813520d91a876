import { encodeFlv, encodeFlvTag, type FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { FlvInput } from "../../src/bittube/flv-input.ts";
import { configuration, inter, key, metadata, second, shown, sound, soundConfiguration } from "./support.ts";

const STREAM = [inter(40), sound(41), metadata(0), configuration(50), soundConfiguration(50), ...second(60)];
const BEGINNING = ["meta 0", "AVC1 0", "AAC 0", ...shown(second(0))];

describe("FlvInput", () => {
  it(...rfc("B-7", "P-4"), "gives the same tags wherever two stretches are cut, each from its key frame on", () => {
    const file = encodeFlv(STREAM);
    for (let cut = 0; cut <= file.length; cut++) {
      const input = new FlvInput(undefined);
      const tags: FlvTag[] = [];
      for (const _ of [1, 2]) {
        input.begin({ live: true });
        tags.push(...input.push(file.subarray(0, cut)), ...input.push(file.subarray(cut)));
        input.end();
      }
      const again = BEGINNING.map((name) => name.replace(/\d+$/, (time) => String(Number(time) + 840)));
      if (shown(tags).join() !== [...BEGINNING, ...again].join()) expect.fail(`cut at ${cut}: ${shown(tags)}`);
      expect(input.stats).toMatchObject({ tags: 26, skipped: 4, beginnings: 2, bytes: 2 * file.length });
    }
  });

  it(...rfc("B-8"), "tells of a fault as soon as it is there, after the tags in front of it", () => {
    const input = new FlvInput(undefined);
    input.begin();
    const bytes = Buffer.concat([encodeFlv([key(0), inter(40)]), new Uint8Array(11).fill(7)]);
    const tags: FlvTag[] = [];
    const read = (): void => {
      for (const tag of input.push(bytes)) tags.push(tag);
    };
    expect(read).toThrow("has the unknown type 7");
    expect(shown(tags)).toEqual(["key 0", "inter 40"]);
  });

  it("knows by its first bytes what somebody took for FLV, wherever they are cut", () => {
    const cases: [string | number[], RegExp][] = [
      ["<!DOCTYPE html><html>", /it is a web page/],
      ["\u00ef\u00bb\u00bf  <html lang=x>", /it is a web page/],
      ['{"error":"no such stream"}', /it is JSON/],
      ["#EXTM3U\n#EXT-X-VERSION:3", /it is a playlist of HLS/],
      ["\u0000\u0000\u0000\u0020ftypisom....", /it is MP4/],
      [[0x1a, 0x45, 0xdf, 0xa3, 1, 0, 0, 0, 0, 0, 0], /it is Matroska or WebM/],
      [[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], /it is packed with gzip/],
      [[0x47, 0x40, 0x11, 0x10, 0, 0x42, 0xf0, 0x25, 0, 1], /it looks like MPEG-TS/],
      ["RIFF....AVI LIST", /it is AVI or WAVE/],
      ["Gone with the wind", /does not begin with "FLV"/],
    ];
    for (const [begin, what] of cases) {
      const bytes = typeof begin === "string" ? Buffer.from(begin, "latin1") : Uint8Array.from(begin);
      const whole = (): void => {
        const input = new FlvInput(undefined);
        input.begin();
        for (const byte of bytes) [...input.push(Uint8Array.of(byte))];
      };
      expect(whole).toThrow(what);
    }
  });

  it("knows what is shorter than a header, too, and what of FLV was cut off there", () => {
    const cases: [string, RegExp][] = [
      ['{"a":1}', /it is JSON/],
      ["<a/>", /it is a web page/],
      ["nothing", /does not begin with "FLV"/],
      ["FL", /is cut off at byte 2/],
      ["", /is cut off at byte 0/],
    ];
    for (const [text, what] of cases) {
      const input = new FlvInput(undefined);
      input.begin();
      expect([...input.push(Buffer.from(text))]).toEqual([]);
      expect(() => input.end()).toThrow(what);
    }
  });

  it("repairs and counts, and gives nothing after an abort", () => {
    const stop = new AbortController();
    const input = new FlvInput(stop.signal);
    input.begin();
    const bytes = Buffer.from(encodeFlvTag(key(0)));
    bytes.fill(0, bytes.length - 4);
    const stream = Buffer.concat([encodeFlv([]), bytes, bytes, bytes]);
    const tags = input.push(stream);
    tags.next();
    stop.abort();
    expect(tags.next().done).toBe(true);
    expect(input.stats).toMatchObject({ tags: 1, repaired: 3 });
  });
});
