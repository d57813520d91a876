/** Shows files growing, and waits for them to. */
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A running display; one line per half second. */
export interface Watch {
  /** Resolves when every file has `bytes`; rejects at the limit. */
  reaches(bytes: number, limitMs: number): Promise<void>;
  /** Resolves after that time. */
  pass(ms: number): Promise<void>;
  /** Prints a remark. */
  note(text: string): void;
  stop(): void;
}

/** Starts to show the sizes of `files`, which need not exist yet. */
export function watchFiles(files: readonly string[]): Watch {
  const started = performance.now();
  const line = (text: string): void =>
    console.log(`  ${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  const show = (): void => line(files.map((file) => String(sizeOf(file)).padStart(9)).join(" "));
  const timer = setInterval(show, SHOW_EVERY_MS);
  return {
    async reaches(bytes, limitMs) {
      for (const end = performance.now() + limitMs; files.some((file) => sizeOf(file) < bytes); await sleep(POLL_MS)) {
        if (performance.now() > end) throw new Error(`the viewers' files did not reach ${Math.round(bytes)} bytes`);
      }
    },
    pass: (ms) => sleep(ms),
    note: (text) => line(`-- ${text}`),
    stop: () => clearInterval(timer),
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

const SHOW_EVERY_MS = 1_000;
const POLL_MS = 50;
