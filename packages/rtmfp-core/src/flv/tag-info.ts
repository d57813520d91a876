/** What a tag is, from the first bytes of its body: FLV, and the FourCC headers of Enhanced RTMP. */

import { readExHeader } from "./ex-header.ts";
import type { FlvTag } from "./flv-tag.ts";

/** A video tag. */
export interface VideoInfo {
  readonly kind: "video";
  /** Codec by name, such as `"h263"` or `"avc"`; the FourCC of an enhanced header; `"unknown"` otherwise. */
  readonly codec: string;
  /** Whether the header is one of Enhanced RTMP. */
  readonly enhanced: boolean;
  /** A picture, and not a sequence header, the end of a sequence, or a command to the player. */
  readonly picture: boolean;
  /** A picture where decoding can begin. Of a codec that nobody knows the frame type alone can tell. */
  readonly keyFrame: boolean;
  /** The frame type says key frame: true of key frames, and of the sequence headers of AVC. */
  readonly keyFrameType: boolean;
  /** Decoder configuration, needed before the first picture. */
  readonly sequenceHeader: boolean;
}

/** An audio tag. */
export interface AudioInfo {
  readonly kind: "audio";
  /** Codec by name, such as `"mp3"` or `"aac"`; the FourCC of an enhanced header; `"unknown"` otherwise. */
  readonly codec: string;
  /** Whether the header is one of Enhanced RTMP. */
  readonly enhanced: boolean;
  /** Decoder configuration, needed before the first sound. */
  readonly sequenceHeader: boolean;
}

/** A data tag. */
export interface DataInfo {
  readonly kind: "data";
  /** The handler that the tag is for; `""` if it does not begin with a string in AMF0. */
  readonly name: string;
  /** Whether it describes the stream: `onMetaData`, also inside `@setDataFrame`. */
  readonly metadata: boolean;
}

/** What a tag is. */
export type TagInfo = VideoInfo | AudioInfo | DataInfo;

/** Reads what `tag` is. Never throws: a body too short to tell is of codec `"unknown"`, or of an empty name. */
export function tagInfo(tag: FlvTag): TagInfo {
  if (tag.type === "video") return videoInfo(tag.data);
  return tag.type === "audio" ? audioInfo(tag.data) : dataInfo(tag.data);
}

/** Whether a group of pictures begins with this tag. Of a codec that nobody knows the frame type alone can tell. */
export function isKeyFrame(tag: FlvTag): boolean {
  return tag.type === "video" && videoInfo(tag.data).keyFrame;
}

/** Whether the tag is a picture: not every video tag is one. */
export function isPicture(tag: FlvTag): boolean {
  return tag.type === "video" && videoInfo(tag.data).picture;
}

/** Whether the tag configures a decoder, so that whoever joins later needs it first. */
export function isSequenceHeader(tag: FlvTag): boolean {
  const info = tagInfo(tag);
  return info.kind !== "data" && info.sequenceHeader;
}

/**
 * Whether the tag, a sequence header or not, is of a codec that cannot be decoded without one. Others of Enhanced RTMP have one,
 * too, and can do without: their frames say what matters.
 */
export function needsSequenceHeader(tag: FlvTag): boolean {
  const info = tagInfo(tag);
  return info.kind !== "data" && CONFIGURED_CODECS.has(info.codec);
}

/** Whether the tag is the stream's metadata. */
export function isMetadata(tag: FlvTag): boolean {
  return tag.type === "data" && dataInfo(tag.data).metadata;
}

function videoInfo(data: Uint8Array): VideoInfo {
  const first = data[0] ?? 0;
  const enhanced = (first & 0x80) !== 0;
  const frameType = (first >> 4) & (enhanced ? 0x07 : 0x0f);
  const { codec, coded, sequenceHeader } = enhanced ? exVideo(data) : plainVideo(data);
  const picture = coded && frameType >= KEY_FRAME && frameType < COMMAND;
  const keyFrameType = frameType === KEY_FRAME;
  return {
    kind: "video",
    codec,
    enhanced,
    picture,
    keyFrame: picture && keyFrameType,
    keyFrameType,
    sequenceHeader: sequenceHeader && frameType !== COMMAND,
  };
}

