/** FLV over HTTP or HTTPS, read again whenever it breaks off (B-4). */
import type { IncomingMessage } from "node:http";
import { FlvError, type FlvTag } from "rtmfp-core/flv";
import { type Clock, sleep, systemClock } from "../clock.ts";
import { Backoff } from "./backoff.ts";
import { FlvInput } from "./flv-input.ts";
import { NotFlvError } from "./foreign-format.ts";
import { explain, HttpRefusal, HttpTrouble, openHttp, shownUrl } from "./http-request.ts";
import { type Source, SourceError, type SourceOptions, type SourceStats } from "./source.ts";

/** Settings of an HTTP source. */
export interface HttpSourceOptions extends SourceOptions {
  /** Read a stream of known length again from its beginning. Default false. */
  readonly loop?: boolean;
  /** Longest silence, of the answer and within the stream; ms, default 10000. */
  readonly stallMs?: number;
  /** Numbers from 0 to below 1. Default: Math.random. */
  readonly random?: () => number;
}

/**
 * A stream that ends, stalls or breaks off is asked for again, after 1 s and then up to 30 s; it begins anew with its header and
 * the next key frame, and the channel's time goes on. One whose length the server has told ends with it. What will not
 * become better ends the source with a {@link SourceError}: a refusal, an answer without a stream where there has never been
 * one, damage three times in a row.
 */
export class HttpSource implements Source {
  readonly name: string;
  readonly #url: URL;
  readonly #options: HttpSourceOptions;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #stallMs: number;
  readonly #input: FlvInput;
  readonly #backoff: Backoff;
  /** Connections in a row whose stream was damaged. */
  #damaged = 0;
  /** People know of a page in place of the stream. */
  #isPageTold = false;

  /** `url` is of http or https; a name and password in it are for Basic authentication. */
  constructor(url: URL, options: HttpSourceOptions = {}) {
    this.name = shownUrl(url);
    this.#url = url;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#input = new FlvInput(this.#signal);
    this.#stallMs = options.stallMs ?? STALL_MS;
    this.#backoff = new Backoff(this.#clock, options.random ?? Math.random);
  }

  get stats(): SourceStats {
    return this.#input.stats;
  }

  /** The tags; read once. Throws {@link SourceError}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FlvTag, void, undefined> {
    while (!this.#signal.aborted) {
      try {
        yield* this.#connection();
        if (this.#options.loop !== true) return;
      } catch (error) {
        if (this.#signal.aborted) return;
        const trouble = this.#judge(error);
        this.#input.stats.lastTrouble = trouble.message;
        if (trouble.isFinal) throw new SourceError(`cannot read ${this.name}: ${trouble.message}`);
        const waitMs = this.#backoff.next();
        this.#tell(trouble.message, waitMs, error instanceof NotFlvError);
        await sleep(this.#clock, waitMs, this.#signal);
      }
    }
  }

  /** One connection; returns at the end of a stream of known length, and throws at any other. */
  async *#connection(): AsyncGenerator<FlvTag, void, undefined> {
    const options = { clock: this.#clock, signal: this.#signal, answerMs: this.#stallMs };
    const response = await openHttp(this.#url, options);
    this.#input.begin({ live: true });
    const { bytes: before } = this.stats;
    for await (const bytes of this.#chunks(response)) {
      yield* this.#input.push(bytes);
      if (this.#input.hasTags) this.#onTags();
    }
    if (response.headers["content-length"] === undefined)
      throw new HttpTrouble("the server has ended the stream", false);
    if (this.stats.bytes === before) throw new HttpTrouble("the answer is empty: nobody publishes there now", false);
    this.#input.end();
    if (!this.#input.hasTags) throw new HttpTrouble("the stream has no tags", true);
  }

  #onTags(): void {
    this.#isPageTold = false;
    this.#backoff.succeeded();
    if (this.#backoff.isFresh) this.#damaged = 0;
  }

  /** Whether a tag has ever come. */
  get #hasBeenThere(): boolean {
    const { tags, skipped } = this.stats;
    return tags + skipped > 0;
  }

  /** Servers may have a page in the stream's place for as long as there is none: once is enough. */
  #tell(message: string, waitMs: number, isPage: boolean): void {
    if (isPage && this.#isPageTold) return;
    this.#isPageTold ||= isPage;
    this.#options.onNotice?.(`${this.name}: ${message}; trying again in ${(waitMs / 1000).toFixed(1)} s`);
  }

  async *#chunks(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
    const iterator: AsyncIterator<Uint8Array> = response[Symbol.asyncIterator]();
    try {
      for (;;) {
        const cancel = this.#clock.after(this.#stallMs, () =>
          response.destroy(new HttpTrouble(`nothing has come for ${this.#stallMs / 1000} s`, false)),
        );
        const next = await iterator.next().finally(cancel);
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      response.destroy();
    }
  }

  #judge(error: unknown): HttpTrouble {
    // What has never been FLV will not become it, but encoders that restart are FLV again some time.
    if (error instanceof NotFlvError && this.#hasBeenThere) return new HttpTrouble(error.what, false);
    if (error instanceof FlvError) {
      // A live stream that is damaged once may be sound when it is asked for again.
      const isFinal = !this.#hasBeenThere || ++this.#damaged >= MAX_DAMAGED;
      return new HttpTrouble(error.message, isFinal);
    }
    const trouble = explain(error, this.#url.host);
    if (trouble === undefined) throw error;
    // A proxy or a server that restarts may answer anything for a while.
    if (this.#hasBeenThere && !(trouble instanceof HttpRefusal)) return new HttpTrouble(trouble.message, false);
    return trouble;
  }
}

const STALL_MS = 10_000;
const MAX_DAMAGED = 3;
