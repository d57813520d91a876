/** Reader of the format with nodes, DH secrets, sessions and packets in each scenario. § means RFC 7425. */
import {
  agree,
  type CryptoProvider,
  DEFAULT_SESSION_KEY,
  deriveSessionKeys,
  keyPairOf,
  parseCertificate,
  parseComponent,
} from "rtmfp-core/crypto";
import { equalBytes, toHex } from "rtmfp-core/proto";
import { materialOf, protectionOf } from "./ciphers.ts";
import { bytes, count, FormatError, isObject, type Json, object, objects, string, withoutZeros } from "./json.ts";
import type { Derivation, RecordedEnd, RecordedPacket, RecordedSession, Recording, Role, Scenario } from "./model.ts";

/** True if a file looks like this format. */
export function isRtmfpCpp(file: Json): boolean {
  const first = Array.isArray(file["scenarios"]) ? file["scenarios"][0] : undefined;
  return isObject(first) && "nodes" in first && "sessions" in first;
}

export function readRtmfpCpp(file: Json): Recording {
  return {
    format: "rtmfp-cpp",
    derivations: [
      {
        what: "default session key",
        expected: string(file, "default_session_key"),
        derive: () => toHex(DEFAULT_SESSION_KEY),
      },
      {
        what: "default session key as text",
        expected: string(file, "default_session_key_text"),
        derive: () => new TextDecoder().decode(DEFAULT_SESSION_KEY),
      },
    ],
    scenarios: objects(file, "scenarios").map(readScenario),
  };
}

function readScenario(scenario: Json): Scenario {
  const nodes = object(scenario, "nodes");
  const sessions = objects(scenario, "sessions");
  const recorded = sessions.map((session, i) => readSession(session, i, nodes));
  return {
    name: string(scenario, "name"),
    derivations: [
      ...Object.keys(nodes).flatMap((name) => nodeDerivations(name, object(nodes, name))),
      ...objects(scenario, "dh_secrets").map((secret) => secretDerivation(secret, nodes)),
      ...sessions.flatMap((session, i) => sessionDerivations(session, recorded[i] as RecordedSession)),
    ],
    sessions: recorded,
    packets: objects(scenario, "packets").map((packet) => readPacket(packet, sessions, recorded)),
  };
}

function nodeDerivations(name: string, node: Json): Derivation[] {
  const certificate = bytes(node, "certificate");
  return [
    {
      what: `fingerprint of ${name}`,
      expected: string(node, "fingerprint"),
      derive: (provider) => parseCertificate(provider, certificate)?.id,
    },
    {
      what: `kind of keys of ${name}`,
      expected: count(node, "static_dh"),
      derive: (provider) => ((parseCertificate(provider, certificate)?.staticKeys.size ?? 0) > 0 ? 1 : 0),
    },
    ...objects(node, "dh_keys").map((key) => ({
      what: `public key of ${name}`,
      // This stack leaves out leading zeros.
      expected: withoutZeros(string(key, "public")),
      derive: (provider: CryptoProvider) =>
        withoutZeros(toHex(keyPairOf(provider, count(key, "group"), bytes(key, "private")).publicKey)),
    })),
  ];
}

/** A node may have several keys of a group; one of them made the secret. */
function secretDerivation(secret: Json, nodes: Json): Derivation {
  const [name, group, far] = [string(secret, "node"), count(secret, "group"), bytes(secret, "far_public")];
  const expected = string(secret, "secret");
  const keys = objects(object(nodes, name), "dh_keys").filter((key) => key["group"] === group);
  return {
    what: `DH secret of ${name}`,
    expected,
    derive: (provider) => {
      const made = keys.map((key) => toHex(agree(provider, group, bytes(key, "private"), far) ?? new Uint8Array(0)));
      return made.find((hex) => hex === expected) ?? made[0];
    },
  };
}

function readSession(session: Json, index: number, nodes: Json): RecordedSession {
  const components = { initiator: bytes(session, "skic"), responder: bytes(session, "skrc") };
  const group = count(session, "group");
  const end = (role: Role): RecordedEnd => {
    const node = object(nodes, string(session, role));
    const certificate = bytes(node, "certificate");
    const key = objects(node, "dh_keys").find(
      (each) =>
        each["group"] === group &&
        (holds(components[role], bytes(each, "public")) || holds(certificate, bytes(each, "public"))),
    );
    return { certificate, key: key && { group, privateKey: bytes(key, "private") } };
  };
  return {
    name: `session ${index}`,
    dhSecret: bytes(session, "dh_shared_secret"),
    components,
    ends: { initiator: end("initiator"), responder: end("responder") },
  };
}

