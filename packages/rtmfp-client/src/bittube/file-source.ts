/** FLV that has an end: a finished file, or standard input. */
import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import { FlvError, type FlvTag } from "rtmfp-core/flv";
import { fileError } from "../files.ts";
import { FlvInput } from "./flv-input.ts";
import { type Source, SourceError, type SourceOptions, type SourceStats } from "./source.ts";

/** Settings of a file. */
export interface FileSourceOptions extends SourceOptions {
  /** Begin again at the end, time going on; a last tag that is cut off is left out then, with a notice. Default false. */
  readonly loop?: boolean;
}

/** A file, or standard input, from its beginning to its end, as fast as it is read. Ends with a {@link SourceError} for a fault. */
export class FileSource implements Source {
  readonly name: string;
  readonly #open: () => Readable;
  readonly #options: FileSourceOptions;
  readonly #input: FlvInput;
  /** People know that the end is cut off. */
  #isCutTold = false;

  /** `path` is "-" for standard input, which cannot begin again. */
  constructor(path: string, options: FileSourceOptions = {}) {
    this.name = path === "-" ? "standard input" : `"${path}"`;
    this.#open = path === "-" ? () => process.stdin : () => createReadStream(path);
    this.#options = options;
    this.#input = new FlvInput(options.signal);
  }

  get stats(): SourceStats {
    return this.#input.stats;
  }

  /** The tags; read once. Throws {@link SourceError}, and FILE_FAILED for a file that cannot be read. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FlvTag, void, undefined> {
    const { signal, loop = false } = this.#options;
    do {
      try {
        yield* this.#round();
      } catch (error) {
        if (signal?.aborted === true) return;
        throw this.#fault(error);
      }
    } while (loop && signal?.aborted !== true);
  }

  async *#round(): AsyncGenerator<FlvTag, void, undefined> {
    const { signal } = this.#options;
    if (signal?.aborted === true) return;
    const stream = this.#open();
    if (signal !== undefined) addAbortSignal(signal, stream);
    this.#input.begin();
    const { bytes: before } = this.stats;
    for await (const bytes of stream) yield* this.#input.push(bytes);
    if (this.stats.bytes === before) throw new SourceError(`${this.name} is empty: there is nothing to send`);
    this.#end();
    if (!this.#input.hasTags) throw new SourceError(`${this.name} has no tags: there is nothing to send`);
  }

  /** A recorder that was killed leaves a part of a tag at the end. */
  #end(): void {
    try {
      this.#input.end();
    } catch (error) {
      if (this.#options.loop !== true || !this.#input.hasTags || !(error instanceof FlvError)) throw error;
      if (!this.#isCutTold) this.#options.onNotice?.(`${this.name}: ${error.message}; beginning again without that`);
      this.#isCutTold = true;
    }
  }

  #fault(error: unknown): unknown {
    const known = error instanceof FlvError ? new SourceError(`cannot read ${this.name}: ${error.message}`) : error;
    const fault = known instanceof SourceError ? known : fileError(this.name, known, "read");
    if (fault instanceof Error) this.#input.stats.lastTrouble = fault.message;
    return fault;
  }
}
