import {
  FILE_HEADER_BYTES,
  FlvError,
  type FlvTag,
  type FlvTagType,
  MAX_TAG_BYTES,
  TAG_HEADER_BYTES,
  TAG_TYPES,
  TRAILER_BYTES,
} from "./flv-tag.ts";

/** Options of an {@link FlvReader}. */
export interface FlvReaderOptions {
  /** False for tags that come without a file header. Default true. */
  readonly header?: boolean;
  /** Longest body of a tag, in bytes; a longer one is an error. Default 16,777,215, all that FLV can say. */
  readonly maxTagBytes?: number;
}

/**
 * Carves tags out of FLV bytes that arrive in pieces of any size. The tags do not depend on where the pieces were cut.
 * At most one tag is buffered.
 */
export class FlvReader {
  readonly #maxTagBytes: number;
  #part: Part;
  /** Bytes of the current part so far; exactly as long as the part. */
  #buffer: Uint8Array;
  #filled = 0;
  #offset = 0;
  #skip = 0;
  #tag: FlvTag | undefined;
  #tags = 0;
  #repaired = 0;
  #fault: FlvError | undefined;

  /** A reader that has no bytes yet. */
  constructor(options: FlvReaderOptions = {}) {
    this.#maxTagBytes = options.maxTagBytes ?? MAX_TAG_BYTES;
    this.#part = options.header === false ? "tagHeader" : "fileHeader";
    this.#buffer = new Uint8Array(options.header === false ? TAG_HEADER_BYTES : FILE_HEADER_BYTES);
  }

  /** Tags so far. */
  get tags(): number {
    return this.#tags;
  }

  /** Trailing sizes of 0, as live sources write them, that were taken for the right ones. */
  get repaired(): number {
    return this.#repaired;
  }

  /**
   * Takes the next bytes, which are borrowed for the call, and returns the tags that they complete, each with data of
   * its own. A tag is complete with its trailing size. When a fault follows complete tags, the tags are returned and
   * the next call throws.
   * @throws FlvError at the first byte that is wrong, and from then on.
   */
  push(bytes: Uint8Array): FlvTag[] {
    if (this.#fault !== undefined) throw this.#fault;
    const tags: FlvTag[] = [];
    try {
      this.#consume(bytes, tags);
    } catch (error) {
      if (!(error instanceof FlvError)) throw error;
      this.#fault = error;
      if (tags.length === 0) throw error;
    }
    return tags;
  }

  /** Says that no more bytes follow. @throws FlvError when the stream is cut off inside a tag, or is faulty. */
  end(): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#part === "tagHeader" && this.#filled === 0) return;
    const where = this.#tags === 0 ? "before the first tag" : `after tag ${this.#tags}`;
    throw new FlvError(`the FLV stream is cut off at byte ${this.#offset}, in ${PART_NAMES[this.#part]} ${where}`);
  }

  #consume(bytes: Uint8Array, tags: FlvTag[]): void {
    let at = 0;
    while (at < bytes.length || this.#filled === this.#buffer.length) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      const taken = this.#skip > 0 ? 0 : Math.min(this.#buffer.length - this.#filled, bytes.length - at - skipped);
      this.#buffer.set(bytes.subarray(at + skipped, at + skipped + taken), this.#filled);
      this.#filled += taken;
      this.#offset += skipped + taken;
      at += skipped + taken;
      if (this.#filled === this.#buffer.length) this.#finishPart(tags);
    }
  }

