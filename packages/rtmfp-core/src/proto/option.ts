/** Options and option lists (§2.1.3, §2.1.4). § means RFC 7016. */
import { type ByteReader, ByteWriter, vluSize } from "./bytes.ts";

/** One typed option. `value` may be a view of what it was read from. */
export interface Option {
  /** Type code, 0 to 2^53 - 1; its meaning is that of the list it stands in. */
  readonly type: number;
  /** Any bytes, none included; a view when read, borrowed when written. */
  readonly value: Uint8Array;
}

/** Reads one option; undefined for a Marker (check `reader.failed` for malformed input). */
export function readOption(reader: ByteReader): Option | undefined {
  const length = reader.vlu();
  if (length === 0 || length > reader.remaining) {
    if (length !== 0) reader.fail();
    return undefined;
  }
  const end = reader.pos + length;
  const type = reader.vlu();
  if (reader.pos > end) {
    reader.fail();
    return undefined;
  }
  return { type, value: reader.take(end - reader.pos) };
}

/** Reads an option list up to and including its Marker (§2.1.4). Running out of bytes fails the reader. */
export function readOptionList(reader: ByteReader): Option[] {
  const options: Option[] = [];
  for (;;) {
    const option = readOption(reader);
    if (option === undefined) return options;
    options.push(option);
  }
}

/** Bytes of one option. */
export function optionSize(option: Option): number {
  const length = vluSize(option.type) + option.value.length;
  return vluSize(length) + length;
}

/** Bytes of an option list with its Marker. */
export function optionListSize(options: readonly Option[]): number {
  let size = 1;
  for (const option of options) size += optionSize(option);
  return size;
}

export function writeOption(writer: ByteWriter, option: Option): void {
  writer.vlu(vluSize(option.type) + option.value.length);
  writer.vlu(option.type);
  writer.put(option.value);
}

/** Writes the options and the closing Marker. */
export function writeOptionList(writer: ByteWriter, options: readonly Option[]): void {
  for (const option of options) writeOption(writer, option);
  writer.u8(0);
}

/** Options one after another, without a Marker, as fresh bytes. */
export function encodeOptions(options: readonly Option[]): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(options.reduce((sum, option) => sum + optionSize(option), 0)));
  for (const option of options) writeOption(writer, option);
  return writer.bytes;
}
