import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./run.ts";

/**
 * What failed in vitest's JSON report, for a log's last lines: file, title and the beginning of each message. A file
 * that did not load counts with its own message. Empty if nothing failed.
 */
export function vitestFailures(report: string): string[] {
  const files = (JSON.parse(report) as Partial<Report>).testResults ?? [];
  const failures = files.flatMap((file) => {
    const name = relative(root, file.name ?? "a file without a name");
    const tests = (file.assertionResults ?? []).filter((test) => test.status === "failed");
    if (tests.length === 0 && file.status === "failed") return [entry(name, file.message ?? "")];
    return tests.map((test) => entry(`${name} > ${test.fullName ?? ""}`, (test.failureMessages ?? []).join("\n")));
  });
  const more = failures.length - MAX_NAMED;
  return more > 0 ? [...failures.slice(0, MAX_NAMED), `and ${more} more`] : failures;
}

/** The last lines of a failed step's output, without blank ones and without the colours of a terminal. */
export function lastLines(output: string): string {
  const lines = stripVTControlCharacters(output).split("\n");
  return lines
    .filter((line) => line.trim() !== "")
    .slice(-LINES_EACH)
    .join("\n");
}

interface Report {
  readonly testResults: readonly {
    readonly name?: string;
    readonly status?: string;
    readonly message?: string;
    readonly assertionResults?: readonly {
      readonly fullName?: string;
      readonly status?: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

function entry(title: string, message: string): string {
  const lines = stripVTControlCharacters(message)
    .split("\n")
    .filter((line) => line.trim() !== "");
  return [title, ...lines.slice(0, LINES_EACH).map((line) => `  ${line}`)].join("\n");
}

/** Lines kept of each failure's text: the difference that an assertion prints, and where it stands. */
const LINES_EACH = 25;
/** Failures named in full; the rest are counted. A suite that fails as a whole would push all else off a log's end. */
const MAX_NAMED = 10;
