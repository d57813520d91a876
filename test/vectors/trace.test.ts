import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTrace, type Session, UdpEndpoint, type UdpEndpointOptions } from "rtmfp-core";
import { chooseProvider } from "rtmfp-core/crypto";
import { describe, expect } from "vitest";
import { it } from "../support/rfc.ts";
import { readRecording } from "./read.ts";
import { type Report, replay } from "./replay.ts";

type Protection = NonNullable<UdpEndpointOptions["profile"]>;

/** A handshake, data both ways and a close over loopback; what the traced end, client or server, wrote. */
async function traced(side: "client" | "server", protection: Protection): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "rtmfp-trace-"));
  const path = join(folder, "session.trace");
  try {
    const trace = await openTrace(path);
    const settings = (of: typeof side): UdpEndpointOptions => ({
      host: "127.0.0.1",
      ...(of === side ? trace.hooks : {}),
      profile: { ...protection, exposeSecrets: of === side },
    });
    const server = await UdpEndpoint.open(settings("server"));
    const client = await UdpEndpoint.open(settings("client"));
    server.onFlow = async (flow) => {
      const back = flow.openReturn("back");
      for await (const message of flow) back.write(message);
      await back.close();
    };
    await echo(await client.connect(server.address));
    await client.close();
    await server.close();
    await trace.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    return readFileSync(path, "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Sends messages, one of them in many fragments, and waits for all of them to come back. */
async function echo(session: Session): Promise<void> {
  const sizes = [1, 100, 20_000, 0];
  const echoed = new Promise<number[]>((resolve) => {
    const lengths: number[] = [];
    session.onFlow = (flow) => {
      flow.onMessage = (message) => {
        if (lengths.push(message.length) === sizes.length) resolve(lengths);
      };
    };
  });
  const flow = session.openFlow("out");
  for (const size of sizes) flow.write(new Uint8Array(size).fill(size));
  expect(await echoed).toEqual(sizes);
  await flow.close();
}

function run(text: string): Report {
  return replay(readRecording(text), chooseProvider("node"));
}

describe("traces", () => {
  const protections: Record<string, Protection> = {
    "HMAC and sequence numbers, group 31": {},
    "checksum only, group 2": { hmac: "none", sequence: "none", groups: [2] },
  };
  for (const [name, protection] of Object.entries(protections)) {
    for (const side of ["client", "server"] as const) {
      it(`of the ${side} replay without a failure: ${name}`, async () => {
        const report = run(await traced(side, protection));
        expect(report.failures).toEqual([]);
        expect(report.derivations.passed).toBe(2);
        expect(report.packets.passed).toBeGreaterThan(25);
      });
    }
  }

  it("fail for one flipped byte, for lost secrets and for a cut", async () => {
    const text = await traced("client", {});
    const lines = text.split("\n");
    const find = (type: string, from = 0): number => lines.findIndex((line, i) => i >= from && line.includes(type));
    const session = find('"session","ts"');
    const data = find('"startup":false', session);
    const changed = (index: number, change: (line: string) => string): string =>
      lines.map((line, i) => (i === index ? change(line) : line)).join("\n");
    const flip = (key: string) => (line: string) =>
      line.replace(new RegExp(`("${key}":"[0-9a-f]{20})(.)`), (_, head, digit) => {
        return `${head}${(Number.parseInt(digit, 16) ^ 1).toString(16)}`;
      });
    for (const key of ["raw", "plain"]) expect(run(changed(data, flip(key))).packets.failed, key).toBe(1);
    expect(run(changed(session, flip("dhSecret"))).derivations.failed).toBe(2);
    expect(run(changed(session, flip("nearNonce"))).derivations.failed).toBe(1);
    expect(run(lines.filter((_, i) => i !== session).join("\n")).packets.failed).toBeGreaterThan(20);
    expect(() => run(text.slice(0, -20))).toThrow(/^line \d+ is not a JSON object/);
    expect(run(`${lines[0]}\n`).packets).toEqual({ passed: 0, failed: 1 });
  });
});
