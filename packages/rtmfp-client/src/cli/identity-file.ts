/** A client's identity on disk, so that its peer ID stays the same. */
import { readFileSync, writeFileSync } from "node:fs";
import { RtmfpError } from "rtmfp-core";
import {
  CLIENT_IDENTITY,
  createIdentity,
  defaultProvider,
  exportIdentity,
  type FlashIdentity,
  importIdentity,
} from "rtmfp-core/crypto";
import { fileError } from "../files.ts";

/**
 * Reads the identity in a file; makes one with static keys, in a new file of mode 0600, if there is none. Throws
 * FILE_FAILED, in one line.
 */
export function loadIdentity(path: string): FlashIdentity {
  const provider = defaultProvider();
  try {
    return importIdentity(provider, readFileSync(path, "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOENT") throw trouble(path, error, "read");
  }
  const identity = createIdentity(provider, CLIENT_IDENTITY);
  try {
    writeFileSync(path, exportIdentity(identity), { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw trouble(path, error, "write");
  }
  return identity;
}

function trouble(path: string, error: unknown, verb: "read" | "write"): unknown {
  const name = `the identity file "${path}"`;
  const told = fileError(name, error, verb);
  return told === error ? new RtmfpError("FILE_FAILED", `${name}: ${(error as Error).message}`) : told;
}
