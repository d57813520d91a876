import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { openTrace } from "../../src/index.ts";
import type { SessionTraceRecord, TraceRecord } from "../../src/proto/config.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rtmfp-trace-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const packet: TraceRecord = {
  now: 1.5,
  direction: "in",
  via: 0,
  peer: { host: "2001:db8::1", port: 5 },
  sessionId: 0,
  session: 0,
  startup: true,
  datagram: Uint8Array.of(1, 2),
  packet: Uint8Array.of(0xab),
};

function lines(path: string): Record<string, unknown>[] {
  const text = readFileSync(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("a trace", () => {
  it("begins with a header that warns of the secrets, and holds every line once closed", async () => {
    const path = join(folder, "a.trace");
    const trace = await openTrace(path);
    for (let now = 0; now < 1000; now++) trace.hooks.trace({ ...packet, now });
    await Promise.all([trace.close(), trace.close()]);
    trace.hooks.trace(packet);
    const [header, ...packets] = lines(path);
    expect(header).toMatchObject({ format: "rtmfp-trace", version: 1, warning: expect.stringContaining("secrets") });
    expect(packets.map((line) => line["ts"])).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(packets[0]).toMatchObject({ type: "packet", dir: "in", peer: "[2001:db8::1]:5", raw: "0102", plain: "ab" });
  });

  it("can be read by its owner only, also in place of a file that others could read", async () => {
    for (const name of ["new.trace", "old.trace"]) {
      const path = join(folder, name);
      if (name === "old.trace") writeFileSync(path, "before", { mode: 0o644 });
      await (await openTrace(path)).close();
      expect(statSync(path).mode & 0o777, name).toBe(0o600);
      expect(lines(path)).toHaveLength(1);
    }
  });

  it("copies the bytes that it is lent", async () => {
    const path = join(folder, "b.trace");
    const trace = await openTrace(path);
    const datagram = Uint8Array.of(7);
    trace.hooks.trace({ ...packet, datagram });
    datagram[0] = 8;
    await trace.close();
    expect(lines(path)[1]).toMatchObject({ raw: "07" });
  });

  it("cannot be opened where there is no folder", async () => {
    await expect(openTrace(join(folder, "none", "c.trace"))).rejects.toThrow("ENOENT");
  });

  it("leaves packets out and says so when more waits than fits", async () => {
    const path = join(folder, "d.trace");
    const warnings: string[] = [];
    const trace = await openTrace(path, { onWarning: (message) => warnings.push(message) });
    const datagram = new Uint8Array(60_000);
    for (let i = 0; i < 200; i++) trace.hooks.trace({ ...packet, datagram });
    await trace.close();
    const written = lines(path).slice(1);
    const kept = written.filter((line) => line["type"] === "packet").length;
    expect(kept).toBeGreaterThan(100);
    expect(written.at(-1)).toEqual({ type: "gap", packets: 200 - kept });
    expect(warnings).toEqual([`trace ${path}: the disk is too slow; packets are left out`]);
  });

  it("warns when the profile keeps its secrets to itself", async () => {
    const warnings: string[] = [];
    const trace = await openTrace(join(folder, "e.trace"), { onWarning: (message) => warnings.push(message) });
    const session = { now: 0, role: "initiator", nearId: 1, farId: 2, peer: packet.peer, peerId: "" } as const;
    const keys = { nearNonce: new Uint8Array(32), farNonce: new Uint8Array(32), description: {} };
    for (let i = 0; i < 3; i++) trace.hooks.traceSession({ ...session, keys: keys as SessionTraceRecord["keys"] });
    await trace.close();
    expect(warnings).toEqual([expect.stringContaining("exposeSecrets")]);
  });

  if (existsSync("/dev/full")) {
    it("ends with one warning on a full disk, and never throws", async () => {
      const warnings: string[] = [];
      const trace = await openTrace("/dev/full", { onWarning: (message) => warnings.push(message) });
      for (let i = 0; i < 5; i++) {
        trace.hooks.trace(packet);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await trace.close();
      expect(warnings).toEqual([expect.stringMatching(/^trace \/dev\/full: it ends here: ENOSPC/)]);
    });
  }
});
