import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupSpecifier } from "rtmfp-client";
import { decodeFlv, encodeFlv } from "rtmfp-core/flv";
import { createServer } from "rtmfp-server";
import { describe, expect } from "vitest";
import { command } from "../../packages/rtmfp-client/test/support/command.ts";
import { SAMPLE, TAGS } from "../../packages/rtmfp-client/test/support/connections.ts";
import { it, rfc } from "../support/rfc.ts";

describe("rtmfp-client play", () => {
  it(
    ...rfc("V-2"),
    "fails in one line when the peer that publishes is killed, and keeps what has come",
    async () => {
      const server = createServer({ host: "127.0.0.1", port: 0, keepalive: { peerMs: 5_000 } });
      const folder = mkdtempSync(join(tmpdir(), "rtmfp-lost-"));
      const [url, output] = [`${(await server.listen()).url}/key`, join(folder, "out.flv")];
      try {
        const publisher = command("publish", url, "cam", SAMPLE, "--p2p", "--loop", "--wait", "1", "--json");
        const { peerId } = await publisher.event("publishing");
        const player = command("play", url, "cam", "--peer", String(peerId), "-o", output, "--json");
        await player.event("playing");
        publisher.child.kill("SIGKILL");
        expect(await player.exit).toBe(1);
        const [line, ...more] = player.stderr.split("\n");
        const tags = decodeFlv(readFileSync(output)).length;
        const who = `peer ${String(peerId).slice(0, 12)}…`;
        expect(line).toBe(
          `rtmfp-client: ${who} was lost; received ${tags} tags of "cam" before: look whether its program and its network still run`,
        );
        expect([more, tags > 0]).toEqual([[""], true]);
      } finally {
        await server.close();
        rmSync(folder, { recursive: true });
      }
    },
    120_000,
  );

  it(
    ...rfc("F-9"),
    "fails in one line when the publisher at the server is killed",
    async () => {
      const server = createServer({ host: "127.0.0.1", port: 0 });
      const url = `${(await server.listen()).url}/key`;
      try {
        const publisher = command("publish", url, "cam", SAMPLE, "--loop", "--json");
        await publisher.event("publishing");
        const player = command("play", url, "cam", "--json");
        await player.event("playing");
        publisher.child.kill("SIGKILL");
        expect(await player.exit).toBe(1);
        expect(player.stderr).toMatch(
          /^rtmfp-client: the publisher was lost; received \d+ tags of "cam" before: look whether its program and its network still run\n$/,
        );
      } finally {
        await server.close();
      }
    },
    240_000,
  );

  it(
    ...rfc("G-3"),
    "follows whoever publishes again in a group after the publisher was killed, and its time goes on",
    async () => {
      const server = createServer({ host: "127.0.0.1", port: 0 });
      const folder = mkdtempSync(join(tmpdir(), "rtmfp-lost-"));
      const url = `${(await server.listen()).url}/key`;
      const [again, output] = [join(folder, "again.flv"), join(folder, "out.flv")];
      writeFileSync(again, encodeFlv(TAGS.slice(0, 200)));
      const spec = new GroupSpecifier("cam");
      spec.multicastEnabled = true;
      spec.serverChannelEnabled = true;
      const group = ["--group", spec.toString(), "--json"];
      try {
        const killed = command("publish", url, "cam", SAMPLE, "--loop", "--wait", "1", ...group);
        const player = command("play", url, "cam", "-o", output, ...group);
        await player.event("playing");
        killed.child.kill("SIGKILL");
        expect(await player.event("interrupted")).toMatchObject({
          message: 'nothing comes of "cam" any more; waiting for its publisher to come back',
        });
        const next = command("publish", url, "cam", again, "--wait", "1", ...group);
        await player.event("resumed");
        expect([await next.exit, await player.exit]).toEqual([0, 0]);
        expect(await player.event("done")).toMatchObject({ reason: "ended" });
        const times = decodeFlv(readFileSync(output)).flatMap(({ type, timestamp }) =>
          type === "video" ? timestamp : [],
        );
        expect(times).toEqual([...times].sort((a, b) => a - b));
      } finally {
        await server.close();
        rmSync(folder, { recursive: true });
      }
    },
    240_000,
  );
});
