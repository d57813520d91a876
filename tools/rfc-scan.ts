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
  /** One line for each use that cannot be read: ids and sentence must stand there as literals. */
  readonly problems: readonly string[];
}

/** Finds every `...rfc("ID", …), "sentence"` in one source. */
export function scan(file: string, source: string): Scan {
  const shown: Shown[] = [];
  const problems: string[] = [];
  for (const use of source.matchAll(/^([^\n]*?)\.\.\.rfc\(/gm)) {
    if (/^\s*(\/\/|\/?\*)/.test(use[1] ?? "")) continue;
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
  return { shown, problems };
}

/** Scans all tests of the repository. */
export function scanTests(): Scan {
  const scans = sourceFiles()
    .filter((path) => /(^|\/)test\//.test(path) && path !== "test/support/rfc.ts" && !path.startsWith("test/tools/"))
    .map((path) => scan(path, readSource(path)));
  return { shown: scans.flatMap((s) => s.shown), problems: scans.flatMap((s) => s.problems) };
}

/** From behind `rfc(`: one or more ids, `)`, then the sentence in any quotes. */
const USE = /^((?:\s*"[^"\n]*"\s*,?)+)\s*\)\s*,\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)/;
