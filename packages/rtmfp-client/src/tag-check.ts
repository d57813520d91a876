/** Checks what callers without TypeScript give as a tag. */
import { RtmfpError } from "rtmfp-core";
import type { FlvTag } from "rtmfp-core/flv";
import { MAX_PAYLOAD_BYTES } from "rtmfp-core/tc";

/** Throws BAD_ARGUMENT for what is no tag. */
export function checkTag(tag: FlvTag): void {
  if (typeof tag !== "object" || tag === null)
    throw bad(`a tag { type: "audio" | "video" | "data", timestamp, data }`, tag);
  const { type, timestamp, data } = tag as Readonly<Record<keyof FlvTag, unknown>>;
  if (type !== "audio" && type !== "video" && type !== "data") throw bad(`a type of audio, video or data`, type);
  if (typeof timestamp !== "number" || !(timestamp >= 0 && timestamp < 2 ** 32))
    throw bad("a timestamp from 0 to 2^32 - 1 ms", timestamp);
  if (!(data instanceof Uint8Array)) throw bad("data in a Uint8Array", data);
  if (data.length > MAX_PAYLOAD_BYTES)
    throw bad(`data of at most ${MAX_PAYLOAD_BYTES} bytes, as RTMP can carry`, data.length);
}

function bad(expected: string, got: unknown): RtmfpError {
  const shown =
    typeof got === "string" ? JSON.stringify(got) : typeof got === "object" ? "another object" : String(got);
  return new RtmfpError("BAD_ARGUMENT", `writeTag: expected ${expected}, got ${got === null ? "null" : shown}`);
}
