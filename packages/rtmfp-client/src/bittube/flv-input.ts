/** Bytes of a source in, tags of the channel out. */
import { FlvError, FlvReader, type FlvTag } from "rtmfp-core/flv";
import { NotFlvError } from "./foreign-format.ts";
import type { SourceStats } from "./source.ts";
import { isHeader, StreamStart } from "./stream-start.ts";
import { Timeline } from "./timeline.ts";

/** Takes the stretches of a source one after another: each is FLV with a header of its own. No tag follows an abort. */
export class FlvInput {
  readonly stats: { -readonly [Key in keyof SourceStats]: SourceStats[Key] } = {
    tags: 0,
    bytes: 0,
    repaired: 0,
    skipped: 0,
    beginnings: 0,
    lastTrouble: undefined,
  };
  readonly #signal: AbortSignal | undefined;
  readonly #timeline = new Timeline();
  #reader = new FlvReader();
  #head = new Uint8Array(0);
  #repairedBefore = 0;
  #start: StreamStart | undefined;
  #skimmed: FlvTag[] | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Whether the stretch has had a tag. */
  get hasTags(): boolean {
    return this.#reader.tags > 0;
  }

  /**
   * The next bytes are the beginning of a stretch. `live`: it may be cut into anywhere, so that it begins with a key frame.
   * `skim`: only its headers count until {@link join}.
   */
  begin(how: { live?: boolean; skim?: boolean } = {}): void {
    this.#repairedBefore = this.stats.repaired;
    this.#reader = new FlvReader();
    this.#head = new Uint8Array(0);
    this.#start = how.live === true ? new StreamStart() : undefined;
    this.#skimmed = how.skim === true ? [] : undefined;
    this.#timeline.restart();
    this.stats.beginnings++;
  }

  /** What was skimmed has been read: the stream begins with the next key frame, its headers in front. */
  join(): void {
    const headers = this.#skimmed ?? [];
    this.#skimmed = undefined;
    for (const header of headers) this.#start?.take(header);
  }

  /**
   * The tags that these bytes, borrowed until the last tag, complete. @throws FlvError after the tags before the fault;
   * NotFlvError where it does not begin as FLV does.
   */
  *push(bytes: Uint8Array): Generator<FlvTag, void, undefined> {
    this.stats.bytes += bytes.length;
    for (const tag of this.#read(bytes)) {
      if (this.#skimmed !== undefined) this.#skim(tag);
      else yield* this.#pass(tag);
    }
    this.stats.repaired = this.#repairedBefore + this.#reader.repaired;
    // Throws the fault behind these tags now, and not with the next bytes, which may never come.
    this.#reader.push(NOTHING);
  }

  /** The stretch has ended. @throws FlvError if that was inside a tag. */
  end(): void {
    try {
      this.#reader.end();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #read(bytes: Uint8Array): FlvTag[] {
    if (this.#head.length < HEAD_BYTES)
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
    try {
      return this.#reader.push(bytes);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Where it does not begin as FLV does: what it is instead. */
  #explain(error: unknown): unknown {
    if (!(error instanceof FlvError) || "FLV".startsWith(String.fromCharCode(...this.#head.subarray(0, 3))))
      return error;
    return new NotFlvError(this.#head);
  }

  #skim(tag: FlvTag): void {
    this.stats.skipped++;
    if (!isHeader(tag)) return;
    const before = this.#skimmed?.findIndex(({ type }) => type === tag.type) ?? -1;
    this.#skimmed?.splice(before < 0 ? this.#skimmed.length : before, before < 0 ? 0 : 1, tag);
  }

  *#pass(tag: FlvTag): Generator<FlvTag, void, undefined> {
    const skippedBefore = this.#start?.skipped ?? 0;
    const tags = this.#start?.take(tag) ?? [tag];
    this.stats.skipped += (this.#start?.skipped ?? 0) - skippedBefore;
    for (const ready of tags) {
      if (this.#signal?.aborted === true) return;
      const placed = this.#timeline.place(ready);
      this.stats.tags++;
      yield placed;
    }
  }
}

const NOTHING = new Uint8Array(0);
/** Enough to know a format by. */
const HEAD_BYTES = 16;
