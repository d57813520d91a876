import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeFlv, encodeFlv, type FlvTag } from "rtmfp-core/flv";
import { createServer } from "rtmfp-server";
import { describe, expect } from "vitest";
import { root } from "../../tools/run.ts";
import { it, rfc } from "../support/rfc.ts";

const SECONDS = 5;

/** The example as a process of its own. */
class Chat {
  readonly child: ChildProcess;
  readonly #out: Buffer[] = [];
  readonly #closed: Promise<number | null>;
  err = "";

  constructor(...args: string[]) {
    const command = ["--conditions=source", "--import=tsx", "examples/video-chat.ts", ...args];
    this.child = spawn(process.execPath, command, { cwd: root, stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdout?.on("data", (bytes: Buffer) => void this.#out.push(bytes));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
    });
    this.#closed = once(this.child, "close").then(([code]) => code as number | null);
  }

  /** Resolves with the first match in what it says. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.err);
      if (found !== null) return found[1] ?? found[0];
      const more = await Promise.race([once(this.child.stderr!, "data"), this.#closed]);
      if (!Array.isArray(more) && !pattern.test(this.err)) throw new Error(`it ended with ${more}: ${this.err}`);
    }
  }

  async tags(): Promise<FlvTag[]> {
    expect([await this.#closed, this.err]).toEqual([0, expect.any(String)]);
    return decodeFlv(Buffer.concat(this.#out));
  }
}

/** The beginning of a fixture as a file. */
function cut(folder: string, name: string): { path: string; tags: FlvTag[] } {
  const all = decodeFlv(readFileSync(`${root}test/fixtures/${name}`));
  const tags = all.filter(({ timestamp }) => timestamp < SECONDS * 1_000);
  const path = join(folder, name);
  writeFileSync(path, encodeFlv(tags));
  return { path, tags };
}

function ofKind(tags: readonly FlvTag[], type: FlvTag["type"]): string[] {
  return tags
    .filter((tag) => tag.type === type)
    .map(({ timestamp, data }) => `${timestamp} ${Buffer.from(data).toString("base64")}`);
}

describe("examples/video-chat.ts", () => {
  it(
    ...rfc("V-1", "V-2", "V-6", "V-9", "V-10", "C-7"),
    "lets two peers meet by relay and talk both ways, text and figures beside",
    async () => {
      const source = readFileSync(`${root}examples/video-chat.ts`, "utf8");
      expect(source.split("\n").length).toBeLessThan(80);
      expect(readFileSync(`${root}README.md`, "utf8")).toContain("Echo cancellation is the caller's job");
      const folder = mkdtempSync(join(tmpdir(), "video-chat-"));
      const server = createServer({ host: "127.0.0.1", port: 0 });
      const { url } = await server.listen();
      const [one, other] = [cut(folder, "sample-h264-aac.flv"), cut(folder, "sample-h263-mp3.flv")];
      const chats: Chat[] = [];
      try {
        const callee = new Chat(`${url}/key`, "-");
        chats.push(callee);
        const id = await callee.says(/- ([0-9a-f]{64})/);
        const caller = new Chat(`${url}/key`, other.path, id);
        chats.push(caller);
        caller.child.stdin?.write("how are you?\n");
        callee.child.stdin?.end(readFileSync(one.path));
        await callee.says(/friend: how are you\?/);
        const figures = /SRTT \d+ ms, loss [\d.]+ %, delay \d+ ms, out [1-9]\d* kbit\/s, in [1-9]\d* kbit\/s/;
        await Promise.all(chats.map((chat) => chat.says(figures)));
        await Promise.all(chats.map((chat) => chat.says(/friend: hello/)));
        const [atCallee, atCaller] = [await callee.tags(), await caller.tags()];
        for (const [got, sent, sender] of [
          [atCallee, other.tags, caller],
          [atCaller, one.tags, callee],
        ] as const) {
          const told = /(\d+) of my (\d+) tags arrived/.exec(sender.err);
          expect(Number(told?.[2])).toBe(sent.length);
          const lost = sent.length - Number(told?.[1]);
          expect(ofKind(got, "audio")).toEqual(ofKind(sent, "audio"));
          // Late pictures are given up where a process had no time for a second: no more than its sender says.
          const [pictures, seen] = [ofKind(sent, "video"), ofKind(got, "video")];
          expect(pictures.filter((tag) => seen.includes(tag))).toEqual(seen);
          expect(pictures.length - seen.length).toBeLessThanOrEqual(lost);
          expect(lost).toBeLessThan(pictures.length / 2);
        }
        expect(server.stats.mediaMessages).toBe(0);
      } finally {
        for (const { child } of chats) child.kill("SIGKILL");
        await server.close();
        rmSync(folder, { recursive: true });
      }
    },
    90_000,
  );
});
