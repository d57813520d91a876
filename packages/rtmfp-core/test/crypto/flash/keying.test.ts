import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { agree, generateKeyPair } from "../../../src/crypto/dh.ts";
import { modpGroup } from "../../../src/crypto/dh-groups.ts";
import { buildCertificate } from "../../../src/crypto/flash/certificate.ts";
import { type IdentityOptions, LEGACY_IDENTITY, SERVER_IDENTITY } from "../../../src/crypto/flash/identity.ts";
import { agreeJob, runPublicKeyJob } from "../../../src/crypto/flash/jobs.ts";
import { buildInitiatorComponent, parseComponent } from "../../../src/crypto/flash/keying-component.ts";
import type { ProtectionSetting } from "../../../src/crypto/flash/negotiation.ts";
import { createSessionCipher } from "../../../src/crypto/flash/packet-cipher.ts";
import { createFlashProfile, type FlashProfile, type FlashProfileOptions } from "../../../src/crypto/flash/profile.ts";
import { deriveSessionKeys } from "../../../src/crypto/flash/session-key.ts";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import type { CryptoProvider } from "../../../src/crypto/primitives.ts";
import { concatBytes, fromHex, toHex } from "../../../src/proto/bytes.ts";
import type { ResponderKeying, SessionKeys } from "../../../src/proto/crypto-profile.ts";
import { finish, handshake, nodeProvider, providers, seal } from "../support.ts";

const packet = fromHex("8d0000000010007280020101050054430400001400000000");
const settings: readonly ProtectionSetting[] = ["none", "accept", "request", "require"];
const noTerms = { hmacFlags: 0, hmacLength: 0, sequenceFlags: 0 };

function profile(identity: IdentityOptions, options: Partial<FlashProfileOptions> = {}): FlashProfile {
  return createFlashProfile({ provider: nodeProvider, identity, ...options });
}

function reaches(from: SessionKeys, to: SessionKeys): boolean {
  const opened = to.cipher.open(seal(from.cipher, packet));
  return opened !== undefined && toHex(opened).startsWith(toHex(packet));
}

function respondTo(responder: FlashProfile, certificate: Uint8Array, skic: Uint8Array): ResponderKeying | undefined {
  return finish(responder, responder.respond(responder.parseCertificate(certificate)!, skic));
}

