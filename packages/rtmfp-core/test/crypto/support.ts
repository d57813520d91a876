import type { FlashProfile } from "../../src/crypto/flash/profile.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { createNodeProvider, loadNodeCrypto } from "../../src/crypto/node.ts";
import type { CryptoProvider } from "../../src/crypto/primitives.ts";
import type {
  InitiatorKeying,
  KeyingStep,
  PublicKeyResult,
  ResponderKeying,
  SessionKeys,
} from "../../src/proto/crypto-profile.ts";

/** node:crypto alone, without noble behind it, so that a fault cannot hide. */
export const nodeProvider: CryptoProvider = createNodeProvider(loadNodeCrypto()!);

/** Both providers, for tests that each must pass alone. */
export const providers: readonly CryptoProvider[] = [nodeProvider, nobleProvider];

/** Repeatable pseudo-random bytes and integers (xorshift32): a failing test fails again. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 1;
  }

  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % limit;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Runs a keying step to its end with the profile's own job. */
export function finish<T>(profile: FlashProfile, step: KeyingStep<T> | undefined): T | undefined {
  if (step === undefined) return undefined;
  const result: PublicKeyResult = step.job === undefined ? {} : profile.runJob(step.job);
  return step.finish(result);
}

/** What a handshake between two profiles left behind. */
export interface Handshake {
  readonly initiation: InitiatorKeying;
  readonly response: ResponderKeying;
  readonly initiatorKeys: SessionKeys;
  readonly responderKeys: SessionKeys;
}

/** Keys both ends as IIKeying and RIKeying would; undefined as soon as an end refuses. */
export function handshake(initiator: FlashProfile, responder: FlashProfile): Handshake | undefined {
  const farResponder = initiator.parseCertificate(responder.certificate);
  const farInitiator = responder.parseCertificate(initiator.certificate);
  if (farResponder === undefined || farInitiator === undefined) return undefined;
  const initiation = finish(initiator, initiator.initiate(farResponder));
  if (initiation === undefined) return undefined;
  const response = finish(responder, responder.respond(farInitiator, initiation.skic));
  if (response === undefined) return undefined;
  const initiatorKeys = finish(initiator, initiation.complete(response.skrc));
  return initiatorKeys && { initiation, response, initiatorKeys, responderKeys: response.keys };
}

/** Seals a packet as a driver would: headroom in front, 48 spare bytes behind. Gives the sealed bytes. */
export function seal(cipher: SessionKeys["cipher"], packet: Uint8Array): Uint8Array {
  const start = cipher.headroom;
  const buffer = new Uint8Array(start + packet.length + 48);
  buffer.set(packet, start);
  return buffer.slice(0, cipher.seal(buffer, start, start + packet.length));
}
