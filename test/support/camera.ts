/** A synthetic camera and microphone: H.264 and AAC by their headers, noise by their content. */
import type { FlvTag } from "rtmfp-core/flv";
import { Amf0Writer } from "rtmfp-core/tc";

/** What the camera gives. */
export interface CameraOptions {
  /** Length, s. */
  readonly seconds: number;
  /** Pictures and sound together. */
  readonly bitsPerSecond: number;
  /** Pictures per second. Default 10. */
  readonly fps?: number;
  /** A key frame every so many pictures. Default 20. */
  readonly group?: number;
  /** A key frame is so many times as large as the others. Default 4. */
  readonly keyFactor?: number;
}

/**
 * Tags in the order of their timestamps: metadata, both configurations, then 43 frames of sound a second at 64 kbit/s and
 * the pictures. Each frame carries its number, see {@link serialOf}.
 */
export function* camera(options: CameraOptions): Generator<FlvTag> {
  const { seconds, bitsPerSecond, fps = 10, group = 20, keyFactor = 4 } = options;
  const deltaBytes = Math.floor(((bitsPerSecond - AUDIO_BITS) / 8 / fps) * (group / (group - 1 + keyFactor)));
  const audioBytes = Math.floor((AUDIO_BITS / 8) * (AUDIO_MS / 1_000));
  yield { type: "data", timestamp: 0, data: metadata(fps) };
  yield { type: "video", timestamp: 0, data: Uint8Array.of(0x17, 0, 0, 0, 0, 1) };
  yield { type: "audio", timestamp: 0, data: Uint8Array.of(0xaf, 0, 0x12, 0x10) };
  let sounds = 0;
  for (let picture = 0; picture < seconds * fps; picture++) {
    const timestamp = Math.round((picture * 1_000) / fps);
    for (; sounds * AUDIO_MS < timestamp; sounds++) yield frame("audio", sounds * AUDIO_MS, 0xaf, audioBytes, sounds);
    const isKey = picture % group === 0;
    yield frame("video", timestamp, isKey ? 0x17 : 0x27, isKey ? deltaBytes * keyFactor : deltaBytes, picture);
  }
}

/** The number of a frame among those of its kind; -1 for configuration. */
export function serialOf(tag: FlvTag): number {
  if (tag.data[1] === 0) return -1;
  const view = new DataView(tag.data.buffer, tag.data.byteOffset, tag.data.byteLength);
  return view.getUint32(SERIAL_AT);
}

function frame(type: "audio" | "video", at: number, first: number, bytes: number, serial: number): FlvTag {
  const data = new Uint8Array(Math.max(bytes, SERIAL_AT + 4));
  data.set([first, 1]);
  new DataView(data.buffer).setUint32(SERIAL_AT, serial);
  return { type, timestamp: Math.round(at), data };
}

function metadata(framerate: number): Uint8Array {
  const writer = new Amf0Writer();
  writer.write("onMetaData");
  writer.write({ width: 960, height: 720, framerate });
  return writer.finish();
}

const AUDIO_BITS = 64_000;
/** 1,024 samples at 44.1 kHz. */
const AUDIO_MS: number = 1_024 / 44.1;
const SERIAL_AT = 5;
