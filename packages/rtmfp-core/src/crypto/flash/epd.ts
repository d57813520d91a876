/** Endpoint discriminators (§4.4). § means RFC 7425. */
import { ByteReader } from "../../proto/bytes.ts";
import { encodeOptions, type Option, readOption } from "../../proto/option.ts";
import { HASH_BYTES } from "../primitives.ts";

/** The options of a discriminator. */
export interface Epd {
  /**
   * SHA-256 of the canonical section of the certificate wanted: 32 bytes. It decides alone (§4.4.3). A view of what it
   * was parsed from; borrowed when building.
   */
  readonly fingerprint?: Uint8Array | undefined;
  /** Bytes of the hostname wanted; compared byte by byte, without case folding. A view or borrowed, likewise. */
  readonly hostname?: Uint8Array | undefined;
  /** The server's URI in UTF-8 (§4.4.2.2). A view or borrowed, likewise. */
  readonly ancillaryData?: Uint8Array | undefined;
}

/** The bytes of a discriminator. Throws RangeError for a fingerprint that has not 32 bytes. A new array. */
export function buildEpd(epd: Epd): Uint8Array {
  const options: Option[] = [];
  if (epd.fingerprint !== undefined) {
    if (epd.fingerprint.length !== HASH_BYTES) {
      throw new RangeError(`expected a fingerprint of 32 bytes, got ${epd.fingerprint.length}`);
    }
    options.push({ type: FINGERPRINT, value: epd.fingerprint });
  }
  if (epd.hostname !== undefined) options.push({ type: REQUIRED_HOSTNAME, value: epd.hostname });
  if (epd.ancillaryData !== undefined) options.push({ type: ANCILLARY_DATA, value: epd.ancillaryData });
  return encodeOptions(options);
}

/**
 * The discriminator that names one identity: exactly 34 bytes (§4.4.4). A new array. Throws RangeError for a
 * fingerprint that has not 32 bytes.
 */
export function canonicalEpd(fingerprint: Uint8Array): Uint8Array {
  return buildEpd({ fingerprint });
}

/** The discriminator by which a client asks for a server: its URI as ancillary data (§4.4.2.2). A new array. Never throws: any text will do. */
export function uriEpd(uri: string): Uint8Array {
  return buildEpd({ ancillaryData: new TextEncoder().encode(uri) });
}

/**
 * Parses a discriminator into views of it. Unknown options and Markers are skipped; undefined if it is malformed,
 * an option of ours comes twice, or the fingerprint has not 32 bytes.
 */
export function parseEpd(bytes: Uint8Array): Epd | undefined {
  const reader = new ByteReader(bytes);
  let fingerprint: Uint8Array | undefined;
  let hostname: Uint8Array | undefined;
  let ancillaryData: Uint8Array | undefined;
  while (reader.remaining > 0) {
    const option = readOption(reader);
    if (reader.failed) return undefined;
    if (option === undefined) continue;
    if (option.type === FINGERPRINT) {
      if (fingerprint !== undefined || option.value.length !== HASH_BYTES) return undefined;
      fingerprint = option.value;
    } else if (option.type === REQUIRED_HOSTNAME) {
      if (hostname !== undefined) return undefined;
      hostname = option.value;
    } else if (option.type === ANCILLARY_DATA) {
      if (ancillaryData !== undefined) return undefined;
      ancillaryData = option.value;
    }
  }
  return { fingerprint, hostname, ancillaryData };
}

const REQUIRED_HOSTNAME = 0x00;
const ANCILLARY_DATA = 0x0a;
const FINGERPRINT = 0x0f;