describe("a handshake", () => {
  const kinds = ["ephemeral", "static"] as const;
  type Kind = (typeof kinds)[number];

  /** Keys both ends in every group, with each provider at the responder. */
  function keysEveryGroup(near: CryptoProvider, initiatorKind: Kind, responderKind: Kind): void {
    for (const far of providers) {
      for (const group of [2, 5, 14, 16, 31]) {
        const initiator = createFlashProfile({ provider: near, identity: { keys: initiatorKind, groups: [group] } });
        const responder = createFlashProfile({ provider: far, identity: { keys: responderKind, groups: [group] } });
        const { initiatorKeys, responderKeys } = handshake(initiator, responder)!;
        expect(toHex(initiatorKeys.nearNonce)).toBe(toHex(responderKeys.farNonce));
        expect(toHex(initiatorKeys.farNonce)).toBe(toHex(responderKeys.nearNonce));
        expect(initiatorKeys.nearNonce.length).toBe(32);
        expect(toHex(initiatorKeys.nearNonce)).not.toBe(toHex(initiatorKeys.farNonce));
        expect(reaches(initiatorKeys, responderKeys) && reaches(responderKeys, initiatorKeys)).toBe(true);
        expect(responderKeys.description).toMatchObject({ group, legacy: group === 2, nearHmac: 16, farHmac: 16 });
      }
    }
  }

  for (const near of providers) {
    it(
      ...rfc("R7425-4.6.1.1-01", "R7425-4.6.5-01", "R7425-4.2-01", "R7425-4.2-02"),
      `between ephemeral ends keys every group, initiator by ${near.name}`,
      () => keysEveryGroup(near, "ephemeral", "ephemeral"),
    );
    it(
      ...rfc("R7425-4.6.1.2-01", "AMB-69"),
      `from ephemeral to static keys every group, initiator by ${near.name}`,
      () => keysEveryGroup(near, "ephemeral", "static"),
    );
    it(...rfc("R7425-4.6.1.3-01"), `from static to ephemeral keys every group, initiator by ${near.name}`, () =>
      keysEveryGroup(near, "static", "ephemeral"),
    );
    it(...rfc("R7425-4.6.1.4-01", "AMB-69"), `between static ends keys every group, initiator by ${near.name}`, () =>
      keysEveryGroup(near, "static", "static"),
    );
  }

  it("gives other keys each time", () => {
    for (const keys of kinds) {
      const [initiator, responder] = [profile({ keys }), profile({ keys })];
      const nonces = [1, 2].map(() => toHex(handshake(initiator, responder)!.initiatorKeys.nearNonce));
      expect(nonces[0]).not.toBe(nonces[1]);
    }
  });

  it(
    ...rfc("R7425-4.3.4-02"),
    "with a copied certificate, without its private key, gives keys that open nothing",
    () => {
      const owner = profile({ keys: "static", groups: [31] });
      const thief = profile({ keys: "static", groups: [31] });
      const forged = createFlashProfile({
        identity: { certificate: owner.certificate, staticKeys: thief.identity.staticKeys },
      });
      const outcome = handshake(profile({ keys: "static", groups: [31] }), forged)!;
      expect(reaches(outcome.initiatorKeys, outcome.responderKeys)).toBe(false);
      expect(reaches(outcome.responderKeys, outcome.initiatorKeys)).toBe(false);
    },
  );

  it("runs its jobs as plain data on another thread's provider", () => {
    const initiator = profile({ keys: "ephemeral" });
    const responder = profile({ keys: "ephemeral" });
    const run = (job: Parameters<typeof runPublicKeyJob>[2] | undefined) =>
      structuredClone(runPublicKeyJob(nobleProvider, nobleProvider.randomBytes, structuredClone(job!)));
    const initiate = initiator.initiate(initiator.parseCertificate(responder.certificate)!)!;
    const initiation = initiate.finish(run(initiate.job))!;
    const respond = responder.respond(responder.parseCertificate(initiator.certificate)!, initiation.skic)!;
    const response = respond.finish(run(respond.job))!;
    const complete = initiation.complete(response.skrc)!;
    const keys = complete.finish(run(complete.job))!;
    expect(reaches(keys, response.keys)).toBe(true);
    expect([initiate.finish({}), respond.finish({}), complete.finish({})]).toEqual([undefined, undefined, undefined]);
  });

  it("gives an empty result for a job that makes no sense", () => {
    const one = new Uint8Array(32).fill(9);
    const jobs = [{}, { kind: "agree" }, { kind: "generate", group: 99 }, { kind: "generateAndAgree", group: 31 }];
    for (const job of [
      ...jobs,
      agreeJob(2, one, one.subarray(0, 2)),
      agreeJob(31, one, new Uint8Array(32)),
      { kind: "x", group: 2 },
    ]) {
      expect(runPublicKeyJob(nodeProvider, nodeProvider.randomBytes, job)).toEqual({});
    }
  });
});

