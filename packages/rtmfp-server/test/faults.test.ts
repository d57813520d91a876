import type { TraceRecord } from "rtmfp-core";
import { ChunkType, decodePacket } from "rtmfp-core/proto";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { SimServer } from "./support/sim.ts";

describe("a client that is killed", () => {
  it(...rfc("C-6", "O-2"), "is missed in time, its stream ends, and nobody else notices", async () => {
    const sim = await new SimServer().listen();
    const [victim, viewer, other] = [await sim.connect(), await sim.connect(), await sim.connect()];
    await sim.run(victim.publish("cam"));
    await sim.run(viewer.play("cam"));
    const id = await sim.run(other.publish("other"));
    sim.hosts[0]?.freeze(10 * 60_000);
    await sim.pass(5 * 60_000);
    const notice = await sim.run(viewer.status("NetStream.Play.UnpublishNotify"));
    expect(notice).toMatchObject({ reason: "lost", description: "cam is now unpublished: its publisher is lost." });
    expect(sim.logged("disconnect")).toEqual([{ client: `${victim.peerId.slice(0, 8)}…`, reason: expect.any(String) }]);
    expect(sim.server.stats).toMatchObject({ clients: 2, sessions: 2 });
    expect(other.codes).not.toContain("NetConnection.Connect.Closed");
    other.media(id, "audio", 0, [0x2f, 1]);
    expect((await sim.run(other.call("createStream"))).name).toBe("_result");
    // Its ID leads nowhere now, and whoever asks for it is told why.
    const asked = viewer.endpoint.connect({ peerId: victim.peerId, via: [viewer.session] }, { timeoutMs: 1_000 });
    await sim.run(asked.catch(() => {}));
    expect(sim.server.introductions).toMatchObject([{ outcome: "failed", reason: "target-gone" }]);
  });
});

describe("a peer that many ask for", () => {
  it(...rfc("F-12"), "is asked for a sign of life once a second, lest it take that for abuse", async () => {
    let pings = 0;
    let forwarded = 0;
    const trace = ({ direction, packet }: TraceRecord): void => {
      const types = direction === "out" ? (decodePacket(packet)?.chunks ?? []).map((chunk) => chunk?.type) : [];
      pings += types.filter((type) => type === ChunkType.ping).length;
      forwarded += types.filter((type) => type === ChunkType.forwardedIHello).length;
    };
    const sim = await new SimServer({ trace: { trace } }).listen();
    const [bob, asker] = [await sim.connect(), await sim.connect()];
    for (let i = 0; i < 100; i++) {
      const ask = asker.endpoint.connect({ peerId: bob.peerId, via: [asker.session] }, { timeoutMs: 1 });
      await sim.run(ask.catch(() => {}));
    }
    await sim.pass(500);
    expect(forwarded).toBe(100);
    // Both ends are asked, once each.
    expect(pings).toBe(2);
  });
});
