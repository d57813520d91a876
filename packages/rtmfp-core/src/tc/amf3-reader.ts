/** AMF3 out of bytes, by Adobe's specification of the format (RFC 7425 §5 takes it from RTMP). */
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
  WRAPPER_CLASSES,
} from "./amf.ts";
import { AmfInput } from "./amf-bytes.ts";
import { dateOf } from "./amf-date.ts";
import { AMF3 } from "./amf3-marker.ts";

/**
 * The one value in `bytes`. Borrows `bytes` for the call. @throws AmfError, and nothing else; also when bytes are left
 * over.
 */
export function decodeAmf3(bytes: Uint8Array, limits?: Partial<AmfLimits>): AmfValue {
  const budget = new AmfBudget(limits);
  const input = new AmfInput(bytes, budget.limits.maxBytes);
  const value = readAmf3(input, budget);
  if (input.remaining > 0) throw new AmfError(`${input.remaining} bytes follow the AMF3 value`);
  return value;
}

/** Reads one value from `input`, with tables of its own, on a budget that may be shared. @throws AmfError. */
export function readAmf3(input: AmfInput, budget: AmfBudget): AmfValue {
  return new Amf3Reader(input, budget).value();
}

/** What the objects of one class have in common (AMF3 specification §3.12). */
interface Traits {
  readonly className: string;
  readonly sealed: readonly string[];
  readonly dynamic: boolean;
  readonly externalizable: boolean;
}

class Amf3Reader {
  readonly #in: AmfInput;
  readonly #budget: AmfBudget;
  readonly #strings: string[] = [];
  readonly #objects: AmfValue[] = [];
  readonly #traits: Traits[] = [];

  constructor(input: AmfInput, budget: AmfBudget) {
    this.#in = input;
    this.#budget = budget;
  }

  value(): AmfValue {
    this.#budget.enter();
    const value = this.#valueOf(this.#in.u8());
    this.#budget.leave();
    return value;
  }

  #valueOf(marker: number): AmfValue {
    switch (marker) {
      case AMF3.undefined:
        return undefined;
      case AMF3.null:
        return null;
      case AMF3.false:
        return false;
      case AMF3.true:
        return true;
      case AMF3.integer:
        return (this.#u29() << 3) >> 3;
      case AMF3.double:
        return this.#in.double();
      case AMF3.string:
        return this.#string();
      default:
        return this.#shared(marker);
    }
  }

  /** A value of a type that the object table knows: a reference, or its content after a length or flags. */
  #shared(marker: number): AmfValue {
    const read = READERS[marker];
    if (read === undefined) throw this.#in.fault(`AMF3 marker 0x${marker.toString(16).padStart(2, "0")} is not known`);
    const header = this.#u29();
    if ((header & 1) === 1) return read(this, header >>> 1);
    const index = header >>> 1;
    if (index >= this.#objects.length) throw this.#in.fault(`AMF3 reference ${index} has no object`);
    return this.#objects[index];
  }

  xml(length: number, document: boolean): AmfValue {
    return this.#remember(new AmfXml(this.#in.utf8(length), document));
  }

  date(): AmfValue {
    return this.#remember(dateOf(this.#in.double()));
  }

  byteArray(length: number): AmfValue {
    return this.#remember(this.#in.copy(length));
  }

  array(length: number): AmfValue {
    this.#in.expect(length, 1);
    const firstName = this.#string();
    const dense: AmfValue[] = [];
    const array = firstName === "" ? dense : new AmfEcmaArray(emptyObject(), dense);
    this.#remember(array);
    if (array instanceof AmfEcmaArray) this.#named(array.named, firstName);
    for (let i = 0; i < length; i++) dense.push(this.value());
    return array;
  }

  object(flags: number): AmfValue {
    const traits = this.#traitsOf(flags);
    if (traits.externalizable) return this.#wrapper(traits.className);
    const properties = emptyObject();
    const object = traits.className === "" ? properties : new AmfTyped(traits.className, properties);
    this.#remember(object);
    for (const name of traits.sealed) properties[name] = this.value();
    if (traits.dynamic) this.#named(properties, this.#string());
    return object;
  }

