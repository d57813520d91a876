/** The simple checksum (§4.7.3.1). § means RFC 7425. */

/**
 * Ones' complement of the ones' complement sum of the big-endian 16-bit words in `bytes[start, end)`. An odd last
 * byte is the low half of a word, not the high half as RFC 1071 has it. For less than 64 KiB.
 */
export function checksum16(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < LEAST_FOR_WORDS) return ~fold(sumOfPairs(bytes, start, end)) & 0xffff;
  // Most of it is added up as the machine's words of four bytes, from the first such on; at least a byte is left behind.
  const from = start + (-(bytes.byteOffset + start) & 3);
  const words = (end - 1 - from) >>> 2;
  const to = from + 4 * words;
  let sum = fold(sumOfWords(new Int32Array(bytes.buffer, bytes.byteOffset + from, words)));
  const odd = (from - start) & 1;
  if (odd === (LITTLE_ENDIAN ? 0 : 1)) sum = ((sum & 0xff) << 8) | (sum >>> 8);
  if (odd === 1) sum += ((bytes[from - 1] as number) << 8) + (bytes[to] as number);
  return ~fold(sum + sumOfPairs(bytes, start, from - odd) + sumOfPairs(bytes, to + odd, end)) & 0xffff;
}

/** High byte first; a last one without a partner is low. */
function sumOfPairs(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  let i = start;
  for (; i + 1 < end; i += 2) sum += ((bytes[i] as number) << 8) + (bytes[i + 1] as number);
  return i < end ? sum + (bytes[i] as number) : sum;
}

/** Of the words' halves; four at a step. */
function sumOfWords(words: Int32Array): number {
  let low = 0;
  let high = 0;
  let i = 0;
  for (const last = words.length - 4; i <= last; i += 4) {
    const a = words[i] as number;
    const b = words[i + 1] as number;
    const c = words[i + 2] as number;
    const d = words[i + 3] as number;
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
  }
  for (; i < words.length; i++) {
    low += (words[i] as number) & 0xffff;
    high += (words[i] as number) >>> 16;
  }
  return low + high;
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** Below it a view of the words costs more than it saves. */
const LEAST_FOR_WORDS = 256;
