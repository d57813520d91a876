import { readSource, sourceFiles } from "./source-files.ts";

/** One use of the helper of test/support/rfc.ts. */
export interface Shown {
  /** The test's file, from the repository's root. */
  readonly file: string;
  /** The test's sentence. */
  readonly sentence: string;
  /** The ids it names. */
  readonly ids: readonly string[];
}

/** What a scan of one source found. */
export interface Scan {
  readonly shown: readonly Shown[];
  /** One line for each use that cannot be read, for ids and sentence must stand there as literals, and for each test that may not run. */
  readonly problems: readonly string[];
}

/** Finds every `...rfc("ID", …), "sentence"` in one source. */
export function scan(file: string, source: string): Scan {
  const shown: Shown[] = [];
  const problems: string[] = [];
  for (const use of source.matchAll(/^([^\n]*?)\.\.\.rfc\(/gm)) {
    if (COMMENT.test(use[1] ?? "")) continue;
    const start = use.index + use[0].length;
    const match = USE.exec(source.slice(start));
    if (match === null) {
      const line = source.slice(0, start).split("\n").length;
      problems.push(`${file}:${line}: write the ids of rfc(…) and the sentence after it as literals`);
      continue;
    }
    const ids = [...(match[1] ?? "").matchAll(/"([^"]*)"/g)].map((id) => id[1] ?? "");
    shown.push({ file, sentence: (match[2] ?? "").slice(1, -1).replaceAll('\\"', '"'), ids });
  }
  for (const [i, line] of source.split("\n").entries())
    if (MAY_NOT_RUN.test(line) && !COMMENT.test(line))
      problems.push(`${file}:${i + 1}: a test that does not run shows nothing: delete it, or let it run`);
  return { shown, problems };
}

/** Scans all tests of the repository. */
export function scanTests(): Scan {
  const scans = sourceFiles()
    .filter((path) => /(^|\/)test\//.test(path) && path !== "test/support/rfc.ts" && !ABOUT_TOOLS.test(path))
    .map((path) => scan(path, readSource(path)));
  return { shown: scans.flatMap((s) => s.shown), problems: scans.flatMap((s) => s.problems) };
}

/** Their strings hold tests that are none. */
const ABOUT_TOOLS = /^test\/(tools|lint)\//;
const COMMENT = /^\s*(\/\/|\/?\*)/;
/** A test, or a group of them, that is skipped, only planned, expected to fail, or keeps others from running. */
const MAY_NOT_RUN = /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|only|fails)\b|\bskip: true\b/;
/** From behind `rfc(`: one or more ids, `)`, then the sentence in any quotes. */
const USE = /^((?:\s*"[^"\n]*"\s*,?)+)\s*\)\s*,\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)/;
