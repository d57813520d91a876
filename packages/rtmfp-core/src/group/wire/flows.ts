/** What flows between the members of a group are for: their metadata is "GR" and one byte. */

/** Kinds of flows: the byte behind "GR". */
export const GroupFlow = {
  /** Streams of the group: announcements, maps, push masks and pulls. */
  multicastControl: 0x11,
  /** Fragments of streams; answers a flow of `multicastControl`, which says of which stream. */
  multicastData: 0x12,
  /** Named by live peers, not seen in use. */
  postingKeys: 0x18,
  /** Likewise. */
  postingValues: 0x19,
  /** Proof of membership and reports of members; the first flow of two members. */
  control: 0x1c,
  /** Likewise. */
  messages: 0x1d,
} as const;

/** Metadata of a flow of that kind (a byte); a new array. */
export function groupFlowMetadata(kind: number): Uint8Array {
  return Uint8Array.of(G, R, kind);
}

/** The kind that metadata says, known or not; undefined where the flow is no group's. Borrows `metadata` for the call. */
export function groupFlowKind(metadata: Uint8Array): number | undefined {
  return metadata.length === 3 && metadata[0] === G && metadata[1] === R ? metadata[2] : undefined;
}

const G = 0x47;
const R = 0x52;
