/** Where a channel's tags come from. */
import type { FlvTag } from "rtmfp-core/flv";
import type { Clock } from "../clock.ts";

/** FLV from somewhere, as tags whose time begins at 0 and goes on whatever happens to the source (B-9). Read it once. */
export interface Source extends AsyncIterable<FlvTag> {
  /** For people: the URL without its password, the file, or standard input. */
  readonly name: string;
  /** Counts at this moment. */
  readonly stats: SourceStats;
}

/** What a source has done so far. */
export interface SourceStats {
  /** Tags given. */
  readonly tags: number;
  /** Bytes of FLV read, headers included. */
  readonly bytes: number;
  /** Trailing sizes of 0 that were taken for the right ones (B-8). */
  readonly repaired: number;
  /** Tags left out: those before the first key frame after a beginning. */
  readonly skipped: number;
  /** How often it began: connections, rounds of a file, files in a row. */
  readonly beginnings: number;
  /** What went wrong last, in one line; undefined as long as nothing has. */
  readonly lastTrouble: string | undefined;
}

/** What every source is made with. */
export interface SourceOptions {
  /** Ends the source, without an error. Default: none. */
  readonly signal?: AbortSignal;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Something people should know; the source goes on. One line. Default: nobody is told. */
  readonly onNotice?: (line: string) => void;
}

/** A source has ended for good; in one line that names it, what is wrong and what to do. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}
