// `pnpm lint`: Biome's rules and formatting, the length of files, and the comments of exports. Exit code 1 if any of
// them finds something.
import { undocumented } from "./api-docs.ts";
import { tooLong } from "./file-lengths.ts";
import { run, tool } from "./run.ts";

const biome = await run(tool("@biomejs/biome/bin/biome", "ci", "."));
const found = [...tooLong(), ...undocumented()];
for (const line of found) console.error(line);
process.exitCode = biome.code !== 0 || found.length > 0 ? 1 : 0;