describe("negotiation", () => {
  /** Whether an end with the first setting sends to one with the second, in either role. */
  const sent = (near: ProtectionSetting, far: ProtectionSetting): boolean =>
    near === "require" || ((near === "accept" || near === "request") && (far === "request" || far === "require"));

  it(
    ...rfc("R7425-4.6.4-02", "R7425-4.6.4-03", "R7425-4.6.4-06", "R7425-4.6.6-05", "R7425-4.6.6-06"),
    "of all 16 pairs of settings, HMAC and sequence numbers apart, ends alike at both ends",
    () => {
      for (const near of settings) {
        for (const far of settings) {
          for (const kind of ["hmac", "sequence"] as const) {
            const groups = { keys: "ephemeral", groups: [31] } as const;
            const other = kind === "hmac" ? ({ sequence: "none" } as const) : ({ hmac: "none" } as const);
            const outcome = handshake(
              profile(groups, { [kind]: near, ...other }),
              profile(groups, { [kind]: far, ...other }),
            );
            const refused = (near === "none" && far === "require") || (near === "require" && far === "none");
            expect(outcome === undefined, `${kind} ${near} and ${far}`).toBe(refused);
            if (outcome === undefined) continue;
            const { initiatorKeys, responderKeys } = outcome;
            const description = initiatorKeys.description;
            const nearSends = kind === "hmac" ? description["nearHmac"] === 16 : description["nearSequence"];
            const farSends = kind === "hmac" ? description["farHmac"] === 16 : description["farSequence"];
            // A responder asks only an initiator that asks or sends by itself.
            const asked = far === "require" || (far === "request" && (near === "request" || near === "require"));
            expect(nearSends, `${kind} ${near} to ${far}`).toBe(sent(near, asked ? far : "none"));
            expect(farSends, `${kind} ${far} to ${near}`).toBe(sent(far, near));
            expect(responderKeys.farHmac).toBe(kind === "hmac" && nearSends === true);
            expect(responderKeys.description["farSequence"]).toBe(initiatorKeys.description["nearSequence"]);
            expect(reaches(initiatorKeys, responderKeys) && reaches(responderKeys, initiatorKeys)).toBe(true);
          }
        }
      }
    },
  );

  it(...rfc("R7425-4.6.4-06", "R7425-4.7.3.2-02"), "may protect one direction only", () => {
    const groups = { keys: "ephemeral", groups: [31] } as const;
    const outcome = handshake(
      profile(groups, { hmac: "accept" }),
      profile(groups, { hmac: "require", hmacLength: 32 }),
    )!;
    expect(outcome.initiatorKeys.description).toMatchObject({ nearHmac: 16, farHmac: 32 });
    expect(reaches(outcome.responderKeys, outcome.initiatorKeys)).toBe(true);
    const half = handshake(profile(groups, { hmac: "request" }), profile(groups, { hmac: "accept", hmacLength: 4 }))!;
    expect(half.initiatorKeys.description).toMatchObject({ nearHmac: 0, farHmac: 4 });
    expect(half.initiatorKeys.farHmac).toBe(true);
    expect(half.responderKeys.farHmac).toBe(false);
    expect(reaches(half.initiatorKeys, half.responderKeys) && reaches(half.responderKeys, half.initiatorKeys)).toBe(
      true,
    );
  });

  it(
    ...rfc("R7425-4.6.4-04", "R7425-4.6.6-07", "R7425-4.5.2.4-03", "R7425-4.5.2.5-02", "AMB-70", "AMB-49"),
    "refuses a component without send flags only when that protection is required",
    () => {
      const far = profile({ keys: "static", groups: [2] });
      const keys = { groupSelect: 2, randomness: new Uint8Array(64) };
      const bare = fromHex(`021d02410e${"00".repeat(64)}`);
      const hmacOnly = buildInitiatorComponent(keys, { hmacFlags: 2, hmacLength: 16, sequenceFlags: 1 });
      const sequenceOnly = buildInitiatorComponent(keys, { hmacFlags: 1, hmacLength: 0, sequenceFlags: 4 });
      for (const setting of settings) {
        const strict = setting === "require";
        const groups = { keys: "ephemeral", groups: [2] } as const;
        const hmac = profile(groups, { hmac: setting, sequence: "none" });
        const sequence = profile(groups, { sequence: setting, hmac: "none" });
        expect(respondTo(hmac, far.certificate, bare) === undefined).toBe(strict);
        expect(respondTo(sequence, far.certificate, bare) === undefined).toBe(strict);
        expect(respondTo(hmac, far.certificate, hmacOnly)).toBeDefined();
        expect(respondTo(hmac, far.certificate, sequenceOnly) === undefined).toBe(strict);
        expect(respondTo(sequence, far.certificate, sequenceOnly)).toBeDefined();
        expect(respondTo(sequence, far.certificate, hmacOnly) === undefined).toBe(strict);
      }
    },
  );

  it(...rfc("R7425-4.5.2.4-02", "AMB-50"), "refuses HMAC lengths that do not fit their flags", () => {
    for (const [flags, length, fit] of [
      [2, 0, false],
      [4, 0, false],
      [6, 3, false],
      [2, 1, false],
      [2, 4, true],
      [4, 32, true],
      [6, 33, false],
      [2, 128, false],
      [1, 0, true],
      [0, 0, true],
      [1, 16, false],
    ] as const) {
      const component = buildInitiatorComponent({}, { hmacFlags: flags, hmacLength: length, sequenceFlags: 0 });
      expect(parseComponent(component) !== undefined, `flags ${flags}, length ${length}`).toBe(fit);
    }
  });

  it(
    ...rfc("R7425-3-02", "R7425-3-03", "R7425-4.5.2.4-01", "R7425-4.5.2.5-01"),
    "ignores reserved bits, and sends none",
    () => {
      const far = profile({ keys: "static", groups: [2] });
      const skic = fromHex(`021d02410e${"00".repeat(64)}031afb10021efb`);
      const response = respondTo(profile({ keys: "ephemeral", groups: [2] }), far.certificate, skic)!;
      expect(toHex(response.skrc)).toMatch(/^031a0310021e03/);
      expect(response.keys.description).toMatchObject({
        nearHmac: 16,
        farHmac: 16,
        nearSequence: true,
        farSequence: true,
      });
      const silent = fromHex(`021d02410e${"00".repeat(64)}031af800021ef8`);
      const { description } = respondTo(profile({ keys: "ephemeral", groups: [2] }), far.certificate, silent)!.keys;
      expect(description).toMatchObject({ nearHmac: 0, farHmac: 0, nearSequence: false, farSequence: false });
    },
  );

  it("asks back of an initiator that sends by itself without asking", () => {
    const far = profile(LEGACY_IDENTITY);
    const skic = fromHex(`021d02410e${"00".repeat(64)}031a0410021e04`);
    const response = respondTo(profile({ keys: "ephemeral", groups: [2] }), far.certificate, skic)!;
    expect(toHex(response.skrc)).toMatch(/^031a0310021e03/);
    const { description } = response.keys;
    expect(description).toMatchObject({ nearHmac: 0, farHmac: 16, nearSequence: false, farSequence: true });
  });
});

