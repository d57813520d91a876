import { appendFileSync, existsSync } from "node:fs";
import { appendFile, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import {
  createServer as createHttp,
  type Server as HttpServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  decodeFlv,
  encodeFlv,
  encodeFlvTag,
  FlvReader,
  type FlvTag,
  isKeyFrame,
  isSequenceHeader,
} from "rtmfp-core/flv";
import { createServer, type Server } from "rtmfp-server";
import { afterAll, afterEach, beforeAll, describe, expect, vi } from "vitest";
import { type CommandRun, command, commandWith } from "../../packages/rtmfp-client/test/support/command.ts";
import { runHere } from "../../packages/rtmfp-client/test/support/run-here.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../../packages/rtmfp-client/test/support/tls.ts";
import { it, rfc } from "../support/rfc.ts";

const SAMPLE = fileURLToPath(new URL("../fixtures/sample-h264-aac.flv", import.meta.url));
const TAGS = decodeFlv(await readFile(SAMPLE));
const PICTURES = TAGS.filter((tag) => tag.type === "video" && !isSequenceHeader(tag));
const folder = await mkdtemp(join(tmpdir(), "rtmfp-channel-"));
let rtmfp: Server;
let url: string;
const https: HttpServer[] = [];

beforeAll(async () => {
  rtmfp = createServer({ host: "127.0.0.1", port: 0 });
  url = `${(await rtmfp.listen()).url}/tv`;
});
afterEach(() => {
  for (const server of https.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});
afterAll(async () => {
  await rtmfp.close();
  await rm(folder, { recursive: true });
});

const broadcast = (...args: string[]): CommandRun => command("broadcast", url, ...args, "--json");
const watch = (...args: string[]): CommandRun => command("watch", url, ...args, "--json");
const end = (run: CommandRun): Promise<number | string> => {
  run.child.kill("SIGINT");
  return run.exit;
};

/** Resolves once so many tags have come over HTTP-FLV. */
function viewer(address: string, count: number): Promise<FlvTag[]> {
  const reader = new FlvReader();
  const tags: FlvTag[] = [];
  return new Promise((resolve, reject) => {
    const asking = request(address, (response) => {
      response.on("data", (bytes: Buffer) => {
        tags.push(...reader.push(bytes));
        if (tags.length < count) return;
        asking.destroy();
        resolve(tags);
      });
      response.on("end", () => reject(new Error(`${tags.length} of ${count} tags came`)));
    });
    asking.on("error", reject);
    asking.end();
  });
}

/** What can be shown from its first tag on: both configurations at a key frame's time, the key frame, and time that never goes back. */
function expectPlayable(tags: readonly FlvTag[]): void {
  // The description of the stream is repeated every five seconds only.
  const media = tags.slice(0, 4).filter(({ type }) => type !== "data");
  expect(media.slice(0, 3).map((tag) => [tag.type, isSequenceHeader(tag), isKeyFrame(tag)])).toEqual([
    ["video", true, false],
    ["audio", true, false],
    ["video", false, true],
  ]);
  expect(tags.slice(0, 3).map(({ timestamp }) => timestamp)).toEqual([0, 0, 0]);
  for (const kind of ["audio", "video"] as const) {
    const times = tags.filter(({ type }) => type === kind).map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  }
}

/** Expects pictures without a gap, from whichever of the sample on, again from its beginning after its end. */
function expectGapFree(tags: readonly FlvTag[]): void {
  const pictures = tags.filter((tag) => tag.type === "video" && !isSequenceHeader(tag));
  const shape = ({ data }: FlvTag): string => `${data.length} ${data.at(-1)}`;
  let at = PICTURES.findIndex((tag) => shape(tag) === shape(pictures[0] as FlvTag));
  for (const picture of pictures) {
    expect(shape(picture)).toBe(shape(PICTURES[at % PICTURES.length] as FlvTag));
    at++;
  }
}

describe("a channel", () => {
  it(
    ...rfc("B-2", "B-3", "P-4"),
    "goes from a file to viewers' files, stdout and HTTP players, whole and from a key frame on, and is recorded",
    async () => {
      const [sent, seen, output] = ["sent.flv", "seen.flv", "output.flv"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      const sender = broadcast(`news=${SAMPLE}`, "--loop", "--record", sent);
      const ready = await sender.event("publishing");
      expect(ready).toMatchObject({
        stream: "stream",
        channels: [{ channel: "news", kind: "file", groupspec: expect.stringMatching(/^G:/) }],
      });
      await sender.event("onAir");
      const first = watch("news", "-o", output, "--record", seen, "--duration", "6", "--http", "0");
      const { url: address } = await first.event("http");
      const second = command("watch", url, "news", "-o", "-", "--duration", "6");
      await first.event("playing");
      const played = await viewer(String(address), 150);
      expect([await first.exit, await second.exit]).toEqual([0, 0]);
      expect(await end(sender)).toBe(130);
      const done = await first.event("done");
      expect(done).toMatchObject({ channel: "news", restarts: 0, viewers: 1, dropped: 0 });
      const files = [output, seen, sent].map(async (path) => decodeFlv(await readFile(path)));
      const piped = decodeFlv(Buffer.from(second.stdout, "latin1"));
      for (const tags of [played, piped, ...(await Promise.all(files))]) {
        expect(tags.length).toBeGreaterThan(140);
        if (tags !== played) expectPlayable(tags);
        expectGapFree(tags);
      }
      expect(isSequenceHeader(played.find(({ type }) => type === "video") as FlvTag)).toBe(true);
      expect(decodeFlv(await readFile(sent))[0]?.type).toBe("data");
      expect(Buffer.compare(await readFile(output), await readFile(seen))).toBe(0);
      expect(done["fileBytes"]).toBe((await readFile(output)).length);
    },
    60_000,
  );

  it("closes the file of a channel that has failed, while others go on", async () => {
    // Only there is such a folder.
    if (process.platform !== "linux") return;
    const paths = ["taken.flv", "free.flv"].map((name) => join(folder, name)) as [string, string];
    for (const path of paths) await writeFile(path, encodeFlv(TAGS.slice(0, 10)));
    const first = broadcast(`taken=${SAMPLE}`, "--loop");
    await first.event("onAir");
    const second = broadcast(`taken=${paths[0]}`, `free=${paths[1]}`, "--follow");
    const open = async (): Promise<string[]> => {
      const names = await readdir(`/proc/${second.child.pid}/fd`);
      const links = names.map((fd) => readlink(`/proc/${second.child.pid}/fd/${fd}`).catch(() => ""));
      return (await Promise.all(links)).filter((link) => paths.includes(link)).sort();
    };
    await vi.waitFor(async () => expect(await open()).toEqual([...paths].sort()), 20_000);
    const key = TAGS.find(isKeyFrame) as FlvTag;
    for (const path of paths) await appendFile(path, encodeFlvTag(key));
    await second.event("channelFailed");
    await vi.waitFor(async () => expect(await open()).toEqual([paths[1]]), 20_000);
    expect(await Promise.all([end(first), end(second)])).toEqual([130, 130]);
  }, 60_000);

  it("ends by a signal while the reader of its stdout takes nothing", async () => {
    const path = join(folder, "large.flv");
    const [configuration, key] = [TAGS.find(isSequenceHeader), TAGS.find(isKeyFrame)] as [FlvTag, FlvTag];
    const data = Buffer.concat([key.data, new Uint8Array(500_000)]);
    const keys = Array.from({ length: 10 }, (_, i) => ({ ...key, timestamp: i * 200, data }));
    await writeFile(path, encodeFlv([configuration, ...keys]));
    const viewing = watch("large", "-o", "-");
    viewing.child.stdout.pause();
    const exit = new Promise((resolve) => viewing.child.once("exit", resolve));
    const sender = broadcast(`large=${path}`, "--loop", "--no-follow");
    await vi.waitFor(() => expect(viewing.stderr).toContain('"event":"playing"'), 40_000);
    viewing.child.kill("SIGINT");
    expect(await exit).toBe(130);
    expect(viewing.stderr).toMatch(/"event":"done".*\n$/);
    viewing.child.stdout.resume();
    expect(await end(sender)).toBe(130);
  }, 60_000);

  it(
    ...rfc("P-4", "B-9"),
    "goes on with the sender that takes the place of one that was killed, and is on air only once",
    async () => {
      const output = join(folder, "restarted.flv");
      const viewers = watch("sport", "-o", output, "--patience", "2");
      await viewers.event("waiting");
      const first = broadcast(`sport=${SAMPLE}`, "--loop");
      await viewers.event("playing");
      const refused = command("broadcast", url, `sport=${SAMPLE}`, "--loop");
      expect(await refused.exit).toBe(1);
      expect(refused.stderr).toBe(
        'rtmfp-client: the channel "sport" is on air already: choose another name, or take it over with --force\n',
      );
      first.child.kill("SIGKILL");
      await first.exit;
      const second = broadcast(`sport=${SAMPLE}`, "--loop");
      await viewers.event("reset");
      // A third one takes over from one that is still there.
      const third = broadcast(`sport=${SAMPLE}`, "--loop", "--force");
      while (viewers.events.filter(({ event }) => event === "reset").length < 2)
        await new Promise((resolve) => viewers.child.stdout.once("data", resolve));
      const mark = viewers.events.length;
      while (viewers.events.length < mark + 3)
        await new Promise((resolve) => viewers.child.stdout.once("data", resolve));
      expect(await end(viewers)).toBe(130);
      expect([await end(second), await end(third)]).toEqual([130, 130]);
      expect(await viewers.event("done")).toMatchObject({ restarts: 2 });
      const tags = decodeFlv(await readFile(output));
      expectPlayable(tags);
      // Sound and pictures together: what a killed sender still owed is lost, and pictures end before the first loss.
      const steps = tags.slice(1).map((tag, i) => tag.timestamp - (tags[i]?.timestamp ?? 0));
      expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...steps)).toBeLessThanOrEqual(300);
    },
    90_000,
  );

  it(
    ...rfc("B-4", "B-5"),
    "comes from HTTP and from a file that grows, and one whose source fails does not end the others",
    async () => {
      const growing = join(folder, "growing.flv");
      await writeFile(growing, encodeFlv(TAGS.slice(0, 40)));
      let breaks = 0;
      const http = await serve((_, response) => {
        // The first connection is broken off in the middle of a tag.
        const bytes = encodeFlv(TAGS.slice(0, 200));
        if (breaks++ > 0) response.write(bytes);
        else response.write(bytes.subarray(0, 60_000), () => response.socket?.destroy());
      });
      const page = await serve((_, response) => response.end("<html><body>no stream</body></html>"));
      const args = [`http=${http}`, `page=${page}`, `growing=${growing}`, `none=${join(folder, "none.flv")}`];
      const sender = broadcast(...args, "--follow");
      const watchers = ["http", "growing"].map((name) => watch(name, "-o", join(folder, `${name}-seen.flv`)));
      await sender.event("publishing");
      let at = 40;
      const writing = setInterval(() => {
        // Not appendFile: two at one time could come in either order.
        appendFileSync(growing, Buffer.concat(TAGS.slice(at, at + 5).map(encodeFlvTag)));
        at += 5;
      }, 50);
      await Promise.all(watchers.map((run) => run.event("playing")));
      await sender.event("notice");
      clearInterval(writing);
      for (const run of [sender, ...watchers])
        while (!run.events.some(({ event, multicastInfo }) => event === "swarm" && multicastInfo !== undefined))
          await new Promise((resolve) => run.child.stdout.once("data", resolve));
      expect(sender.events.filter(({ event }) => event === "channelFailed").sort(byChannel)).toMatchObject([
        {
          channel: "none",
          message: `cannot read "${join(folder, "none.flv")}": there is no such file; check the path`,
        },
        { channel: "page", message: expect.stringMatching(/it is a web page \(HTML or XML\), not an FLV stream;/) },
      ]);
      for (const run of [...watchers, sender]) expect(await end(run)).toBe(130);
      const swarms = sender.events.filter(({ event }) => event === "swarm").map(({ channel }) => channel);
      expect(swarms).toEqual(expect.arrayContaining(["http", "growing"]));
      expect(swarms).not.toContain(undefined);
      for (const name of ["http", "growing"])
        expectPlayable(decodeFlv(await readFile(join(folder, `${name}-seen.flv`))));
    },
    60_000,
  );

  it(
    ...rfc("B-4", "B-2"),
    "comes from standard input, and over HTTPS with a name and password from a server whose issuer is trusted",
    async () => {
      const trusted = join(folder, "ca.pem");
      await writeFile(trusted, CERTIFICATE);
      const live: Answer = (asked, response) => {
        const isIn = asked.headers.authorization === `Basic ${Buffer.from("me:secret").toString("base64")}`;
        response.writeHead(isIn ? 200 : 401).write(encodeFlv(TAGS));
      };
      const secure = await serve(live, (answer) => createHttps({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, answer));
      const viewers = ["tls", "pipe"].map((name) => watch(name, "-o", join(folder, `${name}-seen.flv`)));
      await Promise.all(viewers.map((viewer) => viewer.event("waiting")));
      const from = ["pipe=-", `tls=${secure.replace("http://", "https://me:secret@")}`];
      const record = join(folder, "{channel}-sent.flv");
      const env = { NODE_EXTRA_CA_CERTS: trusted };
      const sender = commandWith(env, "broadcast", url, ...from, "--record", record, "--json");
      const ready = await sender.event("publishing");
      expect(ready["channels"]).toMatchObject([
        { channel: "pipe", kind: "stdin", source: "standard input" },
        { channel: "tls", kind: "http", source: secure.replace("http:", "https:") },
      ]);
      const file = encodeFlv(TAGS.slice(0, 700));
      for (let at = 0; at < file.length; at += 10_007) sender.child.stdin.write(file.subarray(at, at + 10_007));
      await Promise.all(viewers.map((viewer) => viewer.event("playing")));
      sender.child.stdin.end();
      expect(await sender.event("channelEnded")).toMatchObject({ channel: "pipe", tags: 700 });
      expect(decodeFlv(await readFile(join(folder, "pipe-sent.flv")))).toHaveLength(700);
      for (const viewer of viewers) await end(viewer);
      expect(await end(sender)).toBe(130);
      for (const name of ["tls", "pipe"]) {
        const seen = decodeFlv(await readFile(join(folder, `${name}-seen.flv`)));
        expectPlayable(seen);
        expectGapFree(seen);
      }
    },
    120_000,
  );

  it("comes back when its server does, whether it is sent, waited for, or looked for on air", async () => {
    const first = createServer({ host: "127.0.0.1", port: 0 });
    const listening = await first.listen();
    const port = listening.addresses[0]?.port ?? 0;
    const place = `${listening.url}/tv`;
    const sender = command("broadcast", place, `back=${SAMPLE}`, "--loop", "--json");
    await sender.event("onAir");
    const waiting = command("watch", place, "late", "--json");
    await waiting.event("waiting");
    // It looks for three seconds where somebody waits.
    const late = command("broadcast", place, `late=${SAMPLE}`, "--loop", "--json");
    await vi.waitUntil(() => first.clients.length === 3, { timeout: 20_000, interval: 10 });
    await first.close();
    for (const run of [sender, waiting, late]) await run.event("disconnected");
    const second = createServer({ host: "127.0.0.1", port });
    await second.listen();
    await Promise.all([sender.event("reconnected"), late.event("onAir"), waiting.event("playing")]);
    const viewers = command("watch", place, "back", "--duration", "1", "--json");
    expect([await viewers.exit, await end(sender), await end(waiting), await end(late)]).toEqual([0, 130, 130, 130]);
    await second.close();
  }, 60_000);

  it("ends with its sources, and says which have failed", async () => {
    const short = join(folder, "short.flv");
    await writeFile(short, encodeFlv(TAGS.slice(0, 60)));
    const damaged = join(folder, "damaged.flv");
    await writeFile(damaged, (await readFile(SAMPLE)).subarray(0, 30_000));
    const records = join(folder, "{channel}-{time}.flv");
    const good = await runHere("broadcast", url, `go/od=${short}`, "--no-follow", "--record", records);
    expect([good.code, good.lines.at(-1)]).toEqual([0, expect.stringMatching(/^sent 60 tags, /)]);
    const [record] = (await readdir(folder)).filter((name) => /^go%2Fod-\d{8}T\d{6}Z\.flv$/.test(name));
    expect(decodeFlv(await readFile(join(folder, String(record))))).toHaveLength(60);
    const both = await runHere("broadcast", url, `good=${short}`, `bad=${damaged}`, "--no-follow");
    expect([both.code, both.lines.at(-1)]).toEqual([1, "rtmfp-client: 1 of 2 channels failed: bad"]);
    expect(both.lines).toContainEqual(
      expect.stringMatching(/^error: bad: cannot read ".*damaged\.flv": .* is cut off/),
    );
    // What is no FLV is told before the channel is said to be there.
    const text = join(folder, "text.flv");
    await writeFile(text, "this is no stream");
    const no = await runHere("broadcast", url, `no=${text}`, "--no-follow");
    const line = `rtmfp-client: cannot read "${text}": this is not an FLV stream: it does not begin with "FLV"`;
    expect([no.code, no.lines]).toEqual([1, [line]]);
    const none = await runHere("watch", url, "nothing", "--wait", "0.5");
    expect([none.code, none.lines]).toEqual([
      1,
      [`rtmfp-client: nobody broadcasts "nothing" at ${url} (waited 0.5 s)`],
    ]);
  }, 60_000);

  it("goes on when the disk is full, and says so", async () => {
    if (!existsSync("/dev/full")) return;
    const sender = broadcast(`disk=${SAMPLE}`, "--loop", "--record", "/dev/full");
    const notice = await sender.event("notice");
    const full = 'cannot write "/dev/full": the disk is full; make room, or choose another place';
    expect(notice).toMatchObject({ channel: "disk", message: `${full}; the recording ends here, the channel goes on` });
    const other = watch("disk", "-o", join(folder, "disk.flv"), "--record", "/dev/full", "--duration", "2");
    expect(await other.event("writeFailed")).toMatchObject({ level: "error", message: full });
    expect(await other.exit).toBe(0);
    const alone = await runHere("watch", url, "disk", "-o", "/dev/full");
    expect([alone.code, alone.lines.at(-1)]).toEqual([1, `rtmfp-client: ${full}`]);
    expect(await end(sender)).toBe(130);
  }, 60_000);

  it("takes wrong usage with exit code 2 and one line", async () => {
    const lost = join(folder, "none", "x.flv");
    const noFolder = /none.x\.flv": its folder does not exist; make it, or check the path/;
    const cases: [string[], RegExp][] = [
      [["watch", url, "a", "-o", lost], noFolder],
      [["watch", url, "a", "-o", "-", "--record", lost], noFolder],
      [["broadcast", url, `a=${SAMPLE}`, "--record", lost], noFolder],
      [["broadcast", url, "news"], /expected CHANNEL=SOURCE, as in news=http:\/\/host\/live\.flv, got "news"$/],
      [["broadcast", url, "=x.flv"], /got "=x\.flv"$/],
      [
        ["broadcast", url, "a=x.flv", "a=y.flv"],
        /the channel "a" is on air already: it is given twice; choose another/,
      ],
      [["broadcast", url, "a=-", "b=-"], /standard input can be the source of one channel only$/],
      [["broadcast", url, "a=-", "--loop"], /--loop needs a file: standard input ends once$/],
      [
        ["broadcast", url, "a=x", "b=y", "--record", "z.flv"],
        /--record needs \{channel\} in it, for the name of each$/,
      ],
      [
        ["broadcast", url, "a=./b.flv", "b=y", "--record", "{channel}.flv"],
        /--record would replace the source "b\.flv": choose another name$/,
      ],
      [["watch", url, "a", "-o", "./a.flv", "--record", "{channel}.flv"], /would both write "a\.flv": choose one, or/],
      [["broadcast", url, "a=x", "b=y", "--group-name", "z"], /--group-name needs \{channel\} in it/],
      [
        ["broadcast", url, "a=x", "--group", "G:zz"],
        /"G:zz" is not a groupspec: after G: come pairs of hex digits; see/,
      ],
      [["broadcast", url, "a=x", "b=y", "--group", "G:0101"], /is not a groupspec: its end marker 00 is missing; see/],
      [["watch", url, "a", "--group", "G:020e4100"], /This group has no streams: multicast is not enabled/],
      [["watch", url, "a", "--http", "example.org:80"], /Expected a port, or an IP address and a port as in/],
      [["watch", url, "a", "--http", "::1:80"], /Expected a port/],
      [["watch", url, "a", "--patience", "-1"], /Expected a number of seconds above 0/],
      [["watch", url, ""], /A name has a character or more; see --help$/],
    ];
    for (const [args, line] of cases) {
      const { code, lines } = await runHere(...args);
      expect(lines).toEqual([expect.stringMatching(line)]);
      expect(code).toBe(2);
    }
    const open = await runHere("watch", url, "a", "--http", "0.0.0.0:0");
    expect([open.code, open.lines]).toEqual([
      1,
      [expect.stringMatching(/needs a token: RTMFP_HTTP_TOKEN=\$\(openssl rand -hex 32\) rtmfp-client \.\.\.$/)],
    ]);
  });
});

function byChannel(one: Record<string, unknown>, other: Record<string, unknown>): number {
  return String(one["channel"]).localeCompare(String(other["channel"]));
}

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Its URL is one of HTTP, whatever `make` makes. */
async function serve(answer: Answer, make: (answer: Answer) => HttpServer = createHttp): Promise<string> {
  const server = make(answer);
  https.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.flv`;
}