  #finishPart(tags: FlvTag[]): void {
    const buffer = this.#buffer;
    switch (this.#part) {
      case "fileHeader":
        this.#readFileHeader(buffer);
        this.#expect("firstTrailer", TRAILER_BYTES);
        break;
      case "firstTrailer":
        this.#checkTrailer(buffer, 0);
        this.#expect("tagHeader", TAG_HEADER_BYTES);
        break;
      case "tagHeader":
        this.#readTagHeader(buffer);
        break;
      case "tagBody":
        this.#expect("trailer", TRAILER_BYTES);
        break;
      case "trailer":
        this.#finishTag(buffer, tags);
        this.#expect("tagHeader", TAG_HEADER_BYTES);
        break;
    }
  }

  #expect(part: Part, length: number): void {
    this.#part = part;
    this.#buffer = new Uint8Array(length);
    this.#filled = 0;
  }

  #readFileHeader(header: Uint8Array): void {
    const signature = String.fromCharCode(...header.subarray(0, 3));
    if (signature !== "FLV") throw new FlvError('this is not an FLV stream: it does not begin with "FLV"');
    if (header[3] !== 1) throw new FlvError(`FLV version ${header[3]} is not known, only 1`);
    const length = viewOf(header).getUint32(5);
    if (length < FILE_HEADER_BYTES) throw new FlvError(`the FLV header claims to be ${length} bytes long, less than 9`);
    if (length > MAX_HEADER_BYTES)
      throw new FlvError(`the FLV header claims to be ${length} bytes long, more than ${MAX_HEADER_BYTES}`);
    this.#skip = length - FILE_HEADER_BYTES;
  }

  #readTagHeader(header: Uint8Array): void {
    const start = this.#offset - TAG_HEADER_BYTES;
    const typeByte = header[0]!;
    if ((typeByte & FILTER_FLAG) !== 0)
      throw new FlvError(`the tag at byte ${start} is encrypted, which is not supported`);
    const type = TYPE_NAMES.get(typeByte);
    if (type === undefined) throw new FlvError(`the tag at byte ${start} has the unknown type ${typeByte}`);
    const size = uint24(header, 1);
    if (size > this.#maxTagBytes) {
      throw new FlvError(`the tag at byte ${start} is ${size} bytes long, more than ${this.#maxTagBytes}`);
    }
    const timestamp = header[7]! * 0x1000000 + uint24(header, 4);
    this.#expect("tagBody", size);
    this.#tag = { type, timestamp, data: this.#buffer };
  }

  #finishTag(trailer: Uint8Array, tags: FlvTag[]): void {
    const tag = this.#tag!;
    this.#checkTrailer(trailer, TAG_HEADER_BYTES + tag.data.length);
    this.#tag = undefined;
    this.#tags++;
    tags.push(tag);
  }

  #checkTrailer(trailer: Uint8Array, expected: number): void {
    const size = viewOf(trailer).getUint32(0);
    if (size === expected) return;
    const start = this.#offset - TRAILER_BYTES;
    if (size !== 0) throw new FlvError(`the trailing size at byte ${start} is ${size}, where ${expected} was expected`);
    this.#repaired++;
  }
}

/**
 * All tags of a whole FLV stream with its header; their data are copies. @throws FlvError for any fault, the end
 * included.
 */
export function decodeFlv(bytes: Uint8Array): FlvTag[] {
  const reader = new FlvReader();
  const tags = reader.push(bytes);
  reader.end();
  return tags;
}

type Part = "fileHeader" | "firstTrailer" | "tagHeader" | "tagBody" | "trailer";

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x10000 + bytes[at + 1]! * 0x100 + bytes[at + 2]!;
}

const TYPE_NAMES: ReadonlyMap<number, FlvTagType> = new Map(
  (Object.keys(TAG_TYPES) as FlvTagType[]).map((name) => [TAG_TYPES[name], name]),
);
const PART_NAMES: Readonly<Record<Part, string>> = {
  fileHeader: "the file header",
  firstTrailer: "the size after the file header",
  tagHeader: "a tag header",
  tagBody: "the body of a tag",
  trailer: "the trailing size of a tag",
};
const FILTER_FLAG = 0x20;
/** Real ones have 9 bytes; one without an end would be skipped forever. */
const MAX_HEADER_BYTES = 4_096;
