/** Packets that a peer in its right mind would not send, sealed as if it did. */
import type { Session } from "rtmfp-core";
import { buildEpd, createFlashProfile, type FlashProfile, SERVER_IDENTITY } from "rtmfp-core/crypto";
import {
  ByteWriter,
  type Chunk,
  encodePacket,
  Mode,
  type PacketCipher,
  type PacketHeader,
  SESSION_ID_BYTES,
  scrambleSessionId,
} from "rtmfp-core/proto";

/** The attacker's own identity. */
export const PROFILE: FlashProfile = createFlashProfile({ identity: SERVER_IDENTITY, groups: [31] });
/** Selects the process under attack. */
export const EPD: Uint8Array = buildEpd({ ancillaryData: new Uint8Array(0) });

const buffer = new Uint8Array(8_192);

/** A startup packet for a session ID, in fresh memory. */
export function sealStartup(chunk: Chunk, sessionId = 0): Uint8Array {
  return seal(PROFILE.startupCipher, sessionId, Mode.startup, [chunk]).slice();
}

/** A packet of an open session that we initiated; valid until the next call. */
export function sealInSession(session: Session, ...chunks: Chunk[]): Uint8Array {
  const { keys, farId } = session.inner;
  if (keys === undefined) throw new Error("the attacker's session is not open");
  return sealWith(keys.cipher, farId, ...chunks);
}

/** A packet from an initiator under a session's keys; valid until the next call. */
export function sealWith(cipher: PacketCipher, sessionId: number, ...chunks: Chunk[]): Uint8Array {
  return seal(cipher, sessionId, Mode.initiator, chunks);
}

function seal(cipher: PacketCipher, sessionId: number, mode: Mode, chunks: readonly Chunk[]): Uint8Array {
  const start = SESSION_ID_BYTES + cipher.headroom;
  const writer = new ByteWriter(buffer, start);
  encodePacket(writer, { ...PLAIN_HEADER, mode }, chunks);
  const end = cipher.seal(buffer, start, writer.pos);
  scrambleSessionId(buffer, end, sessionId | 0);
  return buffer.subarray(0, end);
}

const PLAIN_HEADER: Omit<PacketHeader, "mode"> = {
  timeCritical: false,
  timeCriticalReverse: false,
  timestamp: undefined,
  timestampEcho: undefined,
  reserved: 0,
};