describe("components", () => {
  it(
    ...rfc("R7425-4.5.1-01", "R7425-4.5.2-01", "R7425-4.5.2.2-01", "R7425-4.5.2.2-02"),
    "of our initiators read as old stacks expect",
    () => {
      const responder = profile(SERVER_IDENTITY);
      for (const [identity, pattern] of [
        [LEGACY_IDENTITY, /^021d02410e[0-9a-f]{128}031a0310021e03$/],
        [{ keys: "static" }, /^021d1f410e[0-9a-f]{128}031a0310021e03$/],
        [{ keys: "ephemeral", groups: [2] }, /^81020d02[0-9a-f]{256}031a0310021e03$/],
        [{ keys: "ephemeral", groups: [14] }, /^82020d0e[0-9a-f]{512}031a0310021e03$/],
        [{ keys: "ephemeral" }, /^220d1f[0-9a-f]{64}031a0310021e03$/],
      ] as const) {
        expect(toHex(handshake(profile(identity), responder)!.initiation.skic)).toMatch(pattern);
      }
    },
  );

  it(
    ...rfc("R7425-4.5.2.4-01", "R7425-4.5.2.5-01"),
    "name each flag by its bit: send always 4, send on request 2, request 1",
    () => {
      for (const [setting, flags] of [
        ["none", "0000021e00"],
        ["accept", "0210021e02"],
        ["request", "0310021e03"],
        ["require", "0710021e07"],
      ] as const) {
        const initiator = profile({ keys: "static" }, { hmac: setting, hmacLength: 16, sequence: setting });
        const skic = toHex(handshake(initiator, profile(SERVER_IDENTITY))!.initiation.skic);
        expect(skic.slice(skic.lastIndexOf("031a") + 4)).toBe(flags);
      }
    },
  );

  it("of our responders are byte for byte what old initiators bear", () => {
    const far = profile(LEGACY_IDENTITY);
    const salted = `021d02410e${"ab".repeat(64)}`;
    for (const terms of ["031a020a021e02", "031a0210021e02", "031a0000021e00", ""]) {
      const skic = fromHex(salted + terms);
      const server = respondTo(profile(SERVER_IDENTITY), far.certificate, skic)!;
      expect(toHex(server.skrc)).toMatch(/^031a0000021e0081020d02[0-9a-f]{256}$/);
      const peer = respondTo(profile(LEGACY_IDENTITY), far.certificate, skic)!;
      expect(toHex(peer.skrc)).toMatch(/^031a0000021e00410e[0-9a-f]{128}$/);
      expect(peer.keys.description).toMatchObject({ legacy: true, nearHmac: 0, farHmac: 0, farSequence: false });
    }
  });

  it(
    ...rfc("R7425-4.5.2-02", "R7425-4.6-01"),
    "may hold unknown options and Markers, whose bytes enter the keys",
    () => {
      const responder = profile({ keys: "ephemeral", groups: [31] });
      const far = profile({ keys: "ephemeral", groups: [31] });
      const own = generateKeyPair(nodeProvider, 31, nodeProvider.randomBytes);
      const skic = concatBytes(fromHex("0355aabb00"), buildInitiatorComponent({ ephemeral: own }, noTerms));
      const response = respondTo(responder, far.certificate, skic)!;
      const farKey = parseComponent(response.skrc)!.ephemeral!.publicKey;
      const dhSecret = agree(nodeProvider, 31, own.privateKey, farKey)!;
      const keys = deriveSessionKeys(nodeProvider, { dhSecret, nearComponent: skic, farComponent: response.skrc });
      expect(toHex(keys.nearNonce)).toBe(toHex(response.keys.farNonce));
      expect(toHex(keys.farNonce)).toBe(toHex(response.keys.nearNonce));
      const cipher = createSessionCipher(nodeProvider, keys);
      expect(toHex(response.keys.cipher.open(seal(cipher, packet)) ?? packet.slice(0, 0))).toContain(toHex(packet));
    },
  );

  it(...rfc("R7425-4.5.2.1-01", "R7425-4.5.2.3-01"), "parse to what they were built from", () => {
    const publicKey = Uint8Array.from({ length: 32 }, (_, i) => i);
    const built = buildInitiatorComponent({ ephemeral: { group: 31, publicKey } }, { ...noTerms, sequenceFlags: 7 });
    expect(parseComponent(built)).toEqual({
      ...noTerms,
      sequenceFlags: 7,
      ephemeral: { group: 31, publicKey },
      groupSelect: undefined,
    });
    expect(toHex(built).startsWith(`220d1f${toHex(publicKey)}`)).toBe(true);
    expect(parseComponent(fromHex("021d0e"))).toEqual({ ...noTerms, ephemeral: undefined, groupSelect: 14 });
  });

  it(
    ...rfc("R7425-4.5.2.1-01", "R7425-4.5.2.3-01", "R7425-4.5.2.3-04"),
    "have group numbers of any size, and one group at most is selected",
    () => {
      const publicKey = Uint8Array.of(0xaa);
      expect(parseComponent(fromHex("040d822caa"))?.ephemeral).toEqual({ group: 300, publicKey });
      expect(parseComponent(fromHex("031d822c"))?.groupSelect).toBe(300);
      const built = [{ ephemeral: { group: 300, publicKey } }, { groupSelect: 300 }].map((keys) =>
        toHex(buildInitiatorComponent(keys, noTerms)),
      );
      expect(built).toEqual(["040d822caa031a0000021e00", "031d822c031a0000021e00"]);
    },
  );

  it(
    ...rfc("R7425-4.5.2.1-04", "R7425-4.5.2.3-04", "AMB-48", "R7425-3-04"),
    "are malformed if doubled, empty or cut off",
    () => {
      for (const twice of ["021d02021d02", "030d02aa030d02aa", "031a0000031a0000", "021e00021e00"]) {
        expect(parseComponent(fromHex(twice))).toBeUndefined();
      }
      for (const short of ["011d", "010d", "011a", "021a02", "011e", "021d81", "81", "031d"]) {
        expect(parseComponent(fromHex(short)), short).toBeUndefined();
      }
      expect(parseComponent(fromHex("020eaa020ebb00"))).toEqual({
        ...noTerms,
        ephemeral: undefined,
        groupSelect: undefined,
      });
    },
  );
});

