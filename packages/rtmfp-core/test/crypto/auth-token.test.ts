import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { authKey, authToken, boundToken, defaultProvider, nobleProvider } from "../../src/crypto/index.ts";
import { fromHex } from "../../src/proto/bytes.ts";

/** The examples of tcserver's documentation. */
describe.each([defaultProvider(), nobleProvider])("tokens by $name", (provider) => {
  const key = authKey("supersecret");

  it(...rfc("O-6"), "are those that tcserver makes, for applications and for users", () => {
    expect(authToken(provider, key, "live/12345")).toBe(
      "df41d9cbe74f325250d6e0346dcd9e95fb837892f4a927c27cecf2664d639786",
    );
    expect(authToken(provider, key, "live/12345", "mike")).toBe(
      "8bddf00ca7e31862fe17872c463df61eafde6518f565cb3def0e82a3b2d639d7",
    );
    expect(authToken(provider, key, "live/12345", "67890;name=mike;pri=5;exp=1832700000")).toBe(
      "5f9f4c0692998b02c15d7a8a1d80ca530db1b1e93fa69cb8bb1c765b32f3bab6",
    );
  });

  it(...rfc("O-6"), "are bound to either nonce of a session as tcserver binds them", () => {
    const token = "df41d9cbe74f325250d6e0346dcd9e95fb837892f4a927c27cecf2664d639786";
    const server = fromHex("55e154b9a21eaff92499897b384e2e9314b8c1305a383b66c365eaad3d83f4a0");
    const client = fromHex("cbc290212a52dad978da93870e6929a5050d838a18723620b92df9a530535442");
    expect(boundToken(provider, server, token)).toBe(
      "a762c38f376a273a583714b342ee700348882476a2350fc4e74b700411246841",
    );
    expect(boundToken(provider, client, token)).toBe(
      "bc4e260a541aa5c6cd498f414afd7f05c76bd6d731f726df268d0b1e8bf5a58c",
    );
  });

  it("come from keys in hex digits too", () => {
    expect(authKey("hex:00fF")).toEqual(Uint8Array.of(0, 255));
    expect(authKey("hex:0")).toEqual(new TextEncoder().encode("hex:0"));
  });
});
