/** Reader of the format with one list of handshake secrets for all scenarios. § means RFC 7425. */
import {
  agree,
  DEFAULT_SESSION_KEY,
  deriveSessionKeys,
  hmacSha256,
  keyPairOf,
  LEGACY_GROUP,
  parseCertificate,
} from "rtmfp-core/crypto";
import { toHex } from "rtmfp-core/proto";
import { CertificateFinder } from "./certificates.ts";
import { materialOf } from "./ciphers.ts";
import { bytes, count, FormatError, type Json, objects, string } from "./json.ts";
import {
  type Derivation,
  opposite,
  type RecordedPacket,
  type RecordedSession,
  type Recording,
  type Role,
  type Scenario,
} from "./model.ts";

/** True if a file looks like this format. */
export function isMona(file: Json): boolean {
  return "handshakeSecrets" in file && "scenarios" in file;
}

export function readMona(file: Json): Recording {
  const handshakes = objects(file, "handshakeSecrets");
  const scenarios = objects(file, "scenarios");
  const names = new Set(scenarios.map((scenario) => scenario["name"]));
  const stray = handshakes.find((handshake) => !names.has(handshake["scenario"]));
  if (stray !== undefined) throw new FormatError(`there is no scenario "${stray["scenario"]}"`);
  return {
    format: "mona",
    derivations: fileDerivations(file),
    scenarios: scenarios.map((scenario) =>
      readScenario(
        scenario,
        handshakes.filter((handshake) => handshake["scenario"] === scenario["name"]),
      ),
    ),
  };
}

function fileDerivations(file: Json): Derivation[] {
  const startup = { what: "startup key", expected: file["startupKey"], derive: () => toHex(DEFAULT_SESSION_KEY) };
  if (file["groupId"] === undefined) return [startup];
  const input = new TextEncoder().encode(string(file, "groupIdInput"));
  return [
    startup,
    {
      what: "group id",
      expected: file["groupId"],
      derive: (provider) => toHex(provider.sha256(provider.sha256(input))),
    },
  ];
}

/** A handshake as recorded, beside its common form. */
interface Handshake {
  readonly json: Json;
  readonly role: Role;
  readonly session: RecordedSession;
}

function readScenario(scenario: Json, secrets: readonly Json[]): Scenario {
  const packets = objects(scenario, "packets");
  const finder = new CertificateFinder(packets.map((packet) => bytes(packet, "raw")));
  const handshakes = secrets.map((json, i) => readHandshake(json, i, finder));
  const groupKeys = scenario["groupKeys"] === undefined ? [] : objects(scenario, "groupKeys");
  return {
    name: string(scenario, "name"),
    derivations: [
      ...handshakes.flatMap(derivations),
      ...groupKeys.flatMap((keys) => groupDerivations(keys, handshakes)),
    ],
    sessions: handshakes.map(({ session }) => session),
    packets: packets.map((packet) => readPacket(packet, handshakes)),
  };
}

function readHandshake(json: Json, index: number, finder: CertificateFinder): Handshake {
  const role = string(json, "role");
  if (role !== "initiator" && role !== "responder") throw new FormatError(`"${role}" is not a role`);
  const components = { initiator: bytes(json, "initiatorNonce"), responder: bytes(json, "responderNonce") };
  const certificates = finder.find(components.initiator);
  const end = (which: Role): RecordedSession["ends"][Role] => ({
    certificate: certificates[which],
    key: which === role ? { group: LEGACY_GROUP, privateKey: bytes(json, "dhPrivate") } : undefined,
  });
  const session = {
    name: `session ${index}`,
    dhSecret: bytes(json, "sharedSecret"),
    components,
    ends: { initiator: end("initiator"), responder: end("responder") },
  };
  return { json, role, session };
}