describe("choosing a group", () => {
  const chosen = (near: readonly number[], far: readonly number[], groups?: readonly number[]): unknown =>
    handshake(
      profile({ keys: "ephemeral", groups: near }, groups && { groups }),
      profile({ keys: "ephemeral", groups: far }),
    )?.initiatorKeys.description["group"];

  it(...rfc("AMB-51"), "prefers 31, 14, 16, 5, 2 among what both support, or what the settings say", () => {
    expect(chosen([2, 5, 16, 14, 31], [31, 2, 5, 14, 16])).toBe(31);
    expect(chosen([2, 5, 16, 14], [31, 2, 5, 14, 16])).toBe(14);
    expect(chosen([2, 5, 16], [31, 2, 5, 14, 16])).toBe(16);
    expect(chosen([2, 5], [5, 2])).toBe(5);
    expect(chosen([2, 5], [16, 2])).toBe(2);
    expect(chosen([2, 5], [14, 31])).toBeUndefined();
    expect(chosen([2, 5, 14], [2, 5, 14], [5, 2])).toBe(5);
  });

  it(...rfc("R7425-4.2-03"), "passes over groups it does not know", () => {
    const near = profile({ keys: "ephemeral" });
    const far = near.parseCertificate(fromHex("02156302150f02150e"))!;
    expect(near.initiate(far)?.job).toMatchObject({ group: 14 });
    expect(near.initiate(near.parseCertificate(fromHex("02156302150f"))!)).toBeUndefined();
  });

  it(...rfc("AMB-51"), "a responder ignores a group that it lacks or that is switched off", () => {
    const far = profile({ keys: "ephemeral" });
    const skic = (group: number): Uint8Array =>
      buildInitiatorComponent({ ephemeral: generateKeyPair(nodeProvider, group, nodeProvider.randomBytes) }, noTerms);
    expect(respondTo(profile({ keys: "ephemeral", groups: [2, 14] }), far.certificate, skic(5))).toBeUndefined();
    const strict = profile({ keys: "ephemeral" }, { groups: [31, 14] });
    expect(respondTo(strict, far.certificate, skic(2))).toBeUndefined();
    expect(respondTo(strict, far.certificate, skic(14))).toBeDefined();
    expect(respondTo(strict, far.certificate, fromHex("220d0f".concat("a5".repeat(32))))).toBeUndefined();
  });
});

