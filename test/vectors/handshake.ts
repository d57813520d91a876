/** Recorded handshakes, fed to one end of the real profile with the recorded keys and salts. § means RFC 7425. */
import {
  type CryptoProvider,
  createFlashProfile,
  equalSecrets,
  type FlashPacketCipher,
  type FlashProfile,
  type KeyingComponent,
  keyPairOf,
  type ProtectionSetting,
  parseCertificate,
  parseComponent,
} from "rtmfp-core/crypto";
import { ByteReader, equalBytes, type KeyingStep, readOption, type SessionKeys, toHex } from "rtmfp-core/proto";
import { withoutZeros } from "./json.ts";
import { opposite, type RecordedSession, type Role } from "./model.ts";

/** What came of it. */
export interface Replayed {
  readonly differences: readonly string[];
  /** The end's cipher, if its component came out byte by byte as recorded. */
  readonly cipher: FlashPacketCipher | undefined;
}

/** True if enough was recorded to play that end: both certificates and its private key. */
export function canPlay(session: RecordedSession, role: Role): boolean {
  const { ends } = session;
  return ends[role].key !== undefined && [ends.initiator, ends.responder].every((end) => end.certificate !== undefined);
}

/** Plays one end, see {@link canPlay}. The profile must agree on the recorded secret, and on the keys if it can. */
export function playHandshake(provider: CryptoProvider, session: RecordedSession, role: Role): Replayed {
  const profile = profileOf(provider, session, role);
  const far = profile.parseCertificate(session.ends[opposite(role)].certificate as Uint8Array);
  if (far === undefined) return refused("the far certificate");
  const { initiator: skic, responder: skrc } = session.components;
  if (role === "initiator") {
    const keying = run(profile, profile.initiate(far));
    if (keying === undefined) return refused("the far certificate's groups");
    const keys = run(profile, keying.complete(skrc));
    return keys === undefined ? refused("the responder's component") : compare(session, role, keying.skic, keys);
  }
  const answer = run(profile, profile.respond(far, skic));
  return answer === undefined ? refused("the initiator's component") : compare(session, role, answer.skrc, answer.keys);
}

function compare(session: RecordedSession, role: Role, made: Uint8Array, keys: SessionKeys): Replayed {
  const differences: string[] = [];
  const { secrets } = keys;
  if (secrets === undefined || !equalSecrets(secrets.dhSecret, session.dhSecret)) differences.push("another DH secret");
  const recorded = session.components[role];
  if (equalBytes(made, recorded)) return { differences, cipher: keys.cipher as FlashPacketCipher };
  // Stacks order the options of a component differently; the key material must be the same in any order.
  const [a, b] = [parseComponent(made), parseComponent(recorded)];
  if (publicKeyOf(a) !== publicKeyOf(b) || a?.groupSelect !== b?.groupSelect) {
    differences.push("other key material in the component");
  }
  return { differences, cipher: undefined };
}

/** The ephemeral key as a number in hex: some stacks leave out its leading zeros. */
function publicKeyOf(component: KeyingComponent | undefined): string | undefined {
  const key = component?.ephemeral;
  return key && `${key.group} ${withoutZeros(toHex(key.publicKey))}`;
}

function run<T>(profile: FlashProfile, step: KeyingStep<T> | undefined): T | undefined {
  return step?.finish(step.job === undefined ? {} : profile.runJob(step.job));
}

function refused(what: string): Replayed {
  return { differences: [`the profile refuses ${what}`], cipher: undefined };
}

/** The recorded end as a profile: its certificate, its settings, its private key and its salt. */
function profileOf(provider: CryptoProvider, session: RecordedSession, role: Role): FlashProfile {
  const { certificate, key } = session.ends[role] as {
    certificate: Uint8Array;
    key: { group: number; privateKey: Uint8Array };
  };
  const pair = keyPairOf(provider, key.group, key.privateKey);
  const isStatic = parseCertificate(provider, certificate)?.staticKeys.has(key.group) ?? false;
  const own = parseComponent(session.components[role]);
  const far = parseComponent(session.components[opposite(role)]);
  const farFlags = (kind: "hmacFlags" | "sequenceFlags"): number =>
    role === "initiator" ? ALL_FLAGS : (far?.[kind] ?? 0);
  return createFlashProfile({
    provider,
    identity: { certificate, staticKeys: new Map(isStatic ? [[key.group, pair]] : []) },
    groups: [key.group],
    hmac: settingOf(own?.hmacFlags ?? 0, farFlags("hmacFlags")),
    sequence: settingOf(own?.sequenceFlags ?? 0, farFlags("sequenceFlags")),
    ...(own !== undefined && own.hmacLength > 0 ? { hmacLength: own.hmacLength } : {}),
    random: () => (isStatic ? saltOf(session.components[role]) : key.privateKey),
    exposeSecrets: true,
  });
}

/** The setting that puts these flags into a component, as far as there is one. */
function settingOf(flags: number, farFlags: number): ProtectionSetting {
  if (flags === 0) return "none";
  if (flags === ALL_FLAGS) return "require";
  return flags === SEND_AND_REQUEST && (farFlags & (SEND_ALWAYS | REQUEST)) !== 0 ? "request" : "accept";
}

/** The extra randomness (§4.5.2.2) in a component; empty if there is none. */
function saltOf(component: Uint8Array): Uint8Array {
  const reader = new ByteReader(component);
  while (reader.remaining > 0 && !reader.failed) {
    const option = readOption(reader);
    if (option?.type === EXTRA_RANDOMNESS) return option.value.slice();
  }
  return new Uint8Array(0);
}

const EXTRA_RANDOMNESS = 0x0e;
/** §4.5.2.4 and §4.5.2.5. */
const SEND_ALWAYS = 4;
const REQUEST = 1;
const SEND_AND_REQUEST = 3;
const ALL_FLAGS = 7;
