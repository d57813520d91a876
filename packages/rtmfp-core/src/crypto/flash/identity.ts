/** Identities: a certificate with the private keys behind it (§4.3). § means RFC 7425. */
import { equalBytes, fromHex, toHex } from "../../proto/bytes.ts";
import { type DhKeyPair, generateKeyPair, keyPairOf, type RandomBytes } from "../dh.ts";
import { DEFAULT_GROUPS } from "../dh-groups.ts";
import { type CryptoProvider, HASH_BYTES } from "../primitives.ts";
import { buildCertificate, parseCertificate } from "./certificate.ts";

/** A certificate of ours. With static keys it is proven by every session; an ephemeral one can be copied (§4.3.4). */
export interface FlashIdentity {
  /** The certificate that stands for it (§4.3). Owned by this object. */
  readonly certificate: Uint8Array;
  /** Static key pairs by group; empty for an identity of ephemeral keys. */
  readonly staticKeys: ReadonlyMap<number, DhKeyPair>;
}

/** What to put into a new identity. */
export interface IdentityOptions {
  /** `ephemeral`: a fresh key per session. `static`: keys that the peer ID vouches for. */
  readonly keys: "ephemeral" | "static";
  /** Groups in order of preference. Default 31, 14, 16, 5, 2 (ephemeral) or 31, 14, 2 (static). */
  readonly groups?: readonly number[];
  /** Hostname that discriminators may ask for, as text (UTF-8). Default none. */
  readonly hostname?: string;
  /** True for servers: a client's URI selects this identity. Default false. */
  readonly acceptsAncillaryData?: boolean;
}

/**
 * A new identity. Throws RangeError for groups that are unknown, named twice or missing. `random` is by default the
 * provider's.
 */
export function createIdentity(
  provider: CryptoProvider,
  options: IdentityOptions,
  random: RandomBytes = (length) => provider.randomBytes(length),
): FlashIdentity {
  const common = {
    hostname: options.hostname === undefined ? undefined : new TextEncoder().encode(options.hostname),
    acceptsAncillaryData: options.acceptsAncillaryData ?? false,
  };
  if (options.keys === "ephemeral") {
    const ephemeralGroups = options.groups ?? DEFAULT_GROUPS;
    const randomness = random(CERTIFICATE_RANDOM_BYTES);
    return { certificate: buildCertificate({ ...common, ephemeralGroups, randomness }), staticKeys: new Map() };
  }
  const pairs = (options.groups ?? STATIC_GROUPS).map((group) => generateKeyPair(provider, group, random));
  return {
    certificate: buildCertificate({ ...common, staticKeys: pairs }),
    staticKeys: new Map(pairs.map((pair) => [pair.group, pair])),
  };
}

/** The identity as JSON text. It holds the private keys: keep the file to its owner (mode 0600). */
export function exportIdentity(identity: FlashIdentity): string {
  const keys = [...identity.staticKeys.values()].map(({ group, privateKey }) => ({
    group,
    privateKey: toHex(privateKey),
  }));
  return `${JSON.stringify({ format: FORMAT, certificate: toHex(identity.certificate), keys }, undefined, 2)}\n`;
}

/**
 * Reads what {@link exportIdentity} wrote. Throws RangeError, one line saying what is wrong, if the text is
 * something else, or its private keys do not belong to its certificate.
 */
export function importIdentity(provider: CryptoProvider, text: string): FlashIdentity {
  const { certificate: certificateHex, keys } = parseFile(text);
  const certificate = fromHex(certificateHex);
  const parsed = parseCertificate(provider, certificate);
  if (parsed === undefined) throw new RangeError("the certificate in the identity is malformed; make a new identity");
  const staticKeys = new Map<number, DhKeyPair>();
  for (const { group, privateKey } of keys) staticKeys.set(group, keyPairOf(provider, group, fromHex(privateKey)));
  const matches = [...parsed.staticKeys].every(([group, publicKey]) => {
    const pair = staticKeys.get(group);
    return pair !== undefined && equalBytes(pair.publicKey, publicKey);
  });
  if (!matches || staticKeys.size !== parsed.staticKeys.size) {
    throw new RangeError("the private keys in the identity do not belong to its certificate; make a new identity");
  }
  return { certificate, staticKeys };
}

interface IdentityFile {
  readonly format: string;
  readonly certificate: string;
  readonly keys: readonly { readonly group: number; readonly privateKey: string }[];
}

function parseFile(text: string): IdentityFile {
  let value: Partial<IdentityFile> | null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RangeError("the identity is not JSON; give a file that rtmfp wrote, or a new name to make one");
  }
  const isKey = (key: unknown): boolean => {
    const { group, privateKey } = (key ?? {}) as { group?: unknown; privateKey?: unknown };
    return typeof group === "number" && typeof privateKey === "string" && /^([0-9a-f]{2})+$/.test(privateKey);
  };
  const { format, certificate, keys } = value ?? {};
  if (format !== FORMAT || typeof certificate !== "string" || !Array.isArray(keys) || !keys.every(isKey)) {
    throw new RangeError(`the identity is not of format "${FORMAT}"; give a file that rtmfp wrote, or a new name`);
  }
  return { format, certificate, keys };
}

/** A server as clients expect it: ephemeral keys, found by its URI. */
export const SERVER_IDENTITY: IdentityOptions = { keys: "ephemeral", acceptsAncillaryData: true };
/** A server whose fingerprint is proven by its keys and outlives a restart. */
export const STATIC_SERVER_IDENTITY: IdentityOptions = { keys: "static", acceptsAncillaryData: true };
/** A client: static keys, so that its peer ID cannot be forged. Make a fresh one per NetConnection (§5.3). */
export const CLIENT_IDENTITY: IdentityOptions = { keys: "static" };
/** A single static key of group 2: the only client that librtmfp and MonaServer accept. */
export const LEGACY_IDENTITY: IdentityOptions = { keys: "static", groups: [2] };

const STATIC_GROUPS: readonly number[] = [31, 14, 2];
const CERTIFICATE_RANDOM_BYTES: number = 2 * HASH_BYTES;
const FORMAT = "rtmfp-identity-1";
