/** FLV files in and out. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { RtmfpError } from "rtmfp-core";
import { encodeFlvHeader, encodeFlvTag, FlvError, FlvReader, type FlvTag } from "rtmfp-core/flv";

/**
 * The tags of an FLV file, or of standard input if `path` is "-". Reading throws an RtmfpError of code FILE_FAILED, in one
 * line, for a file that is missing, is not FLV, or is cut off; whole tags before the fault come first.
 */
export async function* readFlv(path: string): AsyncGenerator<FlvTag, void, undefined> {
  const reader = new FlvReader();
  const name = path === "-" ? "standard input" : `"${path}"`;
  try {
    for await (const bytes of path === "-" ? process.stdin : createReadStream(path)) yield* reader.push(bytes);
    reader.end();
  } catch (error) {
    throw fileError(name, error, "read");
  }
}

/** What {@link writeFlv} wrote. */
export interface FlvFileInfo {
  readonly tags: number;
  /** Of the whole file. */
  readonly bytes: number;
}

/** Writes tags to an FLV file, replacing one that exists, as they come; resolves at their end. */
export async function writeFlv(path: string, tags: AsyncIterable<FlvTag> | Iterable<FlvTag>): Promise<FlvFileInfo> {
  let count = 0;
  let bytes = 0;
  const file = await open(path, "w").catch((error) => {
    throw fileError(`"${path}"`, error, "write");
  });
  try {
    const write = async (part: Uint8Array): Promise<void> => {
      await file.writeFile(part);
      bytes += part.length;
    };
    await write(encodeFlvHeader());
    for await (const tag of tags) {
      await write(encodeFlvTag(tag));
      count++;
    }
  } finally {
    await file.close();
  }
  return { tags: count, bytes };
}

/** The error in one line that says what to do. */
export function fileError(name: string, error: unknown, verb: "read" | "write"): unknown {
  if (error instanceof FlvError) return new RtmfpError("FILE_FAILED", `cannot read ${name}: ${error.message}`);
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code !== "string") return error;
  return new RtmfpError("FILE_FAILED", `cannot ${verb} ${name}: ${REASONS[code] ?? (error as Error).message}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file; check the path",
  EISDIR: "it is a folder; name a file in it",
  EACCES: "permission denied",
  ENOSPC: "the disk is full",
};