  vector(kind: "int" | "uint" | "double", length: number): AmfValue {
    const fixed = this.#in.u8() !== 0;
    this.#in.expect(length, kind === "double" ? 8 : 4);
    const items: AmfValue[] = [];
    const vector = this.#remember(new AmfVector(kind, items, fixed));
    for (let i = 0; i < length; i++) {
      items.push(kind === "double" ? this.#in.double() : kind === "int" ? this.#in.i32() : this.#in.u32());
    }
    return vector;
  }

  objectVector(length: number): AmfValue {
    const fixed = this.#in.u8() !== 0;
    const typeName = this.#string();
    this.#in.expect(length, 1);
    const items: AmfValue[] = [];
    const vector = this.#remember(new AmfVector("object", items, fixed, typeName));
    for (let i = 0; i < length; i++) items.push(this.value());
    return vector;
  }

  dictionary(length: number): AmfValue {
    // Whether keys are weak concerns Flash's garbage collector alone.
    this.#in.u8();
    this.#in.expect(length, 2);
    const map = this.#remember(new Map<AmfValue, AmfValue>());
    for (let i = 0; i < length; i++) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  #traitsOf(flags: number): Traits {
    if ((flags & 1) === 0) {
      const known = this.#traits[flags >>> 1];
      if (known === undefined) throw this.#in.fault(`AMF3 traits reference ${flags >>> 1} has no class`);
      return known;
    }
    const externalizable = (flags & 2) !== 0;
    const dynamic = (flags & 4) !== 0;
    const count = externalizable ? 0 : flags >>> 3;
    const className = this.#string();
    this.#in.expect(count, 1);
    this.#budget.spend(count);
    const sealed: string[] = [];
    for (let i = 0; i < count; i++) sealed.push(this.#string());
    const traits: Traits = { className, sealed, dynamic, externalizable };
    this.#traits.push(traits);
    return traits;
  }

  #wrapper(className: string): AmfValue {
    if (!WRAPPER_CLASSES.has(className)) throw this.#in.fault(`externalizable class "${className}" is not known`);
    const typed = this.#remember(new AmfTyped(className, undefined));
    typed.value = this.value();
    return typed;
  }

  /** Named values from `name` on, up to the empty name. */
  #named(into: AmfObject, firstName: string): void {
    for (let name = firstName; name !== ""; name = this.#string()) into[name] = this.value();
  }

  #string(): string {
    const header = this.#u29();
    if ((header & 1) === 0) {
      const known = this.#strings[header >>> 1];
      if (known === undefined) throw this.#in.fault(`AMF3 string reference ${header >>> 1} has no string`);
      return known;
    }
    const text = this.#in.utf8(header >>> 1);
    if (header !== EMPTY_STRING) this.#strings.push(text);
    return text;
  }

  #remember<T extends AmfValue>(value: T): T {
    this.#objects.push(value);
    return value;
  }

  /** An unsigned integer of 29 bits in one to four bytes (AMF3 specification §1.3.1). */
  #u29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#in.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#in.u8();
  }
}

/** How the content of each type is read that the object table knows; `header` is without its reference bit. */
const READERS: Readonly<Record<number, (reader: Amf3Reader, header: number) => AmfValue>> = {
  [AMF3.xmlDocument]: (reader, length) => reader.xml(length, true),
  [AMF3.xml]: (reader, length) => reader.xml(length, false),
  [AMF3.date]: (reader) => reader.date(),
  [AMF3.array]: (reader, length) => reader.array(length),
  [AMF3.object]: (reader, flags) => reader.object(flags),
  [AMF3.byteArray]: (reader, length) => reader.byteArray(length),
  [AMF3.vectorInt]: (reader, length) => reader.vector("int", length),
  [AMF3.vectorUint]: (reader, length) => reader.vector("uint", length),
  [AMF3.vectorDouble]: (reader, length) => reader.vector("double", length),
  [AMF3.vectorObject]: (reader, length) => reader.objectVector(length),
  [AMF3.dictionary]: (reader, length) => reader.dictionary(length),
};

const EMPTY_STRING = 0x01;
