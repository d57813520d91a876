import { appendFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeFlv, encodeFlvTag, type FlvTag } from "rtmfp-core/flv";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ChannelOutput } from "../../src/bittube/channel-output.ts";
import { openSource } from "../../src/bittube/open-source.ts";
import { makeFolder } from "../support/folder.ts";
import { configuration, HandClock, inter, key, second, shown, sound, soundConfiguration } from "./support.ts";

const folder = await makeFolder();

describe("ChannelOutput", () => {
  const take = (output: ChannelOutput, ...tags: FlvTag[]): string[] => shown(tags.flatMap((tag) => output.take(tag)));

  it(
    ...rfc("P-4", "B-9"),
    "begins at a key frame with its configuration, and again when the sender starts over",
    () => {
      const output = new ChannelOutput();
      const joined = [inter(7_900), sound(7_910), configuration(8_000), soundConfiguration(8_000), ...second(8_000)];
      expect(take(output, ...joined).slice(0, 4)).toEqual(["AVC1 0", "AAC 0", "key 0", "sound 0"]);
      output.restart();
      expect(
        take(output, sound(0), inter(10), configuration(20, 2), soundConfiguration(20), key(20), inter(60)),
      ).toEqual(["AVC2 840", "AAC 840", "key 840", "inter 880"]);
      expect(output.restarts).toBe(1);
    },
  );

  it(...rfc("P-4"), "takes time that goes back for a sender that started over without a word", () => {
    let told = 0;
    const output = new ChannelOutput(() => told++);
    take(output, configuration(60_000), key(60_000), inter(60_040));
    expect(take(output, inter(0), sound(10), configuration(40, 3), soundConfiguration(40), key(40), inter(80))).toEqual(
      ["AVC3 80", "AAC 80", "key 80", "inter 120"],
    );
    expect([output.restarts, told]).toEqual([1, 1]);
  });
});

describe("openSource", () => {
  const kind = async (text: string, options: Parameters<typeof openSource>[1] = {}): Promise<string> => {
    const { kind, source, leadMs } = await openSource(text, options);
    return `${kind} ${source.name.replace(folder, "DIR")} ${leadMs}`;
  };

  it("tells URLs, standard input, and files that are being written from those that are finished", async () => {
    const path = join(folder, "a.flv");
    await writeFile(path, encodeFlv([key(0)]));
    const clock = new HandClock();
    const fresh = kind(path, { clock });
    for (let looks = 0; looks < 20; looks++) {
      await clock.waitedFor(250);
      clock.pass(250);
    }
    expect(await fresh).toBe('file "DIR/a.flv" 0');
    // Whatever has passed by the clock on the wall.
    await utimes(path, new Date(), new Date());
    const grown = kind(path, { clock });
    await clock.waitedFor(250);
    await appendFile(path, encodeFlvTag(key(40)));
    clock.pass(250);
    expect(await grown).toBe('growing "DIR/a.flv" 3000');
    expect(await kind(path, { loop: true })).toBe('file "DIR/a.flv" 0');
    expect(await kind(path, { follow: false })).toBe('file "DIR/a.flv" 0');
    const anHourAgo = Date.now() / 1_000 - 3_600;
    await utimes(path, anHourAgo, anHourAgo);
    expect(await kind(path)).toBe('file "DIR/a.flv" 0');
    expect(await kind(path, { follow: true })).toBe('growing "DIR/a.flv" 3000');
    expect(await kind("-")).toBe("stdin standard input 3000");
    expect(await kind("HTTPS://me:secret@tv.example/live.flv?key=1")).toBe("http https://tv.example/live.flv?… 3000");
  });

  it("says in one line what no source is", async () => {
    await expect(openSource(join(folder, "no.flv"))).rejects.toThrow("there is no such file; check the path");
    await expect(openSource("rtmp://h/live/x")).rejects.toThrow(
      'cannot read "rtmp://h/live/x": sources are http:, https:, files and -; for others: ffmpeg -i rtmp://... -c copy -f flv - | ...',
    );
    await expect(openSource("http://")).rejects.toThrow('cannot read "http://": it is no URL');
  });
});
