import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tally } from "../../../tools/tally.ts";
import type { Cell } from "./cell.ts";
import { folderOf, Unavailable } from "./command.ts";
import type { Peer } from "./peer-file.ts";
import { Stage } from "./stage.ts";

/** What became of one cell with one peer. */
export interface CellResult {
  readonly peer: string;
  readonly cell: string;
  readonly proves: string;
  /** "unavailable": a program could not be had, so nothing is known. */
  readonly result: "passed" | "failed" | "unavailable";
  readonly seconds: number;
  /** What was seen, why it failed, or what is missing. */
  readonly detail: string;
  /** Folder with a log per program and the media files; kept only when the cell failed. */
  readonly logs?: string;
}

/** Plays one cell to its end: all its programs are gone when this returns. It never throws. */
export async function playCell(
  cell: Cell,
  ours: Peer,
  peer: Peer,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CellResult> {
  const folder = mkdtempSync(join(tmpdir(), `rtmfp-interop-${cell.name}-`));
  const stage = new Stage(ours, peer, folder, env);
  const start = performance.now();
  const finish = (result: CellResult["result"], detail: string): CellResult => {
    const seconds = Math.round(performance.now() - start) / 1000;
    const entry = { peer: peer.name, cell: cell.name, proves: cell.proves, result, seconds, detail };
    if (result === "failed") return { ...entry, logs: folder };
    rmSync(folder, { recursive: true, force: true });
    return entry;
  };
  try {
    folderOf(peer, env);
    const detail = await cell.run(stage).finally(() => stage.close());
    return finish("passed", detail);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return finish(error instanceof Unavailable ? "unavailable" : "failed", detail);
  }
}

/** One line of the matrix. */
export function formatResult(result: CellResult): string {
  const seconds = `${result.seconds.toFixed(1)} s`.padStart(7);
  const logs = result.logs === undefined ? "" : `; logs in ${result.logs}`;
  return `${result.peer.padEnd(10)} ${result.cell.padEnd(14)} ${result.result.padEnd(11)} ${seconds}  ${result.detail}${logs}`;
}

/** How many cells passed and failed; those that were unavailable count as skipped. */
export function tallyOf(results: readonly CellResult[]): Tally {
  const count = (what: CellResult["result"]): number => results.filter(({ result }) => result === what).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("unavailable") };
}
