/** Who is attacked, and whose keys the fuzzer has. */
import {
  CLIENT_IDENTITY,
  createFlashProfile,
  createUnprotectedTestProfile,
  SERVER_IDENTITY,
} from "../../packages/rtmfp-core/src/crypto/index.ts";
import type { CryptoProfile } from "../../packages/rtmfp-core/src/proto/crypto-profile.ts";
import { Prng } from "../../packages/rtmfp-core/src/testing/index.ts";

/** One pairing. */
export interface Pair {
  readonly name: string;
  readonly near: CryptoProfile;
  readonly far: CryptoProfile;
}

/** Endpoints under attack and accomplices: without protection, as a server, as a client. */
export function makePairs(seed: string): readonly Pair[] {
  const prng = new Prng(`fuzz ${seed} keys`);
  const random = (length: number): Uint8Array => prng.bytes(length);
  const plain = (): CryptoProfile => createUnprotectedTestProfile(random(16), { random });
  const client = (): CryptoProfile => createFlashProfile({ identity: CLIENT_IDENTITY, random, groups: [31] });
  const server = (): CryptoProfile => createFlashProfile({ identity: SERVER_IDENTITY, random, groups: [31] });
  return [
    { name: "unprotected", near: plain(), far: plain() },
    { name: "server", near: server(), far: client() },
    { name: "unprotected", near: plain(), far: plain() },
    { name: "client", near: client(), far: server() },
  ];
}
