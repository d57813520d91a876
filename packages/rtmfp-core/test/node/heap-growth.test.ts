import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("lets V8 take two and a half times what is in use before it marks the heap, whatever V8 would do by itself", async () => {
  const usual = await limits(false);
  const grown = await limits(true);
  expect(new Set(grown)).toEqual(new Set(["2.5"]));
  // By itself V8 goes by how fast it is, and may come upon the same share now and then, but not each time.
  expect(new Set(usual)).not.toEqual(new Set(["2.5"]));
}, 60_000);

/** As a share of what was in use each time, how far V8 said the heap might grow, in a process whose heap grows. */
async function limits(grow: boolean): Promise<string[]> {
  const program = `
    import { letHeapGrow } from "rtmfp-core";
    if (${grow}) letHeapGrow();
    const kept = [];
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < 200_000; k++) kept.push({ k });
      gc();
    }`;
  const argv = ["--trace-gc-verbose", "--expose-gc", "--conditions=source", "--import", "tsx", "--input-type=module"];
  const { stdout } = await promisify(execFile)(process.execPath, [...argv, "-e", program], { maxBuffer: 2 ** 24 });
  // Two lines a mark; one while the program was being loaded may come before the call.
  const marks = [...stdout.matchAll(/Limit: old size: \d+ KB, new limit: \d+ KB \((\d+\.\d)\)/g)].map(([, by]) => by);
  expect(marks.length).toBeGreaterThanOrEqual(8);
  return marks.slice(-8) as string[];
}
