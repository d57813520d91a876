/** The profile's public-key work as plain data, so that it can run on any thread. § means RFC 7425. */
import type { PublicKeyJob, PublicKeyResult } from "../../proto/crypto-profile.ts";
import { agree, generateAndAgree, generateKeyPair, type RandomBytes } from "../dh.ts";
import type { CryptoProvider } from "../primitives.ts";

/** Makes an ephemeral key pair. Result: `{ publicKey, privateKey }`. */
export function generateJob(group: number): PublicKeyJob {
  return { kind: "generate", group };
}

/** Combines a private with a far public key. Result: `{ secret }`. */
export function agreeJob(group: number, privateKey: Uint8Array, farPublicKey: Uint8Array): PublicKeyJob {
  return { kind: "agree", group, privateKey, farPublicKey };
}

/** Makes an ephemeral key pair and combines it with a far public key at once. Result: `{ publicKey, secret }`. */
export function generateAndAgreeJob(group: number, farPublicKey: Uint8Array): PublicKeyJob {
  return { kind: "generateAndAgree", group, farPublicKey };
}

/** Runs any of these jobs. Never throws: whatever goes wrong, wrong shapes included, gives an empty result. */
export function runPublicKeyJob(provider: CryptoProvider, random: RandomBytes, job: PublicKeyJob): PublicKeyResult {
  try {
    return run(provider, random, job);
  } catch {
    return FAILED;
  }
}

function run(provider: CryptoProvider, random: RandomBytes, job: PublicKeyJob): PublicKeyResult {
  const { kind, group, privateKey, farPublicKey } = job as Partial<AnyJob>;
  if (group === undefined) return FAILED;
  if (kind === "generate") {
    const pair = generateKeyPair(provider, group, random);
    return { publicKey: pair.publicKey, privateKey: pair.privateKey };
  }
  if (farPublicKey === undefined) return FAILED;
  if (kind === "generateAndAgree") return { ...generateAndAgree(provider, group, farPublicKey, random) };
  if (kind !== "agree" || privateKey === undefined) return FAILED;
  const secret = agree(provider, group, privateKey, farPublicKey);
  return secret === undefined ? FAILED : { secret };
}

/** A named byte string of a result; undefined if the job failed. */
export function resultBytes(result: PublicKeyResult, name: string): Uint8Array | undefined {
  const value = result[name];
  return value instanceof Uint8Array ? value : undefined;
}

interface AnyJob {
  readonly kind: string;
  readonly group: number;
  readonly privateKey: Uint8Array;
  readonly farPublicKey: Uint8Array;
}

const FAILED: PublicKeyResult = {};
