/**
 * What decoders must know before anything else, said again and again by the publisher: those who join late get no other
 * beginning. The configurations of pictures and sound before key frames, that of sound alone every second, and the description
 * of the stream.
 */
import type { FlvTag, FlvTagType } from "../../flv/flv-tag.ts";
import { isKeyFrame, isMetadata, isSequenceHeader } from "../../flv/tag-info.ts";

/** Says which earlier messages go before the next one. */
export class Opening {
  readonly #kept: Readonly<Record<FlvTagType, Kept>> = { video: newKept(), audio: newKept(), data: newKept() };

  /**
   * What to send again before this message, as a new array: usually nothing. Keeps `payload` of messages that configure
   * decoders; `now` in ms.
   */
  before(type: number, payload: Uint8Array, now: number): { type: number; payload: Uint8Array }[] {
    const tag = tagOf(type, payload);
    if (tag === undefined) return [];
    if (isSequenceHeader(tag) || isMetadata(tag)) {
      const kept = this.#kept[tag.type];
      kept.message = payload.length <= MAX_KEPT_BYTES ? { type, payload } : undefined;
      kept.sentAt = now;
      return [];
    }
    const isVideo = tag.type === "video";
    if (isVideo ? !isKeyFrame(tag) : tag.type !== "audio") return [];
    const { video, audio, data: metadata } = this.#kept;
    const isDue = (kept: Kept, everyMs: number): boolean => now - kept.sentAt >= everyMs;
    const due: Kept[] = [];
    if ((isVideo || video.message === undefined) && isDue(metadata, METADATA_MS)) due.push(metadata);
    // Who begins with this key frame hears nothing before the next configuration of sound.
    if (isVideo && isDue(video, VIDEO_MS)) due.push(video, audio);
    if (!isVideo && isDue(audio, AUDIO_MS)) due.push(audio);
    return due.flatMap((kept) => {
      const { message } = kept;
      if (message === undefined) return [];
      kept.sentAt = now;
      return [message];
    });
  }
}

interface Kept {
  message: { type: number; payload: Uint8Array } | undefined;
  sentAt: number;
}

function newKept(): Kept {
  return { message: undefined, sentAt: 0 };
}

/** The message as a tag without its time; undefined for commands and the like. */
function tagOf(type: number, payload: Uint8Array): FlvTag | undefined {
  const kind = KINDS.get(type);
  if (kind === undefined) return undefined;
  // AMF3 messages begin with a format selector.
  return { type: kind, timestamp: 0, data: type === DATA_AMF3 ? payload.subarray(1) : payload };
}

/** Longer ones are not repeated: real ones have a few hundred bytes. */
const MAX_KEPT_BYTES = 8_192;
const VIDEO_MS = 900;
const AUDIO_MS = 1_000;
const METADATA_MS = 5_000;
const DATA_AMF3 = 0x0f;
/** By type of message. */
const KINDS: ReadonlyMap<number, FlvTagType> = new Map([
  [8, "audio"],
  [9, "video"],
  [DATA_AMF3, "data"],
  [0x12, "data"],
]);
