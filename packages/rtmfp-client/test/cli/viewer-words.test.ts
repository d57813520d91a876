import { buildGroupspec, parseGroupspec } from "rtmfp-core/group";
import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { shellWord, viewersGroupspec } from "../../src/cli/viewer-words.ts";

describe("what viewers are told to type", () => {
  it("has no password in it, and still says where members are", () => {
    const open = { name: "n", multicastEnabled: true, bootstrapPeers: ["ab".repeat(32)] };
    expect(viewersGroupspec(buildGroupspec(open))).toBe(buildGroupspec(open));
    for (const password of [{ publishAuthorization: "secret" }, { postingAuthorization: "secret" }])
      expect(viewersGroupspec(buildGroupspec({ ...open, ...password }))).toBe(buildGroupspec(open));
    // 224.0.0.9 without a port, as nobody could build it.
    const odd = `${buildGroupspec({ ...open, publishAuthorization: "secret" })}070ae00000090000`;
    expect(parseGroupspec(odd).ipMulticastAddresses).toHaveLength(1);
    expect(viewersGroupspec(odd)).toBe(buildGroupspec(open));
  });

  it("is quoted where a shell would take it for something else", () => {
    const words = ["news", "rtmfp://h:1935/tv", "my news", "it's", "a;b", "rtmfp://h/tv?a&b", "ä"];
    expect(words.map(shellWord)).toEqual([
      "news",
      "rtmfp://h:1935/tv",
      "'my news'",
      "'it'\\''s'",
      "'a;b'",
      "'rtmfp://h/tv?a&b'",
      "'ä'",
    ]);
  });
});
