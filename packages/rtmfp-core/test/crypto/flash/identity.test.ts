import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import {
  CLIENT_IDENTITY,
  createIdentity,
  exportIdentity,
  importIdentity,
  LEGACY_IDENTITY,
  SERVER_IDENTITY,
  STATIC_SERVER_IDENTITY,
} from "../../../src/crypto/flash/identity.ts";
import { createFlashProfile, type FlashProfile, wantsLegacyIdentity } from "../../../src/crypto/flash/profile.ts";
import { fromHex, toHex } from "../../../src/proto/bytes.ts";
import { handshake, nodeProvider, providers } from "../support.ts";

describe("identities", () => {
  it(
    ...rfc("R7425-4.3.3.2-01", "R7425-4.3.3.4-03"),
    "of servers are ephemeral, found by URI, unique by 64 random bytes",
    () => {
      const certificate = toHex(createIdentity(nodeProvider, SERVER_IDENTITY).certificate);
      expect(certificate).toMatch(/^010a02151f02150e021510021505021502410e[0-9a-f]{128}$/);
      expect(toHex(createIdentity(nodeProvider, SERVER_IDENTITY).certificate)).not.toBe(certificate);
    },
  );

  it(
    ...rfc("R7425-4.3.3.5-03", "R7016-3.2-03", "R7425-7-01"),
    "of clients are static keys of groups 31, 14 and 2",
    () => {
      const certificate = toHex(createIdentity(nodeProvider, CLIENT_IDENTITY).certificate);
      expect(certificate).toMatch(/^221d1f[0-9a-f]{64}82021d0e[0-9a-f]{512}81021d02[0-9a-f]{256}$/);
      expect(toHex(createIdentity(nodeProvider, CLIENT_IDENTITY).certificate)).not.toBe(certificate);
    },
  );

  it("of legacy clients are a single key of group 2", () => {
    expect(toHex(createIdentity(nodeProvider, LEGACY_IDENTITY).certificate)).toMatch(/^81021d02[0-9a-f]{256}$/);
  });

  it(...rfc("R7425-4.3.3.1-03"), "may carry a hostname", () => {
    const certificate = createIdentity(nodeProvider, {
      ...STATIC_SERVER_IDENTITY,
      hostname: "h",
      groups: [31],
    }).certificate;
    expect(toHex(certificate)).toMatch(/^020068010a221d1f[0-9a-f]{64}$/);
  });

  it("refuse groups that cannot be", () => {
    expect(() => createIdentity(nodeProvider, { keys: "static", groups: [15] })).toThrow("got 15");
    expect(() => createIdentity(nodeProvider, { keys: "ephemeral", groups: [] })).toThrow("either");
    expect(() => createFlashProfile({ identity: SERVER_IDENTITY, groups: [15] })).toThrow("got 15");
    expect(() => createFlashProfile({ identity: SERVER_IDENTITY, groups: [] })).toThrow("got none");
    expect(() => createFlashProfile({ identity: SERVER_IDENTITY, hmacLength: 3 })).toThrow("got 3");
  });

  it("survive export and import, between providers, and still prove themselves", () => {
    for (const options of [SERVER_IDENTITY, STATIC_SERVER_IDENTITY, CLIENT_IDENTITY, LEGACY_IDENTITY]) {
      for (const [from, to] of [providers, providers.toReversed()]) {
        const identity = createIdentity(from!, options);
        const back = importIdentity(to!, exportIdentity(identity));
        expect(toHex(back.certificate)).toBe(toHex(identity.certificate));
        const server = createFlashProfile({ identity: back, provider: to! });
        expect(server.id).toBe(createFlashProfile({ identity }).id);
        expect(handshake(createFlashProfile({ identity: CLIENT_IDENTITY }), server)).toBeDefined();
      }
    }
  });

  it("say in one line why a text is none", () => {
    const text = exportIdentity(createIdentity(nodeProvider, { keys: "static", groups: [31] }));
    const other = exportIdentity(createIdentity(nodeProvider, { keys: "static", groups: [31] }));
    const parsed = JSON.parse(text);
    const foreign = { ...parsed, keys: JSON.parse(other).keys };
    for (const [wrong, message] of [
      ["", "not JSON"],
      ["null", 'not of format "rtmfp-identity-1"'],
      ["[]", "not of format"],
      [JSON.stringify({ ...parsed, keys: [null] }), "not of format"],
      [JSON.stringify({ ...parsed, keys: [{ group: 31, privateKey: "xy" }] }), "not of format"],
      [JSON.stringify({ ...parsed, certificate: "ff" }), "the certificate in the identity is malformed"],
      [JSON.stringify({ ...parsed, keys: [] }), "do not belong to its certificate"],
      [JSON.stringify(foreign), "do not belong to its certificate"],
      [JSON.stringify({ ...parsed, keys: [...parsed.keys, { group: 14, privateKey: "41" }] }), "do not belong"],
    ] as const) {
      expect(() => importIdentity(nodeProvider, wrong), wrong).toThrow(message);
    }
  });
});

