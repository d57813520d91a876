import type { Feature, Requirement } from "./requirements.ts";
import type { Shown } from "./rfc-scan.ts";

/** Ids that tests name but no list has, one line each. */
export function unknownIds(shown: readonly Shown[], known: ReadonlySet<string>): string[] {
  return shown.flatMap(({ file, ids }) => ids.filter((id) => !known.has(id)).map((id) => `${file}: no row ${id}`));
}

/** docs/rfc-coverage.md: each row with the tests that show it, and the counts per level. */
export function report(rows: readonly Requirement[], features: readonly Feature[], shown: readonly Shown[]): string {
  const byId = new Map<string, string[]>();
  for (const { file, sentence, ids } of shown) {
    for (const id of ids) byId.set(id, [...(byId.get(id) ?? []), `${sentence} (${file})`]);
  }
  const tests = (id: string): string => cell((byId.get(id) ?? []).sort().join("<br>"));
  const table = (part: readonly Requirement[]): string =>
    [
      "| ID | Level | Role | About | Shown by |",
      "|---|---|---|---|---|",
      ...part.map((row) => `| ${row.id} | ${row.level} | ${row.role} | ${cell(row.title)} | ${tests(row.id)} |`),
    ].join("\n");
  const featureTable = [
    "| ID | About | Shown by |",
    "|---|---|---|",
    ...features.map((row) => `| ${row.id} | ${cell(row.title)} | ${tests(row.id)} |`),
  ].join("\n");
  const starting = (...prefixes: string[]): Requirement[] =>
    rows.filter((row) => prefixes.some((prefix) => row.id.startsWith(prefix)));
  return `${[
    "# Which test shows which requirement",
    INTRODUCTION,
    "## RFC 7016",
    table(starting("R7016-")),
    "## RFC 7425",
    table(starting("R7425-")),
    "## Vectors",
    table(starting("V1-", "V2-")),
    "## Choices",
    table(starting("AMB-")),
    "## Features",
    featureTable,
    "## Counts",
    counts(rows, features, byId),
  ].join("\n\n")}\n`;
}

function counts(
  rows: readonly Requirement[],
  features: readonly Feature[],
  byId: ReadonlyMap<string, readonly string[]>,
): string {
  const levels = [...LEVELS, ...rows.map((row) => row.level)].filter((level, i, all) => all.indexOf(level) === i);
  const groups: [string, { id: string }[]][] = [
    ...levels.map((level): [string, { id: string }[]] => [level, rows.filter((row) => row.level === level)]),
    ["FEATURE", [...features]],
  ];
  return [
    "| Level | Rows | Shown by a test |",
    "|---|---|---|",
    ...groups.map(
      ([level, part]) => `| ${level} | ${part.length} | ${part.filter((row) => byId.has(row.id)).length} |`,
    ),
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

const LEVELS: readonly string[] = ["MUST", "MUST*", "SHOULD", "MAY", "FORMAT", "CONST", "VECTOR", "CHOICE"];

const INTRODUCTION = `Made from the tests by \`pnpm coverage:rfc\`; do not edit. A row without a test is not shown yet.

Levels: MUST, SHOULD and MAY are the RFCs' words; MUST* is behaviour stated flatly, without a keyword; FORMAT is a wire or
computation format; CONST a fixed value, timer or default; VECTOR a worked example; CHOICE a point that the RFCs leave open.
[ambiguities.md](ambiguities.md) says what is done at each such point, and which SHOULDs and MAYs are not done.
The full list of rows is test/support/requirements.json, that of features test/support/features.json.`;
