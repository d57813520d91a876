// `pnpm lint`: Biome's rules and formatting, then the length of files. Exit code 1 if either finds something.
import { tooLong } from "./file-lengths.ts";
import { run, tool } from "./run.ts";

const biome = await run(tool("@biomejs/biome/bin/biome", "ci", "."));
const long = tooLong();
for (const line of long) console.error(line);
process.exitCode = biome.code !== 0 || long.length > 0 ? 1 : 0;