describe("an initiator's component", () => {
  it(
    ...rfc("R7425-4.5.2.3-02", "R7425-4.5.2.3-03", "R7425-4.5.2.1-03", "R7425-4.6.1.3-01", "R7425-4.6.1.4-01"),
    "names a group if its certificate has a static key, and brings a key of its own if not",
    () => {
      const own = {
        ephemeral: profile({ keys: "ephemeral", groups: [14] }),
        fixed: profile({ keys: "static", groups: [14] }),
      };
      for (const far of Object.values(own)) {
        const sent = (near: FlashProfile): ReturnType<typeof parseComponent> =>
          parseComponent(finish(near, near.initiate(near.parseCertificate(far.certificate)!))!.skic);
        expect(sent(own.fixed)).toMatchObject({ groupSelect: 14, ephemeral: undefined });
        expect(sent(own.ephemeral)).toMatchObject({ groupSelect: undefined, ephemeral: { group: 14 } });
      }
    },
  );
});

it(
  ...rfc("R7425-4.6.1.2-01", "R7425-4.6.1.3-01", "R7425-4.6.1.4-01"),
  "an end with static keys brings randomness to each session, in place of a key",
  () => {
    const randomness = "410e([0-9a-f]{128})";
    const fixed = profile({ keys: "static", groups: [14] });
    const seen = new Set<string>();
    for (const initiator of [fixed, fixed, profile({ keys: "ephemeral", groups: [14] })]) {
      const { skic } = finish(initiator, initiator.initiate(initiator.parseCertificate(fixed.certificate)!))!;
      const { skrc } = respondTo(fixed, initiator.certificate, skic)!;
      const sent = [...(initiator === fixed ? [[skic, "021d0e"] as const] : []), [skrc, ""] as const];
      for (const [component, start] of sent) {
        const [, value = ""] = new RegExp(start + randomness).exec(toHex(component)) ?? [];
        expect(value).toMatch(/./);
        expect(seen.has(value)).toBe(false);
        seen.add(value);
        expect(parseComponent(component)?.ephemeral).toBeUndefined();
      }
    }
    expect(seen.size).toBe(5);
    const answer = profile({ keys: "ephemeral", groups: [14] });
    const { skic } = finish(fixed, fixed.initiate(fixed.parseCertificate(answer.certificate)!))!;
    expect(toHex(skic)).toMatch(new RegExp(`^021d0e${randomness}031a`));
    expect(toHex(respondTo(answer, fixed.certificate, skic)!.skrc)).toMatch(/82020d0e[0-9a-f]{512}$/);
  },
);

