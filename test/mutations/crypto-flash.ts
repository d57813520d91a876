/** Faults in certificates, discriminators, keying and packets (RFC 7425 §4). */
import { type Fault, faultsOf } from "./fault.ts";

const CRYPTO = "packages/rtmfp-core/src/crypto";
const PROTO = "packages/rtmfp-core/src/proto";

/** What the Flash profile says on the wire, takes from it, and derives. */
export const FLASH_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${CRYPTO}/flash/certificate.ts`,
    ["if (reader.failed) return undefined;", "if (reader.failed) break;", "R7425-3-01", "R7425-3-04", "R7425-4.3.4-01"],
    ["if (value.failed) return undefined;", "", "R7425-3-01", "R7425-3-04"],
    ["if (option === undefined || !canonical) continue;", "if (option === undefined) continue;", "R7425-4.3.1-02"],
    [
      "if (option === undefined) canonical = false;",
      "if (option === undefined) { canonical = false; canonicalSectionLength = reader.pos; }",
      "R7425-4.3.1-02",
    ],
    [
      "id: toHex(provider.sha256(bytes.subarray(0, canonicalSectionLength))),",
      "id: toHex(provider.sha256(bytes)),",
      "R7425-4.3.2-01",
    ],
    ["const HOSTNAME = 0x00;", "const HOSTNAME = 0x01;", "R7425-4.3.3-01"],
    ["const ACCEPTS_ANCILLARY_DATA = 0x0a;", "const ACCEPTS_ANCILLARY_DATA = 0x0b;", "R7425-4.3.3-01"],
    ["const EXTRA_RANDOMNESS = 0x0e;", "const EXTRA_RANDOMNESS = 0x0f;", "R7425-4.3.3-01", "R7425-4.3.3.3-01"],
    ["const EPHEMERAL_GROUP = 0x15;", "const EPHEMERAL_GROUP = 0x16;", "R7425-4.3.3-01", "R7425-4.3.3.4-01"],
    ["const STATIC_KEY = 0x1d;", "const STATIC_KEY = 0x1c;", "R7425-4.3.3-01"],
    ["} else if (option.type === STATIC_KEY) {", "} else {", "R7425-4.3.3-02"],
    [
      "if (hostname !== undefined) options.push({ type: HOSTNAME, value: hostname });",
      "if (hostname !== undefined) options.push({ type: HOSTNAME, value: hostname }, { type: HOSTNAME, value: hostname });",
      "R7425-4.3.3.1-03",
    ],
    [
      "if (acceptsAncillaryData) options.push({ type: ACCEPTS_ANCILLARY_DATA, value: new Uint8Array(0) });",
      "if (acceptsAncillaryData) options.push({ type: ACCEPTS_ANCILLARY_DATA, value: new Uint8Array(1) });",
      "R7425-4.3.3.2-01",
    ],
    [
      "if (option === undefined || !canonical) continue;",
      "if (option === undefined || (!canonical && option.type !== ACCEPTS_ANCILLARY_DATA)) continue;",
      "R7425-4.3.3.2-02",
    ],
    [
      "if (option === undefined || !canonical) continue;",
      "if (option === undefined || (!canonical && option.type !== EPHEMERAL_GROUP)) continue;",
      "R7425-4.3.3.4-02",
    ],
    [
      "if (option === undefined || !canonical) continue;",
      "if (option === undefined || (!canonical && option.type !== STATIC_KEY)) continue;",
      "R7425-4.3.3.5-02",
    ],
    [
      "if (randomness !== undefined) options.push({ type: EXTRA_RANDOMNESS, value: randomness });",
      "",
      "R7425-4.3.3.3-01",
    ],
    [
      "for (const group of ephemeralGroups) options.push({ type: EPHEMERAL_GROUP, value: groupAndKey(group) });",
      "for (const group of ephemeralGroups.slice(0, 1)) options.push({ type: EPHEMERAL_GROUP, value: groupAndKey(group) });",
      "R7425-4.3.3.4-01",
    ],
    ["ephemeralGroups.push(readGroup(value));", "ephemeralGroups[0] = readGroup(value);", "R7425-4.3.3.4-01"],
    [
      "if ((ephemeralGroups.length === 0) === (staticKeys.length === 0)) {",
      "if (ephemeralGroups.length === 0 && staticKeys.length === 0) {",
      "R7425-4.3.3.4-03",
      "R7425-4.3.3.5-05",
    ],
    [
      "if (value.failed) return undefined;",
      "if (value.failed || option.type > 0x7f) return undefined;",
      "R7425-4.3.4-01",
    ],
    ["return epd.hostname !== undefined;", "return true;", "R7425-4.4.3-02"],
    [
      "if (epd.fingerprint !== undefined) return isHexOf(certificate.id, epd.fingerprint);",
      "if (epd.fingerprint !== undefined && !isHexOf(certificate.id, epd.fingerprint)) return false;",
      "R7425-4.4.3-03",
    ],
    [
      "if (epd.ancillaryData !== undefined) return certificate.acceptsAncillaryData;",
      "if (epd.ancillaryData !== undefined) return true;",
      "R7425-4.4.3-05",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/epd.ts`,
    ["if (reader.failed) return undefined;", "if (reader.failed) break;", "R7425-3-01", "R7425-3-04"],
    ["const REQUIRED_HOSTNAME = 0x00;", "const REQUIRED_HOSTNAME = 0x01;", "R7425-4.4.2-01"],
    ["const FINGERPRINT = 0x0f;", "const FINGERPRINT = 0x0e;", "R7425-4.4.2-01"],
    ["const ANCILLARY_DATA = 0x0a;", "const ANCILLARY_DATA = 0x0b;", "R7425-4.4.2-01"],
    ["} else if (option.type === ANCILLARY_DATA) {", "} else {", "R7425-4.4.2-02"],
    ["hostname = option.value;", "hostname = option.value.slice(1);", "R7425-4.4.2.1-01"],
    [
      "if (epd.hostname !== undefined) options.push({ type: REQUIRED_HOSTNAME, value: epd.hostname });",
      "if (epd.hostname !== undefined) options.push({ type: REQUIRED_HOSTNAME, value: epd.hostname }, { type: REQUIRED_HOSTNAME, value: epd.hostname });",
      "R7425-4.4.2.1-02",
    ],
    ["if (hostname !== undefined) return undefined;", "", "R7425-4.4.2.1-02"],
    ["if (ancillaryData !== undefined) return undefined;", "", "R7425-4.4.2.2-02"],
    [
      "if (epd.ancillaryData !== undefined) options.push({ type: ANCILLARY_DATA, value: epd.ancillaryData });",
      "if (epd.ancillaryData !== undefined) options.push({ type: ANCILLARY_DATA, value: epd.ancillaryData }, { type: ANCILLARY_DATA, value: epd.ancillaryData });",
      "R7425-4.4.2.2-02",
    ],
    [
      "if (fingerprint !== undefined || option.value.length !== HASH_BYTES) return undefined;",
      "if (fingerprint !== undefined || option.value.length < HASH_BYTES) return undefined;",
      "R7425-4.4.2.3-01",
    ],
    [
      "if (fingerprint !== undefined || option.value.length !== HASH_BYTES) return undefined;",
      "if (fingerprint !== undefined || option.value.length > HASH_BYTES) return undefined;",
      "R7425-4.4.2.3-01",
    ],
    [
      "return buildEpd({ fingerprint });",
      "return buildEpd({ fingerprint, ancillaryData: new Uint8Array(0) });",
      "R7425-4.4.4-01",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/keying-component.ts`,
    ["if (reader.failed) return undefined;", "if (reader.failed) break;", "R7425-3-04"],
    ["if (value.failed) return undefined;", "", "R7425-3-04"],
    [
      "sequenceFlags = value.u8();",
      "sequenceFlags = value.u8(); if (sequenceFlags > 7) return undefined;",
      "R7425-3-02",
    ],
    ["hmacFlags = value.u8();", "hmacFlags = value.u8(); if (hmacFlags > 7) return undefined;", "R7425-3-02"],
    ["const EPHEMERAL_KEY = 0x0d;", "const EPHEMERAL_KEY = 0x0c;", "R7425-4.5.2-01", "R7425-4.5.1-01"],
    ["const EXTRA_RANDOMNESS = 0x0e;", "const EXTRA_RANDOMNESS = 0x0f;", "R7425-4.5.2-01", "R7425-4.5.2.2-01"],
    ["const HMAC_NEGOTIATION = 0x1a;", "const HMAC_NEGOTIATION = 0x1b;", "R7425-4.5.2-01"],
    ["const GROUP_SELECT = 0x1d;", "const GROUP_SELECT = 0x1c;", "R7425-4.5.2-01"],
    ["const SEQUENCE_NEGOTIATION = 0x1e;", "const SEQUENCE_NEGOTIATION = 0x1f;", "R7425-4.5.2-01"],
    [
      "if (option === undefined || !ONCE_ONLY.has(option.type)) continue;",
      "if (option === undefined || option.type === EXTRA_RANDOMNESS) continue; if (!ONCE_ONLY.has(option.type)) return undefined;",
      "R7425-4.5.2-02",
    ],
    [
      "ephemeral = { group: readGroup(value), publicKey: value.rest() };",
      "ephemeral = { group: readGroup(value), publicKey: value.rest().slice().reverse() };",
      "R7425-4.5.2.1-01",
    ],
    [
      "if (keys.randomness !== undefined) options.push({ type: EXTRA_RANDOMNESS, value: keys.randomness });",
      "",
      "R7425-4.5.2.2-01",
    ],
    ["groupSelect = readGroup(value);", "groupSelect = value.u8() + value.remaining;", "R7425-4.5.2.3-01"],
    [
      "if (keys.groupSelect !== undefined) options.push({ type: GROUP_SELECT, value: groupAndKey(keys.groupSelect) });",
      "if (keys.groupSelect !== undefined) options.push({ type: GROUP_SELECT, value: groupAndKey(0, groupAndKey(keys.groupSelect)) });",
      "R7425-4.5.2.3-01",
    ],
    [
      "if (seen.has(option.type)) return undefined;",
      "if (seen.has(option.type) && option.type !== GROUP_SELECT) return undefined;",
      "R7425-4.5.2.3-04",
    ],
    [
      "if (keys.groupSelect !== undefined) options.push({ type: GROUP_SELECT, value: groupAndKey(keys.groupSelect) });",
      "if (keys.groupSelect !== undefined) for (let i = 0; i < 2; i++) options.push({ type: GROUP_SELECT, value: groupAndKey(keys.groupSelect) });",
      "R7425-4.5.2.3-04",
    ],
  ),
  ...faultsOf(`${CRYPTO}/flash/group-key.ts`, [
    "return Number(readVlu64(reader));",
    "return reader.u8();",
    "R7425-4.5.2.1-01",
    "R7425-4.5.2.3-01",
    "R7425-4.3.3.4-01",
  ]),
  ...faultsOf(
    `${CRYPTO}/flash/negotiation.ts`,
    ["return (flags & (SEND_ALWAYS | SEND_ON_REQUEST)) !== 0;", "return flags !== 0;", "R7425-3-02"],
    [
      "return (nearFlags & SEND_ALWAYS) !== 0 || ((nearFlags & SEND_ON_REQUEST) !== 0 && (farFlags & REQUEST) !== 0);",
      "return (nearFlags & SEND_ALWAYS) !== 0 || (nearFlags & SEND_ON_REQUEST) !== 0;",
      "R7425-4.6.6-06",
    ],
    [
      "return (nearFlags & SEND_ALWAYS) !== 0 || ((nearFlags & SEND_ON_REQUEST) !== 0 && (farFlags & REQUEST) !== 0);",
      "return (nearFlags & SEND_ALWAYS) !== 0;",
      "R7425-4.6.6-06",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/signature.ts`,
    [
      "if (option?.type !== SIMPLE_PASSWORD) continue;",
      "if (option?.type !== SIMPLE_PASSWORD) break;",
      "R7425-4.3.5-01",
    ],
    ["if (reader.failed) return false;", "if (reader.failed) break;", "R7425-4.3.5-03"],
    ["const SIMPLE_PASSWORD = 0x1d;", "const SIMPLE_PASSWORD = 0x1c;", "R7425-4.3.5.1-01"],
    [
      "value: concatBytes(hmacSha256(provider, password, parameters), id),",
      "value: concatBytes(id, hmacSha256(provider, password, parameters)),",
      "R7425-4.3.5.1.1-01",
    ],
    [
      "credentials.map(({ id, password }) => ({",
      "credentials.slice(0, 1).map(({ id, password }) => ({",
      "R7425-4.3.5.1.1-01",
      "R7425-4.3.5-01",
    ],
    [
      "value: concatBytes(hmacSha256(provider, password, parameters), id),",
      "value: concatBytes(hmacSha256(provider, parameters, password), id),",
      "R7425-4.3.5.1.1-01",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/profile.ts`,
    [
      "acceptedPasswords === undefined || verifyPasswords(provider, acceptedPasswords, signature, parameters),",
      "verifyPasswords(provider, acceptedPasswords ?? [], signature, parameters),",
      "R7425-4.3.5-04",
    ],
    [
      "acceptedPasswords === undefined || verifyPasswords(provider, acceptedPasswords, signature, parameters),",
      "signature.length === 1 || acceptedPasswords === undefined || verifyPasswords(provider, acceptedPasswords, signature, parameters),",
      "R7425-4.3.5-03",
    ],
    [
      "overrides: (next, current) => equalBytes(next.bytes, current.bytes),",
      "overrides: (next, current) => next.id === current.id,",
      "R7425-4.3.7-01",
    ],
  ),
  ...faultsOf(`${CRYPTO}/dh-groups.ts`, [
    "49286651ece65381ffffffffffffffff`,",
    "49286651ece65383ffffffffffffffff`,",
    "R7425-4.2-01",
  ]),
  ...faultsOf(`${CRYPTO}/dh.ts`, [
    "const stripped = stripLeadingZeros(secret);",
    "const stripped = secret;",
    "R7425-4.6.2-03",
  ]),
  ...faultsOf(`${CRYPTO}/node.ts`, [
    "const ZERO_IV: Uint8Array = new Uint8Array(BLOCK_BYTES);",
    "const ZERO_IV: Uint8Array = new Uint8Array(BLOCK_BYTES).fill(1);",
    "R7425-4.7.1-01",
  ]),
  ...faultsOf(`${CRYPTO}/noble.ts`, [
    "const ZERO_IV: Uint8Array = new Uint8Array(BLOCK_BYTES);",
    "const ZERO_IV: Uint8Array = new Uint8Array(BLOCK_BYTES).fill(1);",
    "R7425-4.7.1-01",
  ]),
  ...faultsOf(
    `${CRYPTO}/flash/session-key.ts`,
    [
      "const decryptKey = underSecret(hmacSha256(provider, nearComponent, farComponent));",
      "const decryptKey = underSecret(hmacSha256(provider, farComponent, nearComponent));",
      "R7425-4.6.3-01",
    ],
    [
      "const underSecret = (message: Uint8Array): Uint8Array => secret.digest(message);",
      "const underSecret = (message: Uint8Array): Uint8Array => hmacSha256(provider, message, dhSecret);",
      "R7425-4.6.3-01",
      "R7425-4.6.4-01",
    ],
    [
      "hmacSendKey: underSecret(encryptKey),",
      "hmacSendKey: underSecret(encryptKey.slice(0, 16)),",
      "R7425-4.6.3-02",
      "R7425-4.6.4-01",
    ],
    ["hmacRecvKey: underSecret(decryptKey),", "hmacRecvKey: underSecret(encryptKey),", "R7425-4.6.4-01"],
    [
      "const { dhSecret, nearComponent, farComponent } = material;",
      "const { dhSecret, nearComponent: farComponent, farComponent: nearComponent } = material;",
      "R7425-4.6-01",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/keying.ts`,
    [
      "const secrets = { dhSecret, nearComponent: agreed.near, farComponent: agreed.far };",
      "const secrets = { dhSecret, nearComponent: agreed.far, farComponent: agreed.near };",
      "R7425-4.6-01",
    ],
    [
      "const keys = { groupSelect: group, randomness: context.random(SALT_BYTES) };",
      "const keys = { groupSelect: group };",
      "R7425-4.6.1.3-01",
    ],
    [
      'return finish(resultBytes(result, "secret"), { ephemeral: { group, publicKey } });',
      'return finish(resultBytes(result, "secret"), { ephemeral: { group, publicKey }, groupSelect: group });',
      "R7425-4.6.1.3-01",
    ],
    [
      "return awaitResponder(context, far, ephemeral, buildInitiatorComponent({ ephemeral }, terms), terms);",
      "return awaitResponder(context, far, ephemeral, buildInitiatorComponent({ groupSelect: group }, terms), terms);",
      "R7425-4.5.2.1-03",
    ],
    [
      "return awaitResponder(context, far, ephemeral, buildInitiatorComponent({ ephemeral }, terms), terms);",
      "return awaitResponder(context, far, ephemeral, buildInitiatorComponent({ ephemeral, groupSelect: group }, terms), terms);",
      "R7425-4.5.2.3-03",
    ],
    [
      "if (far.staticKeys.size === 0) return groupSelect === undefined ? ephemeral : undefined;",
      "if (far.staticKeys.size === 0) return ephemeral;",
      "R7425-4.5.2.3-03",
    ],
    [
      "if (ephemeral !== undefined || groupSelect === undefined) return undefined;",
      "if (ephemeral !== undefined || groupSelect === undefined) return ephemeral;",
      "R7425-4.3.4-02",
    ],
    [
      "if (far.staticKeys.size > 0) return ephemeral === undefined ? far.staticKeys.get(group) : undefined;",
      "if (far.staticKeys.size > 0) return ephemeral === undefined ? far.staticKeys.get(group) : ephemeral.publicKey;",
      "R7425-4.3.4-02",
    ],
    [
      "if (farPublicKey === undefined || !isAcceptablePublicKey(group, farPublicKey)) return undefined;",
      "if (farPublicKey === undefined) return undefined;",
      "R7425-4.6.2-02",
    ],
    ["if (!isAcceptablePublicKey(group, farPublicKey)) return undefined;", "", "R7425-4.6.2-02"],
    [
      "const recvHmacLength = sends(component.hmacFlags, terms.hmacFlags) ? component.hmacLength : 0;",
      "const recvHmacLength = sends(component.hmacFlags, terms.hmacFlags) ? context.hmacLength : 0;",
      "R7425-4.7.3.2-02",
    ],
  ),
  ...faultsOf(
    `${CRYPTO}/flash/packet-cipher.ts`,
    [
      'export const DEFAULT_SESSION_KEY: Uint8Array = new TextEncoder().encode("Adobe Systems 02");',
      'export const DEFAULT_SESSION_KEY: Uint8Array = new TextEncoder().encode("Adobe Systems 03");',
      "R7425-4.1-01",
    ],
    [
      "return new FlashPacketCipher(provider, { encryptKey: DEFAULT_SESSION_KEY, decryptKey: DEFAULT_SESSION_KEY });",
      "return new FlashPacketCipher(provider, { encryptKey: DEFAULT_SESSION_KEY, decryptKey: DEFAULT_SESSION_KEY, sendSequence: true, recvSequence: true });",
      "R7425-4.1-02",
      "R7425-4.6.6-08",
    ],
    [
      "return new FlashPacketCipher(provider, { encryptKey: DEFAULT_SESSION_KEY, decryptKey: DEFAULT_SESSION_KEY });",
      "return new FlashPacketCipher(provider, { encryptKey: DEFAULT_SESSION_KEY, decryptKey: DEFAULT_SESSION_KEY, sendHmacLength: 4, recvHmacLength: 4, hmacSendKey: DEFAULT_SESSION_KEY, hmacRecvKey: DEFAULT_SESSION_KEY });",
      "R7425-4.1-02",
    ],
    [
      "this.encryptor = provider.createEncryptor(options.encryptKey.slice(0, BLOCK_BYTES));",
      "this.encryptor = provider.createEncryptor(options.encryptKey.slice(-BLOCK_BYTES));",
      "R7425-4.6.3-02",
    ],
    [
      "this.decryptor = provider.createDecryptor(options.decryptKey.slice(0, BLOCK_BYTES));",
      "this.decryptor = provider.createDecryptor(options.decryptKey.slice(-BLOCK_BYTES));",
      "R7425-4.6.3-02",
    ],
    ["if (length < MIN_HMAC_BYTES || length > MAX_HMAC_BYTES) {", "if (length > MAX_HMAC_BYTES) {", "R7425-4.6.4-05"],
    ["if (length < MIN_HMAC_BYTES || length > MAX_HMAC_BYTES) {", "if (length < MIN_HMAC_BYTES) {", "R7425-4.6.4-05"],
    ["export const MIN_HMAC_BYTES = 4;", "export const MIN_HMAC_BYTES = 5;", "R7425-4.6.4-05"],
    ["export const MAX_HMAC_BYTES = 32;", "export const MAX_HMAC_BYTES = 31;", "R7425-4.6.4-05"],
    ["if (high >>> 25 !== 0) return 0;", "if (high >>> 24 !== 0) return 0;", "R7425-4.6.6-03"],
    ["high = ((high << 7) | (low >>> 25)) >>> 0;", "high = 0;", "R7425-4.6.6-03"],
    [
      'if (sequence > LAST_SEQUENCE) throw new RangeError("no session sequence number is left; the session must close");',
      "",
      "R7425-4.6.6-04",
      "R7425-4.7.3.3-03",
    ],
    [
      "return this.sendSequence && this.nextSequence > LAST_SEQUENCE - CLOSING_SEQUENCES;",
      "return false;",
      "R7425-4.6.6-04",
    ],
    [
      "const length = sealed.length - this.recvHmacLength;",
      "const length = sealed.length - this.recvHmacLength - ((sealed.length - this.recvHmacLength) % BLOCK_BYTES);",
      "R7425-4.7.2-02",
    ],
    [
      "const checksum = checksum16(buffer, start, blocksEnd);",
      "const checksum = checksum16(buffer, start, end);",
      "R7425-4.7.2-04",
    ],
    [
      "const checksum = checksum16(buffer, start, blocksEnd);",
      "const checksum = checksum16(buffer, first, blocksEnd);",
      "R7425-4.7.3.1-03",
    ],
    [
      'if (checksum16(opened, start, length) !== expected) return this.refuse("verify");',
      'if (checksum16(opened, start - 2, length) !== expected) return this.refuse("verify");',
      "R7425-4.7.3.1-03",
    ],
    [
      "const digest = this.sendHmac.digest(buffer.subarray(first, blocksEnd));",
      "const digest = this.sendHmac.digest(buffer.subarray(0, blocksEnd));",
      "R7425-4.7.3.2-01",
    ],
    [
      "for (let i = 0; i < this.sendHmacLength; i++) buffer[blocksEnd + i] = digest[i] as number;",
      "for (let i = 0; i < this.sendHmacLength; i++) buffer[blocksEnd + i] = digest[32 - this.sendHmacLength + i] as number;",
      "R7425-4.7.3.2-01",
    ],
    [
      "this.recvHmacLength = options.recvHmacLength ?? 0;",
      "this.recvHmacLength = options.sendHmacLength ?? 0;",
      "R7425-4.7.3.2-02",
    ],
    ["if (this.recvHmac === undefined) {", "if (true) {", "R7425-4.7.3.2-04"],
    [
      "return (this.sendSequence ? vluSize(this.nextSequence) : 0) + (this.sendHmac === undefined ? CHECKSUM_BYTES : 0);",
      "return (this.sendSequence ? vluSize(this.nextSequence) : 0) + CHECKSUM_BYTES;",
      "R7425-4.7.3.2-04",
    ],
    [
      "this.nextSequence = options.firstSequence ?? 0;",
      "this.nextSequence = options.firstSequence ?? 1;",
      "R7425-4.7.3.3-03",
    ],
    ["this.nextSequence = sequence + 1;", "this.nextSequence = sequence;", "R7425-4.7.3.3-03"],
  ),
  ...faultsOf(`${PROTO}/session-transmit.ts`, ["if (cipher.exhausted) {", "if (false) {", "R7425-4.6.6-04"]),
];
