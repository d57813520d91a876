import { AmfError } from "./amf.ts";

/** A cursor over received bytes, big-endian as all of AMF is. Reading beyond the end is an {@link AmfError}. */
export class AmfInput {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  /** `bytes` are borrowed; only {@link copy} makes bytes that outlive them. */
  constructor(bytes: Uint8Array, maxBytes: number) {
    if (bytes.length > maxBytes) throw new AmfError(`${bytes.length} bytes of AMF, more than ${maxBytes}`);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The next byte, left in place; `undefined` at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** The next `length` bytes as UTF-8. */
  utf8(length: number): string {
    const start = this.#take(length);
    return UTF8_DECODER.decode(this.#bytes.subarray(start, start + length));
  }

  /** A copy of the next `length` bytes. */
  copy(length: number): Uint8Array {
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  /** Refuses a count of elements that cannot fit, before anything is allocated for them. */
  expect(count: number, bytesEach: number): void {
    if (count * bytesEach > this.remaining) {
      throw new AmfError(
        `${count} elements announced at byte ${this.#offset}, but only ${this.remaining} bytes follow`,
      );
    }
  }

  /** An error that names the byte before the cursor. */
  fault(what: string): AmfError {
    return new AmfError(`${what} at byte ${Math.max(0, this.#offset - 1)}`);
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length > this.remaining) {
      throw new AmfError(`AMF ends early: ${length} bytes wanted at byte ${start}, ${this.remaining} left`);
    }
    this.#offset = start + length;
    return start;
  }
}

/** A growing buffer for what is to be sent, big-endian. Growing beyond the limit is an {@link AmfError}. */
export class AmfOutput {
  readonly #maxBytes: number;
  #bytes: Uint8Array = new Uint8Array(128);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  double(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** What was written, as bytes of their own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for `by` bytes, in what may be another buffer from now on; returns where they go. */
  #grow(by: number): number {
    const start = this.#length;
    const end = start + by;
    if (end > this.#maxBytes) throw new AmfError(`the AMF form would be longer than ${this.#maxBytes} bytes`);
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = end;
    return start;
  }
}

/** `text` in UTF-8. */
export function utf8(text: string): Uint8Array {
  return UTF8_ENCODER.encode(text);
}

const UTF8_ENCODER = new TextEncoder();
// A byte order mark is a character of the string here, and bad UTF-8 from the network must not throw.
const UTF8_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
