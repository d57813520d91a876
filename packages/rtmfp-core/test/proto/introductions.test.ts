import { describe, expect, it } from "vitest";
import { Introductions } from "../../src/proto/introductions.ts";
import type { SessionHost } from "../../src/proto/session-host.ts";
import type { StartupSender } from "../../src/proto/startup/sender.ts";

function table() {
  const stats = { introductions: 0, introductionsRefused: 0 };
  const host = { stats, emit: () => {} } as unknown as SessionHost;
  const introductions = new Introductions(host, {} as StartupSender);
  let next = 0;
  /** Adds one; gives its id, or undefined if it was refused. */
  const ask = (host: string, now = 0, isStranger = false): number | undefined => {
    const refused = stats.introductionsRefused;
    introductions.add(new Uint8Array(8), new Uint8Array(8), { host, port: 1 }, 0, isStranger, now);
    return stats.introductionsRefused === refused ? ++next : undefined;
  };
  return { introductions, stats, ask };
}

describe("the table of undecided introductions", () => {
  it("has 1,024 places, and 256 for any one source, whatever its port", () => {
    const { introductions, stats, ask } = table();
    for (let i = 0; i < 300; i++) ask("192.0.2.1");
    expect([introductions.size, stats.introductionsRefused]).toEqual([256, 44]);
    for (const host of ["192.0.2.2", "192.0.2.3", "2001:db8::1"]) for (let i = 0; i < 256; i++) ask(host);
    expect([introductions.size, stats.introductionsRefused]).toEqual([1_024, 44]);
    expect(ask("192.0.2.4")).toBeUndefined();
    expect(ask("2001:db8::2")).toBeUndefined();
  });

  it("has 512 places for addresses without a session, which leave the others to those with one", () => {
    const { introductions, ask } = table();
    const strangers = Array.from({ length: 600 }, (_, i) => ask(`192.0.2.${i % 250}`, 0, true));
    expect(strangers.filter((id) => id !== undefined).length).toBe(512);
    expect(ask("198.51.100.1")).toBeDefined();
    introductions.done(strangers[0] as number);
    introductions.done(strangers[0] as number);
    expect([ask("192.0.2.1", 0, true), ask("192.0.2.1", 0, true)]).toEqual([514, undefined]);
    expect(ask("192.0.2.1", 5_000, true)).toBeDefined();
  });

  it("gives a place back when it is decided, once, and when its time is up", () => {
    const { introductions, ask } = table();
    const first = ask("192.0.2.1") as number;
    for (let i = 1; i < 256; i++) ask("192.0.2.1");
    expect(ask("192.0.2.1")).toBeUndefined();
    introductions.done(first);
    introductions.done(first);
    expect(ask("192.0.2.1", 1_000)).toBeDefined();
    expect(ask("192.0.2.1", 1_000)).toBeUndefined();
    for (let i = 0; i < 255; i++) expect(ask("192.0.2.1", 5_000)).toBeDefined();
    expect(ask("192.0.2.1", 5_000)).toBeUndefined();
    expect(introductions.size).toBe(256);
  });
});
