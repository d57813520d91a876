import { link, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { recordPath } from "../../src/cli/channel-options.ts";
import { runHere } from "../support/run-here.ts";

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

  it("is never a source, under whatever name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rtmfp-record-"));
    const [source, soft, hard] = ["source", "soft", "hard"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(source, "FLV");
    await symlink(source, soft);
    await link(source, hard);
    for (const [from, record] of [
      [soft, source],
      [source, soft],
      [source, hard],
    ]) {
      const { code, lines } = await runHere(
        "broadcast",
        "rtmfp://127.0.0.1:1/tv",
        `a=${from}`,
        "--record",
        `${record}`,
      );
      const line = `rtmfp-client: --record would replace the source "${record}": choose another name`;
      expect([code, lines]).toEqual([2, [line]]);
    }
    expect(await readFile(source, "utf8")).toBe("FLV");
    await rm(folder, { recursive: true });
  });
});

describe("the name of a channel", () => {
  it("is refused where no group can have it, before anything is connected to", async () => {
    const long = "x".repeat(2_000);
    const lines = ["rtmfp-client: the name of the channel's group has 2023 bytes; at most 1000 are possible"];
    expect(await runHere("watch", "rtmfp://127.0.0.1:1/tv", long)).toMatchObject({ code: 2, lines });
    expect(await runHere("broadcast", "rtmfp://127.0.0.1:1/tv", `${long}=-`)).toMatchObject({ code: 2, lines });
  });
});
