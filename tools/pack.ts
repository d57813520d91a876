import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pnpm, root, run, tool } from "./run.ts";

/** The published packages, each after those it depends on. */
export const packages: readonly string[] = ["rtmfp-core", "rtmfp-client", "rtmfp-server"];

/**
 * Builds the packages from nothing and packs them into a folder, with `workspace:*` replaced by the real versions.
 *
 * @returns the paths of the .tgz files, in the order of {@link packages}
 * @throws Error with the output of the command that failed
 */
export async function pack(folder: string): Promise<string[]> {
  for (const name of packages) rmSync(`${root}packages/${name}/dist`, { recursive: true, force: true });
  await must(tool("typescript/bin/tsc", "-b", ...packages.map((name) => `packages/${name}`)), root);
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (const name of packages) {
    const home = `${root}packages/${name}`;
    await must(pnpm("pack", "--pack-destination", folder), home);
    const { version } = JSON.parse(readFileSync(`${home}/package.json`, "utf8")) as { version: string };
    files.push(join(folder, `${name}-${version}.tgz`));
  }
  return files;
}

async function must(argv: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await run(argv, { cwd, show: false });
  if (code !== 0) throw new Error(`${argv.slice(1).join(" ")} failed in ${cwd}:\n${output}`);
}
