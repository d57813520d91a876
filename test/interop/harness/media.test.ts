import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FlvTag } from "rtmfp-core/flv";
import { type AmfEcmaArray, decodeAmf0All } from "rtmfp-core/tc";
import { afterAll, describe, expect, it } from "vitest";
import { compareTags, excerpt, tagsOfFile, tagsOfOutput, writeMedia } from "./media.ts";

const folder = mkdtempSync(join(tmpdir(), "rtmfp-media-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tag = (type: FlvTag["type"], timestamp: number, ...data: number[]): FlvTag => ({
  type,
  timestamp,
  data: Uint8Array.from(data),
});
const file = [tag("data", 0, 2), tag("video", 0, 1, 2), tag("audio", 5, 3), tag("video", 40, 4), tag("audio", 45, 5)];
const swapped = [file[0]!, file[2]!, file[1]!, file[3]!, file[4]!];

describe("comparing tags", () => {
  it("agrees when each type has the same tags in the same order, however the types are interleaved", () => {
    expect(compareTags(file, swapped)).toBe("2 video, 2 audio, 1 data tags, 6 bytes, identical to the last byte");
  });

  it("lets a server add data messages, and counts them", () => {
    expect(compareTags(file, [tag("data", 0, 9), ...file])).toContain("1 data (and 1 of the server's)");
  });

  it.each<[string, FlvTag[]]>([
    ["1 of 2 audio tags were played", file.slice(0, -1)],
    ["1 video tags more than were published", [...file, file[3]!]],
    ["video tag 1 of 2: published at 0 ms, played at 40 ms", [file[0]!, file[3]!, file[2]!, file[1]!, file[4]!]],
    ["differs at byte 1 of 2", [file[0]!, tag("video", 0, 1, 3), ...file.slice(2)]],
    ["published with 1 bytes, played with 2", [...file.slice(0, 4), tag("audio", 45, 5, 5)]],
    ["data tag 1 of 1: was not played", file.slice(1)],
    ["data tag 1 of 1: differs at byte 0", [tag("data", 0, 7), ...file.slice(1)]],
  ])("finds the difference: %s", (message, played) => {
    expect(() => compareTags(file, played)).toThrow(message);
  });

  it("compares what a player reported by type, time and length, where it tells a length", () => {
    const output =
      "got Data at 0\ngot Video at 0 of 2\ngot Audio at 5 of 1\ngot Video at 40 of 1\ngot Audio at 45 of 1\n";
    const pattern = "^got (?<type>\\w+) at (?<timestamp>\\d+)(?: of (?<length>\\d+))?$";
    expect(compareTags(file, tagsOfOutput(output, pattern))).toContain("the same by type, time and length");
    expect(() => compareTags(file, tagsOfOutput(output.replace("of 2", "of 3"), pattern))).toThrow("played with 3");
  });
});

describe("media files", () => {
  it("are cut by time, with the metadata's properties in alphabetical order and nothing else changed", () => {
    const sample = fileURLToPath(new URL("../../fixtures/sample-h264-aac.flv", import.meta.url));
    const original = tagsOfFile(sample).filter(({ timestamp }) => timestamp < 100);
    const cut = excerpt(sample, 100);
    expect(cut.filter(({ type }) => type !== "data")).toEqual(original.filter(({ type }) => type !== "data"));
    const [metadata] = cut;
    expect(metadata?.type).toBe("data");
    const [name, values] = decodeAmf0All(metadata?.data ?? new Uint8Array()) as [string, AmfEcmaArray];
    expect(name).toBe("onMetaData");
    expect(Object.keys(values.named)).toEqual(Object.keys(values.named).toSorted());
    expect([name, values]).toEqual(decodeAmf0All(original[0]?.data ?? new Uint8Array()));
  });

  it("are read back as they were written", () => {
    const path = join(folder, "plain.flv");
    writeMedia(path, file);
    expect(tagsOfFile(path)).toEqual(file);
  });

  it("end with a trailer that does not count, for publishers that lose their last tags", () => {
    const path = join(folder, "trailer.flv");
    writeMedia(path, file, 500);
    const tags = tagsOfFile(path);
    expect(tags).toHaveLength(file.length + 1);
    expect(tags.at(-1)).toMatchObject({ type: "audio", timestamp: 545 });
    expect(() => compareTags(file, tags)).not.toThrow();
    expect(() => compareTags(file, tags.slice(0, -1))).not.toThrow();
  });
});
