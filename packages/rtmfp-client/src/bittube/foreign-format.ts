/** What it is that somebody took for FLV. */
import { FlvError } from "rtmfp-core/flv";

/** What comes does not begin as FLV does. */
export class NotFlvError extends FlvError {
  /** What it is instead, without the advice that the message ends with. */
  readonly what: string;

  /** `head` are the first bytes of the stream. */
  constructor(head: Uint8Array) {
    const text = new TextDecoder("latin1").decode(head);
    const [, what, advice] =
      FORMATS.find(([beginning]) =>
        beginning instanceof RegExp ? beginning.test(text) : beginning.every((byte, i) => head[i] === byte),
      ) ?? UNKNOWN;
    super(advice === undefined ? what : `${what}; ${advice}`);
    this.what = what;
  }
}

const FIND = "find the address of the stream itself";
const REMUX = "make FLV of it with: ffmpeg -re -i INPUT -c copy -f flv - | ... and - as the source";
type Format = readonly [beginning: RegExp | readonly number[], what: string, advice?: string];
const UNKNOWN: Format = [[], 'this is not an FLV stream: it does not begin with "FLV"'];
const FORMATS: readonly Format[] = [
  // With or without the byte order mark of UTF-8.
  [/^(ï»¿)?\s*</, "it is a web page (HTML or XML), not an FLV stream", FIND],
  [/^\s*[{[]/, "it is JSON, not an FLV stream", FIND],
  [/^#EXTM3U/, "it is a playlist of HLS, not an FLV stream", REMUX],
  [/^....ftyp/s, "it is MP4, not an FLV stream", REMUX],
  [[0x1a, 0x45, 0xdf, 0xa3], "it is Matroska or WebM, not an FLV stream", REMUX],
  [/^RIFF/, "it is AVI or WAVE, not an FLV stream", REMUX],
  [[0x1f, 0x8b], "it is packed with gzip", "unpack it first"],
  [/^G[^A-Za-z]/, "it looks like MPEG-TS, not an FLV stream", REMUX],
];
