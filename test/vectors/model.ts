/** What the formats have in common: recorded values to derive again, and recorded packets to replay. */
import type { CryptoProvider } from "rtmfp-core/crypto";
import type { Json } from "./json.ts";

/** The two ends of a session. */
export type Role = "initiator" | "responder";

/** A file, read. */
export interface Recording {
  readonly format: string;
  /** Values of the file as a whole. */
  readonly derivations: readonly Derivation[];
  readonly scenarios: readonly Scenario[];
}

/** One recorded conversation. */
export interface Scenario {
  readonly name: string;
  readonly derivations: readonly Derivation[];
  readonly sessions: readonly RecordedSession[];
  readonly packets: readonly RecordedPacket[];
}

/** A recorded value, and how to come to it again. */
export interface Derivation {
  readonly what: string;
  readonly expected: unknown;
  readonly derive: (provider: CryptoProvider) => unknown;
}

/** The secrets of a session, and what its ends knew. */
export interface RecordedSession {
  readonly name: string;
  readonly dhSecret: Uint8Array;
  /** Session keying components as sent by the initiator (SKIC) and the responder (SKRC). */
  readonly components: Readonly<Record<Role, Uint8Array>>;
  readonly ends: Readonly<Record<Role, RecordedEnd>>;
}

/** One end of a session; what was not recorded is undefined. */
export interface RecordedEnd {
  readonly certificate: Uint8Array | undefined;
  readonly key: { readonly group: number; readonly privateKey: Uint8Array } | undefined;
}

/** A recorded datagram and all that was noted about it. */
export interface RecordedPacket {
  readonly index: number;
  /** The datagram. */
  readonly raw: Uint8Array;
  /** Unsigned. */
  readonly sessionId: number;
  /** Undefined: under the Default Session Key. */
  readonly session: RecordedSession | undefined;
  readonly from: Role;
  /** Why it contradicts itself or cannot be opened; it fails then. */
  readonly problem?: string | undefined;
  /** Decrypted blocks whole, from the first byte to the padding. */
  readonly plaintext?: Uint8Array;
  /** Flags byte to last chunk, or to the end of the padding. */
  readonly packet?: Uint8Array;
  /** Values to compare with those of {@link packetFacts}, by name. */
  readonly facts: Json;
  /** Chunk listing, to compare with {@link describeChunks}; undefined if there is none. */
  readonly chunks: readonly Json[] | undefined;
}

/** The other end. */
export function opposite(role: Role): Role {
  return role === "initiator" ? "responder" : "initiator";
}
