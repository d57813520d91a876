import { describe, expect } from "vitest";
import { it } from "../../../../test/support/rfc.ts";
import { agree, generateKeyPair } from "../../src/crypto/dh.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import type { CryptoProvider } from "../../src/crypto/primitives.ts";
import { chooseProvider, defaultProvider, mixProviders } from "../../src/crypto/provider.ts";
import { toHex } from "../../src/proto/bytes.ts";
import { nodeProvider } from "./support.ts";

const refuse = (): never => {
  throw new Error("error:0308010C:digital envelope routines::unsupported");
};

describe("the choice of primitives", () => {
  it("is noble when asked for, and node where it works", () => {
    expect(chooseProvider("noble")).toBe(nobleProvider);
    for (const wish of [undefined, "", "node"]) expect(chooseProvider(wish).name).toBe("node");
    expect(() => chooseProvider("openssl")).toThrow('RTMFP_CRYPTO is "openssl"; set it to "node" or "noble"');
  });

  it("is made once per process, as the environment says", () => {
    expect(defaultProvider()).toBe(defaultProvider());
    expect(defaultProvider().name).toBe(process.env["RTMFP_CRYPTO"] === "noble" ? "noble" : "node");
  });

  it("replaces just what is refused or wrong, and says so in its name", () => {
    const crippled: CryptoProvider = {
      ...nodeProvider,
      createEncryptor: refuse,
      sha256: () => new Uint8Array(32),
      x25519Key: refuse,
    };
    const mixed = mixProviders(crippled, nobleProvider);
    expect(mixed.name).toBe("node (noble: aes-128-cbc, sha256, x25519)");
    expect(toHex(mixed.sha256(new Uint8Array(3)))).toBe(toHex(nobleProvider.sha256(new Uint8Array(3))));
    const pair = generateKeyPair(mixed, 31, mixed.randomBytes);
    expect(agree(mixed, 31, pair.privateKey, pair.publicKey)?.length).toBe(32);
  });

  it("tries each MODP group on first use, so that a policy against one does not cost the others", () => {
    let tried = 0;
    const crippled: CryptoProvider = {
      ...nodeProvider,
      modpKey: (group, privateKey) => {
        tried++;
        return group.id === 2 ? refuse() : nodeProvider.modpKey(group, privateKey);
      },
    };
    const mixed = mixProviders(crippled, nobleProvider);
    expect(tried).toBe(0);
    const two = generateKeyPair(mixed, 2, mixed.randomBytes);
    expect(tried).toBe(1);
    expect(agree(mixed, 2, two.privateKey, two.publicKey)?.length).toBeGreaterThan(100);
    expect(tried).toBe(1);
    expect(mixed.name).toBe("node (noble: modp2)");
    generateKeyPair(mixed, 14, mixed.randomBytes);
    expect(tried).toBe(3);
    expect(mixed.name).toBe("node (noble: modp2)");
  });
});
