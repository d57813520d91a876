/** A server's identity on disk, so that its fingerprint outlives a restart. */
import { readFileSync, writeFileSync } from "node:fs";
import { RtmfpError } from "rtmfp-core";
import {
  type CryptoProvider,
  createIdentity,
  exportIdentity,
  type FlashIdentity,
  importIdentity,
  STATIC_SERVER_IDENTITY,
} from "rtmfp-core/crypto";
import { fileReason } from "./file-reason.ts";

/**
 * Reads the identity in a file; makes one with static keys, in a new file of mode 0600, if there is none. Throws
 * BAD_ARGUMENT, in one line, if the file holds something else or cannot be read or written.
 */
export function loadIdentity(path: string, provider: CryptoProvider): FlashIdentity {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return makeIdentity(path, provider);
    throw trouble(path, "read", error);
  }
  try {
    return importIdentity(provider, text);
  } catch (error) {
    throw new RtmfpError("BAD_ARGUMENT", `${path}: ${(error as Error).message}`);
  }
}

function makeIdentity(path: string, provider: CryptoProvider): FlashIdentity {
  const identity = createIdentity(provider, STATIC_SERVER_IDENTITY);
  try {
    writeFileSync(path, exportIdentity(identity), { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw trouble(path, "write", error);
  }
  return identity;
}

function trouble(path: string, verb: "read" | "write", error: unknown): RtmfpError {
  const what = verb === "read" ? "read" : "written";
  return new RtmfpError("BAD_ARGUMENT", `the identity file ${path} cannot be ${what}: ${fileReason(error, verb)}`);
}
