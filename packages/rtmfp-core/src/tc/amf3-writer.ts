/** AMF3 into bytes, by Adobe's specification of the format (RFC 7425 §5 takes it from RTMP). */
import {
  AmfBudget,
  AmfEcmaArray,
  AmfError,
  type AmfLimits,
  type AmfObject,
  AmfTyped,
  type AmfValue,
  AmfVector,
  AmfXml,
  emptyObject,
  isAmfObject,
  WRAPPER_CLASSES,
} from "./amf.ts";
import { AmfOutput, utf8 } from "./amf-bytes.ts";
import { isDate } from "./amf-date.ts";
import { AMF3 } from "./amf3-marker.ts";

/**
 * The AMF3 form of one value. The bytes are a new array. @throws AmfError for what AMF cannot carry or a limit reached.
 */
export function encodeAmf3(value: AmfValue, limits?: Partial<AmfLimits>): Uint8Array {
  const budget = new AmfBudget(limits);
  const out = new AmfOutput(budget.limits.maxBytes);
  writeAmf3(out, budget, value);
  return out.finish();
}

/** Appends one value to `out`, with tables of its own, on a budget that may be shared. @throws AmfError. */
export function writeAmf3(out: AmfOutput, budget: AmfBudget, value: AmfValue): void {
  new Amf3Writer(out, budget).value(value);
}

class Amf3Writer {
  readonly #out: AmfOutput;
  readonly #budget: AmfBudget;
  readonly #strings: Map<string, number> = new Map();
  readonly #objects: Map<object, number> = new Map();
  readonly #traits: Map<string, number> = new Map();

  constructor(out: AmfOutput, budget: AmfBudget) {
    this.#out = out;
    this.#budget = budget;
  }

  value(value: AmfValue): void {
    this.#budget.enter();
    this.#dispatch(value);
    this.#budget.leave();
  }

