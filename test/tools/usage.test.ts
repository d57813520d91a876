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
});
