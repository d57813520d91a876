import { tmpdir } from "node:os";
import { join } from "node:path";
import { script, tool } from "./run.ts";

/** One suite of `pnpm test`. */
export interface Step {
  /** What `pnpm test NAME` selects. */
  readonly name: string;
  /** Program and arguments, run from the repository's root. */
  readonly argv: readonly string[];
  /** Variables added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Where the numbers come from: `exit` counts the whole step as one test; `line` reads the last line of the form
   * `N passed, N failed[, N skipped]`; `vitest` reads vitest's JSON report.
   */
  readonly count: "exit" | "line" | "vitest";
}

/** Where the vitest step leaves its JSON report. */
export const vitestReport: string = join(tmpdir(), `rtmfp-vitest-${process.pid}.json`);

/** Where the demo steps leave their files. */
const demoOut: string = join(tmpdir(), `rtmfp-demo-${process.pid}`);

/** All suites, in the order in which they run: what is quick and fails most often comes first. */
export const steps: readonly Step[] = [
  { name: "lint", argv: script("tools/lint.ts"), count: "exit" },
  { name: "types", argv: tool("typescript/bin/tsc", "-b"), count: "exit" },
  { name: "coverage", argv: script("tools/rfc-coverage.ts", "--check"), count: "exit" },
  {
    name: "unit",
    argv: tool(
      "vitest/vitest.mjs",
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${vitestReport}`,
    ),
    count: "vitest",
  },
  { name: "sim", argv: script("test/walk/main.ts", "--seeds", "300"), count: "line" },
  { name: "swarm", argv: script("test/swarm/main.ts", "--members", "20", "--seconds", "20"), count: "line" },
  { name: "sim-v4", argv: script("test/v4/main.ts", "--minutes", "5"), count: "line" },
  { name: "v4-real", argv: script("test/v4/main.ts", "lossy", "--real", "60"), count: "line" },
  { name: "fuzz", argv: script("test/fuzz/main.ts", "--seconds", "60", "--seed", "1"), count: "line" },
  ...["rtmfp-cpp", "mona"].flatMap((file) =>
    ["node", "noble"].map((crypto) => ({
      name: `vectors-${file}-${crypto}`,
      argv: script("test/vectors/main.ts", `test/fixtures/vectors/${file}.json`),
      env: { RTMFP_CRYPTO: crypto },
      count: "line" as const,
    })),
  ),
  { name: "interop", argv: script("test/interop/main.ts"), count: "line" },
  { name: "tarballs", argv: script("test/tarballs/main.ts"), count: "line" },
  {
    name: "demo-node",
    argv: script("test/demo/main.ts", "--out", demoOut),
    env: { RTMFP_CRYPTO: "node" },
    count: "exit",
  },
  {
    name: "demo-noble",
    argv: script("test/demo/main.ts", "--clean", "--out", demoOut),
    env: { RTMFP_CRYPTO: "noble" },
    count: "exit",
  },
  { name: "demo-group", argv: script("test/demo/main.ts", "--group", "--out", demoOut), count: "exit" },
  {
    name: "handshakes-noble",
    argv: tool("vitest/vitest.mjs", "run", "packages/rtmfp-core/test/crypto", "test/sim"),
    env: { RTMFP_CRYPTO: "noble" },
    count: "exit",
  },
];
