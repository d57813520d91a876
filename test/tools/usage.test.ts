import { describe, expect, it } from "vitest";
import { run, script } from "../../tools/run.ts";

describe("the scripts of the workspace", () => {
  it("answer an unknown option with their usage and exit code 2", async () => {
    for (const file of ["tools/tarballs.ts", "tools/rfc-coverage.ts", "test/bench/main.ts"]) {
      const { code, output } = await run(script(file, "--frobnicate"), { show: false });
      expect(output).toMatch(/^usage: pnpm \S+ .*\[--/m);
      expect(output).not.toMatch(/^\s+at /m);
      expect(code).toBe(2);
    }
  }, 60_000);

  it("name the file that cannot be read or written, be it the input or the output", async () => {
    const vectors = (...args: string[]): Promise<{ code: number | null; output: string }> =>
      run(script("test/vectors/main.ts", ...args), { show: false });
    const file = "test/fixtures/vectors/rtmfp-cpp.json";
    const output = "no-such-folder/report.json";
    const missing = await vectors("no-such.json", "--json", output);
    expect([missing.code, missing.output]).toEqual([1, expect.stringMatching(/^no-such\.json: ENOENT/m)]);
    const unwritable = await vectors(file, "--json", output);
    expect([unwritable.code, unwritable.output]).toEqual([
      1,
      expect.stringMatching(/^no-such-folder\/report\.json: ENOENT/m),
    ]);
  }, 60_000);
});
