import { readFileSync, writeFileSync } from "node:fs";
import { decodeFlv, encodeFlv, type FlvTag, type FlvTagType } from "rtmfp-core/flv";
import { withSortedProperties } from "./metadata.ts";

/** A tag as a player saw it: whole, or as much of it as its output tells. */
export interface SeenTag {
  readonly type: FlvTagType;
  readonly timestamp: number;
  readonly length?: number;
  readonly data?: Uint8Array;
}

/** The tags of an FLV file before a time, in milliseconds, with their metadata as {@link withSortedProperties} says. */
export function excerpt(path: string, beforeMs: number): FlvTag[] {
  return decodeFlv(readFileSync(path))
    .filter((tag) => tag.timestamp < beforeMs)
    .map(withSortedProperties);
}

/** Writes tags as an FLV file, with one more audio tag so many milliseconds after the last if the publisher needs it. */
export function writeMedia(path: string, tags: readonly FlvTag[], trailerMs?: number): void {
  const last = tags.findLast((tag) => tag.type === "audio") ?? tags.at(-1)!;
  const trailer = trailerMs === undefined ? [] : [{ ...last, timestamp: endOf(tags) + trailerMs }];
  writeFileSync(path, encodeFlv([...tags, ...trailer]));
}

/** The tags that a player wrote to a file. */
export function tagsOfFile(path: string): SeenTag[] {
  return decodeFlv(readFileSync(path));
}

/** The tags that a player reported, by its role's `tags` pattern: groups type, timestamp and, where known, length. */
export function tagsOfOutput(output: string, pattern: string): SeenTag[] {
  return [...output.matchAll(new RegExp(pattern, "gm"))].map(({ groups = {} }) => {
    const type = groups["type"]?.toLowerCase();
    if (type !== "audio" && type !== "video" && type !== "data") throw new Error(`${type} is no type of a tag`);
    const length = groups["length"];
    const seen = { type, timestamp: Number(groups["timestamp"]) } as const;
    return length === undefined ? seen : { ...seen, length: Number(length) };
  });
}

/**
 * Compares what was played with what was published: within each type the same tags in the same order. What follows the
 * end of the file is a trailer and does not count, and a server may add data messages of its own; nothing else may be
 * there. Returns a line that says what agreed. @throws Error that names the first difference.
 */
export function compareTags(published: readonly FlvTag[], played: readonly SeenTag[]): string {
  const counts = TYPES.map((type) => {
    const sent = published.filter((tag) => tag.type === type);
    const seen = played.filter((tag) => tag.type === type && tag.timestamp <= endOf(published));
    const extra = type === "data" ? matchInOrder(sent, seen) : matchExactly(type, sent, seen);
    return `${sent.length} ${type}${extra > 0 ? ` (and ${extra} of the server's)` : ""}`;
  });
  const bytes = published.reduce((total, tag) => total + tag.data.length, 0);
  const whole = played.every((tag) => tag.data !== undefined);
  const depth = whole ? "identical to the last byte" : "the same by type, time and length";
  return `${counts.join(", ")} tags, ${bytes} bytes, ${depth}`;
}

function matchExactly(type: FlvTagType, sent: readonly FlvTag[], seen: readonly SeenTag[]): number {
  for (const [index, tag] of sent.entries()) {
    const other = seen[index];
    if (other === undefined) throw new Error(`${seen.length} of ${sent.length} ${type} tags were played`);
    const difference = differenceOf(tag, other);
    if (difference !== undefined) throw new Error(`${type} tag ${index + 1} of ${sent.length}: ${difference}`);
  }
  if (seen.length > sent.length) throw new Error(`${seen.length - sent.length} ${type} tags more than were published`);
  return 0;
}

/** Finds each published data tag among those played, and returns how many others there are. */
function matchInOrder(sent: readonly FlvTag[], seen: readonly SeenTag[]): number {
  let from = 0;
  for (const [index, tag] of sent.entries()) {
    const at = seen.findIndex((other, i) => i >= from && differenceOf(tag, other) === undefined);
    if (at < 0) {
      const nearest = seen[from] === undefined ? "was not played" : differenceOf(tag, seen[from]!);
      throw new Error(`data tag ${index + 1} of ${sent.length}: ${nearest}`);
    }
    from = at + 1;
  }
  return seen.length - sent.length;
}

function differenceOf(sent: FlvTag, seen: SeenTag): string | undefined {
  if (seen.timestamp !== sent.timestamp) return `published at ${sent.timestamp} ms, played at ${seen.timestamp} ms`;
  const length = seen.data?.length ?? seen.length ?? sent.data.length;
  if (length !== sent.data.length) return `published with ${sent.data.length} bytes, played with ${length}`;
  const at = seen.data === undefined ? -1 : sent.data.findIndex((byte, i) => byte !== seen.data![i]);
  return at < 0 ? undefined : `differs at byte ${at} of ${sent.data.length}, timestamp ${sent.timestamp} ms`;
}

function endOf(tags: readonly FlvTag[]): number {
  return Math.max(...tags.map((tag) => tag.timestamp));
}

const TYPES: readonly FlvTagType[] = ["video", "audio", "data"];
