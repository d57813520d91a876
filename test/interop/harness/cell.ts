import type { Stage } from "./stage.ts";

/** One live exchange between our programs and a peer's. */
export interface Cell {
  /** What `--only` selects. */
  readonly name: string;
  /** What a pass shows, in one line. */
  readonly proves: string;
  /** Plays the cell and returns what was seen, in one line. @throws Unavailable, or any Error when it fails. */
  run(stage: Stage): Promise<string>;
}
