/** AMF0 out of bytes, by Adobe's specification of the format (RFC 7425 §5 takes it from RTMP). */
import {
  AmfBudget,
  AmfEcmaArray,
  AmfError,
  type AmfLimits,
  type AmfObject,
  AmfTyped,
  type AmfValue,
  AmfXml,
  emptyObject,
} from "./amf.ts";
import { AmfInput } from "./amf-bytes.ts";
import { dateOf } from "./amf-date.ts";
import { AMF0 } from "./amf0-marker.ts";
import { readAmf3 } from "./amf3-reader.ts";

/**
 * Reads a sequence of AMF0 values. References count from the start of each value, as in the messages of RTMP.
 * `bytes` are borrowed until the last {@link read}; values read hold none of them.
 */
export class Amf0Reader {
  readonly #in: AmfInput;
  readonly #budget: AmfBudget;
  #references: AmfValue[] = [];
  readonly #cyclic: Set<number> = new Set();

  /** @throws AmfError when there are more bytes than `limits.maxBytes`. */
  constructor(bytes: Uint8Array, limits?: Partial<AmfLimits>) {
    this.#budget = new AmfBudget(limits);
    this.#in = new AmfInput(bytes, this.#budget.limits.maxBytes);
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#in.offset;
  }

  /** Whether every byte has been read. */
  get done(): boolean {
    return this.#in.remaining === 0;
  }

  /** The next value. @throws AmfError, and nothing else, for bytes that are not AMF0 or exceed a limit. */
  read(): AmfValue {
    this.#references = [];
    this.#cyclic.clear();
    return this.#value();
  }

  #value(): AmfValue {
    this.#budget.enter();
    const value = this.#valueOf(this.#in.u8());
    this.#budget.leave();
    return value;
  }

  #valueOf(marker: number): AmfValue {
    switch (marker) {
      case AMF0.number:
        return this.#in.double();
      case AMF0.boolean:
        return this.#in.u8() !== 0;
      case AMF0.string:
        return this.#in.utf8(this.#in.u16());
      case AMF0.object:
        return this.#properties(this.#remember(emptyObject()));
      case AMF0.null:
        return null;
      case AMF0.undefined:
      case AMF0.unsupported:
        return undefined;
      case AMF0.reference:
        return this.#reference();
      case AMF0.ecmaArray:
        return this.#ecmaArray();
      case AMF0.strictArray:
        return this.#strictArray();
      case AMF0.date:
        return this.#date();
      case AMF0.longString:
        return this.#in.utf8(this.#in.u32());
      case AMF0.xmlDocument:
        return new AmfXml(this.#in.utf8(this.#in.u32()));
      case AMF0.typedObject:
        return this.#typedObject();
      case AMF0.avmplus:
        return readAmf3(this.#in, this.#budget);
      default:
        throw this.#in.fault(`AMF0 marker 0x${marker.toString(16).padStart(2, "0")} is not known`);
    }
  }

  #remember<T extends AmfValue>(value: T): T {
    this.#references.push(value);
    return value;
  }

  #reference(): AmfValue {
    const index = this.#in.u16();
    if (index >= this.#references.length) throw this.#in.fault(`AMF0 reference ${index} has no object`);
    this.#cyclic.add(index);
    return this.#references[index];
  }

  #properties(into: AmfObject): AmfObject {
    for (let name = this.#name(); name !== undefined; name = this.#name()) into[name] = this.#value();
    return into;
  }

  /** The next property name; `undefined` at the end of the object. A name may be empty, so the marker decides. */
  #name(): string | undefined {
    const name = this.#in.utf8(this.#in.u16());
    if (name !== "" || this.#in.peek() !== AMF0.objectEnd) return name;
    this.#in.u8();
    return undefined;
  }

  #ecmaArray(): AmfValue {
    // The announced count is only a hint; the end marker decides.
    this.#in.u32();
    const index = this.#references.length;
    const array = this.#remember(new AmfEcmaArray());
    let named = 0;
    for (let name = this.#name(); name !== undefined; name = this.#name()) {
      const value = this.#value();
      if (name === String(array.dense.length)) array.dense.push(value);
      else {
        array.named[name] = value;
        named++;
      }
    }
    // Something inside may refer to this very array; then it has to stay what it was.
    if (named > 0 || this.#cyclic.has(index)) return array;
    this.#references[index] = array.dense;
    return array.dense;
  }

  #strictArray(): AmfValue {
    const count = this.#in.u32();
    this.#in.expect(count, 1);
    const array = this.#remember<AmfValue[]>([]);
    for (let i = 0; i < count; i++) array.push(this.#value());
    return array;
  }

  #date(): AmfValue {
    const ms = this.#in.double();
    // The time zone is reserved and says nothing about the moment.
    this.#in.u16();
    return dateOf(ms);
  }

  #typedObject(): AmfValue {
    const className = this.#in.utf8(this.#in.u16());
    if (className === "") return this.#properties(this.#remember(emptyObject()));
    const properties = emptyObject();
    const typed = this.#remember(new AmfTyped(className, properties));
    this.#properties(properties);
    return typed;
  }
}

/**
 * The one value in `bytes`. Borrows `bytes` for the call. @throws AmfError, and nothing else; also when bytes are left
 * over.
 */
export function decodeAmf0(bytes: Uint8Array, limits?: Partial<AmfLimits>): AmfValue {
  const values = decodeAmf0All(bytes, limits);
  if (values.length !== 1) throw new AmfError(`one AMF0 value expected, ${values.length} found`);
  return values[0];
}

/** All values in `bytes`, to the end. Borrows `bytes` for the call. @throws AmfError, and nothing else. */
export function decodeAmf0All(bytes: Uint8Array, limits?: Partial<AmfLimits>): AmfValue[] {
  const reader = new Amf0Reader(bytes, limits);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.read());
  return values;
}
