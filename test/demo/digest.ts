/** What an FLV file holds, in a form that can be compared: each kind of tag in its order. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { decodeFlv, type FlvTag } from "rtmfp-core/flv";

/** Tags and payload bytes of a file, and SHA-256 over its tags. */
export interface FlvDigest {
  readonly tags: number;
  readonly bytes: number;
  /** Timestamp of the last tag. */
  readonly durationMs: number;
  /** Over type, timestamp and payload of every tag: data tags first, then audio, then video, each in the file's order. */
  readonly sha256: string;
}

/** Throws if the file is missing or no whole FLV. */
export function digestFlv(path: string): FlvDigest {
  const tags = decodeFlv(readFileSync(path));
  const hash = createHash("sha256");
  for (const type of ["data", "audio", "video"] as const) {
    for (const tag of tags) if (tag.type === type) add(hash, tag);
  }
  return {
    tags: tags.length,
    bytes: tags.reduce((sum, tag) => sum + tag.data.length, 0),
    durationMs: tags.reduce((latest, tag) => Math.max(latest, tag.timestamp), 0),
    sha256: hash.digest("hex"),
  };
}

function add(hash: ReturnType<typeof createHash>, tag: FlvTag): void {
  hash.update(`${tag.type} ${tag.timestamp} ${tag.data.length}\n`).update(tag.data);
}
