import type { FlvTag } from "rtmfp-core/flv";
import { AmfEcmaArray, type AmfValue, decodeAmf0All, encodeAmf0 } from "rtmfp-core/tc";

/**
 * A data tag with the properties of its ECMA arrays in alphabetical order; any other tag as it is. A publisher that decodes the metadata of its file
 * and encodes it again may put them into that order; tags that have it already come through byte for byte.
 */
export function withSortedProperties(tag: FlvTag): FlvTag {
  if (tag.type !== "data") return tag;
  const values = decodeAmf0All(tag.data).map((value) => encodeAmf0(sorted(value)));
  return { ...tag, data: Uint8Array.from(values.flatMap((bytes) => [...bytes])) };
}

function sorted(value: AmfValue): AmfValue {
  if (!(value instanceof AmfEcmaArray)) return value;
  const named = Object.entries(value.named).sort(([a], [b]) => (a < b ? -1 : 1));
  return new AmfEcmaArray(Object.fromEntries(named), value.dense);
}
