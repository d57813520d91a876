import { afterEach, describe, expect, it } from "vitest";
import { type PeerEndpoint, UdpEndpoint } from "../../src/index.ts";

const open: PeerEndpoint[] = [];

async function flow(options: object): Promise<ReturnType<Awaited<ReturnType<PeerEndpoint["connect"]>>["openFlow"]>> {
  const bob = await UdpEndpoint.open({ host: "127.0.0.1" });
  const alice = await UdpEndpoint.open({ host: "127.0.0.1" });
  open.push(bob, alice);
  return (await alice.connect(bob.address)).openFlow("x", options);
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
});

describe("arguments that plain JavaScript can get wrong", () => {
  it("are refused where they are given: text for bytes", async () => {
    const sender = await flow({});
    expect(() => sender.write("hi" as never)).toThrow("expected bytes, got string");
  });

  it("are refused where they are given: a priority that does not exist", async () => {
    await expect(flow({ priority: "bogus" })).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  });

  it("are refused where they are given: a time below zero", async () => {
    const sender = await flow({});
    expect(() => sender.write(new Uint8Array(1), { finishWithinMs: -1 })).toThrow("expected a time of 0 ms or more");
  });
});
