/** Certificates (§4.3). § means RFC 7425. */
import { ByteReader, equalBytes, fromHex, toHex } from "../../proto/bytes.ts";
import type { FarCertificate } from "../../proto/crypto-profile.ts";
import { encodeOptions, type Option, readOption } from "../../proto/option.ts";
import type { CryptoProvider } from "../primitives.ts";
import { canonicalEpd, type Epd, parseEpd } from "./epd.ts";
import { groupAndKey, readGroup } from "./group-key.ts";

/** A parsed certificate. Options outside the canonical section that must be in it are left out (§4.3.3). */
export interface FlashCertificate extends FarCertificate {
  /** SHA-256 of the canonical section; {@link FarCertificate.id} is its hex text, the peer ID. A new array each time. */
  readonly fingerprint: Uint8Array;
  /** Bytes of the canonical section (§4.3.1): the front of the certificate, which the fingerprint covers. */
  readonly canonicalSectionLength: number;
  /** Bytes of the hostname option (§4.3.3.1), a view of the certificate. */
  readonly hostname: Uint8Array | undefined;
  /** True if discriminators with ancillary data select it (§4.3.3.2). */
  readonly acceptsAncillaryData: boolean;
  /** Groups of ephemeral keys, in the certificate's order, unknown ones included. */
  readonly ephemeralGroups: readonly number[];
  /** Static public keys by group, views of the certificate. */
  readonly staticKeys: ReadonlyMap<number, Uint8Array>;
}

/** What a certificate of ours says. Exactly one of the two kinds of keys. */
export interface CertificateContents {
  /** Bytes of the hostname option. Default none. Borrowed for the call. */
  readonly hostname?: Uint8Array | undefined;
  /** True for servers: the certificate is selected by a URI (§4.3.3.2). Default false. */
  readonly acceptsAncillaryData?: boolean;
  /** Groups of ephemeral keys, in order of preference. */
  readonly ephemeralGroups?: readonly number[];
  /** Static public keys, one per group at most. Borrowed for the call. */
  readonly staticKeys?: readonly { readonly group: number; readonly publicKey: Uint8Array }[];
  /** Extra randomness: what makes the fingerprint of an ephemeral certificate unique. Borrowed for the call. */
  readonly randomness?: Uint8Array;
}

/** The bytes of a certificate, all of it canonical. Throws RangeError if the contents break §4.3.3. A new array. */
export function buildCertificate(contents: CertificateContents): Uint8Array {
  const { hostname, acceptsAncillaryData = false, ephemeralGroups = [], staticKeys = [], randomness } = contents;
  if ((ephemeralGroups.length === 0) === (staticKeys.length === 0)) {
    throw new RangeError("a certificate needs either ephemeral groups or static keys, not both");
  }
  const groups = [...ephemeralGroups, ...staticKeys.map((key) => key.group)];
  if (new Set(groups).size !== groups.length) throw new RangeError(`a group is named twice: ${groups.join(", ")}`);
  const options: Option[] = [];
  if (hostname !== undefined) options.push({ type: HOSTNAME, value: hostname });
  if (acceptsAncillaryData) options.push({ type: ACCEPTS_ANCILLARY_DATA, value: new Uint8Array(0) });
  for (const group of ephemeralGroups) options.push({ type: EPHEMERAL_GROUP, value: groupAndKey(group) });
  for (const key of staticKeys) options.push({ type: STATIC_KEY, value: groupAndKey(key.group, key.publicKey) });
  if (randomness !== undefined) options.push({ type: EXTRA_RANDOMNESS, value: randomness });
  return encodeOptions(options);
}

/**
 * Parses a certificate (§4.3.1); every well-formed one is authentic (§4.3.4). Undefined if any option is
 * malformed, before or after the first Marker, or the hostname is given twice. Copies what it keeps.
 */
