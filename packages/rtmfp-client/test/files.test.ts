import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { it } from "../../../test/support/rfc.ts";
import { readFlv, writeFlv } from "../src/index.ts";
import { collect, SAMPLE, TAGS } from "./support/connections.ts";
import { makeFolder } from "./support/folder.ts";

const folder = await makeFolder();

describe("FLV files", () => {
  it("are read and written again to the same bytes", async () => {
    const copy = join(folder, "copy.flv");
    const original = await readFile(SAMPLE);
    expect(await writeFlv(copy, readFlv(SAMPLE))).toEqual({ tags: TAGS.length, bytes: original.length });
    expect(Buffer.compare(await readFile(copy), original)).toBe(0);
  });

  it("are read no further when the signal is aborted", async () => {
    const stop = new AbortController();
    let count = 0;
    for await (const _ of readFlv(SAMPLE, { signal: stop.signal })) if (++count === 3) stop.abort();
    expect(count).toBeLessThan(TAGS.length);
    expect(await collect(readFlv(SAMPLE, { signal: stop.signal }))).toEqual([]);
  });

  it("stay as they were when no tag comes", async () => {
    const precious = join(folder, "precious.flv");
    await writeFile(precious, "a recording");
    const none = readFlv(join(folder, "absent.flv"));
    await expect(writeFlv(precious, none)).rejects.toMatchObject({ code: "FILE_FAILED" });
    expect(await writeFlv(precious, [])).toEqual({ tags: 0, bytes: 0 });
    expect(await readFile(precious, "utf8")).toBe("a recording");
  });

  it("tell in one line what is wrong with them", async () => {
    const cut = join(folder, "cut.flv");
    await writeFile(cut, await readFile(SAMPLE));
    await truncate(cut, 50_000);
    const text = join(folder, "text.flv");
    await writeFile(text, "no video here");
    const errors = [join(folder, "missing.flv"), cut, text, folder].map(async (path) => {
      const error = await collect(readFlv(path)).catch((reason) => reason);
      expect(error.code).toBe("FILE_FAILED");
      return error.message.replace(folder, "DIR");
    });
    expect(await Promise.all(errors)).toEqual([
      'cannot read "DIR/missing.flv": there is no such file; check the path',
      expect.stringMatching(/^cannot read "DIR\/cut\.flv": the FLV stream is cut off at byte 50000, .*$/),
      'cannot read "DIR/text.flv": this is not an FLV stream: it does not begin with "FLV"',
      'cannot read "DIR": it is a folder; name a file in it',
    ]);
    await expect(writeFlv(join(folder, "no", "such.flv"), TAGS)).rejects.toMatchObject({
      message: expect.stringMatching(/^cannot write ".*": its folder does not exist; make it, or check the path$/),
    });
  });
});
