/** Whether a viewer's file is what was published, without a gap. */
import { type FlvTag, isKeyFrame, isSequenceHeader } from "rtmfp-core/flv";
import { isEndOfSequence } from "./source.ts";

/** What of a stream a viewer has. */
export interface Played {
  /** Bytes of sound and pictures. */
  readonly bytes: number;
  /** Timestamps of its first key frame and its last frame. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether it goes to the end of what was published. */
  readonly isComplete: boolean;
}

/**
 * Compares the sound and the pictures of `played`, each from the first key frame on, with those of `original`. Throws, in one
 * line, if one is missing, is another, or comes twice, and if there is no key frame. How far it goes is for the caller to judge.
 */
export function gapFree(original: readonly FlvTag[], played: readonly FlvTag[]): Played {
  const first = played.find(isKeyFrame);
  if (first === undefined) throw new Error("there is no key frame");
  const fromMs = first.timestamp;
  const video = compare("video", original, played, fromMs);
  const audio = compare("audio", original, played, fromMs);
  const all = [...video.frames, ...audio.frames];
  return {
    bytes: all.reduce((sum, { data }) => sum + data.length, 0),
    fromMs,
    toMs: all.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0),
    isComplete: video.isComplete && audio.isComplete,
  };
}

function compare(type: "video" | "audio", original: readonly FlvTag[], played: readonly FlvTag[], fromMs: number) {
  const frames = framesOf(played, type, fromMs);
  const expected = framesOf(original, type, fromMs);
  if (frames.length === 0) return { frames, isComplete: expected.length === 0 };
  const begun = (frames[0] as FlvTag).timestamp;
  const start = expected.findIndex(({ timestamp }) => timestamp === begun);
  if (start < 0 || begun > fromMs + LEAD_MS) throw new Error(`${type} begins at ${begun} ms, pictures at ${fromMs} ms`);
  for (const [at, tag] of frames.entries()) {
    const want = expected[start + at];
    if (want === undefined) throw new Error(`a ${type} frame at ${tag.timestamp} ms comes after the last`);
    if (want.timestamp !== tag.timestamp)
      throw new Error(`${type} goes on at ${tag.timestamp} ms instead of ${want.timestamp} ms`);
    if (Buffer.compare(want.data, tag.data) !== 0)
      throw new Error(`the ${type} frame at ${tag.timestamp} ms is not the one that was published`);
  }
  return { frames, isComplete: start + frames.length === expected.length };
}

/** What is shown or heard from that time on: configurations, which publishers repeat, left out. */
function framesOf(tags: readonly FlvTag[], type: "video" | "audio", fromMs: number): FlvTag[] {
  return tags.filter(
    (tag) => tag.type === type && tag.timestamp >= fromMs && !isSequenceHeader(tag) && !isEndOfSequence(tag),
  );
}

/** Sound may be published so much ahead of the pictures that it belongs to: who begins with the picture lacks it. */
const LEAD_MS = 250;
