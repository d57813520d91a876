/** AMF0 into bytes, by Adobe's specification of the format (RFC 7425 §5 takes it from RTMP). */
import {
  AmfBudget,
  AmfEcmaArray,
  AmfError,
  type AmfLimits,
  type AmfObject,
  AmfTyped,
  type AmfValue,
  AmfXml,
  isAmfObject,
  WRAPPER_CLASSES,
} from "./amf.ts";
import { AmfOutput, utf8 } from "./amf-bytes.ts";
import { isDate } from "./amf-date.ts";
import { AMF0 } from "./amf0-marker.ts";
import { writeAmf3 } from "./amf3-writer.ts";

/** Writes a sequence of AMF0 values; what AMF0 cannot say goes as AMF3 behind the avmplus marker. */
export class Amf0Writer {
  readonly #out: AmfOutput;
  readonly #budget: AmfBudget;
  readonly #references: Map<object, number> = new Map();
  #written = 0;

  /** A writer of nothing yet. `limits` are by default {@link AMF_LIMITS}. */
  constructor(limits?: Partial<AmfLimits>) {
    this.#budget = new AmfBudget(limits);
    this.#out = new AmfOutput(this.#budget.limits.maxBytes);
  }

  /** Appends one value. @throws AmfError for what AMF cannot carry or a limit reached; the writer is then useless. */
  write(value: AmfValue): this {
    this.#references.clear();
    this.#written = 0;
    this.#value(value);
    return this;
  }

  /** Appends one value as AMF3 behind the avmplus marker (AMF0 specification §3.1). @throws AmfError as {@link write}. */
  writeAmf3(value: AmfValue): this {
    this.#out.u8(AMF0.avmplus);
    writeAmf3(this.#out, this.#budget, value);
    return this;
  }

  /** What was written, as a new array that the caller owns. */
  finish(): Uint8Array {
    return this.#out.finish();
  }

  #value(value: AmfValue): void {
    this.#budget.enter();
    this.#dispatch(value);
    this.#budget.leave();
  }

  #dispatch(value: AmfValue): void {
    if (value === undefined) this.#out.u8(AMF0.undefined);
    else if (value === null) this.#out.u8(AMF0.null);
    else if (typeof value === "number") {
      this.#out.u8(AMF0.number);
      this.#out.double(value);
    } else if (typeof value === "boolean") {
      this.#out.u8(AMF0.boolean);
      this.#out.u8(value ? 1 : 0);
    } else if (typeof value === "string") this.#text(AMF0.string, AMF0.longString, value);
    else if (typeof value === "object") this.#object(value);
    else throw new AmfError(`AMF cannot carry a ${typeof value}`);
  }

  #object(value: object & AmfValue): void {
    if (isDate(value)) {
      this.#out.u8(AMF0.date);
      this.#out.double(value.getTime());
      this.#out.u16(0);
    } else if (value instanceof AmfXml && value.document) this.#text(undefined, AMF0.xmlDocument, value.text);
    else if (!hasAmf0Form(value)) this.writeAmf3(value);
    else if (!this.#referTo(value)) this.#complex(value);
  }

  #complex(value: object & AmfValue): void {
    if (Array.isArray(value)) this.#strictArray(value);
    else if (value instanceof AmfEcmaArray) this.#ecmaArray(value);
    else if (value instanceof AmfTyped) this.#typedObject(value);
    else {
      this.#out.u8(AMF0.object);
      this.#properties(value as AmfObject);
    }
  }

  /** Writes a reference if `value` was written before. Beyond what 16 bits can count, objects are written anew. */
  #referTo(value: object): boolean {
    const index = this.#references.get(value);
    if (index === undefined) {
      if (this.#written <= 0xffff) this.#references.set(value, this.#written++);
      return false;
    }
    this.#out.u8(AMF0.reference);
    this.#out.u16(index);
    return true;
  }

  #strictArray(array: AmfValue[]): void {
    this.#out.u8(AMF0.strictArray);
    this.#out.u32(array.length);
    for (let i = 0; i < array.length; i++) this.#value(array[i]);
  }

  #ecmaArray(array: AmfEcmaArray): void {
    this.#out.u8(AMF0.ecmaArray);
    this.#out.u32(array.dense.length + Object.keys(array.named).length);
    for (let i = 0; i < array.dense.length; i++) {
      this.#name(String(i));
      this.#value(array.dense[i]);
    }
    this.#properties(array.named);
  }

  #typedObject(typed: AmfTyped): void {
    if (!isAmfObject(typed.value)) throw new AmfError(`an object of class "${typed.className}" needs named properties`);
    if (typed.className === "") this.#out.u8(AMF0.object);
    else {
      this.#out.u8(AMF0.typedObject);
      this.#name(typed.className);
    }
    this.#properties(typed.value);
  }

  #properties(object: AmfObject): void {
    for (const name of Object.keys(object)) {
      this.#name(name);
      this.#value(object[name]);
    }
    this.#out.u16(0);
    this.#out.u8(AMF0.objectEnd);
  }

  #name(name: string): void {
    const bytes = utf8(name);
    if (bytes.length > 0xffff) throw new AmfError(`a name of ${bytes.length} bytes is longer than AMF0's 65535`);
    this.#out.u16(bytes.length);
    this.#out.bytes(bytes);
  }

  #text(short: number | undefined, long: number, text: string): void {
    const bytes = utf8(text);
    if (short !== undefined && bytes.length <= 0xffff) {
      this.#out.u8(short);
      this.#out.u16(bytes.length);
    } else {
      this.#out.u8(long);
      this.#out.u32(bytes.length);
    }
    this.#out.bytes(bytes);
  }
}

/**
 * The AMF0 form of one value. The bytes are the caller's to keep, a new array. @throws AmfError for what AMF cannot
 * carry or a limit reached.
 */
export function encodeAmf0(value: AmfValue, limits?: Partial<AmfLimits>): Uint8Array {
  return new Amf0Writer(limits).write(value).finish();
}

function hasAmf0Form(value: object & AmfValue): boolean {
  if (value instanceof AmfTyped) return !WRAPPER_CLASSES.has(value.className);
  return Array.isArray(value) || value instanceof AmfEcmaArray || isAmfObject(value);
}
