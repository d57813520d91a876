/** The announcement of a stream of a group: by its publisher, by everybody who relays it, and by those who want it. */
import { ByteReader, buildBytes, vluSize } from "../../proto/bytes.ts";
import { encodeOptions, type Option, readOption } from "../../proto/option.ts";

/** A stream, and how its publisher wants it spread; relays announce it unchanged. */
export interface MediaInfo {
  /** What players ask for. */
  readonly name: string;
  /** 32 random bytes: another publication of the same name has others. A view when read. */
  readonly key: Uint8Array;
  /** Maps go to all neighbours at once rather than to one after another. */
  readonly sendToAll: boolean;
  /** How long fragments are kept and asked for, in ms. */
  readonly windowMs: number;
  /** How often maps are sent, in ms. */
  readonly updateMs: number;
  /** How long to wait for a fragment to be pushed before it is pulled, in ms. */
  readonly fetchMs: number;
  /** After how long without fragments the stream is forgotten, in ms; so it is believed: nobody was seen to use it. */
  readonly expiryMs: number;
}

/** What is meant where an announcement does not say it: Flash's values. */
export const MEDIA_DEFAULTS: Omit<MediaInfo, "name" | "key"> = {
  sendToAll: false,
  windowMs: 8_000,
  updateMs: 100,
  fetchMs: 2_500,
  expiryMs: 300_000,
};

/** Bytes of an announcement as they follow its type, a new array. Throws RangeError for a key that has not 32 bytes. */
export function encodeMediaInfo(info: MediaInfo): Uint8Array {
  const { key } = info;
  if (key.length !== KEY_BYTES) throw new RangeError(`expected a stream key of ${KEY_BYTES} bytes, got ${key.length}`);
  return encodeOptions([
    { type: NAME, value: new TextEncoder().encode(info.name) },
    { type: KEY, value: key },
    { type: ALWAYS, value: new Uint8Array(0) },
    ...(info.sendToAll ? [{ type: SEND_TO_ALL, value: new Uint8Array(0) }] : []),
    duration(WINDOW, info.windowMs),
    duration(EXPIRY, info.expiryMs),
    duration(UPDATE, info.updateMs),
    duration(FETCH, info.fetchMs),
  ]);
}

/** Reads to the end of `reader`; undefined without a name or a key. Options that nobody knows are skipped. */
export function readMediaInfo(reader: ByteReader): MediaInfo | undefined {
  const values = readValues(reader);
  const name = values.get(NAME);
  const key = values.get(KEY);
  if (reader.failed || name === undefined || key?.length !== KEY_BYTES) return undefined;
  const ms = (type: number, otherwise: number) => readVlu(values.get(type)) ?? otherwise;
  return {
    name: new TextDecoder("utf-8", { ignoreBOM: true }).decode(name),
    key,
    sendToAll: values.has(SEND_TO_ALL),
    windowMs: ms(WINDOW, MEDIA_DEFAULTS.windowMs),
    updateMs: ms(UPDATE, MEDIA_DEFAULTS.updateMs),
    fetchMs: ms(FETCH, MEDIA_DEFAULTS.fetchMs),
    expiryMs: ms(EXPIRY, MEDIA_DEFAULTS.expiryMs),
  };
}

/** The first value of each known type. */
function readValues(reader: ByteReader): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  while (reader.remaining > 0) {
    const option = readOption(reader);
    if (option === undefined) break;
    if (option.type <= FETCH && !values.has(option.type)) values.set(option.type, option.value);
  }
  return values;
}

function duration(type: number, ms: number): Option {
  return { type, value: buildBytes(vluSize(ms), (writer) => writer.vlu(ms)) };
}

function readVlu(value: Uint8Array | undefined): number | undefined {
  if (value === undefined) return undefined;
  const reader = new ByteReader(value);
  const number = reader.vlu();
  return reader.failed ? undefined : number;
}

const NAME = 0x00;
const KEY = 0x01;
/** Live peers always send it, without a value; nobody knows what it says. */
const ALWAYS = 0x02;
const WINDOW = 0x03;
const EXPIRY = 0x04;
const UPDATE = 0x05;
const SEND_TO_ALL = 0x06;
const FETCH = 0x07;
const KEY_BYTES = 32;
