// Runs a package's command from source: `pnpm start …` is rtmfp-server, `pnpm client …` is rtmfp-client.
import { root } from "./run.ts";

const [node = "", , command = "", ...args] = process.argv;
const cli = (await import(`${root}packages/${command}/src/cli.ts`)) as {
  main(argv: readonly string[]): Promise<number>;
};
process.exitCode = await cli.main([node, command, ...args]);
