import { describe, expect, vi } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { openUdpCarrier } from "../../src/node/udp-carrier.ts";

vi.mock("node:os", async (original) => {
  const entry = (address: string, internal = false) => ({
    address,
    family: address.includes(":") ? "IPv6" : "IPv4",
    internal,
  });
  return {
    ...(await original<typeof import("node:os")>()),
    networkInterfaces: () => ({
      lo: [entry("127.0.0.1", true), entry("::1", true)],
      eth0: [entry("192.0.2.7"), entry("2001:db8::7"), entry("fe80::7")],
      eth1: [entry("10.0.0.7"), entry("169.254.3.4")],
    }),
  };
});

describe("the addresses by which others may reach a UDP socket", () => {
  it(
    ...rfc("R7425-5.3.3-03", "R7425-5.3.3-04"),
    "are those of all interfaces of its family, but link-local and loopback ones",
    async () => {
      const carrier = await openUdpCarrier([{ host: "0.0.0.0", port: 0 }]);
      const port = carrier.sockets[0]?.address.port;
      expect(carrier.interfaceAddresses()).toEqual([
        { host: "192.0.2.7", port },
        { host: "10.0.0.7", port },
      ]);
      await carrier.close();
    },
  );

  it(...rfc("R7425-5.3.3-04"), "are none for a socket that is bound to loopback", async () => {
    const carrier = await openUdpCarrier([{ host: "127.0.0.1", port: 0 }]);
    expect(carrier.interfaceAddresses()).toEqual([]);
    await carrier.close();
  });
});