  #dispatch(value: AmfValue): void {
    if (value === undefined) this.#out.u8(AMF3.undefined);
    else if (value === null) this.#out.u8(AMF3.null);
    else if (typeof value === "boolean") this.#out.u8(value ? AMF3.true : AMF3.false);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") {
      this.#out.u8(AMF3.string);
      this.#string(value);
    } else if (typeof value === "object") this.#object(value);
    else throw new AmfError(`AMF cannot carry a ${typeof value}`);
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value >= MIN_INTEGER && value <= MAX_INTEGER && !Object.is(value, -0)) {
      this.#out.u8(AMF3.integer);
      this.#u29(value & 0x1fffffff);
    } else {
      this.#out.u8(AMF3.double);
      this.#out.double(value);
    }
  }

  #object(value: object & AmfValue): void {
    if (isDate(value)) {
      if (this.#begin(AMF3.date, value, 0)) this.#out.double(value.getTime());
    } else if (value instanceof Uint8Array) {
      if (this.#begin(AMF3.byteArray, value, value.length)) this.#out.bytes(value);
    } else if (Array.isArray(value)) this.#array(value, value, emptyObject());
    else if (value instanceof AmfEcmaArray) this.#array(value, value.dense, value.named);
    else if (value instanceof AmfXml) this.#xml(value);
    else if (value instanceof AmfVector) this.#vector(value);
    else if (value instanceof Map) this.#dictionary(value);
    else if (value instanceof AmfTyped) this.#typed(value);
    else if (isAmfObject(value)) this.#anonymous(value);
    else throw new AmfError("AMF carries bytes as Uint8Array, not as another view of a buffer");
  }

  /** Writes the marker and either a reference, and says false, or the header for content that follows. */
  #begin(marker: number, value: object, header: number): boolean {
    this.#out.u8(marker);
    return this.#isNew(value, () => this.#u29((header << 1) | 1));
  }

  #isNew(value: object, writeHeader: () => void): boolean {
    const index = this.#objects.get(value);
    if (index !== undefined) {
      this.#u29(index << 1);
      return false;
    }
    this.#objects.set(value, this.#objects.size);
    writeHeader();
    return true;
  }

  #xml(xml: AmfXml): void {
    const bytes = utf8(xml.text);
    if (this.#begin(xml.document ? AMF3.xmlDocument : AMF3.xml, xml, bytes.length)) this.#out.bytes(bytes);
  }

  #array(identity: object, dense: AmfValue[], named: AmfObject): void {
    if (!this.#begin(AMF3.array, identity, dense.length)) return;
    this.#named(named, Object.keys(named));
    for (let i = 0; i < dense.length; i++) this.value(dense[i]);
  }

  #vector(vector: AmfVector): void {
    if (!this.#begin(VECTOR_MARKERS[vector.kind], vector, vector.items.length)) return;
    this.#out.u8(vector.fixed ? 1 : 0);
    if (vector.kind === "object") this.#string(vector.typeName);
    for (const item of vector.items) {
      if (vector.kind === "object") this.value(item);
      else if (typeof item !== "number") throw new AmfError(`a vector of ${vector.kind} holds a ${typeof item}`);
      else if (vector.kind === "double") this.#out.double(item);
      else this.#out.u32(item);
    }
  }

  #dictionary(map: Map<AmfValue, AmfValue>): void {
    if (!this.#begin(AMF3.dictionary, map, map.size)) return;
    this.#out.u8(0);
    for (const [key, value] of map) {
      this.value(key);
      this.value(value);
    }
  }

  #typed(typed: AmfTyped): void {
    const { className, value } = typed;
    this.#out.u8(AMF3.object);
    if (WRAPPER_CLASSES.has(className)) {
      if (this.#isNew(typed, () => this.#traitsOf(className, EXTERNALIZABLE, []))) this.value(value);
      return;
    }
    if (!isAmfObject(value)) throw new AmfError(`an object of class "${className}" needs named properties`);
    const names = Object.keys(value);
    if (this.#isNew(typed, () => this.#traitsOf(className, 0, names))) {
      for (const name of names) this.value(value[name]);
    }
  }

  #anonymous(object: AmfObject): void {
    this.#out.u8(AMF3.object);
    // An empty name would end the dynamic properties, so it has to be a sealed one.
    const sealed = Object.hasOwn(object, "") ? [""] : [];
    if (!this.#isNew(object, () => this.#traitsOf("", DYNAMIC, sealed))) return;
    for (const name of sealed) this.value(object[name]);
    this.#named(
      object,
      Object.keys(object).filter((name) => name !== ""),
    );
  }

  #named(object: AmfObject, names: readonly string[]): void {
    for (const name of names) {
      if (name === "") throw new AmfError("an AMF3 array cannot have an element with an empty name");
      this.#string(name);
      this.value(object[name]);
    }
    this.#string("");
  }

  #traitsOf(className: string, flags: number, sealed: readonly string[]): void {
    const identity = JSON.stringify([className, flags, sealed]);
    const index = this.#traits.get(identity);
    if (index !== undefined) {
      this.#u29((index << 2) | 1);
      return;
    }
    this.#traits.set(identity, this.#traits.size);
    this.#u29((sealed.length << 4) | flags | 3);
    this.#string(className);
    for (const name of sealed) this.#string(name);
  }

  #string(text: string): void {
    const index = this.#strings.get(text);
    if (index !== undefined) {
      this.#u29(index << 1);
      return;
    }
    // The empty string is never a reference.
    if (text !== "") this.#strings.set(text, this.#strings.size);
    const bytes = utf8(text);
    this.#u29((bytes.length << 1) | 1);
    this.#out.bytes(bytes);
  }

  /** An unsigned integer of 29 bits in one to four bytes (AMF3 specification §1.3.1). */
  #u29(value: number): void {
    if (value >= 0x20000000 || value < 0) throw new AmfError("a length or index is beyond AMF3's 29 bits");
    if (value >= 0x200000) {
      this.#out.u8((value >>> 22) | 0x80);
      this.#out.u8((value >>> 15) | 0x80);
      this.#out.u8((value >>> 8) | 0x80);
      this.#out.u8(value);
    } else {
      if (value >= 0x4000) this.#out.u8((value >>> 14) | 0x80);
      if (value >= 0x80) this.#out.u8((value >>> 7) | 0x80);
      this.#out.u8(value & 0x7f);
    }
  }
}

const VECTOR_MARKERS = {
  int: AMF3.vectorInt,
  uint: AMF3.vectorUint,
  double: AMF3.vectorDouble,
  object: AMF3.vectorObject,
} as const;
const EXTERNALIZABLE = 0x04;
const DYNAMIC = 0x08;
const MIN_INTEGER = -0x10000000;
const MAX_INTEGER = 0x0fffffff;