function sessionDerivations(session: Json, recorded: RecordedSession): Derivation[] {
  const all: Derivation[] = [];
  const add = (what: string, key: string, derive: Derivation["derive"]): void => {
    all.push({ what: `${what} of ${recorded.name}`, expected: session[key], derive });
  };
  add("group", "group", () => {
    const component = parseComponent(recorded.components.initiator);
    return component?.groupSelect ?? component?.ephemeral?.group;
  });
  for (const role of ["initiator", "responder"] as const) {
    const own = (provider: CryptoProvider) => deriveSessionKeys(provider, materialOf(recorded, role));
    add(`${role}'s nonce`, `${role}_nonce`, (provider) => toHex(own(provider).nearNonce));
    add(`${role}'s key`, `${role}_encrypt_key`, (provider) => toHex(own(provider).encryptKey.subarray(0, 16)));
    add(`${role}'s full key`, `${role}_encrypt_key_full32`, (provider) => toHex(own(provider).encryptKey));
    add(`${role}'s HMAC key`, `${role}_hmac_key`, (provider) =>
      protectionOf(recorded, role).hmacLength === 0 ? null : toHex(own(provider).hmacSendKey),
    );
    add(`${role}'s HMAC length`, `${role}_hmac_length`, () => protectionOf(recorded, role).hmacLength);
    add(`${role}'s sequence numbers`, `${role}_sends_sseq`, () => protectionOf(recorded, role).sequence);
  }
  return all;
}

function readPacket(packet: Json, sessions: readonly Json[], recorded: readonly RecordedSession[]): RecordedPacket {
  const key = string(packet, "key");
  const match = /^session\[(\d+)\]\.(initiator|responder)_encrypt_key$/.exec(key);
  const number = match === null ? null : Number(match[1]);
  const session = number === null ? undefined : recorded[number];
  const from = (match?.[2] ?? "initiator") as Role;
  const header = object(packet, "header");
  const sessionId = bytes(packet, "session_id");
  return {
    index: count(packet, "index"),
    raw: bytes(packet, "raw"),
    sessionId: Number.parseInt(toHex(sessionId), 16),
    session,
    from,
    problem: problemOf(packet, number, session, number === null ? undefined : sessions[number]?.[from]),
    plaintext: bytes(packet, "plaintext"),
    facts: {
      key: packet["decryption_key"],
      hmac: packet["hmac"],
      checksum: packet["checksum"],
      sequence: packet["session_sequence_number"],
      headerOffset: packet["header_offset"],
      modeName: header["mode"],
      timeCritical: header["timeCritical"],
      timeCriticalReverse: header["timeCriticalReverse"],
      timestamp: header["timestamp"] ?? null,
      timestampEcho: header["timestampEcho"] ?? null,
      paddingLength: header["paddingLength"],
    },
    chunks: objects(packet, "chunks").map(({ flags, ...chunk }) =>
      flags === undefined ? chunk : { ...chunk, flagBits: flags },
    ),
  };
}

function problemOf(
  packet: Json,
  number: number | null,
  session: RecordedSession | undefined,
  sender: unknown,
): string | undefined {
  const { from, to, direction } = packet;
  if (direction !== `${from}->${to}`) return `it went from ${from} to ${to}, recorded ${direction}`;
  if (packet["session"] !== number) return `session ${packet["session"]} and key ${packet["key"]} disagree`;
  if (number === null) return packet["key"] === "default" ? undefined : `nothing is known of key ${packet["key"]}`;
  if (session === undefined) return `session ${number} was not recorded`;
  return packet["from"] === sender ? undefined : `key ${packet["key"]} is not the sender's`;
}

/** True if `part` stands in `whole`. */
function holds(whole: Uint8Array, part: Uint8Array): boolean {
  if (part.length === 0) throw new FormatError("a public key is empty");
  for (let at = 0; at + part.length <= whole.length; at++) {
    if (equalBytes(whole.subarray(at, at + part.length), part)) return true;
  }
  return false;
}
