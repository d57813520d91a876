import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Path of a folder for the tests of one file. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rtmfp-client-"));
  afterAll(() => rm(folder, { recursive: true }));
  return folder;
}
