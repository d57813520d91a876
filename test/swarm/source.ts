/** A synthetic live stream: sound and pictures at a given rate, each tag numbered so that its viewers can be checked. */
import type { FlvTag } from "rtmfp-core/flv";

/** A tag and when it is due. */
export interface SourceTag {
  /** ms from the start of the stream; its timestamp. */
  readonly at: number;
  readonly tag: FlvTag;
}

/** The tags of `seconds` of a stream, in order; the number in each, see {@link numberOf}, is its place in the list. */
export function makeStream(kbps: number, seconds: number): SourceTag[] {
  const bytesPerSecond = (kbps * 1000) / 8;
  const soundBytes = Math.round((bytesPerSecond * SOUND_SHARE) / (1000 / SOUND_MS));
  const perGroup = PICTURES_PER_SECOND * KEY_SECONDS;
  const pictureBytes = (bytesPerSecond * KEY_SECONDS * (1 - SOUND_SHARE)) / (perGroup - 1 + KEY_WEIGHT);
  const due: { at: number; type: "audio" | "video"; head: readonly number[]; length: number }[] = [
    { at: 0, type: "audio", head: AAC_CONFIG, length: 4 },
    { at: 0, type: "video", head: AVC_CONFIG, length: 40 },
  ];
  for (let i = 0; i * SOUND_MS < seconds * 1000; i++)
    due.push({ at: Math.round(i * SOUND_MS), type: "audio", head: AAC_FRAME, length: soundBytes });
  for (let i = 0; i < seconds * PICTURES_PER_SECOND; i++) {
    const isKey = i % perGroup === 0;
    const length = Math.round(pictureBytes * (isKey ? KEY_WEIGHT : 1));
    const at = Math.round((i * 1000) / PICTURES_PER_SECOND);
    due.push({ at, type: "video", head: isKey ? AVC_KEY : AVC_DELTA, length });
  }
  due.sort((a, b) => a.at - b.at);
  return due.map(({ at, type, head, length }, number) => {
    const data = new Uint8Array(Math.max(length, head.length + NUMBER_BYTES));
    data.set(head);
    new DataView(data.buffer).setUint32(head.length, number);
    return { at, tag: { type, timestamp: at, data } };
  });
}

/** A tag's place in its stream; undefined if it is none of the stream's, such as a configuration sent anew. */
export function numberOf({ type, data }: FlvTag): number | undefined {
  if (type === "data" || data[1] === 0) return undefined;
  const at = type === "audio" ? AAC_FRAME.length : AVC_KEY.length;
  if (data.length < at + NUMBER_BYTES) return undefined;
  return new DataView(data.buffer, data.byteOffset, data.length).getUint32(at);
}

/** True for a picture that needs no other. */
export function isKey({ type, data }: FlvTag): boolean {
  return type === "video" && data[0] === AVC_KEY[0] && data[1] === AVC_KEY[1];
}

/** AAC in frames of 1024 samples at 44.1 kHz. */
const SOUND_MS = (1024 / 44_100) * 1000;
const SOUND_SHARE = 0.12;
const PICTURES_PER_SECOND = 25;
const KEY_SECONDS = 2;
/** A key frame is as long as so many others. */
const KEY_WEIGHT = 6;
const AAC_CONFIG: readonly number[] = [0xaf, 0];
const AAC_FRAME: readonly number[] = [0xaf, 1];
const AVC_CONFIG: readonly number[] = [0x17, 0, 0, 0, 0];
const AVC_KEY: readonly number[] = [0x17, 1, 0, 0, 0];
const AVC_DELTA: readonly number[] = [0x27, 1, 0, 0, 0];
const NUMBER_BYTES = 4;
