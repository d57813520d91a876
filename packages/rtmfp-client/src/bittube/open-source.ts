/** The source that somebody named. */
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { sleep, systemClock } from "../clock.ts";
import { fileError } from "../files.ts";
import { FileSource } from "./file-source.ts";
import { GrowingFileSource } from "./growing-file-source.ts";
import { HttpSource } from "./http-source.ts";
import { type Source, SourceError, type SourceOptions } from "./source.ts";

/** How {@link openSource} reads what it is given. */
export interface OpenSourceOptions extends SourceOptions {
  /** Begin a finished file, or an HTTP stream of known length, again at its end. Default false. */
  readonly loop?: boolean;
  /**
   * True: a file is being written, follow it from its end. False: it is finished, send it from its beginning. Default: it is
   * being written if it has changed within the last 10 s, goes on to grow within 5 s, and is not to be looped.
   */
  readonly follow?: boolean;
}

/** A source that was found. */
export interface OpenedSource {
  /** To be read once. */
  readonly source: Source;
  /** What it is: a stream over HTTP, a file that is being written, one that is finished, or standard input. */
  readonly kind: "http" | "growing" | "file" | "stdin";
  /** How far its tags may be ahead of their time, for {@link realtime}; ms. */
  readonly leadMs: number;
}

/** `text` is an `http:` or `https:` URL, `-` for standard input, or a file. Throws what {@link SourceError} says, or FILE_FAILED. */
export async function openSource(text: string, options: OpenSourceOptions = {}): Promise<OpenedSource> {
  if (text === "-") return { source: new FileSource(text, options), kind: "stdin", leadMs: LIVE_LEAD_MS };
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") {
    if (!URL.canParse(text)) throw new SourceError(`cannot read "${text}": it is no URL`);
    return { source: new HttpSource(new URL(text), options), kind: "http", leadMs: LIVE_LEAD_MS };
  }
  if (scheme !== undefined)
    throw new SourceError(
      `cannot read "${text}": sources are http:, https:, files and -; for others: ffmpeg -i ${scheme}://... -c copy -f flv - | ...`,
    );
  if (options.follow ?? (options.loop !== true && (await isBeingWritten(text, options))))
    return { source: new GrowingFileSource(text, options), kind: "growing", leadMs: LIVE_LEAD_MS };
  return { source: new FileSource(text, options), kind: "file", leadMs: 0 };
}

async function isBeingWritten(path: string, options: SourceOptions): Promise<boolean> {
  const { clock = systemClock, signal } = options;
  const look = (): Promise<Stats> =>
    stat(path).catch((error: unknown) => {
      throw fileError(`"${path}"`, error, "read");
    });
  const { mtimeMs, size } = await look();
  if (Date.now() - mtimeMs > FRESH_MS) return false;
  // One that has just been copied here is as fresh.
  for (let waited = 0; waited < GROWTH_MS && signal?.aborted !== true; waited += LOOK_MS) {
    await sleep(clock, LOOK_MS, signal);
    if ((await look()).size !== size) return true;
  }
  return false;
}

/** Servers send late viewers a group of pictures at once, and files grow by blocks; ms. */
const LIVE_LEAD_MS = 3_000;
const FRESH_MS = 10_000;
/** Writers of little sound write a few times in this. */
const GROWTH_MS = 5_000;
const LOOK_MS = 250;
