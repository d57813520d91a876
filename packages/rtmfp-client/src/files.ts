/** FLV files in and out. */
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { RtmfpError } from "rtmfp-core";
import { encodeFlvHeader, encodeFlvTag, FlvError, FlvReader, type FlvTag } from "rtmfp-core/flv";

/** Options of {@link readFlv}. */
export interface ReadFlvOptions {
  /** Ends the tags, without an error, even while nothing comes from standard input. Default: none. */
  readonly signal?: AbortSignal;
}

/**
 * The tags of an FLV file, or of standard input if `path` is "-". Reading throws an RtmfpError of code FILE_FAILED, in one
 * line, for a file that is missing, is not FLV, or is cut off; whole tags before the fault come first.
 */
export async function* readFlv(path: string, options: ReadFlvOptions = {}): AsyncGenerator<FlvTag, void, undefined> {
  const { signal } = options;
  const reader = new FlvReader();
  const name = path === "-" ? "standard input" : `"${path}"`;
  try {
    const stream = path === "-" ? process.stdin : createReadStream(path);
    if (signal !== undefined) addAbortSignal(signal, stream);
    for await (const bytes of stream) yield* reader.push(bytes);
    reader.end();
  } catch (error) {
    if (signal?.aborted === true) return;
    throw fileError(name, error, "read");
  }
}

/** What {@link writeFlv} wrote. */
export interface FlvFileInfo {
  /** Tags in the file. */
  readonly tags: number;
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Writes tags to an FLV file as they come; resolves at their end. The first tag makes the file, or replaces one that exists:
 * without tags nothing is touched, and the figures are 0. Throws FILE_FAILED, in one line.
 */
export async function writeFlv(path: string, tags: AsyncIterable<FlvTag> | Iterable<FlvTag>): Promise<FlvFileInfo> {
  let count = 0;
  let bytes = 0;
  let file: FileHandle | undefined;
  const trouble = (error: unknown): never => {
    throw fileError(`"${path}"`, error, "write");
  };
  const write = async (part: Uint8Array): Promise<void> => {
    await file?.writeFile(part).catch(trouble);
    bytes += part.length;
  };
  try {
    for await (const tag of tags) {
      if (file === undefined) {
        file = await open(path, "w").catch(trouble);
        await write(encodeFlvHeader());
      }
      await write(encodeFlvTag(tag));
      count++;
    }
  } finally {
    await file?.close();
  }
  return { tags: count, bytes };
}

/** The error in one line that says what to do. */
export function fileError(name: string, error: unknown, verb: "read" | "write"): unknown {
  if (error instanceof FlvError) return new RtmfpError("FILE_FAILED", `cannot read ${name}: ${error.message}`);
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code !== "string") return error;
  return new RtmfpError("FILE_FAILED", `cannot ${verb} ${name}: ${reasonOf(code, verb) ?? (error as Error).message}`);
}

function reasonOf(code: string, verb: "read" | "write"): string | undefined {
  if (verb === "write" && code === "ENOENT") return "its folder does not exist; make it, or check the path";
  return REASONS[code];
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file; check the path",
  EISDIR: "it is a folder; name a file in it",
  EACCES: "permission denied; choose another place, or change the permissions",
  ENOSPC: "the disk is full; make room, or choose another place",
};
