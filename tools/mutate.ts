/** `pnpm coverage:rfc --mutate [--only TEXT]`: applies each fault in a copy of the tree, and tells which are noticed. */
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fault } from "../test/mutations/fault.ts";
import { FAULTS } from "../test/mutations/index.ts";
import { applyFault, failedIn, filesNaming, namePattern, passedIn, type Verdict, verdictOf } from "./mutation.ts";
import { scanTests } from "./rfc-scan.ts";
import { root, run, tool } from "./run.ts";
import { format } from "./tally.ts";

/** Runs all faults, or those whose file or rows hold `only`; the exit code to end with. */
export async function mutate(only: string = ""): Promise<number> {
  const { shown } = scanTests();
  const faults = FAULTS.filter(({ file, rows }) => file.includes(only) || rows.includes(only));
  if (faults.length === 0) {
    console.error(`no fault is of a file or a row "${only}"; name a row whole, or a part of a file's name`);
    return 2;
  }
  const trees = Array.from({ length: AT_ONCE }, copyTree);
  const clean = (): void => {
    for (const tree of trees) rmSync(tree, { recursive: true, force: true });
  };
  process.once("SIGINT", () => {
    clean();
    process.exit(130);
  });
  try {
    const tell = (fault: Fault): void => {
      applyFault(readFileSync(root + fault.file, "utf8"), fault);
      if (filesNaming(fault.rows, shown).length === 0) throw new Error(`no test names ${fault.rows.join(" or ")}`);
    };
    faults.forEach(tell);
    const rows = [...new Set(faults.flatMap((fault) => fault.rows))];
    await checkUnharmed(trees[0] as string, rows, filesNaming(rows, shown));
    const verdicts = await inTurn(faults, trees, (fault, tree) => judge(fault, tree, filesNaming(fault.rows, shown)));
    return summary(faults, verdicts);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  } finally {
    clean();
  }
}

/** Before any fault, every test that names a row must pass: else all faults would seem to be noticed. */
async function checkUnharmed(tree: string, rows: readonly string[], files: readonly string[]): Promise<void> {
  console.log(`${files.length} files of tests, unharmed`);
  const report = await vitest(tree, rows, files, UNHARMED_TIMEOUT_MS, AT_ONCE);
  if (verdictOf(report, rows) !== "survived" || passedIn(report) === 0)
    throw new Error(`these fail without any fault:\n${failedIn(report).join("\n") || "vitest itself"}`);
}

async function judge(fault: Fault, tree: string, files: readonly string[]): Promise<Verdict> {
  const path = join(tree, fault.file);
  const source = readFileSync(path, "utf8");
  writeFileSync(path, applyFault(source, fault));
  try {
    return verdictOf(await vitest(tree, fault.rows, files), fault.rows);
  } finally {
    writeFileSync(path, source);
  }
}

/** One vitest process; its JSON report, or undefined if it did not end by itself. */
async function vitest(
  tree: string,
  rows: readonly string[],
  files: readonly string[],
  timeoutMs: number = TIMEOUT_MS,
  workers = 1,
): Promise<string | undefined> {
  const out = join(tree, "report.json");
  rmSync(out, { force: true });
  const argv = tool("vitest/vitest.mjs", "run", ...files, "-t", namePattern(rows), `--maxWorkers=${workers}`);
  argv.push("--reporter=json", `--outputFile=${out}`);
  await run(argv, { cwd: tree, show: false, timeoutMs });
  try {
    return readFileSync(out, "utf8");
  } catch {
    return undefined;
  }
}

/** Takes the faults in order, one at a time in each tree, and prints each as it is done. */
async function inTurn(
  faults: readonly Fault[],
  trees: readonly string[],
  judgeIn: (fault: Fault, tree: string) => Promise<Verdict>,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  let next = 0;
  let done = 0;
  const work = async (tree: string): Promise<void> => {
    for (let i = next++; i < faults.length; i = next++) {
      const fault = faults[i] as Fault;
      const verdict = await judgeIn(fault, tree);
      verdicts[i] = verdict;
      console.log(
        `${++done}/${faults.length} ${verdict.padEnd(8)} ${fault.file.replace(/^.*\/src\//, "")}: ${fault.line}`,
      );
    }
  };
  await Promise.all(trees.map(work));
  return verdicts;
}

function summary(faults: readonly Fault[], verdicts: readonly Verdict[]): number {
  const survivors = faults.filter((_, i) => verdicts[i] !== "killed");
  if (survivors.length > 0) console.log("\nNot noticed by a test that names the row:");
  for (const { file, line, becomes, rows } of survivors)
    console.log(`${file}\n  - ${line}\n  + ${becomes}\n  ${rows.join(" ")}`);
  console.log(format({ passed: faults.length - survivors.length, failed: survivors.length, skipped: 0 }));
  return survivors.length > MAX_SURVIVORS ? 1 : 0;
}

/** A copy of what the tests need, with the installed packages by link. */
function copyTree(): string {
  const tree = mkdtempSync(join(tmpdir(), "rtmfp-mutate-"));
  const skipped = (path: string): boolean => /(^|\/)(dist|\.git|[^/]+-out)$/.test(path);
  for (const name of readdirSync(root)) {
    if (name === "node_modules" || skipped(name)) continue;
    cpSync(root + name, join(tree, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !skipped(path),
    });
  }
  mkdirSync(join(tree, "node_modules"));
  for (const name of readdirSync(`${root}node_modules`)) {
    const from = `${root}node_modules/${name}`;
    // Links to the workspace's own packages are relative: they lead into the copy.
    if (name !== ".vite")
      symlinkSync(lstatSync(from).isSymbolicLink() ? readlinkSync(from) : from, join(tree, "node_modules", name));
  }
  return tree;
}

const AT_ONCE = 2;
const MAX_SURVIVORS = 5;
/** For the tests of one fault, and for those of all of them. */
const TIMEOUT_MS = 180_000;
const UNHARMED_TIMEOUT_MS = 1_200_000;
