/** What it is that somebody took for FLV. */

/** Says what begins with `head`, the first bytes of a stream, and what to do; undefined if nothing that is known. */
export function foreignFormat(head: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(head);
  return FORMATS.find(([beginning]) =>
    beginning instanceof RegExp ? beginning.test(text) : beginning.every((byte, i) => head[i] === byte),
  )?.[1];
}

const REMUX = "make FLV of it with: ffmpeg -re -i INPUT -c copy -f flv - | ... and - as the source";
const FORMATS: readonly (readonly [RegExp | readonly number[], string])[] = [
  // With or without the byte order mark of UTF-8.
  [/^(ï»¿)?\s*</, "it is a web page (HTML or XML), not an FLV stream; find the address of the stream itself"],
  [/^\s*[{[]/, "it is JSON, not an FLV stream; find the address of the stream itself"],
  [/^#EXTM3U/, `it is a playlist of HLS, not an FLV stream; ${REMUX}`],
  [/^....ftyp/s, `it is MP4, not an FLV stream; ${REMUX}`],
  [[0x1a, 0x45, 0xdf, 0xa3], `it is Matroska or WebM, not an FLV stream; ${REMUX}`],
  [/^RIFF/, `it is AVI or WAVE, not an FLV stream; ${REMUX}`],
  [[0x1f, 0x8b], "it is packed with gzip; unpack it first"],
  [/^G[^A-Za-z]/, `it looks like MPEG-TS, not an FLV stream; ${REMUX}`],
];
