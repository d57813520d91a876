/** The text of a group specifier: `G:`, then the hex digits of options, of which a Marker ends the canonical part. */
import { ByteReader, fromHex, toHex } from "../proto/bytes.ts";
import { type Option, readOption } from "../proto/option.ts";

/** What is wrong with a groupspec, in one line. */
export class GroupspecError extends Error {
  override readonly name = "GroupspecError";
}

/**
 * Types of the options of a groupspec, in the order in which Flash writes them; observed are `version`, `routing`,
 * `multicast`, `replication`, `posting`, `publishPassword` (its length), `serverChannel`, `name` and `memberUpdates`, the
 * others are reported. The random tag is a second option of type `name`.
 */
export const GroupspecOption = {
  version: 0x7f,
  routing: 0x00,
  multicast: 0x01,
  replication: 0x02,
  posting: 0x03,
  publishPassword: 0x05,
  postingPassword: 0x07,
  serverChannel: 0x0c,
  peerToPeerDisabled: 0x0d,
  name: 0x0e,
  memberUpdates: 0x1b,
  multicastAddress: 0x0a,
  bootstrapPeer: 0x0b,
  publishAuthorization: 0x15,
  postingAuthorization: 0x17,
} as const;

/** A groupspec, read. */
export interface GroupspecText {
  /** The text up to the Marker, or all of it where none follows. */
  readonly canonical: string;
  /** Whether there is a Marker. */
  readonly isComplete: boolean;
  /** Options of the canonical part; their values are bytes of their own. */
  readonly identity: readonly Option[];
  /** Options after the Marker. */
  readonly hints: readonly Option[];
}

/** Takes a groupspec apart, as far as options go. @throws GroupspecError */
export function readGroupspec(text: string): GroupspecText {
  if (!text.startsWith(PREFIX)) throw fault(text, `it does not begin with ${PREFIX}`);
  const digits = text.slice(PREFIX.length);
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw fault(text, `after ${PREFIX} come pairs of hex digits`);
  const reader = new ByteReader(fromHex(digits));
  const identity: Option[] = [];
  const hints: Option[] = [];
  let end: number | undefined;
  while (reader.remaining > 0) {
    const at = reader.pos;
    const option = readOption(reader);
    if (reader.failed) throw fault(text, `the option at byte ${at} goes beyond the end`);
    if (option === undefined) end ??= at;
    else (end === undefined ? identity : hints).push(option);
  }
  const canonical = end === undefined ? text : text.slice(0, PREFIX.length + 2 * end);
  return { canonical, isComplete: end !== undefined, identity, hints };
}

/** The text of a groupspec whose bytes are these. */
export function groupspecText(bytes: Uint8Array): string {
  return PREFIX + toHex(bytes);
}

/** Says of a groupspec what is wrong with it. */
export function fault(text: string, what: string): GroupspecError {
  const shown = text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
  return new GroupspecError(`${JSON.stringify(shown)} is not a groupspec: ${what}`);
}

const PREFIX = "G:";
const MAX_SHOWN = 60;
