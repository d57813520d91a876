import { describe, expect } from "vitest";
import { it, rfc } from "../../../../../test/support/rfc.ts";
import { parseComponent } from "../../../src/crypto/flash/keying-component.ts";
import { sends } from "../../../src/crypto/flash/negotiation.ts";
import { deriveSessionKeys } from "../../../src/crypto/flash/session-key.ts";
import { fromHex, toHex } from "../../../src/proto/bytes.ts";
import { providers } from "../support.ts";

const dhSecret = fromHex("0123456789");
const skic = fromHex("110e101112131415161718191a1b1c1d1e1f031a020a021e02");
const skrc = fromHex("110e202122232425262728292a2b2c2d2e2f031a0100021e01");

describe("the worked derivation", () => {
  for (const provider of providers) {
    it(
      ...rfc(
        "V2-60",
        "V2-63",
        "V2-64",
        "V2-65",
        "V2-66",
        "V2-67",
        "V2-68",
        "V2-69",
        "R7425-4.6-01",
        "R7425-4.6.3-01",
        "R7425-4.6.3-02",
        "R7425-4.6.4-01",
        "R7425-4.6.5-01",
      ),
      `comes out alike at both ends, by ${provider.name}`,
      () => {
        const initiator = deriveSessionKeys(provider, { dhSecret, nearComponent: skic, farComponent: skrc });
        const responder = deriveSessionKeys(provider, { dhSecret, nearComponent: skrc, farComponent: skic });
        expect(toHex(initiator.encryptKey)).toBe("25664c5f0e4e6ec73ec61f02af94cee5fa5044602751f43936794c082fa0d2dd");
        expect(toHex(initiator.decryptKey)).toBe("7ad1a49f9db265b373774e4f94c116d4147048ec6b83a4136e53d92e251b1f2a");
        expect(toHex(initiator.hmacSendKey)).toBe("c97b962adbbea4eec36faa18705f4ea941cab14ef3018748947b6a35bea88a35");
        expect(toHex(initiator.hmacRecvKey)).toBe("be00a0bcfaadb1f89b9c93ca1612c496e642410fab7406c835f89ff283b41099");
        expect(toHex(initiator.nearNonce)).toBe("3e1b81a53861c94dff8e596b5d53c95fe2185a0d267dc96ed17347c6af2263fa");
        expect(toHex(initiator.farNonce)).toBe("e4c0850350e1eb71654a244fada67e5c247b7c3c6467a9182a367ae53be22740");
        expect(responder).toEqual({
          encryptKey: initiator.decryptKey,
          decryptKey: initiator.encryptKey,
          hmacSendKey: initiator.hmacRecvKey,
          hmacRecvKey: initiator.hmacSendKey,
          nearNonce: initiator.farNonce,
          farNonce: initiator.nearNonce,
        });
      },
    );
  }

  it(
    ...rfc("V2-61", "V2-62", "V2-70"),
    "goes with a negotiation by which only the initiator protects its packets",
    () => {
      const initiator = parseComponent(skic)!;
      const responder = parseComponent(skrc)!;
      expect(initiator).toEqual({
        ephemeral: undefined,
        groupSelect: undefined,
        hmacFlags: 2,
        hmacLength: 10,
        sequenceFlags: 2,
      });
      expect(responder).toEqual({
        ephemeral: undefined,
        groupSelect: undefined,
        hmacFlags: 1,
        hmacLength: 0,
        sequenceFlags: 1,
      });
      expect(sends(initiator.hmacFlags, responder.hmacFlags)).toBe(true);
      expect(sends(initiator.sequenceFlags, responder.sequenceFlags)).toBe(true);
      expect(sends(responder.hmacFlags, initiator.hmacFlags)).toBe(false);
      expect(sends(responder.sequenceFlags, initiator.sequenceFlags)).toBe(false);
    },
  );
});
