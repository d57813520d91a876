/** Chunks of a session by type: how many came and went. § means RFC 7016. */
import { CHUNK_HEADER_BYTES } from "./chunk/codec.ts";
import { ChunkType } from "./chunk/types.ts";

/** The names of {@link ChunkType} (§2.3); "other" are types that this implementation does not know. */
export type ChunkName = keyof typeof ChunkType | "other";

/** Numbers of chunks by type (§2.3); types that did not occur are absent. */
export type ChunksByType = Readonly<Partial<Record<ChunkName, number>>>;

/** See the file's head. Holds no more than the types that occur need: sessions may be many, and idle. */
export class ChunkCounts {
  /** Received and sent of the first in {@link NAMES}, then of the next, as far as any occurred. */
  #counts: number[] = NONE;

  /** One chunk came, in a packet that was accepted. */
  onReceived(type: number): void {
    this.#add(2 * (PLACES[type] as number));
  }

  /** The packet at `bytes[start, end)`, from its first chunk to its last, goes out. Borrows `bytes`. */
  onSent(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; ) {
      this.#add(2 * (PLACES[bytes[at] as number] as number) + 1);
      at += CHUNK_HEADER_BYTES + ((bytes[at + 1] as number) << 8) + (bytes[at + 2] as number);
    }
  }

  get received(): ChunksByType {
    return this.#named(0);
  }

  get sent(): ChunksByType {
    return this.#named(1);
  }

  #add(place: number): void {
    const counts = this.#counts;
    if (place >= counts.length) this.#counts = Array.from({ length: place + 1 }, (_, i) => counts[i] ?? 0);
    this.#counts[place] = (this.#counts[place] as number) + 1;
  }

  #named(direction: 0 | 1): ChunksByType {
    const counts = NAMES.map((name, i) => [name, this.#counts[2 * i + direction] ?? 0] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}

/** Of sessions without a chunk; stays empty. */
const NONE: number[] = [];
/** Those of sessions that have little to do come first. */
const FIRST: readonly ChunkName[] = ["userData", "ackRanges", "nextUserData", "ping", "pingReply"];
const NAMES: readonly ChunkName[] = [
  ...new Set([...FIRST, ...(Object.keys(ChunkType) as ChunkName[]), "other"] as const),
];
/** Place in {@link NAMES} of each type code. */
const PLACES: Uint8Array = new Uint8Array(256).fill(NAMES.indexOf("other"));
for (const [name, type] of Object.entries(ChunkType)) PLACES[type] = NAMES.indexOf(name as ChunkName);
