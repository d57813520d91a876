/** Certificates of recorded handshakes, found in the recorded startup packets. § means RFC 7016. */
import { createStartupCipher, defaultProvider } from "rtmfp-core/crypto";
import {
  ChunkType,
  decodePacket,
  type IIKeyingChunk,
  type RHelloChunk,
  SESSION_ID_BYTES,
  toHex,
} from "rtmfp-core/proto";
import type { Role } from "./model.ts";

/** Looks for the IIKeying (§2.3.7) that carried a component, and the RHello (§2.3.4) whose cookie it echoes. */
export class CertificateFinder {
  readonly #keying = new Map<string, IIKeyingChunk>();
  readonly #hello = new Map<string, RHelloChunk>();

  constructor(datagrams: readonly Uint8Array[]) {
    const cipher = createStartupCipher(defaultProvider());
    for (const datagram of datagrams) {
      const packet = cipher.open(datagram.subarray(SESSION_ID_BYTES));
      for (const chunk of (packet && decodePacket(packet)?.chunks) ?? []) {
        if (chunk?.type === ChunkType.iiKeying) {
          const keying = chunk as IIKeyingChunk;
          this.#keying.set(toHex(keying.skic), keying);
        } else if (chunk?.type === ChunkType.rHello) {
          const hello = chunk as RHelloChunk;
          this.#hello.set(toHex(hello.cookie), hello);
        }
      }
    }
  }

  /** The certificates of the handshake with that SKIC, as far as it was recorded. */
  find(skic: Uint8Array): Readonly<Record<Role, Uint8Array | undefined>> {
    const keying = this.#keying.get(toHex(skic));
    const hello = keying && this.#hello.get(toHex(keying.cookieEcho));
    return { initiator: keying?.certificate, responder: hello?.certificate };
  }
}
