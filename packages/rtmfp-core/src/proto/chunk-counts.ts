/** Chunks of a session by type: how many came and went. */
import { CHUNK_HEADER_BYTES } from "./chunk/codec.ts";
import { ChunkType } from "./chunk/types.ts";

/** The names of {@link ChunkType}; "other" are types that this implementation does not know. */
export type ChunkName = keyof typeof ChunkType | "other";

/** Numbers of chunks by type; types that did not occur are absent. */
export type ChunksByType = Readonly<Partial<Record<ChunkName, number>>>;

/** See the file's head. Costs an array from the first chunk on. */
export class ChunkCounts {
  /** By place in {@link NAMES}: received, then sent. */
  #counts: number[] | undefined;

  /** One chunk came, in a packet that was accepted. */
  onReceived(type: number): void {
    this.#add(PLACES[type] as number);
  }

  /** The packet at `bytes[start, end)`, from its first chunk to its last, goes out. Borrows `bytes`. */
  onSent(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; ) {
      this.#add(NAMES.length + (PLACES[bytes[at] as number] as number));
      at += CHUNK_HEADER_BYTES + ((bytes[at + 1] as number) << 8) + (bytes[at + 2] as number);
    }
  }

  get received(): ChunksByType {
    return this.#named(0);
  }

  get sent(): ChunksByType {
    return this.#named(NAMES.length);
  }

  #add(place: number): void {
    this.#counts ??= new Array<number>(2 * NAMES.length).fill(0);
    this.#counts[place] = (this.#counts[place] as number) + 1;
  }

  #named(first: number): ChunksByType {
    const counts = this.#counts ?? [];
    return Object.fromEntries(
      NAMES.map((name, i) => [name, counts[first + i] ?? 0] as const).filter(([, count]) => count > 0),
    );
  }
}

const NAMES: readonly ChunkName[] = ["other", ...(Object.keys(ChunkType) as (keyof typeof ChunkType)[])];
/** Place in {@link NAMES} of each type code; 0 of those unknown. */
const PLACES: Uint8Array = new Uint8Array(256);
Object.values(ChunkType).forEach((type, i) => {
  PLACES[type] = i + 1;
});
