import { createFlashProfile, type FlashProfileOptions, SERVER_IDENTITY } from "../../src/crypto/index.ts";
import { ByteWriter } from "../../src/proto/bytes.ts";
import { decodePacket, encodePacket } from "../../src/proto/chunk/codec.ts";
import type { Chunk } from "../../src/proto/chunk/types.ts";
import type { TraceRecord } from "../../src/proto/config.ts";
import type { PacketCipher } from "../../src/proto/crypto-profile.ts";
import { type PacketHeader, SESSION_ID_BYTES, STARTUP_HEADER, scrambleSessionId } from "../../src/proto/packet.ts";
import type { Session } from "../../src/proto/session.ts";
import type { SimHost, SimWorld } from "../../src/testing/index.ts";
import { type RawNode, type RawOptions, rawNode } from "./raw.ts";

/** A sans-IO endpoint of the Flash profile, found by its fingerprint, with every packet it sent or took. */
export interface SealedNode extends RawNode {
  readonly trace: readonly TraceRecord[];
  /** What selects it. */
  readonly epd: Uint8Array;
}

export function sealedNode(
  host: SimHost,
  crypto: Partial<FlashProfileOptions> = {},
  options: RawOptions = {},
): SealedNode {
  const trace: TraceRecord[] = [];
  const random = (length: number): Uint8Array => host.random(length);
  const profile = createFlashProfile({ identity: SERVER_IDENTITY, random, ...crypto });
  const node = rawNode(host, host.name, {
    keepaliveMs: 0,
    ...options,
    profile,
    trace: (record) =>
      trace.push({
        ...record,
        peer: { ...record.peer },
        datagram: record.datagram.slice(),
        packet: record.packet.slice(),
      }),
  });
  const epd = profile.parseCertificate(profile.certificate)?.canonicalEpd as Uint8Array;
  return Object.assign(node, { trace, epd });
}

/** Opens a session between two sealed nodes, and gives both ends of it. */
export function openSealed(world: SimWorld, near: SealedNode, far: SealedNode): { near: Session; far: Session } {
  const session = near.endpoint.open(near.driver.now(), far.epd, { candidates: [{ address: far.address, via: 0 }] });
  near.driver.wake();
  world.run(500);
  const other = far.open().find(({ farId }) => farId === session.nearId);
  if (!session.isOpen || other === undefined) throw new Error("the session is not open");
  return { near: session, far: other };
}

/** The cipher of an open session. */
export function cipherOf(session: Session): PacketCipher {
  if (session.keys === undefined) throw new Error("the session has no keys");
  return session.keys.cipher;
}

/** A datagram whose packet the given cipher seals. */
export function sealWith(
  cipher: PacketCipher,
  sessionId: number,
  header: Partial<PacketHeader>,
  ...chunks: Chunk[]
): Uint8Array {
  const buffer = new Uint8Array(4_096);
  const start = SESSION_ID_BYTES + cipher.headroom;
  const writer = new ByteWriter(buffer, start);
  encodePacket(writer, { ...STARTUP_HEADER, ...header }, chunks);
  const end = cipher.seal(buffer, start, writer.pos);
  scrambleSessionId(buffer, end, sessionId | 0);
  return buffer.slice(0, end);
}

/** The packet that the cipher finds in a datagram; undefined if it opens nothing. */
export function openWith(cipher: PacketCipher, datagram: Uint8Array): ReturnType<typeof decodePacket> {
  const packet = cipher.open(datagram.subarray(SESSION_ID_BYTES));
  return packet === undefined ? undefined : decodePacket(packet);
}
