// `pnpm tarballs [--out DIR]`: builds the three packages and packs them as .tgz, ready for `npm install ./*.tgz`.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { pack } from "./pack.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let out: string;
  try {
    ({ out } = parseArgs({ args: [...argv], options: { out: { type: "string", default: "tarballs" } } }).values);
  } catch {
    console.error("usage: pnpm tarballs [--out DIR]");
    return 2;
  }
  try {
    for (const file of await pack(resolve(out))) console.log(file);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}
