/** Bytes, time and rate of long work, told once a second. */
import { performance } from "node:perf_hooks";
import type { Reporter } from "./reporter.ts";

export class Progress {
  readonly #timer: NodeJS.Timeout;
  tags = 0;
  bytes = 0;
  #lastBytes = 0;

  /** `verb` says what is done to the tags. */
  constructor(reporter: Reporter, verb: string) {
    const startedAt = performance.now();
    this.#timer = setInterval(() => {
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      const rate = ((this.bytes - this.#lastBytes) * 8) / 1000;
      this.#lastBytes = this.bytes;
      reporter.progress(
        `${verb} ${this.tags} tags, ${formatBytes(this.bytes)} in ${seconds} s, ${rate.toFixed(0)} kbit/s`,
      );
    }, 1000);
    this.#timer.unref();
  }

  count(bytes: number): void {
    this.tags++;
    this.bytes += bytes;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** As people read it. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(2)} MB`;
}
