import type { NetConnection } from "rtmfp-client";
import type { StatusEvent } from "rtmfp-core/tc";
import { type NatKind, SimWorld } from "rtmfp-core/testing";
import { createServer, type LogEntry } from "rtmfp-server";
import { describe, expect } from "vitest";
import { describeCheck } from "../../packages/rtmfp-client/src/cli/check-words.ts";
import { it, rfc } from "../support/rfc.ts";
import { makeClient } from "./support.ts";

type Results = Extract<StatusEvent, { code: "NetConnection.ConnectivityCheck.Results" }>;

const ADDRESSES = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];

/** What a server with so many addresses tells a client behind that NAT, if any; without its address. */
async function check(addresses: number, kind?: NatKind, preservePorts = false, url = "rtmfp://server.test/check") {
  const world = new SimWorld(`${addresses} ${kind}`);
  const hosts = ADDRESSES.slice(0, addresses);
  const host = world.host("server", { addresses: hosts, link: { latencyMs: 10 } });
  for (const name of ["server.test", "cc.rtmfp.net"]) world.name(name, [ADDRESSES[0] as string]);
  const log: LogEntry[] = [];
  const server = createServer({
    carrier: () => host.open(hosts.map((each) => ({ host: each, port: 1935 }))),
    checkCarrier: () => host.open(hosts.flatMap((each) => [1936, 1937].map((port) => ({ host: each, port })))),
    random: (n) => host.random(n),
    keys: ["secret"],
    log: (entry) => void log.push(entry),
  });
  await world.settle(server.listen(), 1_000);
  const nat = kind === undefined ? undefined : world.nat("nat", { kind, preservePorts });
  const { nc } = makeClient(world, "client", nat);
  const told = results(nc);
  await world.settle(nc.connect(url), 30_000);
  const { code: _code, level: _level, description, publicAddress, ...fields } = await world.settle(told, 30_000);
  await world.runAsync(1_000);
  expect(nc.connected).toBe(false);
  const outer = nat?.addresses[0] ?? "198.18.0.";
  expect(publicAddress).toContain(outer);
  const lines = log.filter(({ event }) => event === "check");
  expect(lines).toMatchObject([{ level: "info", fields: { address: publicAddress } }]);
  return { fields, description: description ?? "", words: describeCheck({ publicAddress: "here", ...fields }) };
}

function results(nc: NetConnection): Promise<Results> {
  return new Promise((resolve) => {
    nc.on("status", (event) => {
      if (event.code === "NetConnection.ConnectivityCheck.Results") resolve(event as Results);
    });
  });
}

describe("the connectivity check", () => {
  it(...rfc("C-9"), "finds out all by three addresses, and the server then closes the connection", async () => {
    const kinds: readonly [NatKind | undefined, boolean, boolean, boolean, RegExp][] = [
      // Hears another port, hears another address, keeps its port after an introduction.
      [undefined, true, true, true, /directly/],
      ["full-cone", true, true, true, /after an introduction/],
      ["restricted-cone", true, false, true, /after an introduction/],
      ["port-restricted-cone", false, false, true, /after an introduction/],
      ["symmetric", false, false, false, /symmetric NAT/],
    ];
    for (const [kind, otherPort, otherAddress, samePort, verdict] of kinds) {
      const { fields, description, words } = await check(3, kind);
      expect([kind, fields]).toEqual([
        kind,
        {
          publicAddressIsLocal: kind === undefined,
          publicPortMatchesLocalPort: kind === undefined,
          receiveSameAddressDifferentPortAllowed: otherPort,
          receiveDifferentAddressDifferentPortAllowed: otherAddress,
          sendAfterIntroductionAllowed: true,
          sendAfterIntroductionPreservesSourceAddress: true,
          sendAfterIntroductionPreservesSourcePort: samePort,
        },
      ]);
      expect(description).toBe("Connectivity check results.");
      expect(words).toHaveLength(5);
      expect(words.join("\n")).not.toContain("not tested");
      expect(words.at(-1)).toMatch(verdict);
    }
  });

  it(...rfc("C-9"), "says what two addresses cannot show", async () => {
    for (const kind of ["port-restricted-cone", "symmetric"] as const) {
      const { fields, description } = await check(2, kind);
      expect(fields).toMatchObject({
        sendAfterIntroductionAllowed: true,
        sendAfterIntroductionPreservesSourcePort: kind !== "symmetric",
      });
      expect(fields).not.toHaveProperty("receiveDifferentAddressDifferentPortAllowed");
      expect(description).toMatch(/not known: receiveDifferentAddressDifferentPortAllowed\.$/);
    }
  });

  it(...rfc("C-9"), "proves with one address that a NAT is symmetric, and never that it is not", async () => {
    const { fields: cone, description, words } = await check(1, "port-restricted-cone", true);
    expect(cone).toEqual({
      publicAddressIsLocal: false,
      publicPortMatchesLocalPort: true,
      receiveSameAddressDifferentPortAllowed: false,
    });
    expect(description).toContain("sendAfterIntroductionAllowed");
    expect(words.join("\n")).toMatch(/keeps your port[\s\S]*not tested[\s\S]*probably/);
    const { fields: symmetric, words: others } = await check(1, "symmetric");
    expect(symmetric).toMatchObject({ sendAfterIntroductionPreservesSourcePort: false });
    expect(symmetric).not.toHaveProperty("sendAfterIntroductionAllowed");
    expect(others.at(-1)).toMatch(/symmetric NAT/);
  });

  it(...rfc("C-9", "O-1"), "answers programs that ask Adobe's host, whatever keys the server takes", async () => {
    const { fields } = await check(3, "full-cone", false, "rtmfp://cc.rtmfp.net/");
    expect(fields).toMatchObject({ receiveSameAddressDifferentPortAllowed: true });
  });
});
