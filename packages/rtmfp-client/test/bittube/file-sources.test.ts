import { appendFileSync } from "node:fs";
import { appendFile, readdir, readlink, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeFlv, encodeFlvTag, type FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { FileSource } from "../../src/bittube/file-source.ts";
import { GrowingFileSource } from "../../src/bittube/growing-file-source.ts";
import { collect } from "../support/connections.ts";
import { makeFolder } from "../support/folder.ts";
import {
  configuration,
  HandClock,
  HEAD,
  inter,
  key,
  mp3,
  second,
  shown,
  sound,
  soundConfiguration,
  take,
} from "./support.ts";

const folder = await makeFolder();
let files = 0;
async function file(...tags: FlvTag[]): Promise<string> {
  const path = join(folder, `${files++}.flv`);
  await writeFile(path, encodeFlv(tags));
  return path;
}
const append = async (path: string, ...tags: FlvTag[]): Promise<void> => {
  for (const tag of tags) await appendFile(path, encodeFlvTag(tag));
};
const failure = (from: AsyncIterable<FlvTag>): Promise<string> =>
  collect(from).then(
    () => "no failure",
    (error: Error) => error.message.replace(folder, "DIR").replace(/\/\d+/, "/N"),
  );

describe("a growing file", () => {
  /** Lets the source look at its file once more whenever it has come to the end. */
  class Follower {
    readonly clock = new HandClock();
    readonly stop = new AbortController();
    readonly notices: string[] = [];
    readonly source: GrowingFileSource;
    readonly tags: AsyncIterator<FlvTag>;

    constructor(path: string) {
      const onNotice = (line: string): void =>
        void this.notices.push(line.replace(folder, "DIR").replace(/\/\d+/, "/N"));
      this.source = new GrowingFileSource(path, { clock: this.clock, signal: this.stop.signal, onNotice });
      this.tags = this.source[Symbol.asyncIterator]();
    }

    /** The next tags; `then` happens once the source waits for more. */
    async next(count: number, then: () => Promise<void>): Promise<string[]> {
      const tags = take(this.tags, count);
      await this.clock.waitedFor(250);
      await then();
      this.clock.pass(250);
      return shown(await tags);
    }

    async end(): Promise<void> {
      this.stop.abort();
      expect((await this.tags.next()).done).toBe(true);
    }
  }

  it(
    ...rfc("B-5"),
    "is followed from its end at the next key frame, with the configuration that it had last",
    async () => {
      const path = await file(...HEAD, ...second(0), configuration(900, 2), ...second(1_000));
      const follower = new Follower(path);
      const more = [inter(2_000), sound(2_010), ...second(2_040), key(3_040)];
      expect(await follower.next(5, () => append(path, ...more))).toEqual([
        "meta 0",
        "AVC2 0",
        "AAC 0",
        "key 0",
        "sound 0",
      ]);
      expect(shown(await take(follower.tags, 9)).slice(-2)).toEqual(["sound 800", "key 1000"]);
      expect(await follower.next(1, () => append(path, inter(3_080)))).toEqual(["inter 1040"]);
      await follower.end();
    },
  );

  it(...rfc("B-5", "B-7"), "is carved right when it ends within a tag each time it is looked at", async () => {
    const path = await file(...HEAD, key(0));
    const bytes = Buffer.concat([key(40), inter(80), sound(90)].map(encodeFlvTag));
    const follower = new Follower(path);
    const tags = take(follower.tags, 6);
    for (let at = 0; at < bytes.length; at += 3) {
      await follower.clock.waitedFor(250);
      await appendFile(path, bytes.subarray(at, at + 3));
      follower.clock.pass(250);
    }
    expect(shown(await tags)).toEqual(["meta 0", "AVC1 0", "AAC 0", "key 0", "inter 40", "sound 50"]);
    await follower.end();
  });

  it(
    ...rfc("B-5"),
    "is followed through rotation: the rest of the old file, then the new one from its beginning",
    async () => {
      const path = await file(...HEAD);
      const follower = new Follower(path);
      await follower.next(4, () => append(path, key(0)));
      const rotate = async (): Promise<void> => {
        await append(path, inter(40));
        await rename(path, `${path}.1`);
      };
      expect(await follower.next(1, rotate)).toEqual(["inter 40"]);
      // For a moment there is none; then it begins with its header alone.
      const next = take(follower.tags, 3);
      for (const write of [
        () => writeFile(path, encodeFlv([configuration(0, 3), soundConfiguration(0)])),
        () => append(path, key(9_000)),
      ]) {
        await follower.clock.waitedFor(250);
        await write();
        follower.clock.pass(250);
      }
      expect(shown(await next)).toEqual(["AVC3 80", "AAC 80", "key 80"]);
      expect(follower.notices).toEqual(['"DIR/N.flv" is another file now: reading it from its beginning']);
      expect(follower.source.stats.beginnings).toBe(2);
      await follower.end();
    },
  );

  it(...rfc("B-5"), "leaves nothing open when the rest of the old file is damaged", async () => {
    const path = await file(...HEAD);
    const clock = new HandClock();
    const damage = (): void => appendFileSync(`${path}.1`, Buffer.alloc(64, 7));
    const ending = failure(new GrowingFileSource(path, { clock, onNotice: damage }));
    await clock.waitedFor(250);
    await rename(path, `${path}.1`);
    await writeFile(path, encodeFlv(HEAD));
    clock.pass(250);
    expect(await ending).toMatch(/^cannot read "DIR\/N\.flv": /);
    // Where there is no such folder nothing is told.
    const open = await readdir("/proc/self/fd").catch(() => []);
    const links = open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
    expect((await Promise.all(links)).filter((link) => link.startsWith(path))).toEqual([]);
  });

  it(...rfc("B-5"), "is read from its beginning again when it was cut, or written anew at any length", async () => {
    const path = await file(...HEAD, ...second(0));
    const follower = new Follower(path);
    await follower.next(4, () => append(path, key(1_000)));
    const cut = async (): Promise<void> => {
      await truncate(path, 0);
      await append(path);
      await appendFile(path, encodeFlv([configuration(0, 4), soundConfiguration(0), key(0)]));
    };
    expect(await follower.next(3, cut)).toEqual(["AVC4 40", "AAC 40", "key 40"]);
    const longer = async (): Promise<void> =>
      writeFile(path, encodeFlv([configuration(0, 5), soundConfiguration(0), key(0, 500), inter(40, 500)]));
    expect(await follower.next(4, longer)).toEqual(["AVC5 80", "AAC 80", "key 80", "inter 120"]);
    expect(follower.notices).toEqual(new Array(2).fill('"DIR/N.flv" was written anew: reading it from its beginning'));
    await follower.end();
  });

  it(
    ...rfc("B-5"),
    "is read from its beginning again when it is written anew while much of it is still to be read",
    async () => {
      const path = await file(...HEAD);
      const follower = new Follower(path);
      const long = Array.from({ length: 1_200 }, (_, i) => (i % 25 === 0 ? key(i * 40, 1_500) : inter(i * 40, 1_500)));
      const [first] = await follower.next(1, () => append(path, ...long));
      expect(first).toBe("meta 0");
      await take(follower.tags, 20);
      // Longer by some bytes, so that tags lie elsewhere.
      await writeFile(path, encodeFlv([...HEAD, configuration(0, 7), ...long]));
      let old = 0;
      for (; follower.notices.length === 0; old++) await take(follower.tags, 1);
      expect(old).toBeLessThan(900);
      let keys = 0;
      while (keys < long.length / 25)
        keys += shown(await take(follower.tags, 1)).filter((line) => line.startsWith("key")).length;
      await follower.end();
    },
  );

  it("tells once that it does not grow, and goes on waiting", async () => {
    const path = await file(...HEAD);
    const follower = new Follower(path);
    const tags = take(follower.tags, 4);
    for (let polls = 0; polls < 60; polls++) {
      await follower.clock.waitedFor(250);
      follower.clock.pass(250);
    }
    await follower.clock.waitedFor(250);
    await append(path, key(0));
    follower.clock.pass(250);
    await tags;
    expect(follower.notices).toEqual(['"DIR/N.flv" has not grown for 10 s; waiting for more']);
    await follower.end();
  });

  it("may be of sound alone, and need no configuration", async () => {
    const path = await file(...Array.from({ length: 100 }, (_, i) => mp3(i * 26)));
    const follower = new Follower(path);
    const more = Array.from({ length: 42 }, (_, i) => mp3(2_600 + i * 26));
    expect(await follower.next(2, () => append(path, ...more))).toEqual(["sound 0", "sound 26"]);
    await follower.end();
  });

  it(...rfc("B-5", "B-8"), "ends with one line for what is no FLV, damaged or not there", async () => {
    const text = await file();
    await writeFile(text, "something else entirely");
    const damaged = await file(...HEAD, key(0));
    await appendFile(damaged, new Uint8Array(11).fill(7));
    expect(await failure(new GrowingFileSource(text))).toBe(
      'cannot read "DIR/N.flv": this is not an FLV stream: it does not begin with "FLV"',
    );
    expect(await failure(new GrowingFileSource(damaged))).toMatch(
      /^cannot read "DIR\/N\.flv": the tag at byte \d+ has the/,
    );
    expect(await failure(new GrowingFileSource(join(folder, "no.flv")))).toBe(
      'cannot read "DIR/no.flv": there is no such file; check the path',
    );
    const source = new GrowingFileSource(folder);
    expect(await failure(source)).toBe('cannot read "DIR": it is a folder; name a file in it');
    expect(source.stats.lastTrouble).toContain("is a folder");
  });
});

describe("a finished file", () => {
  it(...rfc("B-9"), "is read to its end, its time from 0, and again and again with its time going on", async () => {
    const path = await file(...HEAD, ...second(7_000));
    const once = new FileSource(path);
    expect(shown(await collect(once)).slice(0, 4)).toEqual(["meta 0", "AVC1 0", "AAC 0", "key 0"]);
    expect(once.stats).toMatchObject({ tags: 13, skipped: 0, beginnings: 1 });
    const stop = new AbortController();
    const loop = new FileSource(path, { loop: true, signal: stop.signal })[Symbol.asyncIterator]();
    expect(shown(await take(loop, 27)).filter((name) => name.startsWith("key"))).toEqual(["key 0", "key 840"]);
    stop.abort();
    expect((await loop.next()).done).toBe(true);
  });

  it("is read again and again without a last tag that is cut off, which it tells once", async () => {
    const path = await file(...HEAD, ...second(0));
    const whole = encodeFlv([...HEAD, ...second(0)]);
    await truncate(path, whole.length - 3);
    const notices: string[] = [];
    const onNotice = (line: string): void => void notices.push(line.replace(folder, "DIR").replace(/\/\d+/, "/N"));
    const stop = new AbortController();
    const loop = new FileSource(path, { loop: true, signal: stop.signal, onNotice })[Symbol.asyncIterator]();
    expect(shown(await take(loop, 36)).filter((name) => name.startsWith("key"))).toEqual([
      "key 0",
      "key 840",
      "key 1680",
    ]);
    stop.abort();
    expect((await loop.next()).done).toBe(true);
    expect(notices).toEqual([
      expect.stringMatching(/^"DIR\/N\.flv": the FLV stream is cut off at byte \d+, .*; beginning again without that$/),
    ]);
    expect(await failure(new FileSource(path))).toContain("is cut off at byte");
  });

  it(...rfc("B-8"), "repairs trailing sizes of 0, and ends at any other that is wrong", async () => {
    const path = await file();
    const bytes = Buffer.from(encodeFlv([...HEAD, key(0)]));
    bytes.fill(0, bytes.length - 4);
    await writeFile(path, bytes);
    const source = new FileSource(path);
    expect(await collect(source)).toHaveLength(4);
    expect(source.stats.repaired).toBe(1);
    bytes[bytes.length - 1] = 9;
    await writeFile(path, bytes);
    const tags: FlvTag[] = [];
    const read = async (): Promise<void> => {
      for await (const tag of new FileSource(path)) tags.push(tag);
    };
    await expect(read()).rejects.toThrow("is 9, where 19 was expected");
    expect(tags).toHaveLength(3);
  });

  it("says in one line what is wrong with it", async () => {
    const cut = await file(key(0));
    await truncate(cut, 30);
    const mp4 = await file();
    await writeFile(mp4, Uint8Array.of(0, 0, 0, 32, ...new TextEncoder().encode("ftypisom...")));
    const back = await file(key(60_000), key(20_000));
    const empty = await file();
    await truncate(empty, 0);
    const sources = [cut, mp4, await file(), empty, join(folder, "no.flv"), back].map((path) =>
      failure(new FileSource(path, { loop: true })),
    );
    expect(await Promise.all(sources)).toEqual([
      expect.stringMatching(/^cannot read "DIR\/N\.flv": the FLV stream is cut off at byte 30, in the body of a tag/),
      expect.stringMatching(/^cannot read "DIR\/N\.flv": it is MP4, not an FLV stream; make FLV of it with: ffmpeg/),
      '"DIR/N.flv" has no tags: there is nothing to send',
      '"DIR/N.flv" is empty: there is nothing to send',
      'cannot read "DIR/no.flv": there is no such file; check the path',
      'cannot read "DIR/N.flv": the time goes back from 60000 to 20000 ms: the source has started over',
    ]);
  });
});
