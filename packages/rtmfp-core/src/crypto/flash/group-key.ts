/** A group number, alone or before a public key, as it stands in several options. § means RFC 7425. */
import { type ByteReader, buildBytes, vluSize } from "../../proto/bytes.ts";
import { readVlu64 } from "../../proto/vlu.ts";

/** The value of a group option (§4.3.3.4, §4.5.2.3) or of a public key option (§4.3.3.5, §4.5.2.1). */
export function groupAndKey(group: number, publicKey: Uint8Array = new Uint8Array(0)): Uint8Array {
  return buildBytes(vluSize(group) + publicKey.length, (writer) => {
    writer.vlu(group);
    writer.put(publicKey);
  });
}

/** Reads a group number. One beyond 2^53 is unknown anyway and comes back rounded. */
export function readGroup(reader: ByteReader): number {
  return Number(readVlu64(reader));
}
