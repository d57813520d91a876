// `pnpm coverage:rfc [--check | --mutate [--only TEXT]]`: writes docs/rfc-coverage.md from the tests, or only says whether it is up to
// date, or whether the tests notice the faults of test/mutations.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { mutate } from "./mutate.ts";
import { features, requirements } from "./requirements.ts";
import { report, unknownIds } from "./rfc-report.ts";
import { scanTests } from "./rfc-scan.ts";
import { root } from "./run.ts";

// Above the call, because functions reach it only once it has run.
const USAGE = "usage: pnpm coverage:rfc [--check | --mutate [--only TEXT]]";
const file = `${root}docs/rfc-coverage.md`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options === undefined) return fail(USAGE, 2);
  const rows = requirements();
  const featureRows = features();
  const { shown, problems } = scanTests();
  const known = new Set([...rows, ...featureRows].map((row) => row.id));
  const wrong = [...problems, ...unknownIds(shown, known)];
  if (wrong.length > 0) return fail(wrong.join("\n"), 1);
  if (options.mutate) return mutate(options.only);
  const text = report(rows, featureRows, shown);
  if (options.check)
    return text === current() ? 0 : fail("docs/rfc-coverage.md is out of date; run: pnpm coverage:rfc", 1);
  writeFileSync(file, text);
  console.log(text.slice(text.indexOf("| Level | Rows |")).trimEnd());
  return 0;
}

/** Undefined for wrong usage. */
function parseOptions(argv: readonly string[]): { check: boolean; mutate: boolean; only: string } | undefined {
  try {
    const { check, mutate, only } = parseArgs({
      args: [...argv],
      options: {
        check: { type: "boolean", default: false },
        mutate: { type: "boolean", default: false },
        only: { type: "string" },
      },
    }).values;
    return (check && mutate) || (only !== undefined && !mutate) ? undefined : { check, mutate, only: only ?? "" };
  } catch {
    return undefined;
  }
}

function current(): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function fail(message: string, exitCode: number): number {
  console.error(message);
  return exitCode;
}
