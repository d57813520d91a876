/** Faults in the cryptography profile of RFC 7425. */
import { type Fault, faultsOf } from "./fault.ts";

const CRYPTO = "packages/rtmfp-core/src/crypto";

/** Comparisons, constants and checks of rtmfp-core/src/crypto. */
export const CRYPTO_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${CRYPTO}/dh.ts`,
    [
      "return stripped.length === 0 || (stripped.length === 1 && stripped[0] === 1) ? undefined : stripped;",
      "return stripped;",
      "AMB-52",
    ],
    [
      "if (group === X25519_GROUP) return equalSecrets(secret, ZERO_SECRET) ? undefined : secret;",
      "if (group === X25519_GROUP) return secret;",
      "AMB-52",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/dh-groups.ts`,
    ["const MARGIN = 1n << 24n;", "const MARGIN = 1n << 25n;", "R7425-4.6.2-01"],
    ["const MIN_BITS = 16;", "const MIN_BITS = 15;", "R7425-4.6.2-01"],
    ["while (start < bytes.length && bytes[start] === 0) start++;", "", "AMB-47"],
    [
      "export const DEFAULT_GROUPS: readonly number[] = [31, 14, 16, 5, 2];",
      "export const DEFAULT_GROUPS: readonly number[] = [31, 16, 14, 5, 2];",
      "AMB-51",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/checksum.ts`,
    [
      "return i < end ? sum + (bytes[i] as number) : sum;",
      "return i < end ? sum + ((bytes[i] as number) << 8) : sum;",
      "R7425-4.7.3.1-01",
      "R7425-4.7.3.1-02",
    ],
    [
      "if (end - start < LEAST_FOR_WORDS) return ~fold(sumOfPairs(bytes, start, end)) & 0xffff;",
      "if (end - start < LEAST_FOR_WORDS) return fold(sumOfPairs(bytes, start, end));",
      "V2-80",
      "R7425-4.7.3.1-01",
    ],
    ["if (odd === (LITTLE_ENDIAN ? 0 : 1)) sum = ((sum & 0xff) << 8) | (sum >>> 8);", "", "R7425-4.7.3.1-01"],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/certificate.ts`,
    ["if (option === undefined) canonical = false;", "", "R7425-4.3.1-01", "R7425-4.3.3.1-02"],
    ["if (hostname !== undefined) return undefined;", "", "AMB-48", "R7425-4.3.3.1-01"],
    ["if (!keys.has(group)) keys.set(group, value.rest());", "keys.set(group, value.rest());", "AMB-48"],
    ["acceptsAncillaryData = true;", "", "R7425-4.4.3-04", "R7425-4.4.3-01"],
    ["return near.length <= far.length;", "return near.length >= far.length;", "R7425-4.3.6-01", "R7425-4.3.6-02"],
    ["const STATIC_KEY = 0x1d;", "const STATIC_KEY = 0x1c;", "R7425-4.3.3.5-01", "R7425-7-01"],
    [
      "if (epd.ancillaryData !== undefined) return certificate.acceptsAncillaryData;",
      "if (epd.ancillaryData !== undefined) return true;",
      "R7425-4.4.3-04",
      "R7425-4.4.3-01",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/epd.ts`,
    ["if (option === undefined) continue;", "if (option === undefined) break;", "R7425-4.4.1-01"],
    [
      "if (fingerprint !== undefined || option.value.length !== HASH_BYTES) return undefined;",
      "if (option.value.length !== HASH_BYTES) return undefined;",
      "AMB-48",
      "R7425-4.4.2.3-02",
    ],
    ["const ANCILLARY_DATA = 0x0a;", "const ANCILLARY_DATA = 0x0b;", "R7425-4.4.2.2-01", "V2-50"],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/keying.ts`,
    [
      'finish: (result) => finish(resultBytes(result, "secret"), { randomness: context.random(SALT_BYTES) }),',
      'finish: (result) => finish(resultBytes(result, "secret"), {}),',
      "R7425-4.6.1.2-01",
      "R7425-4.6.1.4-01",
    ],
    [
      "const keys = { groupSelect: group, randomness: context.random(SALT_BYTES) };",
      "const keys = { randomness: context.random(SALT_BYTES) };",
      "R7425-4.5.2.3-02",
    ],
    [
      "if (!context.groups.includes(group) || !supports(context.own, group)) return undefined;",
      "if (!supports(context.own, group)) return undefined;",
      "AMB-51",
    ],
    [
      "if (far.staticKeys.size > 0) return ephemeral === undefined ? far.staticKeys.get(group) : undefined;",
      "if (far.staticKeys.size > 0) return far.staticKeys.get(group);",
      "R7425-4.6.1.1-01",
      "R7425-4.5.2.1-02",
    ],
    ["return borne ? component : undefined;", "return component;", "R7425-4.6.4-04", "AMB-70"],
    [
      "return (certificate.ephemeralGroups.length === 0) !== (certificate.staticKeys.size === 0);",
      "return true;",
      "AMB-46",
    ],
    [
      "const recvSequence = sends(component.sequenceFlags, terms.sequenceFlags);",
      "const recvSequence = sends(terms.sequenceFlags, component.sequenceFlags);",
      "R7425-4.6.6-05",
      "R7425-4.6.4-06",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/keying-component.ts`,
    ["if (seen.has(option.type)) return undefined;", "", "AMB-48", "R7425-4.5.2.1-04"],
    ["if (!isHmacLength(hmacLength, hmacFlags)) return undefined;", "", "AMB-50", "R7425-4.5.2.4-02"],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/negotiation.ts`,
    [
      "export const SEND_ALWAYS = 0x04;",
      "export const SEND_ALWAYS = 0x08;",
      "R7425-4.5.2.4-01",
      "R7425-4.5.2.5-01",
      "R7425-4.6.4-02",
    ],
    [
      "return (nearFlags & SEND_ALWAYS) !== 0 || ((nearFlags & SEND_ON_REQUEST) !== 0 && (farFlags & REQUEST) !== 0);",
      "return canSend(nearFlags);",
      "R7425-4.6.4-02",
      "R7425-4.6.4-03",
      "R7425-4.6.6-05",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/replay-window.ts`,
    ["if ((seen & bit) !== 0) return false;", "", "R7425-4.7.3.3-02"],
    [
      "if (ahead <= -REPLAY_WINDOW) return false;",
      "if (ahead < -REPLAY_WINDOW) return false;",
      "R7425-4.7.3.3-01",
      "AMB-54",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/packet-cipher.ts`,
    ["if (length < BLOCK_BYTES || length % BLOCK_BYTES !== 0) {", "if (length < BLOCK_BYTES) {", "R7425-4.7.2-01"],
    [
      "if (equalRange(digest, 0, sealed, length, this.recvHmacLength)) return length;",
      "return length;",
      "R7425-4.7.3.2-03",
    ],
    ['if (checksum16(opened, start, length) !== expected) return this.refuse("verify");', "", "R7425-4.7.3.1-04"],
    ["this.nextSequence = sequence + 1;", "this.nextSequence = sequence + 2;", "R7425-4.6.6-01", "R7425-4.6.6-02"],
    ["const PADDING = 0xff;", "const PADDING = 0x00;", "V2-71", "R7425-4.7.2-03", "V2-75"],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/session-key.ts`,
    [
      "const encryptKey = underSecret(hmacSha256(provider, farComponent, nearComponent));",
      "const encryptKey = underSecret(hmacSha256(provider, nearComponent, farComponent));",
      "V2-63",
      "V2-64",
    ],
    ["nearNonce: underSecret(nearComponent),", "nearNonce: underSecret(farComponent),", "R7425-4.6.5-01"],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/signature.ts`,
    [
      "if (!equalSecrets(hmacSha256(provider, password, parameters), option.value.subarray(0, HASH_BYTES))) return false;",
      "",
      "R7425-4.3.5.1.1-02",
      "R7425-4.3.5.1.1-03",
    ],
    [
      "const NO_SIGNATURE: Uint8Array = Uint8Array.of(0x58);",
      "const NO_SIGNATURE: Uint8Array = Uint8Array.of(0x59);",
      "R7425-4.3.5-02",
      "V1-10",
    ],
  ),
];
