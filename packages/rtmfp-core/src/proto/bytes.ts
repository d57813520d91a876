/** Cursors over bytes. All integers are big-endian (§2.1.1). § means RFC 7016. */

/**
 * Reads from `bytes[start, end)`. Errors are sticky: a read past the end sets {@link failed} and gives zero or
 * empty bytes, so a parser checks once, at its end, and hostile input never costs an exception.
 */
export class ByteReader {
  /** Borrowed from the caller for as long as the reader, or a view taken from it, lives. */
  readonly bytes: Uint8Array;
  /** Where the next read begins; may be set. */
  pos: number;
  /** Reads end before this index. */
  readonly end: number;
  /** True once a read went wrong; stays so. */
  failed = false;
  /** False once something was read that the matching writer would write otherwise, such as reserved bits. */
  canonical = true;

  /** Reads `bytes[start, end)`, by default all. Borrows `bytes`. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.pos;
  }

  /** Unsigned 8-bit integer. */
  u8(): number {
    if (this.pos >= this.end) return this.fail();
    return this.bytes[this.pos++] as number;
  }

  /** Unsigned 16-bit integer. */
  u16(): number {
    return this.u8() * 0x100 + this.u8();
  }

  /** Unsigned 32-bit integer. */
  u32(): number {
    return this.u16() * 0x1_0000 + this.u16();
  }

  /** Variable Length Unsigned integer (§2.1.2). Leading zero groups are legal; above 2^53 - 1 is a failure. */
  vlu(): number {
    let value = 0;
    if (this.bytes[this.pos] === 0x80) this.canonical = false;
    while (this.pos < this.end) {
      const byte = this.bytes[this.pos++] as number;
      value = value * 128 + (byte & 0x7f);
      if (value > Number.MAX_SAFE_INTEGER) return this.fail();
      if (byte < 0x80) return value;
    }
    return this.fail();
  }

  /** The next `length` bytes as a view of the input, not a copy. */
  take(length: number): Uint8Array {
    if (length > this.end - this.pos) {
      this.fail();
      return EMPTY;
    }
    const start = this.pos;
    this.pos += length;
    return this.bytes.subarray(start, this.pos);
  }

  /** Everything up to the end, as a view of the input. */
  rest(): Uint8Array {
    return this.take(this.end - this.pos);
  }

  /** Marks the input as malformed. */
  fail(): 0 {
    this.failed = true;
    this.pos = this.end;
    return 0;
  }
}

/** Writes at {@link pos} into a buffer that the caller sized; writing past its end throws RangeError. */
export class ByteWriter {
  /** The buffer written to; the caller's. */
  readonly bytes: Uint8Array;
  /** Where the next write goes; may be set. */
  pos: number;

  /** Writes into `bytes`, which stays the caller's, from `pos` on; by default from 0. */
  constructor(bytes: Uint8Array, pos = 0) {
    this.bytes = bytes;
    this.pos = pos;
  }

  /** Unsigned 8-bit integer; higher bits are cut off. Throws RangeError past the end. */
  u8(value: number): void {
    if (this.pos >= this.bytes.length) throw new RangeError(`write past the end of ${this.bytes.length} bytes`);
    this.bytes[this.pos++] = value;
  }

  /** Unsigned 16-bit integer; higher bits are cut off. Throws RangeError past the end. */
  u16(value: number): void {
    this.u8(value >>> 8);
    this.u8(value);
  }

  /** Unsigned 32-bit integer; higher bits are cut off. Throws RangeError past the end. */
  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value);
  }

  /** Shortest VLU encoding (§2.1.2) of an integer from 0 to 2^53 - 1. Throws RangeError past the end. */
  vlu(value: number): void {
    if (value < 0x80) {
      this.u8(value);
      return;
    }
    const size = vluSize(value);
    let rest = value;
    for (let i = size - 1; i >= 0; i--) {
      this.bytes[this.pos + i] = (rest % 128) | (i === size - 1 ? 0 : 0x80);
      rest = Math.floor(rest / 128);
    }
    this.pos += size;
    if (this.pos > this.bytes.length) throw new RangeError(`write past the end of ${this.bytes.length} bytes`);
  }

  /** Copies `bytes` in. Throws RangeError past the end. */
  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.pos);
    this.pos += bytes.length;
  }
}

/** Bytes that {@link ByteWriter.vlu} takes for `value`. */
export function vluSize(value: number): number {
  if (value < 0x80) return 1;
  let size = 1;
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Builds a byte string: `build` writes into a scratch area of `capacity` bytes; the written part is copied out. */
export function buildBytes(capacity: number, build: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(capacity));
  build(writer);
  return writer.bytes.slice(0, writer.pos);
}

/** True if both hold the same bytes. Not constant time: for public data only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Joins byte strings into a fresh one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let pos = 0;
  for (const part of parts) {
    joined.set(part, pos);
    pos += part.length;
  }
  return joined;
}

/** Lower-case hex digits of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += HEX_CHUNK_BYTES) text += hexOf(bytes.subarray(at, at + HEX_CHUNK_BYTES));
  return text;
}

/** Made at once: a string put together digit by digit stays a tree of its parts, which takes thirty times the room. */
function hexOf(bytes: Uint8Array): string {
  const codes = new Array<number>(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    codes[2 * i] = HEX_DIGITS.charCodeAt(byte >>> 4);
    codes[2 * i + 1] = HEX_DIGITS.charCodeAt(byte & 15);
  }
  return String.fromCharCode(...codes);
}

/**
 * Bytes of a hex string; throws RangeError unless it is pairs of hex digits. Spaces are ignored. The result is a new
 * array.
 */
export function fromHex(text: string): Uint8Array {
  const digits = text.includes(" ") ? text.replaceAll(" ", "") : text;
  const bytes = new Uint8Array(digits.length >> 1);
  let wrong = digits.length & 1;
  for (let i = 0; i < bytes.length; i++) {
    const value = (digitOf(digits.charCodeAt(2 * i)) << 4) | digitOf(digits.charCodeAt(2 * i + 1));
    wrong |= value >>> 8;
    bytes[i] = value;
  }
  if (wrong !== 0) throw new RangeError(`expected pairs of hex digits, got "${text}"`);
  return bytes;
}

/** What a hex digit counts; more than a byte for anything else. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 0x100;
}

/**
 * Bytes as a text with one character for each: what is kept and rarely read takes a third of the room of an array.
 * At most some thousand bytes.
 */
export function packBytes(bytes: Uint8Array): string {
  // Applied, not spread: that goes through an iterator.
  return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
}

/** The bytes of such a text, from `start` to `end`. A new array. */
export function unpackBytes(text: string, start = 0, end: number = text.length): Uint8Array {
  const bytes = new Uint8Array(end - start);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(start + i);
  return bytes;
}

/** The empty byte string, shared. */
export const EMPTY: Uint8Array = new Uint8Array(0);
const HEX_DIGITS = "0123456789abcdef";
/** Bytes that {@link toHex} writes at once: few enough for the arguments of a call. */
const HEX_CHUNK_BYTES = 1_024;

/** True if both hold the same bytes, in time that depends on the length alone. For secrets. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}
