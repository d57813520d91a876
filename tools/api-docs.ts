import { collectApi } from "./api-docs/collect.ts";
import { missing } from "./api-docs/rules.ts";
import { root } from "./run.ts";
import { readSource } from "./source-files.ts";

/** One line for each export of the three packages, or member of one, whose comment lacks something. */
export function undocumented(): string[] {
  const lines = PACKAGES.flatMap((folder) =>
    collectApi(root, folder, entriesOf(folder)).flatMap((item) =>
      missing(item).map((what) => `${item.file}:${item.line} ${item.name}: ${what}`),
    ),
  );
  return [...new Set(lines)];
}

/** The modules that a package exports, by their sources. */
function entriesOf(folder: string): string[] {
  const { exports } = JSON.parse(readSource(`${folder}/package.json`)) as {
    exports: Record<string, string | { readonly source: string }>;
  };
  return Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry.source]));
}

const PACKAGES = ["packages/rtmfp-core", "packages/rtmfp-client", "packages/rtmfp-server"];
