/**
 * What decoders must know before anything else, said again and again by the publisher: those who join late get no other
 * beginning. The configurations of pictures and sound before key frames, that of sound alone every second, and the description
 * of the stream.
 */

/** Says which earlier messages go before the next one. */
export class Opening {
  readonly #kept: [video: Kept, audio: Kept, metadata: Kept] = [newKept(), newKept(), newKept()];

  /**
   * What to send again before this message, as a new array: usually nothing. Keeps `payload` of messages that configure
   * decoders; `now` in ms.
   */
  before(type: number, payload: Uint8Array, now: number): { type: number; payload: Uint8Array }[] {
    const [video, audio, metadata] = this.#kept;
    const kind = configures(type, payload);
    if (kind !== undefined) {
      const kept = this.#kept[kind];
      kept.message = payload.length <= MAX_KEPT_BYTES ? { type, payload } : undefined;
      kept.sentAt = now;
      return [];
    }
    if (type === VIDEO && !isKeyFrame(payload)) return [];
    if (type !== VIDEO && type !== AUDIO) return [];
    const isDue = (kept: Kept, everyMs: number): boolean => now - kept.sentAt >= everyMs;
    const due: Kept[] = [];
    if ((type === VIDEO || video.message === undefined) && isDue(metadata, METADATA_MS)) due.push(metadata);
    // Who begins with this key frame hears nothing before the next configuration of sound.
    if (type === VIDEO && isDue(video, VIDEO_MS)) due.push(video, audio);
    if (type === AUDIO && isDue(audio, AUDIO_MS)) due.push(audio);
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

/** Which of video, audio and description the message configures; undefined for all others. */
function configures(type: number, payload: Uint8Array): 0 | 1 | 2 | undefined {
  const first = payload[0] ?? 0;
  if (type === VIDEO) {
    if ((first & 0x80) !== 0) return (first & 0x0f) === SEQUENCE_START ? 0 : undefined;
    return (first & 0x0f) === AVC && payload[1] === SEQUENCE_START ? 0 : undefined;
  }
  if (type === AUDIO) {
    if (first >> 4 === EX_AUDIO) return (first & 0x0f) === SEQUENCE_START ? 1 : undefined;
    return first >> 4 === AAC && payload[1] === SEQUENCE_START ? 1 : undefined;
  }
  const at = type === DATA_AMF3 ? 1 : 0;
  if (type !== DATA_AMF0 && type !== DATA_AMF3) return undefined;
  return METADATA.every((byte, i) => payload[at + i] === byte) ? 2 : undefined;
}

/** Key frames of plain and enhanced headers alike. */
function isKeyFrame(payload: Uint8Array): boolean {
  return (((payload[0] ?? 0) >> 4) & 0x07) === 1;
}

/** Longer ones are not repeated: real ones have a few hundred bytes. */
const MAX_KEPT_BYTES = 8_192;
const VIDEO_MS = 900;
const AUDIO_MS = 1_000;
const METADATA_MS = 5_000;
const AUDIO = 8;
const VIDEO = 9;
const DATA_AMF3 = 0x0f;
const DATA_AMF0 = 0x12;
const AVC = 7;
const AAC = 10;
/** The sound format of enhanced headers. */
const EX_AUDIO = 9;
const SEQUENCE_START = 0;
/** The AMF0 string "onMetaData". */
const METADATA: readonly number[] = [0x02, 0x00, 0x0a, ...[..."onMetaData"].map((letter) => letter.charCodeAt(0))];
