/** `pnpm bench`: bulk goodput on loopback, beside raw dgram in the same run. Two processes; medians and ratios. */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type BulkResult, CASES, type CaseName } from "./cases.ts";
import { runCase } from "./runner.ts";

const { values, positionals } = parseOptions();

const names = (positionals.length > 0 ? positionals : Object.keys(CASES)) as CaseName[];
const bytes = Number(values.megabytes) * 1e6;
const results = new Map<CaseName, BulkResult[]>();
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const name of names) {
    const result = await runCase(name, bytes);
    results.set(name, [...(results.get(name) ?? []), result]);
    console.error(`round ${round}: ${name} ${result.megabytesPerSecond.toFixed(1)} MB/s`);
  }
}

const rows = names.map((name) => {
  const rounds = results.get(name) ?? [];
  const median = (pick: (result: BulkResult) => number): number => middle(rounds.map(pick));
  const raw = results.get("raw");
  const ratios = rounds.map((result, i) => result.megabytesPerSecond / (raw?.[i]?.megabytesPerSecond ?? Number.NaN));
  return {
    case: name,
    megabytesPerSecond: median((result) => result.megabytesPerSecond),
    ratioToRaw: middle(ratios),
    senderCpuPerGB: median((result) => result.senderCpuPerGB),
    receiverCpuPerGB: median((result) => result.receiverCpuPerGB),
  };
});
console.log(
  `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}, ${values.megabytes} MB, median of ${values.rounds}`,
);
for (const row of rows) {
  console.log(
    `${row.case.padEnd(14)} ${row.megabytesPerSecond.toFixed(1).padStart(7)} MB/s  ${row.ratioToRaw.toFixed(2).padStart(5)} of raw` +
      `  CPU s/GB: ${row.senderCpuPerGB.toFixed(1)} sender, ${row.receiverCpuPerGB.toFixed(1)} receiver`,
  );
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.versions.node, rows }, undefined, 2)}\n`);

/** Ends the process after `--help` and after wrong usage. */
function parseOptions() {
  const usage = `usage: pnpm bench [${Object.keys(CASES).join("|")}]... [--megabytes N] [--rounds N] [--json FILE]`;
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "string" },
        megabytes: { type: "string", default: "60" },
        rounds: { type: "string", default: "3" },
        help: { type: "boolean", default: false },
      },
    });
    const { megabytes, rounds, help } = parsed.values;
    const unknown = parsed.positionals.filter((name) => !Object.hasOwn(CASES, name));
    if (unknown.length > 0) throw new RangeError(`unknown case ${unknown.join(", ")}`);
    if (!(Number(megabytes) > 0 && /^[1-9][0-9]*$/.test(rounds))) throw new RangeError("expected numbers above 0");
    if (!help) return parsed;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

function middle(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
