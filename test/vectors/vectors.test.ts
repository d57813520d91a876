import { readFileSync } from "node:fs";
import { chooseProvider } from "rtmfp-core/crypto";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { readRecording } from "./read.ts";
import { type Report, replay } from "./replay.ts";

interface Packet {
  raw: string;
  plaintext: string;
  chunks: Record<string, unknown>[];
  [key: string]: unknown;
}
interface Scenario {
  name: string;
  packets: Packet[];
  sessions: Record<string, string>[];
}
interface File {
  scenarios: Scenario[];
  handshakeSecrets: Record<string, string>[];
}

/** A shared file with the first `packets` packets of each scenario; enough for the handshake and some data. */
function shared(name: string, packets = 30): File {
  const url = new URL(`../fixtures/vectors/${name}.json`, import.meta.url);
  const file = JSON.parse(readFileSync(url, "utf8")) as File;
  for (const scenario of file.scenarios) scenario.packets.splice(packets);
  return file;
}

function run(file: unknown): Report {
  return replay(readRecording(JSON.stringify(file)), chooseProvider("node"));
}

/** The hex text with one bit of one byte changed. */
function flipped(hex: string, at: number): string {
  const digit = 2 * at + 1;
  return hex.slice(0, digit) + (Number.parseInt(hex[digit] as string, 16) ^ 1).toString(16) + hex.slice(digit + 1);
}

describe("vectors", () => {
  it(...rfc("R7425-4.6.3-01", "R7425-4.7.2-01", "R7016-2.2.2-01"), "replays what other stacks recorded", () => {
    const [cpp, mona] = [run(shared("rtmfp-cpp")), run(shared("mona"))];
    expect([cpp.failures, mona.failures]).toEqual([[], []]);
    expect([cpp.packets.passed, mona.packets.passed]).toEqual([112, 150]);
    expect([cpp.handshakes, mona.handshakes]).toEqual([
      { played: 10, exact: 5 },
      { played: 8, exact: 8 },
    ]);
  });

  for (const name of ["rtmfp-cpp", "mona"]) {
    it(`fails for one flipped byte of a packet, its plaintext or its listing: ${name}`, () => {
      for (const key of ["raw", "plaintext"] as const) {
        for (const [index, at] of [
          [0, 0],
          [3, 7],
          [20, 9],
        ] as const) {
          const file = shared(name, 25);
          const packet = file.scenarios[0]?.packets[index] as Packet;
          packet[key] = flipped(packet[key], at);
          const { failures, packets } = run(file);
          expect(packets.failed, `${key} of packet ${index}, byte ${at}`).toBe(1);
          expect(failures[0]).toMatchObject({ scenario: file.scenarios[0]?.name, what: `packet ${index}` });
        }
      }
      const file = shared(name, 8);
      const chunk = file.scenarios[0]?.packets[4]?.chunks[0] as Record<string, number>;
      chunk["seq"] = (chunk["seq"] as number) + 1;
      expect(run(file).failures).toEqual([
        { scenario: file.scenarios[0]?.name, what: "packet 4", differences: ["chunk 0: seq is 1, recorded 2"] },
      ]);
    });
  }

  it("fails for one flipped byte of a secret or of a key derived from it", () => {
    for (const key of ["skic", "dh_shared_secret", "responder_nonce", "initiator_encrypt_key_full32"]) {
      const file = shared("rtmfp-cpp", 8);
      const session = file.scenarios[1]?.sessions[0] as Record<string, string>;
      session[key] = flipped(session[key] as string, 20);
      expect(run(file).derivations.failed, key).toBeGreaterThan(0);
    }
    for (const key of ["dhPrivate", "farDhPublic", "sharedSecret", "responderNonce", "initiatorKey"]) {
      const file = shared("mona", 8);
      const handshake = file.handshakeSecrets[0] as Record<string, string>;
      handshake[key] = flipped(handshake[key] as string, 30);
      expect(run(file).derivations.failed, key).toBeGreaterThan(0);
    }
  });

  it("fails for a scenario without packets, and for a file without any", () => {
    const file = shared("mona", 5);
    file.scenarios[1]?.packets.splice(0);
    expect(run(file)).toMatchObject({ packets: { passed: 20, failed: 1 } });
    expect(run({ scenarios: [] }).packets).toEqual({ passed: 0, failed: 1 });
  });

  it("fails for a packet of a session whose secrets are missing", () => {
    const file = shared("mona", 8);
    file.handshakeSecrets.splice(0, 1);
    expect(run(file).failures[0]?.differences).toEqual(["its key is none of the recorded ones"]);
  });

  it("refuses what is no recording with one line", () => {
    for (const text of [
      "",
      "{",
      "[1]",
      "null",
      '{"scenarios":[{"packets":[]}]}',
      '{"handshakeSecrets":1,"scenarios":[]}',
    ]) {
      expect(() => readRecording(text), text).toThrow(/^[^\n]{10,}$/);
    }
  });
});
