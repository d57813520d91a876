/** The ciphers of both ends of a recorded session, from its secrets. § means RFC 7425. */
import {
  type CryptoProvider,
  createSessionCipher,
  deriveSessionKeys,
  type FlashPacketCipher,
  type KeyMaterial,
  parseComponent,
  sends,
} from "rtmfp-core/crypto";
import { opposite, type RecordedSession, type Role } from "./model.ts";

/** What the components agree on (§4.6.4, §4.6.6): how each end protects what it sends. */
export interface Protection {
  /** Bytes; 0 is the checksum. */
  readonly hmacLength: number;
  readonly sequence: boolean;
}

/** The keys' origin as one end sees it. */
export function materialOf(session: RecordedSession, near: Role): KeyMaterial {
  const { dhSecret, components } = session;
  return { dhSecret, nearComponent: components[near], farComponent: components[opposite(near)] };
}

/** How an end protects its packets. Throws RangeError if a component is malformed. */
export function protectionOf(session: RecordedSession, sender: Role): Protection {
  const near = parseComponent(session.components[sender]);
  const far = parseComponent(session.components[opposite(sender)]);
  if (near === undefined || far === undefined) throw new RangeError("a keying component is malformed");
  return {
    hmacLength: sends(near.hmacFlags, far.hmacFlags) ? near.hmacLength : 0,
    sequence: sends(near.sequenceFlags, far.sequenceFlags),
  };
}

/** One end's cipher. Throws RangeError if a component is malformed. */
export function cipherOf(provider: CryptoProvider, session: RecordedSession, near: Role): FlashPacketCipher {
  const sent = protectionOf(session, near);
  const received = protectionOf(session, opposite(near));
  return createSessionCipher(provider, {
    ...deriveSessionKeys(provider, materialOf(session, near)),
    sendHmacLength: sent.hmacLength,
    recvHmacLength: received.hmacLength,
    sendSequence: sent.sequence,
    recvSequence: received.sequence,
  });
}
