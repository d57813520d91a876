import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { decodeFlv, FlvReader, type FlvTag } from "rtmfp-core/flv";
import { parseGroupspec } from "rtmfp-core/group";
import { afterEach, describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { channelGroupspec } from "../../src/bittube/channel-group.ts";
import { ChannelOutput } from "../../src/bittube/channel-output.ts";
import { GopQueue } from "../../src/bittube/gop-queue.ts";
import { type HttpFlvOptions, HttpFlvServer, MAX_CONNECTIONS } from "../../src/bittube/http-flv-server.ts";
import { realtime } from "../../src/bittube/realtime.ts";
import { MAX_WAITING_BYTES, recordFlv, TagSink } from "../../src/bittube/recorder.ts";
import { sleep } from "../../src/clock.ts";
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
  turn,
} from "./support.ts";

const folder = await makeFolder();

describe("GopQueue", () => {
  const rest = async (queue: GopQueue): Promise<string[]> => {
    queue.end();
    const tags: FlvTag[] = [];
    for await (const tag of queue) tags.push(tag);
    return shown(tags);
  };

  it("loses whole old groups for who is slow, and keeps the last metadata and configuration", async () => {
    const queue = new GopQueue(1_000);
    const tags = [...HEAD, key(0, 300), inter(40, 100), configuration(80, 2), key(80, 60), inter(120, 60)];
    for (const tag of tags) queue.push(tag);
    expect(await rest(queue)).toEqual(["meta 0", "AAC 0", "AVC2 80", "key 80", "inter 120"]);
    expect(queue.dropped).toBe(3);
  });

  it("goes on with sound, and with the next key frame, when one group is more than it holds", async () => {
    const queue = new GopQueue(1_000);
    for (const tag of [...HEAD, key(0, 300), inter(40, 300), inter(80), sound(90), configuration(120, 2)])
      queue.push(tag);
    for (const tag of [key(120), inter(160)]) queue.push(tag);
    expect(await rest(queue)).toEqual(["meta 0", "AVC1 0", "AAC 0", "sound 90", "AVC2 120", "key 120", "inter 160"]);
    expect(queue.dropped).toBe(3);
  });

  it("makes room in one pass, however many configurations wait, and keeps the last of each kind", async () => {
    const queue = new GopQueue(MAX_WAITING_BYTES);
    for (const tag of HEAD) queue.push(tag);
    for (let i = 0; i < 300_000; i++) queue.push(configuration(i));
    queue.push(key(300_000, 2 << 20));
    expect(queue.dropped).toBe(300_000);
    expect(await rest(queue)).toEqual(["meta 0", "AAC 0", "AVC1 299999", "key 300000"]);
  });

  it("goes on with sound when pictures have ended, whatever had to go", async () => {
    const queue = new GopQueue(1_000);
    for (const tag of [key(0, 500), inter(40, 500), sound(80), sound(120)]) queue.push(tag);
    expect(await rest(queue)).toEqual(["sound 80", "sound 120"]);
    expect(queue.dropped).toBe(2);
  });

  it("loses the older half of sound alone, and stays bounded whatever is repeated", async () => {
    const queue = new GopQueue(310);
    for (let i = 0; i < 4; i++) queue.push(mp3(i));
    expect(await rest(queue)).toEqual(["sound 2", "sound 3"]);
    const stuck = new GopQueue(1_000);
    for (let i = 0; i < 10_000; i++) stuck.push(i % 3 === 0 ? configuration(i) : inter(i, 300));
    expect((await rest(stuck)).length).toBeLessThan(10);
  });
});

describe("TagSink", () => {
  it("says how many tags are missing where they came faster than they could be written", async () => {
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const written: FlvTag[] = [];
    const sink = new TagSink(
      async (tags) => {
        await begun;
        for await (const tag of tags) written.push(tag);
        return { tags: written.length, bytes: 0 };
      },
      (error) => expect.unreachable(String(error)),
    );
    const size = MAX_WAITING_BYTES / 4 - 100;
    for (const tag of [key(0, size), inter(40, size), key(80, size)]) sink.add(tag);
    expect([sink.dropped, sink.holes]).toEqual([0, undefined]);
    for (const tag of [inter(120, size), inter(160, size)]) sink.add(tag);
    begin();
    await sink.close();
    expect(shown(written)).toEqual(["key 80", "inter 120", "inter 160"]);
    expect([sink.dropped, sink.holes]).toEqual([2, "2 tags came faster than they could be written"]);
  });
});

