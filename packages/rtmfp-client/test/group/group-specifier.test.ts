import { parseGroupspec } from "rtmfp-core/group";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { GroupSpecifier } from "../../src/index.ts";

const PEER = "ed".repeat(32);

/** What is said when `make` is done. */
function refusal(make: () => unknown): unknown {
  try {
    make();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("GroupSpecifier", () => {
  it(...rfc("G-7", "C-8"), "makes the groupspecs of live groups", () => {
    const test = new GroupSpecifier("test");
    test.multicastEnabled = true;
    test.postingEnabled = true;
    test.serverChannelEnabled = true;
    test.ipMulticastMemberUpdatesEnabled = true;
    expect(test.toString()).toBe("G:027f0201010103010c050e74657374011b00");
    test.routingEnabled = true;
    expect(test.toString()).toBe("G:027f02010001010103010c050e74657374011b00");
    const old = new GroupSpecifier("orf2");
    old.minGroupspecVersion = 1;
    old.multicastEnabled = true;
    old.serverChannelEnabled = true;
    expect(old.groupspecWithAuthorizations()).toBe("G:0101010c050e6f72663200");
    expect([GroupSpecifier.maxSupportedGroupspecVersion, test.minGroupspecVersion]).toEqual([2, 2]);
  });

  it(...rfc("G-7", "B-2"), "makes the group of a BitTube channel", () => {
    const channel = new GroupSpecifier("bittube.vanderbilt.edu/one");
    for (const name of ["posting", "routing", "multicast", "objectReplication", "serverChannel"] as const)
      channel[`${name}Enabled`] = true;
    expect(parseGroupspec(channel.groupspecWithAuthorizations())).toMatchObject({
      version: 2,
      name: "bittube.vanderbilt.edu/one",
      postingEnabled: true,
      routingEnabled: true,
      multicastEnabled: true,
      objectReplicationEnabled: true,
      serverChannelEnabled: true,
      peerToPeerDisabled: false,
      ipMulticastMemberUpdatesEnabled: false,
      publishPassword: undefined,
      postingPassword: undefined,
    });
  });

  it(...rfc("G-7"), "keeps the passwords out of the text for everybody, and gives them as text to append", () => {
    const spec = new GroupSpecifier("n");
    spec.minGroupspecVersion = 1;
    spec.setPublishPassword("pub");
    spec.setPostingPassword("post", "salty");
    spec.addBootstrapPeer(PEER.toUpperCase());
    spec.addIPMulticastAddress("224.0.0.254:30000");
    const everybody = spec.groupspecWithoutAuthorizations();
    expect(spec.authorizations()).toBe("04157075620517706f7374");
    expect(spec.groupspecWithAuthorizations()).toBe(everybody + spec.authorizations());
    expect(spec.toString()).toBe(spec.groupspecWithAuthorizations());
    expect(everybody.endsWith(`020e6e00070ae00000fe7530210b${PEER}`)).toBe(true);
    expect(parseGroupspec(everybody)).toMatchObject({ publishAuthorization: undefined, bootstrapPeers: [PEER] });
    const { publishPassword, postingPassword } = parseGroupspec(everybody);
    expect([publishPassword?.length, postingPassword?.length]).toEqual([32, 5 + 32]);
    expect(parseGroupspec(spec.toString())).toMatchObject({
      publishAuthorization: "pub",
      postingAuthorization: "post",
    });
    spec.setPublishPassword();
    spec.setPostingPassword(null);
    expect([spec.authorizations(), parseGroupspec(spec.toString()).publishPassword]).toEqual(["", undefined]);
  });

  it(...rfc("G-7"), "encodes what may be appended to a groupspec", () => {
    const plain = new GroupSpecifier("n").toString();
    expect(GroupSpecifier.encodePublishAuthorization("pw")).toBe("03157077");
    expect(GroupSpecifier.encodePostingAuthorization("pw")).toBe("03177077");
    expect(GroupSpecifier.encodeBootstrapPeerIDSpec(PEER)).toBe(`210b${PEER}`);
    expect(GroupSpecifier.encodeIPMulticastAddressSpec("224.0.0.9", 1935)).toBe("070ae0000009078f");
    expect(GroupSpecifier.encodeIPMulticastAddressSpec("224.0.0.9:1935")).toBe("070ae0000009078f");
    const ssm = "230aff3e00000000000000000000000000010 78f20010db8000000000000000000000005".replace(" ", "");
    expect(GroupSpecifier.encodeIPMulticastAddressSpec("ff3e::1", 1935, "2001:db8::5")).toBe(ssm);
    expect(GroupSpecifier.encodeIPMulticastAddressSpec("[ff3e::1]:1935", null, "2001:db8::5")).toBe(ssm);
    expect(GroupSpecifier.encodeIPMulticastAddressSpec("[ff3e::1]", "1935", "2001:db8::5")).toBe(ssm);
    expect(parseGroupspec(plain + ssm).ipMulticastAddresses).toEqual([
      { host: "ff3e::1", port: 1935, source: "2001:db8::5" },
    ]);
  });

  it(...rfc("G-7"), "makes another group of the same name each time", () => {
    const texts = [1, 2].map(() => {
      const spec = new GroupSpecifier("n");
      spec.makeUnique();
      return spec.toString();
    });
    expect(texts[0]).not.toBe(texts[1]);
    for (const text of texts) expect(parseGroupspec(text).uniqueTag).toHaveLength(32);
  });

  it("says in one line what is wrong with what it is given", () => {
    const spec = new GroupSpecifier("n");
    const cases: [unknown, RegExp][] = [
      [refusal(() => new GroupSpecifier("")), /expected the name of a group, got ""/],
      [refusal(() => new GroupSpecifier(null as never)), /got null/],
      [refusal(() => new GroupSpecifier(undefined as never)), /got undefined/],
      [refusal(() => Object.assign(spec, { minGroupspecVersion: 3 })), /minGroupspecVersion: expected 1 or 2, got 3/],
      [refusal(() => spec.setPublishPassword("")), /setPublishPassword: expected a password, got ""/],
      [refusal(() => spec.setPostingPassword("pw", 7 as never)), /setPostingPassword: expected text as salt, got 7/],
      [refusal(() => spec.addBootstrapPeer("ed")), /expected a peer ID of 64 hex digits, got "ed"/],
      [refusal(() => spec.addIPMulticastAddress("224.0.0.254")), /expected an address and port as in .*"224.0.0.254"/],
      [refusal(() => spec.addIPMulticastAddress("224.0.0.254", 70_000)), /got "224.0.0.254" and "70000"/],
      [refusal(() => spec.addIPMulticastAddress("224.0.0.254:1", 2)), /got "224.0.0.254:1" and "2"/],
      [refusal(() => spec.addIPMulticastAddress("192.0.2.1:30000")), /192.0.2.1 is no IP multicast address/],
      [refusal(() => spec.addIPMulticastAddress("[2001:db8::1]:30000")), /2001:db8::1 is no IP multicast address/],
      [
        refusal(() => spec.addIPMulticastAddress("224.0.0.254:1", null, "::1")),
        /same version as 224.0.0.254, got "::1"/,
      ],
      [refusal(() => GroupSpecifier.encodePostingAuthorization(null as never)), /expected a password, got null/],
    ];
    for (const [error, line] of cases) {
      expect(error).toMatchObject({ code: "BAD_ARGUMENT", message: expect.stringMatching(line) });
    }
  });
});
