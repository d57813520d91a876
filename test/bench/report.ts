/** Rows as text for a terminal, as Markdown, and as JSON. */
import type { Target } from "./arithmetic.ts";
import type { Row } from "./row.ts";

/** What the numbers hold for. */
export interface Setting {
  /** Day, as YYYY-MM-DD. */
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly openssl: string;
  /** Processes that wanted to run when it began, averaged over a minute: what else the machine did. */
  readonly load: number;
  /** Time that counts of each run, s. */
  readonly seconds: number;
  readonly rounds: number;
}

/** The format of the JSON file; the number rises when a reader would have to change. */
export function toJson(setting: Setting, rows: readonly Row[]): string {
  return `${JSON.stringify({ format: 1, ...setting, rows }, undefined, 2)}\n`;
}

/** Setting in one line. */
export function describe(setting: Setting): string {
  const { date, machine, node, openssl, load, seconds, rounds } = setting;
  return `${date}, Node ${node} (OpenSSL ${openssl}), ${machine}, load ${load.toFixed(1)} before, loopback, compiled JavaScript, medians of ${rounds} x ${seconds} s`;
}

/** The head of the table, and a row as its cells. */
export const HEAD: readonly string[] = [
  "case",
  "number",
  "reference",
  "ratio",
  "reach",
  "aim",
  "verdict",
  "CPU s/GB tx / rx",
  "of reference",
  "ratio by CPU",
  "note",
];

export function cells(row: Row): string[] {
  const { target, ratio, reference, referenceNumber } = row;
  const compared = referenceNumber === undefined ? "unavailable" : `${show(referenceNumber)} ${row.unit}`;
  return [
    row.case,
    `${show(row.number)} ${row.unit}`,
    reference === undefined ? "-" : `${reference}: ${compared}`,
    ratio === undefined ? "-" : ratio.toFixed(2),
    limit(target, target?.reach),
    limit(target, target?.aim),
    row.verdict,
    pair(row.senderCpu, row.receiverCpu),
    pair(row.referenceSenderCpu, row.referenceReceiverCpu),
    row.cpuRatio === undefined ? "-" : row.cpuRatio.toFixed(2),
    row.note ?? "",
  ];
}

/** Columns of one width, for a terminal. */
export function toText(rows: readonly Row[]): string {
  const table = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...table.map((line) => (line[column] ?? "").length)));
  return table
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A page for people. */
export function toMarkdown(setting: Setting, rows: readonly Row[]): string {
  const line = (all: readonly string[]): string => `| ${all.join(" | ")} |`;
  const what = rows.map((row) => `- \`${row.case}\`: ${row.what}`);
  return [
    "# Benchmark results",
    "",
    `${describe(setting)}.`,
    "The machine does other things too: only the ratios, each of runs side by side, can be compared.",
    "",
    line(HEAD),
    line(HEAD.map(() => "---")),
    ...rows.map((row) => line(cells(row))),
    "",
    ...what,
    "",
    "`ratio by CPU`: of the speeds that the CPU time of the busier side would allow; it decides nothing.",
    "",
  ].join("\n");
}

function limit(target: Target | undefined, value: number | undefined): string {
  if (target === undefined || value === undefined) return "-";
  return `${target.better === "more" ? "≥" : "≤"} ${value}${target.of === "ratio" ? "x" : ""}`;
}

function pair(one: number | undefined, two: number | undefined): string {
  return one === undefined || two === undefined ? "-" : `${one.toFixed(1)} / ${two.toFixed(1)}`;
}

/** Three digits that matter, or all before the point. */
function show(number: number): string {
  return number >= 100 ? Math.round(number).toString() : number.toPrecision(3);
}
