/** The extended tag header of Enhanced RTMP v2 (Veovera's public specification), which audio and video share. */

/** What an extended header says. */
export interface ExHeader {
  /** The packet type once modifiers and the multitrack wrapping are taken off; -1 when the header is cut off. */
  readonly packetType: number;
  /** FourCC of the codec, of the first track if there are several; `"unknown"` when the header is cut off. */
  readonly fourCc: string;
}

/** Reads the extended header of a tag body, whose packet type is the low half of the first byte. */
export function readExHeader(data: Uint8Array, multitrack: number): ExHeader {
  let packetType = (data[0] ?? 0) & 0x0f;
  let at = 1;
  // Modifiers stand before everything else: a size, their data, and a byte with the next packet type.
  while (packetType === MOD_EX) {
    let size = (data[at++] ?? 0) + 1;
    if (size === 256) {
      size = (data[at] ?? 0) * 0x100 + (data[at + 1] ?? 0) + 1;
      at += 2;
    }
    at += size;
    const next = data[at++];
    if (next === undefined) return CUT_OFF;
    packetType = next & 0x0f;
  }
  if (packetType === multitrack) {
    const next = data[at++];
    if (next === undefined) return CUT_OFF;
    packetType = next & 0x0f;
    // Tracks of different codecs each have a FourCC, the first one at this same place.
  }
  if (at + 4 > data.length) return CUT_OFF;
  return { packetType, fourCc: String.fromCharCode(...data.subarray(at, at + 4)) };
}

const MOD_EX = 7;
const CUT_OFF: ExHeader = { packetType: -1, fourCc: "unknown" };
