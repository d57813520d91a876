/** The Flash cryptography profile (§4): what RFC 7016 asks of a profile, put together. § means RFC 7425. */
import { equalBytes } from "../../proto/bytes.ts";
import type { CryptoProfile, FarCertificate } from "../../proto/crypto-profile.ts";
import type { RandomBytes } from "../dh.ts";
import { DEFAULT_GROUPS, isKnownGroup } from "../dh-groups.ts";
import { type CryptoProvider, hmacSha256 } from "../primitives.ts";
import { defaultProvider } from "../provider.ts";
import { type FlashCertificate, ordersFirst, parseCertificate } from "./certificate.ts";
import { createIdentity, type FlashIdentity, type IdentityOptions } from "./identity.ts";
import { runPublicKeyJob } from "./jobs.ts";
import { initiate, type KeyingContext, respond } from "./keying.ts";
import type { ProtectionSetting } from "./negotiation.ts";
import { createStartupCipher, type FlashPacketCipher, MAX_HMAC_BYTES, MIN_HMAC_BYTES } from "./packet-cipher.ts";
import { type PasswordCredential, signParameters, verifyPasswords } from "./signature.ts";

/** Settings of a profile. */
export interface FlashProfileOptions {
  /** Our identity, or what to make a new one from. */
  readonly identity: FlashIdentity | IdentityOptions;
  /** Primitives. Default: the process's choice, see `defaultProvider`. */
  readonly provider?: CryptoProvider;
  /** Groups we take part in, an initiator's favourite first. Default 31, 14, 16, 5, 2. */
  readonly groups?: readonly number[];
  /** HMAC on packets. Default `request`. */
  readonly hmac?: ProtectionSetting;
  /** Length of the HMAC we send, 4 to 32 bytes. Default 16. */
  readonly hmacLength?: number;
  /** Session sequence numbers in packets. Default `request`. */
  readonly sequence?: ProtectionSetting;
  /** Passwords that we sign with. Default none. */
  readonly passwords?: readonly PasswordCredential[];
  /** If given, the far end must sign with one of these. Default: any signature will do. */
  readonly acceptedPasswords?: readonly PasswordCredential[];
  /** Source of keys and salts, for tests that need fixed ones. Default: the provider's CSPRNG. */
  readonly random?: RandomBytes;
  /** Hand out what session keys are made from, as `SessionKeys.secrets`: for traces. Default false. */
  readonly exposeSecrets?: boolean;
}

/** The profile, with what the Flash layers want to know beyond RFC 7016's interface. */
export interface FlashProfile extends CryptoProfile {
  /** The identity it was made with. */
  readonly identity: FlashIdentity;
  /** Our own certificate, parsed; `fingerprint` is the peer ID in bytes. */
  readonly ownCertificate: FlashCertificate;
  /** The primitives that it uses. */
  readonly provider: CryptoProvider;
}

/**
 * Makes a profile. Certificates given to it must come from its own `parseCertificate`, or that of another
 * Flash profile. Throws RangeError for settings that make no sense.
 */
export function createFlashProfile(options: FlashProfileOptions): FlashProfile {
  const provider = options.provider ?? defaultProvider();
  const random = options.random ?? ((length: number) => provider.randomBytes(length));
  const identity =
    "certificate" in options.identity ? options.identity : createIdentity(provider, options.identity, random);
  const own = parseCertificate(provider, identity.certificate);
  if (own === undefined) throw new RangeError("the certificate of the identity is malformed");
  const context: KeyingContext = {
    provider,
    random,
    identity,
    own,
    groups: checkGroups(options.groups ?? DEFAULT_GROUPS),
    hmac: options.hmac ?? "request",
    hmacLength: checkHmacLength(options.hmacLength ?? DEFAULT_HMAC_BYTES),
    sequence: options.sequence ?? "request",
    exposeSecrets: options.exposeSecrets ?? false,
  };
  const { passwords = [], acceptedPasswords } = options;
  return {
    identity,
    ownCertificate: own,
    provider,
    certificate: own.bytes,
    id: own.id,
    startupCipher: startupCipherOf(provider),
    selectsSelf: (epd) => own.selectedBy(epd),
    parseCertificate: (bytes) => parseCertificate(provider, bytes),
    prevailsOver: (far) => ordersFirst(own.bytes, far.bytes),
    overrides: (next, current) => equalBytes(next.bytes, current.bytes),
    initiate: (far) => initiate(context, far as FlashCertificate),
    respond: (far, skic) => respond(context, far as FlashCertificate, skic),
    sign: (parameters) => signParameters(provider, passwords, parameters),
    verify: (signature, parameters) =>
      acceptedPasswords === undefined || verifyPasswords(provider, acceptedPasswords, signature, parameters),
    hmac: (key, message) => hmacSha256(provider, key, message),
    runJob: (job) => runPublicKeyJob(provider, random, job),
  };
}

/**
 * True if the far end is one of the old stacks that accept only a client of {@link LEGACY_IDENTITY}: it offers
 * neither group 31 nor 16.
 */
export function wantsLegacyIdentity(far: FarCertificate): boolean {
  const { ephemeralGroups, staticKeys } = far as FlashCertificate;
  return ![...ephemeralGroups, ...staticKeys.keys()].some((group) => group === 31 || group === 16);
}

/** One for all profiles of a provider: it holds no state of a peer, or of a profile. */
function startupCipherOf(provider: CryptoProvider): FlashPacketCipher {
  let cipher = STARTUP_CIPHERS.get(provider);
  if (cipher === undefined) {
    cipher = createStartupCipher(provider);
    STARTUP_CIPHERS.set(provider, cipher);
  }
  return cipher;
}

function checkGroups(groups: readonly number[]): readonly number[] {
  const unknown = groups.filter((group) => !isKnownGroup(group));
  if (groups.length > 0 && unknown.length === 0) return groups;
  throw new RangeError(`expected Diffie-Hellman groups of 2, 5, 14, 16 and 31, got ${groups.join(", ") || "none"}`);
}

function checkHmacLength(length: number): number {
  if (length >= MIN_HMAC_BYTES && length <= MAX_HMAC_BYTES) return length;
  throw new RangeError(`expected an HMAC length of 4 to 32 bytes, got ${length}`);
}

const DEFAULT_HMAC_BYTES = 16;
const STARTUP_CIPHERS = new WeakMap<CryptoProvider, FlashPacketCipher>();
