import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";
import { encodeFlv, encodeFlvHeader, encodeFlvTag, type FlvTag } from "rtmfp-core/flv";
import { afterEach, describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { HttpSource, type HttpSourceOptions } from "../../src/bittube/http-source.ts";
import { collect, TAGS } from "../support/connections.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../support/tls.ts";
import {
  configuration,
  HandClock,
  inter,
  key,
  second,
  shown,
  sound,
  soundConfiguration,
  take,
  turn,
} from "./support.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => unknown;
const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** Gives each request the next answer; the last one stays. Resolves with its URL. */
async function serve(...answers: Answer[]): Promise<{ url: URL; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.push(request), answers.length) - 1];
    answer?.(response, request);
  });
  return { url: await listen(server), requests };
}

async function listen(server: Server): Promise<URL> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/live.flv`);
}

function source(url: URL, options: HttpSourceOptions = {}): HttpSource {
  return new HttpSource(url, { random: () => 0, ...options });
}

const HEAD = [configuration(0), soundConfiguration(0)];
/** A stream that stays open unless told otherwise. */
const live =
  (...tags: FlvTag[]): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "video/x-flv" });
    response.write(encodeFlv(tags));
  };
const redirect =
  (location: string): Answer =>
  (response) =>
    response.writeHead(302, { location }).end();
const failure = (from: HttpSource): Promise<string> =>
  collect(from).then(
    () => "no failure",
    (error: Error) => error.message.replace(/127\.0\.0\.1:\d+/g, "HOST"),
  );

describe("an HTTP source", () => {
  it(...rfc("B-4", "B-7"), "reads a stream in chunks of any size, status 206 too", async () => {
    const file = encodeFlv(TAGS.slice(0, 150));
    const { url, requests } = await serve(async (response) => {
      response.writeHead(206);
      let size = 1;
      for (let at = 0; at < file.length; at += size, size = (size * 7) % 4_099) {
        if (!response.write(file.subarray(at, at + size)))
          await new Promise((resolve) => response.once("drain", resolve));
      }
    });
    const stop = new AbortController();
    const from = source(url, { signal: stop.signal });
    const tags = await take(from[Symbol.asyncIterator](), 147);
    expect(tags.length).toBe(147);
    // All of a stream that begins with its key frame; two numbers each, since a failure would print megabytes.
    const shape = (of: readonly FlvTag[]): number[][] => of.map(({ data }) => [data.length, data.at(-1) ?? 0]);
    expect(shape(tags)).toEqual(shape(TAGS.slice(0, 147)));
    expect(requests[0]?.headers).toMatchObject({ host: url.host, "accept-encoding": "identity" });
    stop.abort();
  });

  it(...rfc("B-4"), "takes an empty content encoding, and Identity in any spelling, for none", async () => {
    const file = encodeFlv([...HEAD, ...second(0)]);
    for (const encoding of ["", " ", "Identity"]) {
      const { url } = await serve((response) =>
        response.writeHead(200, { "content-encoding": encoding, "content-length": file.length }).end(file),
      );
      expect(await collect(source(url))).toHaveLength(12);
    }
  });

  it(
    ...rfc("B-6"),
    "gives each tag as soon as it is whole: BitTube waited for 1,000 bytes, and thin streams lagged",
    async () => {
      let answer: ServerResponse | undefined;
      const { url } = await serve((response) => {
        answer = response;
        response.write(encodeFlv([...HEAD, key(0)]));
      });
      const from = source(url);
      const tags = from[Symbol.asyncIterator]();
      expect(shown(await take(tags, 3))).toEqual(["AVC1 0", "AAC 0", "key 0"]);
      for (const tag of [inter(40), sound(41), inter(80)]) {
        answer?.write(encodeFlvTag(tag));
        expect(shown(await take(tags, 1))).toEqual(shown([tag]));
      }
      expect(from.stats.bytes).toBeLessThan(1_000);
      await tags.return?.(undefined);
    },
  );

  it(...rfc("B-4"), "follows redirects with name and password, which it gives to no other server", async () => {
    const elsewhere = await serve(live(...HEAD, ...second(0)));
    const { url, requests } = await serve(redirect("/other?key=1"), redirect(elsewhere.url.href));
    url.username = "us%65r";
    url.password = "p@ss";
    const from = source(url);
    const tags = from[Symbol.asyncIterator]();
    expect(shown(await take(tags, 3))).toEqual(["AVC1 0", "AAC 0", "key 0"]);
    await tags.return?.(undefined);
    const basic = `Basic ${Buffer.from("user:p@ss").toString("base64")}`;
    expect(requests.map((each) => [each.url, each.headers.authorization])).toEqual([
      ["/live.flv", basic],
      ["/other?key=1", basic],
    ]);
    expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined();
    expect(from.name).toBe(`http://${url.host}/live.flv`);
  });

  it(...rfc("B-8"), "says in one line what will not become better, and ends", async () => {
    const many = await serve((response, { url }) =>
      response.writeHead(301, { location: `/${Number(url?.slice(1).replace("live.flv", "0")) + 1}` }).end(),
    );
    const page = "<!DOCTYPE html><html><body>hello</body></html>";
    const cases: [Answer, string][] = [
      [redirect("/live.flv"), "it is redirected in a circle, back to http://HOST/live.flv"],
      [redirect("ftp://x/"), 'it is redirected to "ftp://x/", which is no HTTP URL'],
      [
        (r) => r.writeHead(401).end(),
        "the server wants a name and password (401 Unauthorized): http://NAME:PASSWORD@HOST/...",
      ],
      [(r) => r.writeHead(403).end(), "the server answers 403 Forbidden"],
      [(r) => r.writeHead(204).end(), "the server answers 204 No Content"],
      [
        (r) => r.socket?.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
        "the server answers 101 Switching Protocols",
      ],
      [(r) => r.end(page), "it is a web page (HTML or XML), not an FLV stream; find the address of the stream itself"],
      [(r) => r.end("no video here, nowhere"), 'this is not an FLV stream: it does not begin with "FLV"'],
      [(r) => r.end(encodeFlvHeader()), "the stream has no tags"],
      [
        (r) => r.writeHead(200, { "content-encoding": "gzip" }).end("x"),
        "the server packs the stream (gzip), though it was asked not to: switch that off",
      ],
      [(r) => r.socket?.end(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}`), "the headers of the answer have no end"],
      [
        (r) => r.write(Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0x7f, 0xff, 0xff, 0xff)),
        "the FLV header claims to be 2147483647 bytes long, more than 4096",
      ],
    ];
    for (const [answer, line] of cases) {
      const from = source((await serve(answer)).url);
      expect(await failure(from)).toBe(`cannot read http://HOST/live.flv: ${line}`);
      expect(from.stats.lastTrouble?.replace(/127\.0\.0\.1:\d+/g, "HOST")).toBe(line);
    }
    expect(await failure(source(many.url))).toContain("it is redirected more than 10 times");
    const { url } = await serve(() => {});
    url.protocol = "https:";
    expect(await failure(source(url))).toContain("does not speak HTTPS: try http://");
    const secure = createSecure({ cert: CERTIFICATE, key: CERTIFICATE_KEY });
    expect(await failure(source(new URL((await listen(secure)).href.replace("http:", "https:"))))).toMatch(
      /: the certificate of HOST is not valid: self-signed certificate; correct it, or trust its issuer with NODE_EXTRA_CA_CERTS=FILE$/,
    );
  });

  it(
    ...rfc("B-4", "B-9"),
    "asks again for a stream that ends, breaks off or is refused for now; its time goes on",
    async () => {
      const clock = new HandClock();
      const notices: string[] = [];
      const { url, requests } = await serve(
        (response) => response.writeHead(503).end(),
        (response) => response.writeHead(200).end(encodeFlv([...HEAD, ...second(50_000)])),
        async (response) => {
          response.write(encodeFlv([inter(7), ...HEAD, ...second(0)]));
          // In the middle of a tag.
          response.write(encodeFlvTag(key(1_000)).subarray(0, 12), () => response.socket?.destroy());
        },
        live(...HEAD, ...second(9)),
      );
      const from = source(url, { clock, onNotice: (line) => notices.push(line.replace(url.host, "HOST")) });
      const tags = from[Symbol.asyncIterator]();
      const first = take(tags, 12);
      await clock.waitedFor(1_000);
      clock.pass(1_000);
      expect(shown((await first).slice(-2))).toEqual(["inter 800", "sound 800"]);
      const next = take(tags, 12);
      // The second stream was chunked and ended as a live one does.
      await clock.waitedFor(2_000);
      clock.pass(2_000);
      expect(shown(await next).slice(0, 4)).toEqual(["AVC1 840", "AAC 840", "key 840", "sound 840"]);
      const last = take(tags, 3);
      await clock.waitedFor(4_000);
      clock.pass(4_000);
      expect(shown(await last)).toEqual(["AVC1 1680", "AAC 1680", "key 1680"]);
      await tags.return?.(undefined);
      expect(requests).toHaveLength(4);
      expect(from.stats).toMatchObject({ beginnings: 3, skipped: 1 });
      expect(notices).toEqual([
        "http://HOST/live.flv: the server answers 503 Service Unavailable; trying again in 1.0 s",
        "http://HOST/live.flv: the server has ended the stream; trying again in 2.0 s",
        expect.stringMatching(/^http:\/\/HOST\/live\.flv: .*broken off; trying again in 4\.0 s$/),
      ]);
    },
  );

  it(
    ...rfc("B-4"),
    "gives up a server that says nothing for 10 s, before and within the stream, and asks again",
    async () => {
      const clock = new HandClock();
      const notices: string[] = [];
      const { url, requests } = await serve(() => {}, live(...HEAD, ...second(0)), live(...HEAD, ...second(0)));
      const from = source(url, { clock, onNotice: (line) => notices.push(line.replaceAll(url.host, "HOST")) });
      const tags = from[Symbol.asyncIterator]();
      const first = take(tags, 12);
      while (requests.length === 0) await turn();
      clock.pass(10_000);
      await clock.waitedFor(1_000);
      clock.pass(1_000);
      await first;
      const next = take(tags, 1);
      await clock.waitedFor(10_000);
      clock.pass(10_000);
      // Ten seconds of silence are no success: the wait is the second one.
      await clock.waitedFor(2_000);
      clock.pass(2_000);
      expect(shown(await next)).toEqual(["AVC1 840"]);
      await tags.return?.(undefined);
      expect(notices).toEqual([
        "http://HOST/live.flv: HOST does not answer within 10 s; trying again in 1.0 s",
        "http://HOST/live.flv: nothing has come for 10 s; trying again in 2.0 s",
      ]);
    },
  );

  it(
    ...rfc("B-4"),
    "asks again where the answer is empty, as some servers have it before anybody publishes",
    async () => {
      const clock = new HandClock();
      const notices: string[] = [];
      const { url } = await serve(
        (response) => response.writeHead(200, { "content-length": 0 }).end(),
        live(...HEAD, key(0)),
      );
      const from = source(url, { clock, onNotice: (line) => notices.push(line.replace(url.host, "HOST")) });
      const tags = from[Symbol.asyncIterator]();
      const first = take(tags, 3);
      await clock.waitedFor(1_000);
      clock.pass(1_000);
      expect(shown(await first)).toEqual(["AVC1 0", "AAC 0", "key 0"]);
      await tags.return?.(undefined);
      expect(notices).toEqual([
        "http://HOST/live.flv: the answer is empty: nobody publishes there now; trying again in 1.0 s",
      ]);
    },
  );

  it("waits up to 30 s between attempts, half of it at random", async () => {
    const clock = new HandClock();
    const waits: string[] = [];
    const { url } = await serve((response) => response.writeHead(404).end());
    const randoms = [0, 0, 0, 0, 0, 0.5, 0.999];
    const stop = new AbortController();
    const from = source(url, {
      clock,
      signal: stop.signal,
      random: () => randoms.shift() ?? 0,
      onNotice: (line) => waits.push(/[0-9.]+ s$/.exec(line)?.[0] ?? ""),
    });
    const done = collect(from);
    for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 22_500, 15_015]) {
      await clock.waitedFor(ms);
      clock.pass(ms);
    }
    stop.abort();
    expect(await done).toEqual([]);
    expect(waits.slice(0, 7)).toEqual(["1.0 s", "2.0 s", "4.0 s", "8.0 s", "16.0 s", "22.5 s", "15.0 s"]);
  });

  it(...rfc("B-8"), "asks again for a stream that is damaged, and ends when it is three times in a row", async () => {
    const clock = new HandClock();
    const damaged: Answer = (response) => {
      response.write(encodeFlv([...HEAD, ...second(0)]));
      response.write(Buffer.concat([encodeFlvTag(key(1_000)), new Uint8Array(11).fill(0xee)]));
    };
    const { url, requests } = await serve(damaged);
    const done = failure(source(url, { clock }));
    await clock.waitedFor(1_000);
    clock.pass(1_000);
    await clock.waitedFor(2_000);
    clock.pass(2_000);
    expect(await done).toMatch(/^cannot read http:\/\/HOST\/live\.flv: the tag at byte \d+ is encrypted/);
    expect(requests).toHaveLength(3);
  });

  it("goes on asking where a page stands in for a stream that has been there, and tells of it once", async () => {
    const clock = new HandClock();
    const notices: string[] = [];
    const page: Answer = (response) => response.end("<html>The encoder starts</html>");
    const { url } = await serve(
      (response) => response.end(encodeFlv([...HEAD, ...second(0)])),
      page,
      page,
      (response) => response.end('{"status":"starting"}'),
      page,
      page,
      (response) => response.end(encodeFlvHeader()),
      (response) => response.writeHead(200, { "transfer-encoding": "chunked" }).end(encodeFlv([...HEAD, key(0)])),
      page,
      live(...HEAD, key(0)),
    );
    const from = source(url, { clock, loop: true, onNotice: (line) => notices.push(line.replace(/^.*flv: /, "")) });
    const tags = from[Symbol.asyncIterator]();
    expect(shown((await take(tags, 12)).slice(-1))).toEqual(["sound 800"]);
    const next = take(tags, 6);
    for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
      await clock.waitedFor(ms);
      clock.pass(ms);
    }
    expect(shown(await next)).toEqual(["AVC1 840", "AAC 840", "key 840", "AVC1 880", "AAC 880", "key 880"]);
    await tags.return?.(undefined);
    expect(notices).toEqual([
      "it is a web page (HTML or XML), not an FLV stream; trying again in 1.0 s",
      "the stream has no tags; trying again in 30.0 s",
      "the server has ended the stream; trying again in 30.0 s",
      "it is a web page (HTML or XML), not an FLV stream; trying again in 30.0 s",
    ]);
  });

  it(
    ...rfc("B-4"),
    "goes on asking, whatever is answered, where a stream has been there; only a refusal ends it then",
    async () => {
      const answers: [Answer, string][] = [
        [(r) => r.writeHead(410).end(), "the server answers 410 Gone"],
        [(r) => r.writeHead(204).end(), "the server answers 204 No Content"],
        [(r) => r.writeHead(304).end(), "the server answers 304 Not Modified"],
        [
          (r) => r.writeHead(200, { "content-encoding": "gzip" }).end("x"),
          "the server packs the stream (gzip), though it was asked not to: switch that off",
        ],
        [redirect("/live.flv"), "it is redirected in a circle, back to http://HOST/live.flv"],
        [redirect("ftp://x/"), 'it is redirected to "ftp://x/", which is no HTTP URL'],
        [(r) => r.socket?.end("220 smtp ready\r\n"), "HOST does not speak HTTP"],
      ];
      for (const [status, line] of [
        [401, "the server wants a name and password (401 Unauthorized): http://NAME:PASSWORD@HOST/..."],
        [403, "the server answers 403 Forbidden"],
      ] as const) {
        const clock = new HandClock();
        const notices: string[] = [];
        const { url } = await serve(
          (r) => r.writeHead(200).end(encodeFlv([...HEAD, ...second(0)])),
          ...answers.map(([answer]) => answer),
          live(...HEAD, ...second(0)),
          (r) => r.writeHead(status).end(),
        );
        const onNotice = (text: string): void =>
          void notices.push(text.replace(/^.*?flv: /, "").replaceAll(url.host, "HOST"));
        const tags = source(url, { clock, onNotice })[Symbol.asyncIterator]();
        await take(tags, 12);
        const next = take(tags, 12);
        for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
          await clock.waitedFor(ms);
          clock.pass(ms);
        }
        expect(shown(await next)[2]).toBe("key 840");
        expect(notices.slice(1).map((text) => text.replace(/(?<=speak HTTP): .*$|; trying.*$/, ""))).toEqual(
          answers.map(([, text]) => text),
        );
        const end = tags.next().catch((error: Error) => error.message.replaceAll(url.host, "HOST"));
        await clock.waitedFor(10_000);
        clock.pass(10_000);
        await clock.waitedFor(30_000);
        clock.pass(30_000);
        expect(await end).toBe(`cannot read http://HOST/live.flv: ${line}`);
      }
    },
  );

  it(...rfc("B-4"), "waits no longer than at first for a stream that comes for a few seconds each time", async () => {
    const clock = new HandClock();
    let answer: ServerResponse | undefined;
    const { url } = await serve((response) => {
      answer = response.writeHead(200, { "transfer-encoding": "chunked" });
      response.write(encodeFlv([...HEAD, key(0)]));
    });
    const tags = source(url, { clock })[Symbol.asyncIterator]();
    for (let round = 0; round < 6; round++) {
      expect(shown(await take(tags, round === 0 ? 3 : 2)).at(-1)).toMatch(/^key /);
      const last = take(tags, 1);
      await turn();
      clock.pass(4_000);
      answer?.end(encodeFlvTag(inter(4_000)));
      await last;
      const next = take(tags, 1);
      await clock.waitedFor(1_000);
      clock.pass(1_000);
      expect(shown(await next)[0]).toMatch(/^AVC1 /);
    }
    await tags.return?.(undefined);
  });

  it("ends with a stream whose length was told, or reads it again", async () => {
    const file = encodeFlv([...HEAD, ...second(0)]);
    const { url, requests } = await serve((response) => {
      response.writeHead(200, { "content-length": file.length }).end(file);
    });
    expect(await collect(source(url))).toHaveLength(12);
    const tags = source(url, { loop: true })[Symbol.asyncIterator]();
    expect(shown((await take(tags, 14)).slice(11))).toEqual(["sound 800", "AVC1 840", "AAC 840"]);
    await tags.return?.(undefined);
    expect(requests).toHaveLength(3);
    const short = await serve((response) => {
      response.writeHead(200, { "content-length": file.length - 5 }).end(file.subarray(0, -5));
    });
    const clock = new HandClock();
    const cut = failure(source(short.url, { clock }));
    for (const ms of [1_000, 2_000]) {
      await clock.waitedFor(ms);
      clock.pass(ms);
    }
    expect(await cut).toContain("is cut off at byte");
  });

  it("ends at once when its signal is aborted, whatever it is at", async () => {
    for (const answer of [
      () => {},
      live(),
      live(...HEAD, ...second(0)),
      (r: ServerResponse) => r.writeHead(500).end(),
    ]) {
      const clock = new HandClock();
      const stop = new AbortController();
      const { url, requests } = await serve(answer);
      const done = collect(source(url, { clock, signal: stop.signal }));
      while (requests.length === 0) await turn();
      await turn();
      stop.abort();
      await done;
      expect(clock.waits).toEqual([]);
    }
    expect(sound(0).type).toBe("audio");
  });
});
