// `pnpm sim`: random walks of endpoints; `pnpm sim swarm`: a group of many members. Each has its own --help.
import process from "node:process";
import { run, script } from "./run.ts";

/** A thousand members fill gigabytes, and in large pages the processor finds its way about them faster: 4 % of its time. */
const LARGE_PAGES = { GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" };
/**
 * Every core has a part of the swarm to simulate, none is left for threads of the collector; and it does not look through all
 * of the heap, MiB, as often as it would to keep it small.
 */
const COLLECTOR = ["--single-threaded-gc", "--initial-heap-size=6144"];
const HOUR_MS = 3_600_000;

if (process.argv[2] === "swarm") {
  const [node = "", tsx = "", ...rest] = script("test/swarm/main.ts", ...process.argv.slice(3));
  process.exitCode = (await run([node, tsx, ...COLLECTOR, ...rest], { env: LARGE_PAGES, timeoutMs: 4 * HOUR_MS })).code;
} else await import("../test/walk/main.ts");
