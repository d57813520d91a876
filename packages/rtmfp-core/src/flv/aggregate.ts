import { FlvReader } from "./flv-reader.ts";
import type { FlvTag } from "./flv-tag.ts";

/**
 * The tags in the payload of an aggregate message (RTMP type 22), which look like those of a file without its header. Their
 * times count from the first one's, which stands for that of the message, `timestamp` in ms. Of a faulty payload the tags
 * in front of the fault. `payload` is borrowed for the call: the tags have copies of their own.
 */
export function aggregateTags(payload: Uint8Array, timestamp: number): FlvTag[] {
  let tags: FlvTag[];
  try {
    tags = new FlvReader({ header: false }).push(payload);
  } catch {
    return [];
  }
  const shift = timestamp - (tags[0]?.timestamp ?? 0);
  return tags.map((tag) => ({ ...tag, timestamp: (tag.timestamp + shift) >>> 0 }));
}
