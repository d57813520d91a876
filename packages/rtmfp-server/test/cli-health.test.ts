/** The command `rtmfp-server health`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, vi } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { healthCommand } from "../src/cli/health.ts";
import { RunningCommand } from "./support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "rtmfp-health-"));
const servers: RunningCommand[] = [];
const TOKEN = "0123456789abcdef";

afterEach(async () => {
  for (const server of servers) server.signal("SIGKILL");
  await Promise.all(servers.splice(0).map(({ ended }) => ended));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command in this process: its exit code, and all that it writes. */
async function ask(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let text = "";
  const write = (bytes: Uint8Array | string): boolean => {
    text += bytes;
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockImplementation(write));
  try {
    return [await healthCommand(args, env), text] as const;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("rtmfp-server health", () => {
  it(...rfc("F-18"), "finds a server and its token by the configuration that it was started with", async () => {
    const config = join(folder, "config.json");
    writeFileSync(config, JSON.stringify({ host: "127.0.0.1", port: 0, checkPort: "off", httpToken: TOKEN }));
    const server = new RunningCommand(["--json", "--http", "0", "--config", config]);
    servers.push(server);
    const { http } = await server.event("listening");
    const place = ["--http", new URL(String(http)).host];
    const ok = [0, expect.stringMatching(/^ok: 0 clients, 0 sessions, for \d+ s\n$/)];
    expect(await ask(["--config", config, ...place])).toEqual(ok);
    expect(await ask(place, { RTMFP_HTTP_TOKEN: TOKEN })).toEqual(ok);
    expect(await ask(place)).toEqual([1, expect.stringMatching(/needs another token: give RTMFP_HTTP_TOKEN.*\n$/)]);
    if (process.platform === "linux") expect(await ask(["--as-process", String(server.pid), ...place])).toEqual(ok);
  });

  it("says in one line why there is no healthy server, or what is wrong with the question", async () => {
    const other = createServer((_request, response) => response.writeHead(503).end('{"status":"closing"}'));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    expect(await ask(["--http", String(port)])).toEqual([1, expect.stringMatching(/answers 503, closing\n$/)]);
    await new Promise((resolve) => other.close(resolve));
    const lines: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
      [
        ["--http", String(port)],
        1,
        /^rtmfp-server: no answer from http:\/\/127\.0\.0\.1:\d+\/api\/health: look whether.*\n$/,
      ],
      [["--http", "off"], 0, /^HTTP is off: there is nothing to ask\n$/],
      [["--config", join(folder, "none.json")], 1, /^rtmfp-server: .*there is no such file.*\n$/],
      [["--as-process", "init"], 2, /^rtmfp-server health: .*Expected the number of a process.*see --help\n$/],
      [["--as-process", String(process.pid)], 1, /^rtmfp-server: .*(is no rtmfp-server|cannot be read: .*)\n$/],
      [["--http", "on"], 2, /^rtmfp-server health: .*Expected PORT, HOST:PORT.*\n$/],
      [["--port", "1"], 2, /^rtmfp-server health: unknown option '--port'.*\n$/],
    ];
    for (const [args, code, says] of lines) expect(await ask(args)).toEqual([code, expect.stringMatching(says)]);
  });
});