function derivations({ json, role, session }: Handshake): Derivation[] {
  const privateKey = bytes(json, "dhPrivate");
  const far = session.ends[opposite(role)].certificate;
  const of = (what: string, key: string, derive: Derivation["derive"]): Derivation => ({
    what: `${what} of ${session.name}`,
    expected: json[key],
    derive,
  });
  return [
    of("public key", "dhPublic", (provider) => toHex(keyPairOf(provider, LEGACY_GROUP, privateKey).publicKey)),
    of("DH secret", "sharedSecret", (provider) => {
      const secret = agree(provider, LEGACY_GROUP, privateKey, bytes(json, "farDhPublic"));
      return secret && toHex(secret);
    }),
    ...(["initiator", "responder"] as const).map((each) =>
      of(`${each}'s key`, `${each}Key`, (provider) =>
        toHex(deriveSessionKeys(provider, materialOf(session, each)).encryptKey),
      ),
    ),
    // Between peers the session is named by the far end's fingerprint.
    ...(/^[0-9a-f]{64}$/.test(string(json, "name")) && far !== undefined
      ? [of("far fingerprint", "name", (provider) => parseCertificate(provider, far)?.id)]
      : []),
  ];
}

/** What peers of a group prove to each other: HMAC(group, HMAC(DH secret, component of the receiver)). */
function groupDerivations(keys: Json, handshakes: readonly Handshake[]): Derivation[] {
  const group = new TextEncoder().encode(string(keys, "groupTxt"));
  const handshake = handshakes.find(({ json }) => json["sharedSecret"] === keys["sharedSecret"]);
  if (handshake === undefined) throw new FormatError("no handshake has the shared secret of these group keys");
  const { session, role } = handshake;
  const own = session.ends[role].certificate;
  const what = (name: string): string => `${name} of ${session.name}`;
  const proof = (receiver: Role): Derivation["derive"] => {
    return (provider) =>
      toHex(hmacSha256(provider, group, hmacSha256(provider, session.dhSecret, session.components[receiver])));
  };
  return [
    { what: what("group connect key"), expected: keys["connectKey"], derive: proof(opposite(role)) },
    { what: what("expected group connect key"), expected: keys["expectedKey"], derive: proof(role) },
    {
      what: what("far component in the group"),
      expected: keys["farNonce"],
      derive: () => toHex(session.components[opposite(role)]),
    },
    {
      what: what("component in the group"),
      expected: keys["nearNonce"],
      derive: () => toHex(session.components[role]),
    },
    {
      what: what("group id"),
      expected: keys["groupHex"],
      derive: (provider) => toHex(provider.sha256(provider.sha256(group))),
    },
    { what: what("far peer in the group"), expected: keys["peer"], derive: () => handshake.json["name"] },
    ...(own === undefined
      ? []
      : [
          {
            what: what("own peer id"),
            expected: keys["myPeerId"],
            derive: (provider: Parameters<Derivation["derive"]>[0]) => parseCertificate(provider, own)?.id,
          },
        ]),
  ];
}

function readPacket(packet: Json, handshakes: readonly Handshake[]): RecordedPacket {
  const key = string(packet, "key");
  const usedBy = (role: Role): Handshake | undefined =>
    handshakes.find(({ json }) => string(json, `${role}Key`).startsWith(key));
  const byInitiator = usedBy("initiator");
  const handshake = byInitiator ?? usedBy("responder");
  const from: Role = byInitiator === undefined && handshake !== undefined ? "responder" : "initiator";
  return {
    index: count(packet, "index"),
    raw: bytes(packet, "raw"),
    sessionId: count(packet, "sessionId"),
    session: handshake?.session,
    from,
    problem: problemOf(packet, handshake, from),
    plaintext: bytes(packet, "plaintext"),
    facts: { key, mode: packet["mode"], flags: Number(string(packet, "packetFlags")) },
    chunks: objects(packet, "chunks"),
  };
}

function problemOf(packet: Json, handshake: Handshake | undefined, from: Role): string | undefined {
  if (handshake === undefined) {
    return packet["key"] === toHex(DEFAULT_SESSION_KEY) ? undefined : "its key is none of the recorded ones";
  }
  const { json, role } = handshake;
  const direction = from === role ? "out" : "in";
  if (packet["direction"] !== direction) return `by its key it went ${direction}, recorded ${packet["direction"]}`;
  const expected = direction === "out" ? json["farId"] : json["nearId"];
  return packet["sessionId"] === expected ? undefined : `its session's id is ${expected}, not ${packet["sessionId"]}`;
}
