/** The simple checksum (§4.7.3.1). § means RFC 7425. */

/**
 * Ones' complement of the ones' complement sum of the big-endian 16-bit words in `bytes[start, end)`. An odd last
 * byte is the low half of a word, not the high half as RFC 1071 has it.
 */
export function checksum16(bytes: Uint8Array, start: number, end: number): number {
  let high = 0;
  let low = 0;
  let i = start;
  // Eight bytes a step; the halves are summed apart and cannot overflow below 16 MiB.
  for (const last = end - 8; i <= last; i += 8) {
    high += (bytes[i] as number) + (bytes[i + 2] as number) + (bytes[i + 4] as number) + (bytes[i + 6] as number);
    low += (bytes[i + 1] as number) + (bytes[i + 3] as number) + (bytes[i + 5] as number) + (bytes[i + 7] as number);
  }
  for (; i + 1 < end; i += 2) {
    high += bytes[i] as number;
    low += bytes[i + 1] as number;
  }
  if (i < end) low += bytes[i] as number;
  let sum = high * 0x100 + low;
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