describe("realtime", () => {
  async function times(
    tags: FlvTag[],
    leadMs: number,
    {
      headStartMs = 0,
      comes = (_timestamp: number): number => 0,
      ready = (_clock: HandClock) => Promise.resolve<unknown>(0),
    } = {},
  ): Promise<number[]> {
    const clock = new HandClock();
    const source = (async function* () {
      for (const tag of tags) {
        const wait = comes(tag.timestamp) - clock.now();
        if (wait > 0) await sleep(clock, wait);
        yield tag;
      }
    })();
    const seen: number[] = [];
    let isOver = false;
    const done = (async () => {
      const { signal } = new AbortController();
      for await (const _ of realtime(source, { clock, leadMs, headStartMs, ready: () => ready(clock), signal }))
        seen.push(Math.round(clock.now()));
      isOver = true;
    })();
    while (!isOver) {
      await turn();
      clock.pass(clock.waits[0] ?? 0);
    }
    await done;
    return seen;
  }

  it("passes tags on when their time has come, and at once after a jump", async () => {
    const tags = [key(5_000), inter(5_040), inter(5_100), key(900_000), inter(900_040), inter(899_000)];
    expect(await times(tags, 0)).toEqual([0, 40, 100, 100, 140, 140]);
  });

  it("waits a second in all for who has no room, until tags are in time again", async () => {
    const tags = [0, 40, 80, 120, 5_000, 5_040].map((ms) => key(ms));
    const stuck = (): Promise<unknown> => new Promise(() => {});
    expect(await times(tags, 0, { ready: stuck })).toEqual([1_000, 1_000, 1_000, 1_000, 6_000, 6_000]);
  });

  it("waits again for who is slow at times, where a live source comes in exact time, and after a pause of it", async () => {
    const tags = Array.from({ length: 600 }, (_, i) => key(i * 100));
    const comes = (timestamp: number): number => (timestamp < 20_000 ? timestamp : timestamp + 5_000);
    let count = 0;
    const ready = (clock: HandClock): Promise<unknown> =>
      ++count % 200 === 100 ? sleep(clock, 600) : Promise.resolve();
    const seen = await times(tags, 3_000, { comes, ready });
    expect([99, 299, 499].map((at) => seen[at])).toEqual([10_500, 35_500, 55_500]);
    expect([110, 310, 510].map((at) => seen[at])).toEqual([11_000, 36_000, 56_000]);
  });

  it("lets who is always slow delay live media by little more than a second", async () => {
    const tags = Array.from({ length: 400 }, (_, i) => [key(i * 100 + 30), sound(i * 100)]).flat();
    const seen = await times(tags, 3_000, { comes: (timestamp) => timestamp, ready: (clock) => sleep(clock, 90) });
    const late = seen.map((ms, i) => ms - (tags[i]?.timestamp ?? 0));
    expect(Math.max(...late)).toBeGreaterThan(500);
    expect(Math.max(...late)).toBeLessThan(1_200);
  });

  it("lets live media go ahead as far as told, hardly faster than time", async () => {
    const tags = Array.from({ length: 12 }, (_, i) => key(i * 1_000));
    const seen = await times(tags, 3_000);
    expect(seen.slice(0, 5)).toEqual([0, 0, 0, 0, 996]);
    expect(seen[11]).toBe(7_989);
  });

  it("gives the first tag a head start, in which a file's time stands still and that of live media goes on", async () => {
    const tags = [0, 0, 500, 1_000, 5_000].map((ms) => key(ms));
    expect(await times(tags, 0, { headStartMs: 1_000 })).toEqual([0, 1_000, 1_500, 2_000, 6_000]);
    const seen = await times(tags, 3_000, { headStartMs: 1_000 });
    expect(seen).toEqual([0, 1_000, 1_000, 1_000, 1_995]);
  });
});

