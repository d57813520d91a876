import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { recordPath } from "../../src/cli/channel-options.ts";

const COMMON = { logLevel: "info", timeout: 10 } as const;

describe("the file that a channel is recorded into", () => {
  it("is another for every channel, whatever their names, and in the folder that was named", () => {
    const names = ["a/b", "a_b", "a\\b", "a%2Fb", "a", "{channel}", "{time}", "ä b"];
    const paths = names.map((name) => recordPath(name, { ...COMMON, record: "out/{channel}.flv" }));
    expect(paths.slice(0, 4)).toEqual(["out/a%2Fb.flv", "out/a_b.flv", "out/a%5Cb.flv", "out/a%252Fb.flv"]);
    expect(paths.slice(4)).toEqual(["out/a.flv", "out/{channel}.flv", "out/{time}.flv", "out/ä b.flv"]);
    const repeated = recordPath("a", { ...COMMON, record: "{channel}-{time}-{channel}.flv" });
    expect(repeated).toMatch(/^a-\d{8}T\d{6}Z-a\.flv$/);
    expect(recordPath("a", COMMON)).toBeUndefined();
  });
});
