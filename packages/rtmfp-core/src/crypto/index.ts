/**
 * The cryptography profile of RFC 7425 §4, and the primitives it rests on.
 * @module
 */

/** Tokens for applications, bound to sessions. */
export { authKey, authToken, boundToken } from "./auth-token.ts";
export type { DhKeyPair, RandomBytes } from "./dh.ts";
/** Diffie-Hellman over the groups of the profile. */
export { agree, generateKeyPair, keyPairOf } from "./dh.ts";
/** Group numbers and the test of public keys (§4.2, §4.6.2). */
export { DEFAULT_GROUPS, isAcceptablePublicKey, isKnownGroup, LEGACY_GROUP, X25519_GROUP } from "./dh-groups.ts";
export type { CertificateContents, FlashCertificate } from "./flash/certificate.ts";
/** Certificates (§4.3). */
export { buildCertificate, parseCertificate } from "./flash/certificate.ts";
/** The simple checksum of packets (§4.7.3.1). */
export { checksum16 } from "./flash/checksum.ts";
export type { Epd } from "./flash/epd.ts";
/** Endpoint discriminators (§4.4). */
export { buildEpd, canonicalEpd, parseEpd, uriEpd } from "./flash/epd.ts";
export type { FlashIdentity, IdentityOptions } from "./flash/identity.ts";
/** Identities: making, keeping and restoring them. */
export {
  CLIENT_IDENTITY,
  createIdentity,
  exportIdentity,
  importIdentity,
  LEGACY_IDENTITY,
  SERVER_IDENTITY,
  STATIC_SERVER_IDENTITY,
} from "./flash/identity.ts";
/** Public-key jobs for worker threads: needs a provider, no profile. */
export { runPublicKeyJob } from "./flash/jobs.ts";
export type { KeyingComponent, KeyMaterialOptions, ProtectionTerms } from "./flash/keying-component.ts";
/** Session keying components (§4.5). */
export { buildInitiatorComponent, buildResponderComponent, parseComponent } from "./flash/keying-component.ts";
export type { ProtectionSetting } from "./flash/negotiation.ts";
/** Who sends an HMAC or sequence numbers (§4.6.4, §4.6.6). */
export { sends } from "./flash/negotiation.ts";
export type { FlashPacketCipher, SessionCipherOptions } from "./flash/packet-cipher.ts";
/** Packet ciphers from keys (§4.7). */
export { createSessionCipher, createStartupCipher, DEFAULT_SESSION_KEY } from "./flash/packet-cipher.ts";
export type { FlashProfile, FlashProfileOptions } from "./flash/profile.ts";
/** The profile itself. */
export { createFlashProfile, wantsLegacyIdentity } from "./flash/profile.ts";
export type { DerivedKeys, KeyMaterial } from "./flash/session-key.ts";
/** Session keys from a shared secret and both components (§4.6.3 to §4.6.5). */
export { deriveSessionKeys } from "./flash/session-key.ts";
export type { PasswordCredential } from "./flash/signature.ts";
/** The provider without node:crypto. */
export { nobleProvider } from "./noble.ts";
export type { PlainProfileOptions } from "./plain.ts";
/** A profile without any protection, for tests and simulations only. */
export { createUnprotectedTestProfile } from "./plain.ts";
export type { CbcDecryptor, CbcEncryptor, CryptoProvider, DhKey, HmacKey } from "./primitives.ts";
/** Comparison of secrets, and HMAC-SHA256 in one call. */
export { equalSecrets, hmacSha256 } from "./primitives.ts";
/** The choice of primitives. */
export { chooseProvider, defaultProvider, mixProviders } from "./provider.ts";
