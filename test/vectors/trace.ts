/** Reader of our own traces: JSON lines, see docs/trace.md. */
import { deriveSessionKeys } from "rtmfp-core/crypto";
import { toHex } from "rtmfp-core/proto";
import { materialOf } from "./ciphers.ts";
import { bytes, count, FormatError, isObject, type Json, string } from "./json.ts";
import {
  type Derivation,
  opposite,
  type RecordedPacket,
  type RecordedSession,
  type Recording,
  type Role,
} from "./model.ts";

/** True if the first line of a file is the header of a trace. */
export function isTrace(firstLine: string): boolean {
  try {
    const header: unknown = JSON.parse(firstLine);
    return isObject(header) && header["format"] === FORMAT;
  } catch {
    return false;
  }
}

export function readTrace(text: string): Recording {
  const [header, ...lines] = text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseLine);
  if (header?.["version"] !== VERSION) throw new FormatError(`expected a trace of version ${VERSION}`);
  const open = new Map<number, { readonly session: RecordedSession; readonly role: Role; readonly farId: number }>();
  const sessions: RecordedSession[] = [];
  const derivations: Derivation[] = [];
  const packets: RecordedPacket[] = [];
  for (const line of lines) {
    if (line["type"] === "session") {
      const role = readRole(line);
      const session = readSession(line, role, sessions.length);
      sessions.push(session);
      derivations.push(...nonceDerivations(line, session, role));
      open.set(count(line, "nearId"), { session, role, farId: count(line, "farId") });
    } else if (line["type"] === "packet") {
      const number = count(line, "session");
      const known = open.get(number);
      const [sessionId, out] = [count(line, "sessionId"), line["dir"] === "out"];
      const expectedId = out ? known?.farId : number;
      packets.push({
        index: packets.length,
        raw: bytes(line, "raw"),
        sessionId,
        session: known?.session,
        from: known === undefined || out ? (known?.role ?? "initiator") : opposite(known.role),
        problem: problemOf(line, number === 0 || (known !== undefined && expectedId === sessionId)),
        packet: bytes(line, "plain"),
        facts: {},
        chunks: undefined,
      });
    } else if (line["type"] !== "gap") throw new FormatError(`"${line["type"]}" is not a type of line`);
  }
  return { format: "trace", derivations: [], scenarios: [{ name: "trace", derivations, sessions, packets }] };
}

function problemOf(line: Json, sessionKnown: boolean): string | undefined {
  const { dir, session, sessionId, startup } = line;
  if (dir !== "in" && dir !== "out") return `its direction is ${dir}`;
  if (startup !== (session === 0)) return `startup is ${startup} in session ${session}`;
  return sessionKnown ? undefined : `nothing is known of session ${session} with id ${sessionId}`;
}

function parseLine(line: string, index: number): Json {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // Falls through to the same complaint.
  }
  throw new FormatError(`line ${index + 1} is not a JSON object; if it was cut off, remove it`);
}

function readRole(line: Json): Role {
  const role = string(line, "role");
  if (role === "initiator" || role === "responder") return role;
  throw new FormatError(`"${role}" is not a role`);
}

function readSession(line: Json, role: Role, index: number): RecordedSession {
  const near = bytes(line, "nearComponent");
  const far = bytes(line, "farComponent");
  const nobody = { certificate: undefined, key: undefined };
  return {
    name: `session ${index}`,
    dhSecret: bytes(line, "dhSecret"),
    components: role === "initiator" ? { initiator: near, responder: far } : { initiator: far, responder: near },
    ends: { initiator: nobody, responder: nobody },
  };
}

function nonceDerivations(line: Json, session: RecordedSession, role: Role): Derivation[] {
  return (["nearNonce", "farNonce"] as const).map((key) => ({
    what: `${key} of ${session.name}`,
    expected: line[key],
    derive: (provider) => toHex(deriveSessionKeys(provider, materialOf(session, role))[key]),
  }));
}

const FORMAT = "rtmfp-trace";
const VERSION = 1;
