/** AMF values, for AMF0 and AMF3: the formats that RFC 7425 §5 takes from RTMP, as Adobe specified them. */
import { type AmfDate, isDate } from "./amf-date.ts";

/**
 * What AMF values are in TypeScript, for both codecs. AMF0 and AMF3 mean Adobe's public format specifications.
 *
 * | TypeScript              | AMF0                              | AMF3                                  |
 * |-------------------------|-----------------------------------|---------------------------------------|
 * | `number`                | number                            | integer when it fits 29 bits, else double |
 * | `boolean`, `null`       | boolean, null                     | true, false, null                     |
 * | `undefined`             | undefined; also read: unsupported | undefined                             |
 * | `string`                | string, long string               | string                                |
 * | plain object            | object                            | anonymous dynamic object              |
 * | array                   | strict array                      | array without named elements          |
 * | {@link AmfEcmaArray}    | ECMA array with named elements    | array with named elements             |
 * | `Date`                  | date (written as UTC)             | date                                  |
 * | {@link AmfTyped}        | typed object                      | object with a class name              |
 * | {@link AmfXml}          | XML document                      | XML document, XML                     |
 * | `Uint8Array`            | AMF3 behind the avmplus marker    | byte array                            |
 * | `Map`                   | AMF3 behind the avmplus marker    | dictionary (written with strong keys) |
 * | {@link AmfVector}       | AMF3 behind the avmplus marker    | vector of int, uint, double, object   |
 *
 * Objects read have no prototype, so a property called `__proto__` is a property like any other. An object met twice,
 * or inside itself, is written as a reference and read as one object again. Strings are UTF-8; bytes that are not are
 * read as U+FFFD. Byte arrays read are copies: nothing that was read refers to the input.
 */
export type AmfValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | AmfDate
  | Uint8Array
  | AmfObject
  | AmfArray
  | AmfMap
  | AmfEcmaArray
  | AmfTyped
  | AmfXml
  | AmfVector;

/** An anonymous object: named properties, in order. */
export interface AmfObject {
  [name: string]: AmfValue;
}

/** An array whose elements are numbered from 0. A hole is written as `undefined`. */
export interface AmfArray extends Array<AmfValue> {}

/** A dictionary: any value is a key. */
export interface AmfMap extends Map<AmfValue, AmfValue> {}

/** An array that has named elements too: ActionScript's associative array, the usual form of `onMetaData`. */
export class AmfEcmaArray {
  /** The elements numbered from 0. */
  readonly dense: AmfArray;
  /** The named elements. */
  readonly named: AmfObject;

  /** Keeps both, by default empty, without a copy. */
  constructor(named: AmfObject = emptyObject(), dense: AmfArray = []) {
    this.dense = dense;
    this.named = named;
  }
}

/** An object with a class name. */
export class AmfTyped {
  /** The alias registered for the class; never empty when read. */
  readonly className: string;
  /** A plain object with the properties; for the classes of {@link WRAPPER_CLASSES} the value that they wrap. */
  value: AmfValue;

  /** Keeps `value` without a copy. */
  constructor(className: string, value: AmfValue) {
    this.className = className;
    this.value = value;
  }
}

/** XML as text, unparsed. */
export class AmfXml {
  /** The document's text. */
  readonly text: string;
  /** True for the old `XMLDocument`, the only one that AMF0 knows; false for E4X `XML`. */
  readonly document: boolean;

  /** `document`, by default true, chooses AMF3's XML document over its XML. */
  constructor(text: string, document = true) {
    this.text = text;
    this.document = document;
  }
}

/** What the elements of an {@link AmfVector} are. */
export type AmfVectorKind = "int" | "uint" | "double" | "object";

/** A typed vector. Elements of the first three kinds are numbers, `int` and `uint` being 32-bit integers. */
export class AmfVector {
  /** What the elements are. */
  readonly kind: AmfVectorKind;
  /** The elements; not copied. */
  readonly items: AmfArray;
  /** Whether the length is fixed. */
  readonly fixed: boolean;
  /** Class of the elements, for kind `object`; `""` for any. */
  readonly typeName: string;

  /** Keeps `items` without a copy. By default of variable length and, if of objects, of any class. */
  constructor(kind: AmfVectorKind, items: AmfArray, fixed = false, typeName = "") {
    this.kind = kind;
    this.items = items;
    this.fixed = fixed;
    this.typeName = typeName;
  }
}

/** The one error of the AMF codecs: malformed bytes, a value that AMF cannot carry, or a limit reached. */
export class AmfError extends Error {
  override readonly name = "AmfError";
}

/** What hostile input, or a careless caller, can cost at most. */
export interface AmfLimits {
  /** Nesting of values. Default 64. */
  readonly maxDepth: number;
  /** Values in one reader or writer, nested ones, keys of dictionaries and names in AMF3 traits included. Default 262,144. */
  readonly maxValues: number;
  /** Bytes read or written. Default 16,777,215, the longest RTMP message (RFC 7425 §5.1). */
  readonly maxBytes: number;
}

/**
 * The named values of an object, typed object or ECMA array; `undefined` for anything else, a wrapper that wraps itself
 * included. The value's own, no copy.
 */
export function namedValues(value: AmfValue): AmfObject | undefined {
  let inner = value;
  // What was read may refer to itself, but is never nested deeper than this.
  for (let depth = 0; inner instanceof AmfTyped && depth < AMF_LIMITS.maxDepth; depth++) inner = inner.value;
  if (inner instanceof AmfEcmaArray) return inner.named;
  return isAmfObject(inner) ? inner : undefined;
}

/** Whether `value` is an anonymous object, as opposed to every other value that JavaScript calls an object. */
export function isAmfObject(value: AmfValue): value is AmfObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  if (ArrayBuffer.isView(value) || value instanceof Map || isDate(value)) return false;
  return !(
    value instanceof AmfEcmaArray ||
    value instanceof AmfTyped ||
    value instanceof AmfXml ||
    value instanceof AmfVector
  );
}

/** An object without prototype, safe for names that come from the network. */
export function emptyObject(): AmfObject {
  return Object.create(null) as AmfObject;
}

/** Depth and number of values so far, in one reader or writer and the ones it starts. */
export class AmfBudget {
  readonly limits: AmfLimits;
  #depth = 0;
  #values = 0;

  constructor(limits: Partial<AmfLimits> = {}) {
    this.limits = { ...AMF_LIMITS, ...limits };
  }

  /** Accounts for one value; every call is paired with {@link leave}. @throws AmfError beyond a limit. */
  enter(): void {
    if (++this.#depth > this.limits.maxDepth) {
      throw new AmfError(`AMF values are nested deeper than ${this.limits.maxDepth}`);
    }
    this.spend(1);
  }

  /** Accounts for what costs as much as `count` values. @throws AmfError beyond the limit. */
  spend(count: number): void {
    this.#values += count;
    if (this.#values > this.limits.maxValues) throw new AmfError(`more than ${this.limits.maxValues} AMF values`);
  }

  /** Ends a value begun with {@link enter}. */
  leave(): void {
    this.#depth--;
  }
}

/** The defaults of {@link AmfLimits}. */
export const AMF_LIMITS: AmfLimits = { maxDepth: 64, maxValues: 262_144, maxBytes: 0xffffff };

/** Externalizable classes whose body is a single AMF3 value. Any other externalizable class is an {@link AmfError}. */
export const WRAPPER_CLASSES: ReadonlySet<string> = new Set([
  "flex.messaging.io.ArrayCollection",
  "flex.messaging.io.ArrayList",
  "flex.messaging.io.ObjectProxy",
]);