export function parseCertificate(provider: CryptoProvider, input: Uint8Array): FlashCertificate | undefined {
  const bytes = input.slice();
  const reader = new ByteReader(bytes);
  let canonical = true;
  let canonicalSectionLength = 0;
  let hostname: Uint8Array | undefined;
  let acceptsAncillaryData = false;
  const ephemeralGroups: number[] = [];
  while (reader.remaining > 0) {
    const option = readOption(reader);
    if (reader.failed) return undefined;
    if (option === undefined) canonical = false;
    if (option === undefined || !canonical) continue;
    canonicalSectionLength = reader.pos;
    const value = new ByteReader(option.value);
    if (option.type === HOSTNAME) {
      if (hostname !== undefined) return undefined;
      hostname = option.value;
    } else if (option.type === ACCEPTS_ANCILLARY_DATA) {
      acceptsAncillaryData = true;
    } else if (option.type === EPHEMERAL_GROUP) {
      ephemeralGroups.push(readGroup(value));
    } else if (option.type === STATIC_KEY) {
      readGroup(value);
    }
    if (value.failed) return undefined;
  }
  return new ParsedCertificate({
    bytes,
    id: toHex(provider.sha256(bytes.subarray(0, canonicalSectionLength))),
    canonicalSectionLength,
    hostname,
    acceptsAncillaryData,
    // Of its own length: an array that grew has room for seventeen.
    ephemeralGroups: ephemeralGroups.length === 0 ? NO_GROUPS : ephemeralGroups.slice(),
  });
}

/** What {@link parseCertificate} finds. */
type Parsed = Omit<FlashCertificate, "fingerprint" | "canonicalEpd" | "selectedBy" | "staticKeys">;

/** Every session holds one, so what follows from the rest is made when asked for. */
class ParsedCertificate implements FlashCertificate {
  readonly bytes: Uint8Array;
  readonly id: string;
  readonly canonicalSectionLength: number;
  readonly hostname: Uint8Array | undefined;
  readonly acceptsAncillaryData: boolean;
  readonly ephemeralGroups: readonly number[];

  constructor(parsed: Parsed) {
    this.bytes = parsed.bytes;
    this.id = parsed.id;
    this.canonicalSectionLength = parsed.canonicalSectionLength;
    this.hostname = parsed.hostname;
    this.acceptsAncillaryData = parsed.acceptsAncillaryData;
    this.ephemeralGroups = parsed.ephemeralGroups;
  }

  get staticKeys(): ReadonlyMap<number, Uint8Array> {
    const keys = new Map<number, Uint8Array>();
    const reader = new ByteReader(this.bytes.subarray(0, this.canonicalSectionLength));
    while (reader.remaining > 0) {
      const option = readOption(reader);
      if (option?.type !== STATIC_KEY) continue;
      const value = new ByteReader(option.value);
      const group = readGroup(value);
      // §4.3.3.5 leaves a second key of a group undefined: the first one counts.
      if (!keys.has(group)) keys.set(group, value.rest());
    }
    return keys;
  }

  get fingerprint(): Uint8Array {
    return fromHex(this.id);
  }

  get canonicalEpd(): Uint8Array {
    return canonicalEpd(this.fingerprint);
  }

  selectedBy(epd: Uint8Array): boolean {
    return selects(parseEpd(epd), this);
  }
}

/** Figure 1 of §4.4.3: whether a discriminator selects a certificate. An undefined (malformed) one selects nothing. */
export function selects(
  epd: Epd | undefined,
  certificate: Pick<FlashCertificate, "id" | "hostname" | "acceptsAncillaryData">,
): boolean {
  if (epd === undefined) return false;
  if (epd.fingerprint !== undefined) return isHexOf(certificate.id, epd.fingerprint);
  if (epd.hostname !== undefined) {
    if (certificate.hostname === undefined || !equalBytes(epd.hostname, certificate.hostname)) return false;
  }
  if (epd.ancillaryData !== undefined) return certificate.acceptsAncillaryData;
  return epd.hostname !== undefined;
}

/** Without the bytes of the text: a handshake that comes in is held against every session that is being opened. */
function isHexOf(text: string, bytes: Uint8Array): boolean {
  return bytes.every((byte, i) => byte === Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** Glare order (§4.3.6): true if the near certificate orders before the far one or is identical to it. */
export function ordersFirst(near: Uint8Array, far: Uint8Array): boolean {
  const shorter = Math.min(near.length, far.length);
  for (let i = 0; i < shorter; i++) {
    if (near[i] !== far[i]) return (near[i] as number) < (far[i] as number);
  }
  return near.length <= far.length;
}

/** Of certificates with static keys; stays empty. */
const NO_GROUPS: readonly number[] = [];
const HOSTNAME = 0x00;
const ACCEPTS_ANCILLARY_DATA = 0x0a;
const EXTRA_RANDOMNESS = 0x0e;
const EPHEMERAL_GROUP = 0x15;
const STATIC_KEY = 0x1d;
