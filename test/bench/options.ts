/** The command line of the benchmark. */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";

/** What was asked for. */
export interface Options {
  /** Names of cases; empty means all. */
  readonly names: readonly string[];
  readonly seconds: number;
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string | undefined;
  readonly peer: string | undefined;
  readonly node: string;
  readonly profiles: string | undefined;
  readonly help: boolean;
}

/** Throws an Error of one line for what makes no sense. */
export function parseOptions(argv: readonly string[], cases: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seconds: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      "peer-cpp": { type: "string" },
      node: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const unknown = positionals.filter((name) => !cases.includes(name));
  if (unknown.length > 0) throw new RangeError(`no case ${unknown.join(", ")}; there are ${cases.join(", ")}`);
  const { quick, help, json, node, profile } = values;
  if (json !== undefined && !json.endsWith(".json")) throw new RangeError(`expected a name in .json, got "${json}"`);
  return {
    names: positionals,
    seconds: number("seconds", values.seconds ?? (quick ? "1" : "3"), /^[0-9]{1,4}(\.[0-9]+)?$/),
    rounds: number("rounds", values.rounds ?? (quick ? "1" : "3"), /^[0-9]{1,3}$/),
    quick,
    json,
    peer: program("peer-cpp", values["peer-cpp"]),
    node: program("node", node) ?? process.execPath,
    profiles: profile,
    help,
  };
}

/** What `--help` prints, and wrong usage without its details. */
export function usage(cases: readonly string[]): string {
  return `usage: pnpm bench [CASE...] [--json FILE] [--peer-cpp PATH] [--seconds N] [--rounds N] [--quick] [--node PATH] [--profile DIR]

Measures on loopback, two processes a case, each round beside its reference; prints medians and ratios. Only ratios of
one run mean anything on a machine that does other things too.

  --json FILE      write the results there, and beside it as a table in .md
  --peer-cpp PATH  the benchmark program of rtmfp-cpp; without it rows compared with it say unavailable
  --seconds N      time that counts of each run (3), after a warm-up of half as long, at most a second
  --rounds N       runs of each case and its reference (3)
  --quick          one round of a second, with a tenth of the idle sessions
  --node PATH      the Node that runs what is measured, e.g. "$(npx -y -p node@24.21.0 -- node -p process.execPath)"
  --profile DIR    write a CPU profile of each side and print where its time goes

cases: ${cases.join(", ")}`;
}

function number(name: string, text: string, shape: RegExp): number {
  if (!shape.test(text) || Number(text) <= 0)
    throw new RangeError(`expected a number above 0 for --${name}, got "${text}"`);
  return Number(text);
}

function program(name: string, path: string | undefined): string | undefined {
  if (path !== undefined && !existsSync(path)) throw new RangeError(`--${name}: there is no file ${path}`);
  return path;
}