describe("a component is refused", () => {
  const ephemeral = profile({ keys: "ephemeral", groups: [2, 14] });
  const fixed = profile({ keys: "static", groups: [2, 14] });
  const own = generateKeyPair(nodeProvider, 2, nodeProvider.randomBytes);
  const key = buildInitiatorComponent({ ephemeral: own }, noTerms);
  const select = buildInitiatorComponent({ groupSelect: 2, randomness: new Uint8Array(16) }, noTerms);
  const both = buildInitiatorComponent({ ephemeral: own, groupSelect: 2 }, noTerms);

  it(
    ...rfc("R7425-4.3.4-02", "R7425-4.5.2.1-02", "R7425-4.5.2.3-03"),
    "if its key does not suit its certificate",
    () => {
      for (const responder of [ephemeral, fixed]) {
        expect(respondTo(responder, ephemeral.certificate, key)).toBeDefined();
        expect(respondTo(responder, fixed.certificate, select)).toBeDefined();
        expect(respondTo(responder, fixed.certificate, key)).toBeUndefined();
        expect(respondTo(responder, ephemeral.certificate, select)).toBeUndefined();
        expect(respondTo(responder, ephemeral.certificate, both)).toBeUndefined();
        expect(respondTo(responder, fixed.certificate, both)).toBeUndefined();
        expect(respondTo(responder, fixed.certificate, fromHex("021d05"))).toBeUndefined();
        expect(respondTo(responder, ephemeral.certificate, new Uint8Array(0))).toBeUndefined();
      }
    },
  );

  it(
    ...rfc("R7425-4.3.4-02", "R7425-4.6.1.1-01", "R7425-4.5.2.1-02"),
    "as an answer in another group, without its key, or with one too many",
    () => {
      const initiation = finish(ephemeral, ephemeral.initiate(ephemeral.parseCertificate(ephemeral.certificate)!))!;
      const other = generateKeyPair(nodeProvider, 14, nodeProvider.randomBytes);
      expect(initiation.complete(buildInitiatorComponent({ ephemeral: other }, noTerms))).toBeDefined();
      expect(initiation.complete(key)).toBeUndefined();
      expect(initiation.complete(fromHex("110e".concat("00".repeat(16))))).toBeUndefined();
      const toFixed = finish(ephemeral, ephemeral.initiate(ephemeral.parseCertificate(fixed.certificate)!))!;
      expect(toFixed.complete(fromHex("110e".concat("00".repeat(16))))).toBeDefined();
      expect(toFixed.complete(buildInitiatorComponent({ ephemeral: other }, noTerms))).toBeUndefined();
    },
  );

  it(...rfc("R7425-4.6.2-02"), "if the far key is unacceptable, wherever it stands", () => {
    const { prime } = modpGroup(2)!;
    const bad = [0n, 1n, 2n ** 24n - 1n, 2n ** 100n, prime - 1n, prime - 2n ** 24n + 1n, prime].map((value) =>
      fromHex(value.toString(16).padStart(256, "0")),
    );
    const initiation = finish(ephemeral, ephemeral.initiate(ephemeral.parseCertificate(fromHex("021502"))!))!;
    for (const publicKey of bad) {
      const component = buildInitiatorComponent({ ephemeral: { group: 2, publicKey } }, noTerms);
      // At once: a key that cannot do costs no job.
      const far = ephemeral.parseCertificate(ephemeral.certificate)!;
      expect(ephemeral.respond(far, component)).toBeUndefined();
      expect(fixed.respond(far, component)).toBeUndefined();
      expect(initiation.complete(component)).toBeUndefined();
      const certificate = buildCertificate({ staticKeys: [{ group: 2, publicKey }] });
      expect(respondTo(ephemeral, certificate, select)).toBeUndefined();
      expect(ephemeral.initiate(ephemeral.parseCertificate(certificate)!)).toBeUndefined();
    }
  });

  it(...rfc("AMB-52"), "in group 31 if the secret would be zero", () => {
    const responder = profile({ keys: "ephemeral", groups: [31] });
    const zero = fromHex("220d1f".concat("00".repeat(32)));
    expect(respondTo(responder, responder.certificate, zero)).toBeUndefined();
  });

  it(...rfc("AMB-46"), "if a certificate has both kinds of keys, or none", () => {
    const mixed = concatBytes(fromHex("021502"), fixed.certificate);
    for (const certificate of [mixed, fromHex("010a"), new Uint8Array(0)]) {
      expect(ephemeral.initiate(ephemeral.parseCertificate(certificate)!)).toBeUndefined();
      expect(respondTo(ephemeral, certificate, key)).toBeUndefined();
      expect(respondTo(ephemeral, certificate, select)).toBeUndefined();
    }
  });

  it(
    ...rfc("AMB-47"),
    "but not for a key sent shorter or longer than the group; the keys come from the bytes received",
    () => {
      for (const publicKey of [concatBytes(new Uint8Array(3), own.publicKey)]) {
        const skic = buildInitiatorComponent({ ephemeral: { group: 2, publicKey } }, noTerms);
        const response = respondTo(ephemeral, ephemeral.certificate, skic)!;
        const farKey = parseComponent(response.skrc)!.ephemeral!.publicKey;
        const dhSecret = agree(nodeProvider, 2, own.privateKey, farKey)!;
        const keys = deriveSessionKeys(nodeProvider, { dhSecret, nearComponent: skic, farComponent: response.skrc });
        expect(toHex(keys.nearNonce)).toBe(toHex(response.keys.farNonce));
      }
    },
  );
});

describe("a responder's job", () => {
  it("is marked as costly in group 16 alone, with keys of either kind", () => {
    for (const group of [2, 5, 14, 16, 31]) {
      for (const keys of ["ephemeral", "static"] as const) {
        const near = profile({ keys: "ephemeral", groups: [group] });
        const far = profile({ keys, groups: [group] });
        const step = near.initiate(near.parseCertificate(far.certificate)!)!;
        const { skic } = finish(near, step)!;
        const answer = far.respond(far.parseCertificate(near.certificate)!, skic);
        expect(answer?.job).toBeDefined();
        expect(answer?.costly).toBe(group === 16);
      }
    }
  });
});
