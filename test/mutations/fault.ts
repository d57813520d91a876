/** One fault of one line, and what must notice it. */
export interface Fault {
  /** The source, from the repository's root. */
  readonly file: string;
  /** The whole line without its indentation; it stands in the file once. */
  readonly line: string;
  /** What takes its place. */
  readonly becomes: string;
  /** Rows that the fault breaks: a test that names one of them must fail. */
  readonly rows: readonly string[];
}

/** Writes a list of faults of one file: line, what it becomes, rows. */
export function faultsOf(
  file: string,
  ...faults: readonly (readonly [line: string, becomes: string, ...rows: string[]])[]
): readonly Fault[] {
  return faults.map(([line, becomes, ...rows]) => ({ file, line, becomes, rows }));
}
