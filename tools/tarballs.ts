// `pnpm tarballs [--out DIR]`: builds the three packages and packs them as .tgz, ready for `npm install ./*.tgz`.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { pack } from "./pack.ts";

try {
  const { values } = parseArgs({ options: { out: { type: "string", default: "tarballs" } } });
  for (const file of await pack(resolve(values.out))) console.log(file);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
