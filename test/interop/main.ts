// Live sessions with other implementations' programs, as a matrix; see README.md in this folder.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { cells } from "./cells/all.ts";
import { type CellResult, formatResult, playCell, tallyOf } from "./harness/matrix.ts";
import { type Peer, readPeer } from "./harness/peer-file.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

const program = new Command("interop")
  .description("Plays our programs against other implementations' and prints what passed.")
  .option("--peer <file>", "a peer file; may be given more than once; default: all of test/interop/peers", collect)
  .option("--only <cell>", "play only this cell; may be given more than once", collect)
  .option("--json <file>", "where the results go", join(here, "../../interop-out/results.json"))
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.parse();
const options = program.opts<{ peer?: string[]; only?: string[]; json: string }>();

const peers = readPeers(options.peer ?? readdirSync(join(here, "peers")).map((name) => join(here, "peers", name)));
const chosen = choose(options.only);
const ours = readPeer(join(here, "ours.json"));
const results: CellResult[] = [];
// Programs that were started end with this process, also when it is interrupted.
process.on("SIGINT", () => process.exit(130)).on("SIGTERM", () => process.exit(143));
for (const peer of peers) {
  for (const cell of chosen) {
    const result = await playCell(cell, ours, peer);
    results.push(result);
    console.log(formatResult(result));
  }
}
const { passed, failed, skipped } = tallyOf(results);
const json = resolve(options.json);
mkdirSync(dirname(json), { recursive: true });
writeFileSync(json, `${JSON.stringify({ passed, failed, unavailable: skipped, cells: results }, null, 2)}\n`);
console.log(`results: ${relative(process.cwd(), json)}`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;

function readPeers(files: readonly string[]): Peer[] {
  try {
    return files.map(readPeer);
  } catch (error) {
    return fail((error as Error).message);
  }
}

function choose(only: readonly string[] | undefined): typeof cells {
  const unknown = only?.find((name) => cells.every((cell) => cell.name !== name));
  if (unknown !== undefined)
    return fail(`there is no cell ${unknown}; there are ${cells.map(({ name }) => name).join(", ")}`);
  return cells.filter(({ name }) => only?.includes(name) ?? true);
}

function fail(why: string): never {
  console.error(`interop: ${why}`);
  process.exit(2);
}
