/** A file that somebody else is writing (B-5). */
import { type FileHandle, open, stat } from "node:fs/promises";
import { FlvError, type FlvTag } from "rtmfp-core/flv";
import { type Clock, sleep, systemClock } from "../clock.ts";
import { fileError } from "../files.ts";
import { FlvInput } from "./flv-input.ts";
import { type Source, SourceError, type SourceOptions, type SourceStats } from "./source.ts";

/**
 * Follows a file from where it ends, at the next key frame, with the metadata and codec configuration of what is there
 * already. When another file takes its place (rotation), or it is cut and written anew (truncation), that one is read from its
 * beginning, and the channel's time goes on. Never ends by itself but for a fault, with a {@link SourceError}.
 */
export class GrowingFileSource implements Source {
  readonly name: string;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #onNotice: (line: string) => void;
  readonly #input: FlvInput;
  readonly #buffer = Buffer.allocUnsafe(TAIL_BYTES + READ_BYTES);

  /** Nothing is opened before the source is read. */
  constructor(path: string, options: SourceOptions = {}) {
    this.name = `"${path}"`;
    this.#path = path;
    this.#clock = options.clock ?? systemClock;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#input = new FlvInput(this.#signal);
    this.#onNotice = options.onNotice ?? (() => {});
  }

  get stats(): SourceStats {
    return this.#input.stats;
  }

  /** The tags; read once. Throws {@link SourceError}, and FILE_FAILED for a file that cannot be read. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FlvTag, void, undefined> {
    try {
      yield* this.#follow();
    } catch (error) {
      const fault =
        error instanceof FlvError
          ? new SourceError(`cannot read ${this.name}: ${error.message}`)
          : fileError(this.name, error, "read");
      if (fault instanceof Error) this.#input.stats.lastTrouble = fault.message;
      throw fault;
    }
  }

  async *#follow(): AsyncGenerator<FlvTag, void, undefined> {
    let file = new OpenFile(await open(this.#path));
    try {
      this.#input.begin({ live: true, skim: true });
      const { size } = await file.handle.stat();
      yield* this.#read(file, size);
      this.#input.join();
      const silence = new Silence(this.#clock);
      while (!this.#signal.aborted) {
        const { offset } = file;
        if (!(yield* this.#read(file))) {
          this.#onNotice(`${this.name} was written anew: reading it from its beginning`);
          file.rewind();
          this.#input.begin({ live: true });
          continue;
        }
        const next = await this.#successor(file);
        if (next !== undefined) {
          const ended = file;
          file = next;
          try {
            // Between the last read and the rotation more may have been written.
            yield* this.#read(ended);
          } finally {
            await ended.handle.close();
          }
          this.#input.begin({ live: true });
          continue;
        }
        if (silence.isNews(file.offset === offset))
          this.#onNotice(`${this.name} has not grown for ${SILENCE_MS / 1000} s; waiting for more`);
        await sleep(this.#clock, POLL_MS, this.#signal);
      }
    } finally {
      await file.handle.close();
    }
  }

  /** Up to the end, or up to `end`; false where the file was written anew meanwhile, however long its tags took to be taken. */
  async *#read(file: OpenFile, end = Number.POSITIVE_INFINITY): AsyncGenerator<FlvTag, boolean, undefined> {
    while (file.offset < end && !this.#signal.aborted) {
      const bytes = await file.read(this.#buffer, Math.min(READ_BYTES, end - file.offset));
      if (bytes === undefined) return false;
      if (bytes.length === 0) return true;
      yield* this.#input.push(bytes);
    }
    return true;
  }

  /** The file that has taken the place of this one. */
  async #successor(file: OpenFile): Promise<OpenFile | undefined> {
    // While one file takes the place of another there may be none.
    const now = await stat(this.#path).catch(() => undefined);
    const { ino, dev } = await file.handle.stat();
    if (now === undefined || (now.ino === ino && now.dev === dev)) return undefined;
    const handle = await open(this.#path).catch(() => undefined);
    if (handle !== undefined) this.#onNotice(`${this.name} is another file now: reading it from its beginning`);
    return handle === undefined ? undefined : new OpenFile(handle);
  }
}

/** A file and how far it has been read. */
class OpenFile {
  readonly handle: FileHandle;
  offset = 0;
  /** The last bytes read, which are read again: they tell whether the file is still the same up to there. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(handle: FileHandle) {
    this.handle = handle;
  }

  /**
   * The next bytes, at most `length`, in `buffer`, which has room for the tail, too; none at the end. Undefined where the file is
   * shorter than what was read, or another where that ended.
   */
  async read(buffer: Buffer, length: number): Promise<Buffer | undefined> {
    const known = this.#tail.length;
    const { bytesRead } = await this.handle.read(buffer, 0, known + length, this.offset - known);
    if (bytesRead < known || !this.#tail.equals(buffer.subarray(0, known))) return undefined;
    this.offset += bytesRead - known;
    this.#tail = Buffer.from(buffer.subarray(Math.max(0, bytesRead - TAIL_BYTES), bytesRead));
    return buffer.subarray(known, bytesRead);
  }

  rewind(): void {
    this.offset = 0;
    this.#tail = Buffer.alloc(0);
  }
}

/** Tells once when nothing has come for long. */
class Silence {
  readonly #clock: Clock;
  #since: number | undefined;
  #told = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isNews(isSilent: boolean): boolean {
    if (!isSilent) {
      this.#since = undefined;
      this.#told = false;
      return false;
    }
    this.#since ??= this.#clock.now();
    if (this.#told || this.#clock.now() - this.#since < SILENCE_MS) return false;
    this.#told = true;
    return true;
  }
}

const READ_BYTES = 1024 * 1024;
/** A few tags at least where little moves. */
const TAIL_BYTES = 4_096;
/** How often the file is looked at; BitTube's 1 s was felt as delay. */
const POLL_MS = 250;
const SILENCE_MS = 10_000;
