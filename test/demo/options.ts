/** The demo's command line and its folder. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./process.ts";

/** What the demo is asked to do. */
export interface DemoOptions {
  /** Without delay and loss. */
  readonly clean: boolean;
  /** One publisher and nine viewers in a group, instead of three that play from the publisher. */
  readonly group: boolean;
  /** Folder for the viewers' files: relative to the repository's root, or absolute. */
  readonly out: string;
}

/** Ends the process on `--help` (0) and on anything unknown (2). */
export function readOptions(): DemoOptions {
  try {
    const { values } = parseArgs({
      options: {
        clean: { type: "boolean", default: false },
        group: { type: "boolean", default: false },
        out: { type: "string", default: "demo-out" },
        help: { type: "boolean", default: false },
      },
    });
    if (!values.help) return values;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}; ${USAGE}`);
    process.exit(2);
  }
}

/** Makes the folder empty and ours until {@link release}. Throws, in one line, while another demo uses it. */
export function claim(out: string): { path: string; release: () => void } {
  const path = resolve(ROOT, out);
  const lock = `${path}.lock`;
  const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
  if (owner > 0 && isRunning(owner))
    throw new Error(`another demo (process ${owner}) uses ${out}; wait for it, or give --out DIR`);
  writeFileSync(lock, String(process.pid));
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return { path, release: () => rmSync(lock, { force: true }) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const USAGE =
  "usage: demo [--group] [--clean] [--out DIR]   --group: nine viewers who pass the stream on to each other; --clean: without the 40 ms and 2 % loss that every leg has otherwise";