describe("the profile", () => {
  it(...rfc("R7016-3.2-05", "R7425-4.4.3-05"), "selects itself by fingerprint always, by URI only as a server", () => {
    const server = createFlashProfile({ identity: SERVER_IDENTITY });
    const client = createFlashProfile({ identity: CLIENT_IDENTITY });
    const uri = fromHex("090a72746d66703a2f2f");
    expect([server.selectsSelf(uri), client.selectsSelf(uri)]).toEqual([true, false]);
    for (const profile of [server, client]) {
      expect(profile.selectsSelf(profile.ownCertificate.canonicalEpd)).toBe(true);
      expect(profile.selectsSelf(new Uint8Array(0))).toBe(false);
      expect(profile.id).toBe(toHex(profile.ownCertificate.fingerprint));
    }
    expect(client.selectsSelf(server.ownCertificate.canonicalEpd)).toBe(false);
  });

  it(...rfc("R7016-3.2-05"), "answers alike however often it is asked", () => {
    const credential = { id: fromHex("01"), password: fromHex("0203") };
    const make = (): FlashProfile =>
      createFlashProfile({
        identity: SERVER_IDENTITY,
        passwords: [credential],
        acceptedPasswords: [credential],
      });
    const [near, far] = [make(), make()];
    const parameters = fromHex("a1b2c3");
    const signature = near.sign(parameters);
    const answers = (): string => {
      const [own, other] = [near, far].map(({ certificate }) => near.parseCertificate(certificate)!);
      return JSON.stringify([
        [near, far].map(({ ownCertificate }) => near.selectsSelf(ownCertificate.canonicalEpd)),
        [own, other].map((one) => [one!.id, toHex(one!.canonicalEpd), one!.selectedBy(own!.canonicalEpd)]),
        near.prevailsOver(other!),
        [near.overrides(own!, own!), near.overrides(own!, other!)],
        toHex(near.sign(parameters)),
        [near.verify(signature, parameters), near.verify(signature, fromHex("a1"))],
        near.parseCertificate(fromHex("0515")) === undefined,
      ]);
    };
    const all = new Set(Array.from({ length: 64 }, answers));
    expect(all.size).toBe(1);
    const [selects, , , overrides, , verified] = JSON.parse([...all][0] as string);
    expect([selects, overrides, verified]).toEqual([
      [true, false],
      [true, false],
      [true, false],
    ]);
  });

  it(...rfc("R7016-3.2-07"), "prevails at one end of a glare, and not at the other", () => {
    const ends = Array.from({ length: 8 }, () => createFlashProfile({ identity: SERVER_IDENTITY }));
    for (const near of ends)
      for (const far of ends)
        if (near !== far) expect(near.prevailsOver(far.ownCertificate)).toBe(!far.prevailsOver(near.ownCertificate));
  });

  it(
    ...rfc("R7425-4.3.7-01", "R7016-3.2-08"),
    "lets a session override only one with the identical certificate",
    () => {
      const profile = createFlashProfile({ identity: SERVER_IDENTITY });
      const [one, same, more] = ["021502", "021502", "0215020002550a"].map(
        (hex) => profile.parseCertificate(fromHex(hex))!,
      );
      expect(profile.overrides(one!, same!)).toBe(true);
      expect(one!.id).toBe(more!.id);
      expect(profile.overrides(more!, one!)).toBe(false);
    },
  );

  it(...rfc("R7425-4.3.6-02", "AMB-73"), "prevails over exactly one side of each pair, and over itself", () => {
    const [a, b] = [
      createFlashProfile({ identity: CLIENT_IDENTITY }),
      createFlashProfile({ identity: CLIENT_IDENTITY }),
    ];
    expect(a.prevailsOver(b.ownCertificate)).toBe(!b.prevailsOver(a.ownCertificate));
    expect(a.prevailsOver(a.ownCertificate)).toBe(true);
  });

  it("knows the old stacks that need a legacy identity by the groups they offer", () => {
    const profile = createFlashProfile({ identity: CLIENT_IDENTITY });
    for (const [hex, legacy] of [
      ["010a021502", true],
      ["010a02150202150502150e", true],
      ["010a021510", false],
      ["010a02151f02150e", false],
    ] as const) {
      expect(wantsLegacyIdentity(profile.parseCertificate(fromHex(hex))!)).toBe(legacy);
    }
  });

  it("is repeatable with an injected source of randomness", () => {
    const make = () => {
      let counter = 1;
      const random = (length: number): Uint8Array => new Uint8Array(length).fill(counter++);
      return createFlashProfile({ identity: { keys: "static", groups: [31] }, random });
    };
    const [one, two] = [handshake(make(), make())!, handshake(make(), make())!];
    expect(toHex(one.initiation.skic)).toBe(toHex(two.initiation.skic));
    expect(toHex(one.initiatorKeys.nearNonce)).toBe(toHex(two.initiatorKeys.nearNonce));
  });

  it("gives 32-byte HMACs that depend on key and message", () => {
    const profile = createFlashProfile({ identity: SERVER_IDENTITY });
    const [k, m] = [fromHex("616263"), fromHex("646566")];
    expect(toHex(profile.hmac(k, m))).toBe(toHex(nodeProvider.createHmacKey(k).digest(m)));
    expect(toHex(profile.hmac(m, k))).not.toBe(toHex(profile.hmac(k, m)));
  });
});
