import { readSource, sourceFiles } from "./source-files.ts";

/** No TypeScript file may have more lines than this. */
export const MAX_LINES = 600;

/** One line for each TypeScript file that is too long. */
export function tooLong(): string[] {
  return sourceFiles().flatMap((path) => {
    const lines = readSource(path).split("\n").length - 1;
    return lines > MAX_LINES ? [`${path}: ${lines} lines; split it, ${MAX_LINES} is the limit`] : [];
  });
}
