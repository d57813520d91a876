// `pnpm bench [CASE...]`: what the library does in a second, beside what else there is, in the same run.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { run, tool } from "../../tools/run.ts";
import { CASES } from "./cases.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { topSelfTime } from "./profile.ts";
import { PROFILE_SUFFIX } from "./remote.ts";
import { describe, type Setting, toJson, toMarkdown, toText } from "./report.ts";
import { type Row, runRow } from "./row.ts";

// Above the call, because functions reach them only once it has run.
const NAMES: readonly string[] = CASES.map(({ name }) => name);
const TOP_FUNCTIONS = 15;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(argv, NAMES);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage(NAMES).split("\n")[0]}`);
    return 2;
  }
  if (options.help) {
    console.log(usage(NAMES));
    return 0;
  }
  // What users run is measured: the compiled packages, by plain Node.
  const build = await run(tool("typescript/bin/tsc", "-b", "test/bench"), { show: false });
  if (build.code !== 0) {
    console.error(`the packages do not compile:\n${build.output.trimEnd()}`);
    return 1;
  }
  return bench(options);
}

async function bench(options: Options): Promise<number> {
  const setting = describeSetting(options);
  if (options.profiles !== undefined) mkdirSync(options.profiles, { recursive: true });
  const rows: Row[] = [];
  let failed = 0;
  for (const which of CASES.filter(({ name }) => options.names.length === 0 || options.names.includes(name))) {
    try {
      const context = {
        launch: { node: options.node, profiles: options.profiles },
        peer: options.peer,
        seconds: options.seconds,
        warmUp: Math.min(1, options.seconds / 2),
        quick: options.quick,
      };
      const row = await runRow(which, context, options.rounds, (round, number, reference) => {
        const beside =
          reference === undefined ? "" : ` beside ${reference.toFixed(1)} (${(number / reference).toFixed(2)})`;
        console.error(`${which.name} ${round}/${options.rounds}: ${number.toFixed(1)} ${which.unit}${beside}`);
      });
      rows.push(row);
    } catch (error) {
      failed++;
      console.error(`${which.name} failed: ${(error as Error).message}`);
    }
  }
  console.log(`${describe(setting)}\n\n${toText(rows)}`);
  if (options.profiles !== undefined) printProfiles(options.profiles, rows);
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, toJson(setting, rows));
    writeFileSync(options.json.replace(/\.json$/, ".md"), toMarkdown(setting, rows));
  }
  return failed === 0 ? 0 : 1;
}

function describeSetting({ node, seconds, rounds }: Options): Setting {
  const versions = JSON.parse(execFileSync(node, ["-p", "JSON.stringify(process.versions)"], { encoding: "utf8" }));
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
    node: versions.node,
    openssl: versions.openssl,
    load: loadavg()[0] ?? 0,
    seconds,
    rounds,
  };
}

/** Of the cases that ran: the folder may hold older ones. */
function printProfiles(folder: string, rows: readonly Row[]): void {
  const ours = (name: string): boolean => rows.some((row) => name.startsWith(`${row.case}-`));
  for (const name of readdirSync(folder).filter((each) => each.endsWith(PROFILE_SUFFIX) && ours(each))) {
    const lines = topSelfTime(readFileSync(join(folder, name), "utf8"), TOP_FUNCTIONS);
    console.log(`\n${[name.replace(PROFILE_SUFFIX, ""), ...lines].join("\n")}`);
  }
}
