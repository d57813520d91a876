// `pnpm coverage:rfc [--check | --mutate]`: writes docs/rfc-coverage.md from the tests, or only says whether it is up to
// date, or whether the tests notice the faults of test/mutations.
import { readFileSync, writeFileSync } from "node:fs";
import { mutate } from "./mutate.ts";
import { features, requirements } from "./requirements.ts";
import { report, unknownIds } from "./rfc-report.ts";
import { scanTests } from "./rfc-scan.ts";
import { root } from "./run.ts";

const file = `${root}docs/rfc-coverage.md`;
const rows = requirements();
const featureRows = features();
const { shown, problems } = scanTests();
const known = new Set([...rows, ...featureRows].map((row) => row.id));
const wrong = [...problems, ...unknownIds(shown, known)];
const text = report(rows, featureRows, shown);

const mutateAt = process.argv.indexOf("--mutate");

if (wrong.length > 0) fail(wrong.join("\n"));
else if (mutateAt > 0) process.exitCode = await mutate(process.argv[mutateAt + 1]);
else if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
  console.log(text.slice(text.indexOf("| Level | Rows |")).trimEnd());
} else if (text !== current()) fail("docs/rfc-coverage.md is out of date; run: pnpm coverage:rfc");

function current(): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
