import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeFlv } from "rtmfp-core/flv";
import { createServer } from "rtmfp-server";
import { describe, expect } from "vitest";
import { command } from "../../packages/rtmfp-client/test/support/command.ts";
import { SAMPLE } from "../../packages/rtmfp-client/test/support/connections.ts";
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
});