describe("recordFlv", () => {
  it("writes an ordinary file, and says how much", async () => {
    const path = join(folder, "record.flv");
    const record = recordFlv(path, (error) => expect.fail(String(error)));
    for (const tag of [...HEAD, ...second(0)]) record.add(tag);
    const info = await record.close();
    expect(shown(decodeFlv(await readFile(path)))).toEqual(shown([...HEAD, ...second(0)]));
    expect(info).toEqual({ tags: 13, bytes: (await readFile(path)).length });
  });

  it("tells once of a full disk, or a folder that is missing, and holds nobody up", async () => {
    const cases: [string, string][] = [
      [join(folder, "no", "x.flv"), "its folder does not exist; make it, or check the path"],
      ["/dev/full", "the disk is full; make room, or choose another place"],
    ];
    for (const [path, why] of cases.filter(([path]) => path !== "/dev/full" || existsSync(path))) {
      const told: string[] = [];
      const record = recordFlv(path, (error) => told.push((error as Error).message));
      record.add(key(0));
      while (!record.failed) await turn();
      for (const tag of second(40)) record.add(tag);
      expect(await record.close()).toBeUndefined();
      expect(told).toEqual([`cannot write "${path}": ${why}`]);
    }
  });
});

describe("HttpFlvServer", () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  async function serve(options: Partial<HttpFlvOptions> = {}): Promise<{ server: HttpFlvServer; clock: HandClock }> {
    const clock = new HandClock();
    const server = await HttpFlvServer.open({ host: "127.0.0.1", port: 0, channel: "news", clock, ...options });
    open.push({
      close: async () => {
        const closed = server.close();
        clock.pass(2_000);
        await closed;
      },
    });
    return { server, clock };
  }

  /** A player: its answer, and the tags that have come. */
  class Player {
    readonly tags: FlvTag[] = [];
    readonly ended: Promise<void>;
    readonly status: Promise<number>;
    text = "";
    readonly #reader = new FlvReader();

    constructor(url: string, headers: Record<string, string> = {}, method = "GET") {
      let tellStatus = (_: number): void => {};
      this.status = new Promise((resolve) => {
        tellStatus = resolve;
      });
      this.ended = new Promise((resolve) => {
        const asking = request(url, { headers, method, agent: false }, (response) => {
          tellStatus(response.statusCode ?? 0);
          response.on("data", (bytes: Buffer) => {
            if (response.statusCode === 200) this.tags.push(...this.#reader.push(bytes));
            else this.text += bytes.toString();
          });
          response.on("close", resolve);
        });
        asking.on("error", () => resolve());
        asking.end();
      });
    }

    async until(count: number): Promise<string[]> {
      while (this.tags.length < count) await turn();
      return shown(this.tags);
    }
  }

  it("gives late viewers header, metadata, configuration and the current group, and everybody what follows", async () => {
    const { server } = await serve();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/news\.flv$/);
    const early = new Player(server.url);
    expect(await early.status).toBe(200);
    const tags = [...HEAD, ...second(0), ...second(1_000)];
    for (const tag of tags) server.add(tag);
    expect(await early.until(tags.length)).toEqual(shown(tags));
    const late = new Player(server.url);
    const opening = ["meta 1000", "AVC1 1000", "AAC 1000", ...shown(second(1_000))];
    expect(await late.until(opening.length)).toEqual(opening);
    expect(server.viewers).toBe(2);
    server.add(key(2_000));
    expect((await late.until(14)).at(-1)).toBe("key 2000");
    const closed = server.close();
    await Promise.all([early.ended, late.ended, closed]);
    expect(shown(early.tags)).toHaveLength(tags.length + 1);
    expect([server.viewers, server.served]).toEqual([0, 2]);
  });

  it("gives viewers who come in a group that is too long to be kept sound, and pictures from the next one on", async () => {
    const { server } = await serve();
    for (const tag of [...HEAD, key(0)]) server.add(tag);
    for (let i = 1; i <= 4_200; i++) server.add(inter(i));
    const late = new Player(server.url);
    await late.status;
    for (const tag of [inter(5_000), sound(5_010), inter(5_040), ...second(5_080)]) server.add(tag);
    const headers = ["meta 4200", "AVC1 4200", "AAC 4200"];
    expect(await late.until(14)).toEqual([...headers, "sound 5010", ...shown(second(5_080))]);
  });

  it("gives viewers who come after a sender has started over nothing of the one before", async () => {
    const { server } = await serve();
    const output = new ChannelOutput(() => server.restart());
    const give = (...tags: FlvTag[]): void => {
      for (const tag of tags.flatMap((each) => output.take(each))) server.add(tag);
    };
    give(...HEAD, ...second(0));
    const early = new Player(server.url);
    await early.until(13);
    output.restart();
    const sounds = Array.from({ length: 4 }, (_, i) => sound(i * 500));
    give(soundConfiguration(0), ...sounds.slice(0, 3));
    const late = new Player(server.url);
    await late.status;
    give(...sounds.slice(3));
    expect(await late.until(2)).toEqual(["AAC 840", "sound 1340"]);
    expect((await early.until(16)).slice(13)).toEqual(["AAC 840", "sound 840", "sound 1340"]);
  });

  it("lets slow viewers lose old groups, and the others nothing; cuts off who takes nothing", async () => {
    const { server, clock } = await serve();
    const [slow, stuck] = [await pausedViewer(server.url), await pausedViewer(server.url)];
    const quick = new Player(server.url);
    await quick.status;
    while (server.viewers < 3) await turn();
    const size = 1 << 20;
    for (let i = 0; i < 40; i++) {
      server.add(key(i * 1_000, size));
      server.add(inter(i * 1_000 + 500));
      await quick.until(2 * i + 2);
    }
    expect(quick.tags).toHaveLength(80);
    // What is neither in its queue nor on its way is lost.
    expect(server.dropped).toBeGreaterThan(2 * 40);
    const bytes: Buffer[] = [];
    slow.on("data", (part: Buffer) => bytes.push(part)).resume();
    const dropped = server.dropped;
    server.add(key(40_000));
    await quick.until(81);
    // Only one still waits to be read.
    while (clock.waits.length > 1) await turn();
    clock.pass(30_000);
    while (server.viewers > 2) await turn();
    const closed = server.close();
    await new Promise((resolve) => slow.once("close", resolve));
    await closed;
    stuck.destroy();
    const seen = shown(tagsOf(Buffer.concat(bytes)));
    expect(seen.at(-1)).toBe("key 40000");
    expect(seen.length).toBeLessThan(81 - dropped / 4);
    const keys = new Set(seen.filter((name) => name.startsWith("key")).map((name) => Number(name.slice(4))));
    for (const name of seen.filter((each) => each.startsWith("inter"))) {
      expect(keys).toContain(Number(name.slice(6)) - 500);
    }
  });

  it("refuses others' web pages, other names and other methods, in one line", async () => {
    const { server } = await serve();
    const { port } = new URL(server.url);
    const cases: [Player, number, string][] = [
      [
        new Player(server.url, { host: `evil.example:${port}` }),
        403,
        `this is not evil.example:${port}; use 127.0.0.1\n`,
      ],
      [new Player(server.url, { origin: "http://evil.example" }), 403, "pages of other origins may not use this\n"],
      [new Player(server.url, {}, "POST"), 405, "only GET and HEAD here\n"],
      [new Player(`http://127.0.0.1:${port}/`), 404, "nothing here; there is /news.flv\n"],
      [new Player(`http://127.0.0.1:${port}//`), 404, "nothing here; there is /news.flv\n"],
      [new Player(server.url, {}, "HEAD"), 200, ""],
    ];
    for (const [player, status, line] of cases) {
      await player.ended;
      expect([await player.status, player.text]).toEqual([status, line]);
    }
  });

  it("asks for a token beyond this host, in the header or in the query", async () => {
    const place = { channel: "my news", clock: new HandClock(), port: 0 };
    await expect(HttpFlvServer.open({ ...place, host: "0.0.0.0" })).rejects.toThrow(
      "HTTP on 0.0.0.0, beyond this host, needs a token: RTMFP_HTTP_TOKEN=$(openssl rand -hex 32) rtmfp-client ...",
    );
    await expect(HttpFlvServer.open({ ...place, host: "127.0.0.1", token: "short" })).rejects.toThrow("at least 16");
    const token = "0123456789abcdef";
    const { server } = await serve({ host: "0.0.0.0", token, channel: "my news" });
    const url = server.url.replace("0.0.0.0", "127.0.0.1");
    expect(url).toContain("/my%20news.flv");
    const tries = [
      new Player(url),
      new Player(`${url}?token=0123456789abcdeX`),
      new Player(url, { authorization: `Bearer ${token}` }),
      new Player(`${url}?token=${token}`, { host: "tv.example", origin: "http://tv.example" }),
    ];
    expect(await Promise.all(tries.map(({ status }) => status))).toEqual([401, 401, 200, 200]);
  });

  it("answers one request of a connection, and closes it at the next", async () => {
    const { server } = await serve();
    const { host, port } = new URL(server.url);
    const greedy = connect(Number(port), "127.0.0.1");
    const closed = new Promise((resolve) => greedy.once("close", resolve));
    greedy.on("error", () => {});
    greedy.write(`GET /news.flv HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(1_000));
    greedy.resume();
    await closed;
    while (server.viewers > 0) await turn();
    expect(server.served).toBeLessThanOrEqual(1);
  });

  it("closes connections beyond 512 at once, and has room again when others go", async () => {
    const { server } = await serve();
    const sockets = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, () => pausedViewer(server.url)));
    while (server.viewers < MAX_CONNECTIONS) await turn();
    const beyond = await pausedViewer(server.url);
    await new Promise((resolve) => beyond.once("close", resolve).resume());
    for (const socket of sockets.splice(0, 1)) socket.destroy();
    while (server.viewers === MAX_CONNECTIONS) await turn();
    expect(await new Player(server.url).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  it("says in one line why it cannot listen", async () => {
    const { server } = await serve();
    const port = Number(new URL(server.url).port);
    const again = HttpFlvServer.open({ host: "127.0.0.1", port, channel: "x", clock: new HandClock() });
    await expect(again).rejects.toThrow(
      `cannot listen on TCP 127.0.0.1:${port}: the port is in use; choose another with --http`,
    );
  });
});

describe("a channel's group", () => {
  it(...rfc("B-2"), "has BitTube's name, everything enabled and no password, or another name", () => {
    expect(parseGroupspec(channelGroupspec("news"))).toMatchObject({
      version: 1,
      name: "bittube.vanderbilt.edu/news",
      postingEnabled: true,
      routingEnabled: true,
      multicastEnabled: true,
      objectReplicationEnabled: true,
      serverChannelEnabled: true,
      peerToPeerDisabled: false,
      publishPassword: undefined,
      postingPassword: undefined,
      uniqueTag: undefined,
    });
    expect(parseGroupspec(channelGroupspec("a$&b", "tv/{channel}/live")).name).toBe("tv/a$&b/live");
    expect(() => channelGroupspec("")).toThrow("a channel needs a name");
    expect(() => channelGroupspec("ü".repeat(500))).toThrow(
      "the name of the channel's group has 1023 bytes; at most 1000 are possible",
    );
  });
});

/** The tags of an answer in chunks. */
function tagsOf(answer: Buffer): FlvTag[] {
  const parts: Buffer[] = [];
  let at = answer.indexOf("\r\n\r\n") + 4;
  for (;;) {
    const end = answer.indexOf("\r\n", at);
    const length = Number.parseInt(answer.toString("latin1", at, end), 16);
    if (!(length > 0)) return new FlvReader().push(Buffer.concat(parts));
    parts.push(answer.subarray(end + 2, end + 2 + length));
    at = end + 4 + length;
  }
}

/** Asks and never reads. */
async function pausedViewer(url: string): Promise<Socket> {
  const { port, pathname, host } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.pause();
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  return socket;
}
