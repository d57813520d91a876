/** What `coverage:rfc --mutate` decides without touching a disk. */
import type { Fault } from "../test/mutations/fault.ts";
import type { Shown } from "./rfc-scan.ts";

/** How a fault fared. */
export type Verdict = "killed" | "survived" | "unnamed";

/** The source with the fault in it. Throws unless its line stands there exactly once. */
export function applyFault(source: string, fault: Fault): string {
  const lines = source.split("\n");
  const at = lines.flatMap((line, i) => (line.trim() === fault.line ? [i] : []));
  const [index] = at;
  if (index === undefined || at.length > 1)
    throw new Error(`${fault.file}: expected this line exactly once, found it ${at.length} times: ${fault.line}`);
  const indentation = (lines[index] as string).match(/^\s*/)?.[0] ?? "";
  lines[index] = indentation + fault.becomes;
  return lines.join("\n");
}

/**
 * The files of vitest whose tests name one of the rows. Those that start processes are left out: on a busy machine they can
 * fail by themselves, and a fault would seem to be noticed.
 */
export function filesNaming(rows: readonly string[], shown: readonly Shown[]): string[] {
  const files = shown.filter(
    ({ file, ids }) => file.endsWith(".test.ts") && !PROCESSES.test(file) && ids.some((id) => rows.includes(id)),
  );
  return [...new Set(files.map(({ file }) => file))].sort();
}

/** Matches the names of tests that name one of the rows, as test/support/rfc.ts writes them. */
export function namePattern(rows: readonly string[]): string {
  return `[\\[ ](${rows.map((row) => row.replaceAll(".", "\\.")).join("|")})[\\] ]`;
}

/**
 * Reads vitest's JSON report: killed if a test failed that names a row, `unnamed` if something else failed, such as a
 * file that does not load.
 */
export function verdictOf(report: string | undefined, rows: readonly string[]): Verdict {
  if (report === undefined) return "unnamed";
  const { success, testResults } = JSON.parse(report) as VitestReport;
  const pattern = new RegExp(namePattern(rows));
  const failed = testResults.flatMap((file) => file.assertionResults.filter(({ status }) => status === "failed"));
  if (failed.some(({ title }) => pattern.test(title))) return "killed";
  return success ? "survived" : "unnamed";
}

/** How many tests a report says have passed. */
export function passedIn(report: string | undefined): number {
  return report === undefined ? 0 : (JSON.parse(report) as VitestReport).numPassedTests;
}

/** The tests that a report says have failed, and the files of which nothing could run. */
export function failedIn(report: string | undefined): string[] {
  if (report === undefined) return [];
  const { testResults } = JSON.parse(report) as VitestReport;
  return testResults.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((each) => each.status === "failed").map(({ title }) => `${name}: ${title}`);
    return failed.length === 0 && status === "failed" ? [name] : failed;
  });
}

const PROCESSES = /^test\/(channel|cli|examples)\//;

interface VitestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}
