import type { Address } from "rtmfp-core";
import { describe, expect, it } from "vitest";
import { PublicHosts } from "../src/public-hosts.ts";

/** A server whose names mean what `answers` gives, one answer after the other; its time goes on by `pass`. */
function scene(...answers: (string | undefined | Promise<Address[]>)[]) {
  const asked: string[] = [];
  const waiting = new Set<{ readonly ms: number; readonly run: () => void }>();
  const hosts = new PublicHosts();
  const host = {
    carrier: {
      resolve: async (name: string) => {
        asked.push(name);
        const answer = answers.shift();
        if (answer === undefined) throw new Error("no such name");
        return typeof answer === "string" ? [{ host: answer, port: 1 }] : answer;
      },
    },
    isListening: () => answers.length > 0,
    after: (ms: number, run: () => void) => {
      const entry = { ms, run };
      waiting.add(entry);
      return () => void waiting.delete(entry);
    },
  };
  /** Runs what waits for so long. */
  const pass = async (ms: number): Promise<void> => {
    for (const entry of [...waiting].filter((each) => each.ms === ms)) {
      waiting.delete(entry);
      entry.run();
    }
    await new Promise(setImmediate);
  };
  return { hosts, host, asked, pass, waits: () => [...waiting].map(({ ms }) => ms) };
}

describe("the public addresses of a server's network", () => {
  it("are looked up each minute; one that fails changes nothing, and a server that closes asks no more", async () => {
    const { hosts, host, asked, pass, waits } = scene("192.0.2.1", undefined, "192.0.2.2");
    await hosts.begin("home.example:1936", host);
    expect(hosts.current).toEqual(["192.0.2.1"]);
    await pass(60_000);
    expect(hosts.current).toEqual(["192.0.2.1"]);
    await pass(60_000);
    expect(hosts.current).toEqual(["192.0.2.2"]);
    expect(asked).toEqual(Array(3).fill("home.example"));
    expect(waits()).toEqual([]);
  });

  it("keep nobody waiting for more than 2 s, and are taken when they come", async () => {
    let tell = (_addresses: Address[]): void => {};
    const late = new Promise<Address[]>((resolve) => {
      tell = resolve;
    });
    const { hosts, host, pass } = scene(late);
    const begun = hosts.begin("home.example", host);
    await pass(2_000);
    await begun;
    expect(hosts.current).toEqual([]);
    tell([{ host: "192.0.2.3", port: 1 }]);
    await pass(0);
    expect(hosts.current).toEqual(["192.0.2.3"]);
  });

  it("are those given where no name is given, and none without", async () => {
    const { hosts, host, waits } = scene("192.0.2.1", "192.0.2.9");
    await hosts.begin("192.0.2.1", host);
    expect([hosts.current, waits()]).toEqual([["192.0.2.1"], []]);
    const other = new PublicHosts();
    await other.begin(undefined, host);
    expect(other.current).toEqual([]);
  });
});
