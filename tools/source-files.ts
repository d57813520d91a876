import { readdirSync, readFileSync } from "node:fs";
import { root } from "./run.ts";

/** The TypeScript files of the repository below a folder ("" is all of it): paths from the root, sorted. */
export function sourceFiles(folder: string = ""): string[] {
  const files: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(root + path, { withFileTypes: true })) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) visit(child);
      else if (entry.isFile() && entry.name.endsWith(".ts")) files.push(child);
    }
  };
  visit(folder);
  return files.sort();
}

/** Reads a file of the repository by its path from the root. */
export function readSource(path: string): string {
  return readFileSync(root + path, "utf8");
}

const SKIPPED: ReadonlySet<string> = new Set(["node_modules", "dist", ".git"]);
