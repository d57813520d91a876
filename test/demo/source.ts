/** A stream as long as one likes, made of the sample. */
import { readFileSync, writeFileSync } from "node:fs";
import { decodeFlv, encodeFlv, type FlvTag, isMetadata, isSequenceHeader, TimestampRebaser } from "rtmfp-core/flv";
import { ROOT } from "./process.ts";
import { SAMPLE } from "./settings.ts";

/** Writes an FLV of that length that repeats the sample, and returns its tags. */
export function writeSource(path: string, durationMs: number): FlvTag[] {
  const once = decodeFlv(readFileSync(`${ROOT}${SAMPLE}`)).filter((tag) => !isEndOfSequence(tag));
  const frames = once.filter((tag) => !isMetadata(tag) && !isSequenceHeader(tag));
  const tags: FlvTag[] = [];
  for (let start = 0; start <= durationMs; ) {
    const rebaser = new TimestampRebaser(start);
    tags.push(...(start === 0 ? once : frames).map((tag) => rebaser.rebase(tag)));
    start = Math.max(...tags.slice(-MIXED).map(({ timestamp }) => timestamp)) + GAP_MS;
  }
  const cut = tags.filter(({ timestamp }) => timestamp <= durationMs);
  writeFileSync(path, encodeFlv(cut));
  return cut;
}

/** AVC's own end of a stream, which would be in its middle. */
export function isEndOfSequence({ type, data }: FlvTag): boolean {
  return type === "video" && ((data[0] ?? 0) & 0x0f) === AVC && data[1] === 2;
}

const AVC = 7;
/** Tags among which the latest is: sound and pictures are not quite in order. */
const MIXED = 16;
/** One frame. */
const GAP_MS = 40;
