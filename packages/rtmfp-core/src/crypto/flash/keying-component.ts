/** Session keying components (§4.5): SKIC and SKRC. § means RFC 7425. */
import { ByteReader, buildBytes, vluSize } from "../../proto/bytes.ts";
import { encodeOptions, type Option, readOption } from "../../proto/option.ts";
import { groupAndKey, readGroup } from "./group-key.ts";
import { canSend } from "./negotiation.ts";
import { MAX_HMAC_BYTES, MIN_HMAC_BYTES } from "./packet-cipher.ts";

/** What an end says about protecting its packets; see negotiation.ts for the flags. */
export interface ProtectionTerms {
  /** HMAC Negotiation flags (§4.6.4), a bit field. */
  readonly hmacFlags: number;
  /** Length of the HMAC it would send, 4 to 32 bytes; 0 exactly if no send flag is set. */
  readonly hmacLength: number;
  /** Session Sequence Number Negotiation flags (§4.6.6), a bit field. */
  readonly sequenceFlags: number;
}

/** The key material of a component: an ephemeral key, or randomness beside a static one. */
export interface KeyMaterialOptions {
  /**
   * The `group` and `publicKey` of an ephemeral key pair; borrowed for the call. Default: none, the end has a static
   * key.
   */
  readonly ephemeral?: { readonly group: number; readonly publicKey: Uint8Array };
  /** Group of the initiator's static key. Default: none, the end has an ephemeral key. */
  readonly groupSelect?: number;
  /**
   * Salt, 16 to 64 random bytes, for an end with a static key. Borrowed for the call. Default: none, the end has an
   * ephemeral key.
   */
  readonly randomness?: Uint8Array;
}

/** A parsed component. Views of what it was parsed from. */
export interface KeyingComponent extends ProtectionTerms {
  /** Ephemeral Diffie-Hellman Public Key: its `group`, and the `publicKey` as sent. */
  readonly ephemeral: { readonly group: number; readonly publicKey: Uint8Array } | undefined;
  /** Group of the static key that the initiator chose. */
  readonly groupSelect: number | undefined;
}

/** The initiator's component: key material, then terms. A new array. */
export function buildInitiatorComponent(keys: KeyMaterialOptions, terms: ProtectionTerms): Uint8Array {
  return encodeOptions([...keyOptions(keys), ...termOptions(terms)]);
}

/** The responder's component: terms, then key material. Old stacks expect this order byte by byte. A new array. */
export function buildResponderComponent(keys: KeyMaterialOptions, terms: ProtectionTerms): Uint8Array {
  return encodeOptions([...termOptions(terms), ...keyOptions(keys)]);
}

/**
 * Parses a component. Unknown options and Markers are skipped; a missing negotiation means no flags. Undefined if it is
 * malformed, a key, group or negotiation option comes twice, or the HMAC length does not fit its flags. The result
 * holds views of `bytes`.
 */
export function parseComponent(bytes: Uint8Array): KeyingComponent | undefined {
  const reader = new ByteReader(bytes);
  const seen = new Set<number>();
  let ephemeral: KeyingComponent["ephemeral"];
  let groupSelect: number | undefined;
  let hmacFlags = 0;
  let hmacLength = 0;
  let sequenceFlags = 0;
  while (reader.remaining > 0) {
    const option = readOption(reader);
    if (reader.failed) return undefined;
    if (option === undefined || !ONCE_ONLY.has(option.type)) continue;
    if (seen.has(option.type)) return undefined;
    seen.add(option.type);
    const value = new ByteReader(option.value);
    if (option.type === EPHEMERAL_KEY) {
      ephemeral = { group: readGroup(value), publicKey: value.rest() };
    } else if (option.type === GROUP_SELECT) {
      groupSelect = readGroup(value);
    } else if (option.type === HMAC_NEGOTIATION) {
      hmacFlags = value.u8();
      hmacLength = value.vlu();
      if (!isHmacLength(hmacLength, hmacFlags)) return undefined;
    } else {
      sequenceFlags = value.u8();
    }
    if (value.failed) return undefined;
  }
  return { ephemeral, groupSelect, hmacFlags, hmacLength, sequenceFlags };
}

function isHmacLength(length: number, flags: number): boolean {
  return canSend(flags) ? length >= MIN_HMAC_BYTES && length <= MAX_HMAC_BYTES : length === 0;
}

function keyOptions(keys: KeyMaterialOptions): Option[] {
  const options: Option[] = [];
  if (keys.ephemeral !== undefined) {
    options.push({ type: EPHEMERAL_KEY, value: groupAndKey(keys.ephemeral.group, keys.ephemeral.publicKey) });
  }
  if (keys.groupSelect !== undefined) options.push({ type: GROUP_SELECT, value: groupAndKey(keys.groupSelect) });
  if (keys.randomness !== undefined) options.push({ type: EXTRA_RANDOMNESS, value: keys.randomness });
  return options;
}

function termOptions(terms: ProtectionTerms): Option[] {
  const hmac = buildBytes(1 + vluSize(terms.hmacLength), (writer) => {
    writer.u8(terms.hmacFlags);
    writer.vlu(terms.hmacLength);
  });
  return [
    { type: HMAC_NEGOTIATION, value: hmac },
    { type: SEQUENCE_NEGOTIATION, value: Uint8Array.of(terms.sequenceFlags) },
  ];
}

const EPHEMERAL_KEY = 0x0d;
const EXTRA_RANDOMNESS = 0x0e;
const HMAC_NEGOTIATION = 0x1a;
const GROUP_SELECT = 0x1d;
const SEQUENCE_NEGOTIATION = 0x1e;
const ONCE_ONLY: ReadonlySet<number> = new Set([EPHEMERAL_KEY, HMAC_NEGOTIATION, GROUP_SELECT, SEQUENCE_NEGOTIATION]);
