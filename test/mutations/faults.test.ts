import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { applyFault } from "../../tools/mutation.ts";
import { FAULTS } from "./index.ts";

describe("the committed faults", () => {
  it("can all be applied: each line stands once in its file", () => {
    const root = new URL("../../", import.meta.url);
    const lost = FAULTS.flatMap((fault) => {
      try {
        applyFault(readFileSync(new URL(fault.file, root), "utf8"), fault);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
    expect(lost).toEqual([]);
  });
});