/** What the body holds, whatever its frame type says. */
interface VideoBody {
  readonly codec: string;
  /** A picture. */
  readonly coded: boolean;
  readonly sequenceHeader: boolean;
}

function exVideo(data: Uint8Array): VideoBody {
  const { packetType, fourCc } = readExHeader(data, MULTITRACK_VIDEO);
  return {
    codec: fourCc,
    coded: packetType === CODED_FRAMES || packetType === CODED_FRAMES_X,
    sequenceHeader: packetType === SEQUENCE_START || packetType === MPEG2TS_SEQUENCE_START,
  };
}

function plainVideo(data: Uint8Array): VideoBody {
  const codec = VIDEO_CODECS[(data[0] ?? 0) & 0x0f] ?? "unknown";
  if (!PACKET_CODECS.has(codec)) return { codec, coded: true, sequenceHeader: false };
  return { codec, coded: data[1] === CODED_FRAMES, sequenceHeader: data[1] === SEQUENCE_START };
}

function audioInfo(data: Uint8Array): AudioInfo {
  const format = (data[0] ?? 0xff) >> 4;
  if (format === EX_AUDIO_FORMAT) {
    const { packetType, fourCc } = readExHeader(data, MULTITRACK_AUDIO);
    return { kind: "audio", codec: fourCc, enhanced: true, sequenceHeader: packetType === SEQUENCE_START };
  }
  const codec = data.length === 0 ? "unknown" : (AUDIO_CODECS[format] ?? "unknown");
  return { kind: "audio", codec, enhanced: false, sequenceHeader: codec === "aac" && data[1] === SEQUENCE_START };
}

function dataInfo(data: Uint8Array): DataInfo {
  const name = amf0String(data, 0);
  const inner = name === "@setDataFrame" ? amf0String(data, 3 + name.length) : name;
  return { kind: "data", name, metadata: inner === "onMetaData" };
}

/** The AMF0 string at `at`; `""` if there is none. */
function amf0String(data: Uint8Array, at: number): string {
  if (data[at] !== 0x02) return "";
  const length = (data[at + 1] ?? 0) * 0x100 + (data[at + 2] ?? 0);
  const end = at + 3 + length;
  return end > data.length ? "" : UTF8.decode(data.subarray(at + 3, end));
}

const UTF8 = new TextDecoder();
const VIDEO_CODECS: Readonly<Record<number, string>> = {
  2: "h263",
  3: "screen",
  4: "vp6",
  5: "vp6-alpha",
  6: "screen2",
  7: "avc",
  12: "hevc",
  13: "av1",
};
const AUDIO_CODECS: Readonly<Record<number, string>> = {
  0: "pcm",
  1: "adpcm",
  2: "mp3",
  3: "pcm-le",
  4: "nellymoser-16k",
  5: "nellymoser-8k",
  6: "nellymoser",
  7: "g711-a",
  8: "g711-mu",
  10: "aac",
  11: "speex",
  14: "mp3-8k",
};
/** Their second byte is a packet type. HEVC and AV1 are not of FLV: encoders that know no FourCC send them as AVC is sent. */
const PACKET_CODECS: ReadonlySet<string> = new Set(["avc", "hevc", "av1"]);
/** AVC, HEVC and AAC by their plain headers; H.264, HEVC, VVC and AAC by FourCC. */
const CONFIGURED_CODECS: ReadonlySet<string> = new Set(["avc", "hevc", "aac", "avc1", "hvc1", "vvc1", "mp4a"]);
/** Frame types; pictures are from the first to before the second, which is for the player: that it seeks, for example. */
const KEY_FRAME = 1;
const COMMAND = 5;
/** Packet types; AVC, AAC and Enhanced RTMP agree on the first two. */
const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;
const MPEG2TS_SEQUENCE_START = 5;
const MULTITRACK_VIDEO = 6;
const MULTITRACK_AUDIO = 5;
const EX_AUDIO_FORMAT = 9;
