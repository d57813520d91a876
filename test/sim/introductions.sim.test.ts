import { type NetConnection, type NetConnectionOptions, NetStream } from "rtmfp-client";
import { type NatKind, type SimHost, SimWorld } from "rtmfp-core/testing";
import { createServer, type IntroductionRow, type LogEntry, type Server, type ServerOptions } from "rtmfp-server";
import { describe, expect } from "vitest";
import { it, rfc } from "../support/rfc.ts";
import { makeClient, URL } from "./support.ts";

/** A server with probing sockets, and two clients: one that publishes "cam" and one that asks for it. */
class Meeting {
  readonly world: SimWorld;
  readonly log: LogEntry[] = [];
  readonly server: Server;
  publisher!: { nc: NetConnection; host: SimHost };
  viewer!: { nc: NetConnection; host: SimHost };
  cam!: NetStream;

  constructor(seed: number, options: ServerOptions = {}) {
    this.world = new SimWorld(seed);
    const host = this.world.host("server", { addresses: ["198.51.100.1"], link: { latencyMs: 10 } });
    this.world.name("server.test", ["198.51.100.1"]);
    const sockets = (ports: number[]) => host.open(ports.map((port) => ({ host: "198.51.100.1", port })));
    this.server = createServer({
      carrier: () => sockets([1935]),
      checkCarrier: () => sockets([1936, 1937]),
      random: (n) => host.random(n),
      log: (entry) => void this.log.push(entry),
      ...options,
    });
  }

  /** Connects both; each behind a NAT of its kind, or on the internet. */
  async gather(a?: NatKind, b?: NatKind, options: [NetConnectionOptions?, NetConnectionOptions?] = []): Promise<this> {
    const { world } = this;
    await world.settle(this.server.listen(), 1_000);
    const behind = (name: string, kind?: NatKind) => (kind === undefined ? undefined : world.nat(name, { kind }));
    this.publisher = makeClient(world, "publisher", behind("nat-p", a), options[0]);
    this.viewer = makeClient(world, "viewer", behind("nat-v", b), { timeoutMs: 20_000, ...options[1] });
    await world.settle(Promise.all([this.publisher.nc.connect(URL), this.viewer.nc.connect(URL)]), 30_000);
    this.cam = new NetStream(this.publisher.nc, NetStream.DIRECT_CONNECTIONS);
    await world.settle(this.cam.publish("cam"), 1_000);
    return this;
  }

  /** The viewer plays, from the publisher or another; resolves with "playing" or the code that it failed with. */
  async play(peerId = this.publisher.nc.nearID ?? ""): Promise<string> {
    const view = new NetStream(this.viewer.nc, peerId);
    const outcome = view.play("cam").then(
      () => "playing",
      (error: { code?: string }) => error.code ?? String(error),
    );
    const result = await this.world.settle(outcome, 120_000);
    await this.world.runAsync(3_000);
    return result;
  }

  /** The only row, which the only line of the log agrees with. */
  get row(): IntroductionRow {
    expect(this.server.introductions).toHaveLength(1);
    const [row] = this.server.introductions as [IntroductionRow];
    const lines = this.log.filter(({ event }) => event === "introduction");
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields).toMatchObject({ outcome: row.outcome, requests: row.requests });
    expect(lines[0]?.fields["reason"]).toBe(row.reason);
    expect(lines[0]?.fields["next"]).toBe(row.next);
    expect(this.server.stats.introductions.ended[row.outcome]).toBe(1);
    return row;
  }
}

describe("a server behind a NAT that names its public address", () => {
  it(
    ...rfc("V-5", "F-12"),
    "introduces clients of its own network to those outside, also when its address has changed",
    async () => {
      const world = new SimWorld(7);
      const router = world.nat("router", {
        kind: "full-cone",
        addresses: ["203.0.113.10"],
        preservePorts: true,
        refreshInbound: true,
      });
      const host = world.host("server", { behind: router });
      const inside = host.addresses[0] ?? "";
      world.name("server.lan", [inside]);
      world.name("server.test", ["203.0.113.10"]);
      let carrier: ReturnType<SimHost["open"]>;
      // What a forwarded port does: packets from anywhere come in.
      const forwardPort = (): void => carrier.send(new Uint8Array(1), 0, { host: "198.51.100.9", port: 9 });
      const server = createServer({
        carrier: () => {
          carrier = host.open([{ host: inside, port: 1935 }]);
          forwardPort();
          return carrier;
        },
        random: (n) => host.random(n),
        public: "server.test",
      });
      await world.settle(server.listen(), 1_000);
      const keeper = makeClient(world, "keeper", router);
      const friend = makeClient(world, "friend", world.nat("far", { kind: "port-restricted-cone" }));
      await world.settle(keeper.nc.connect("rtmfp://server.lan/app"), 30_000);
      router.rebind(["203.0.113.77"]);
      forwardPort();
      world.name("server.test", ["203.0.113.77"]);
      await world.runAsync(70_000);
      await world.settle(friend.nc.connect("rtmfp://server.test/app"), 30_000);
      for (const [one, other] of [
        [keeper, friend],
        [friend, keeper],
      ] as const) {
        const cam = new NetStream(one.nc, NetStream.DIRECT_CONNECTIONS);
        await world.settle(cam.publish("cam"), 1_000);
        const view = new NetStream(other.nc, one.nc.nearID ?? "");
        expect((await world.settle(view.play("cam"), 120_000)).code).toBe("NetStream.Play.Start");
        view.close();
        cam.close();
      }
    },
  );
});

describe("an introduction ends as one row and one line of the log", () => {
  it(...rfc("F-12", "C-5"), "when the two meet: who, from where, behind what, and how soon", async () => {
    const meeting = await new Meeting(1).gather("full-cone", undefined);
    expect(await meeting.play()).toBe("playing");
    const { row, publisher, viewer } = meeting;
    expect(row).toMatchObject({ outcome: "connected", reason: undefined, next: undefined, requests: 1 });
    expect(row.asker).toMatchObject({ id: viewer.nc.nearID, behindNat: false, keepsPort: true });
    expect(row.target).toMatchObject({ id: publisher.nc.nearID, behindNat: true, keepsPort: false });
    expect(row.asker.address).toMatch(/^\d+\.\d+\.\d+\.\d+:\d+$/);
    expect(row.tookMs).toBeGreaterThan(50);
    expect(row.tookMs).toBeLessThan(1_000);
  });

  it(...rfc("F-12"), "when both are behind symmetric NATs", async () => {
    const meeting = await new Meeting(2).gather("symmetric", "symmetric");
    expect(await meeting.play()).toBe("NetStream.Connect.Failed");
    expect(meeting.row).toMatchObject({ outcome: "failed", reason: "symmetric-both" });
    expect(meeting.row.requests).toBeGreaterThanOrEqual(4);
    expect(meeting.row.explanation).toMatch(/symmetric/);
    expect(meeting.row.next).toMatch(/through the server/);
    const [line] = meeting.log.filter(({ event }) => event === "introduction");
    expect(line?.fields).toMatchObject({ clientNat: "symmetric", targetNat: "symmetric" });
  });

  it(...rfc("F-12"), "when one NAT is symmetric and the other filters ports", async () => {
    const meeting = await new Meeting(3).gather("port-restricted-cone", "symmetric");
    expect(await meeting.play()).toBe("NetStream.Connect.Failed");
    expect(meeting.row).toMatchObject({
      reason: "symmetric-and-filter",
      asker: { symmetric: true },
      target: { symmetric: false, filtersPorts: true },
    });
  });

  it(...rfc("F-12"), "when no packet passes between two that both reach the server", async () => {
    const meeting = await new Meeting(4).gather("full-cone", "full-cone");
    meeting.world.block([meeting.publisher.host], [meeting.viewer.host]);
    expect(await meeting.play()).toBe("NetStream.Connect.Failed");
    expect(meeting.row).toMatchObject({ reason: "no-udp", asker: { symmetric: false }, target: { symmetric: false } });
    expect(meeting.row.next).toMatch(/rtmfp-client check/);
  });

  it(...rfc("F-12"), "when one NAT hides both and turns nothing back inside", async () => {
    const meeting = new Meeting(5);
    const { world } = meeting;
    await world.settle(meeting.server.listen(), 1_000);
    const nat = world.nat("home", { kind: "full-cone" });
    meeting.publisher = makeClient(world, "publisher", nat);
    meeting.viewer = makeClient(world, "viewer", nat, { timeoutMs: 20_000 });
    await world.settle(Promise.all([meeting.publisher.nc.connect(URL), meeting.viewer.nc.connect(URL)]), 30_000);
    world.block([meeting.publisher.host], [meeting.viewer.host]);
    expect(await meeting.play()).toBe("NetStream.Connect.Failed");
    expect(meeting.row).toMatchObject({ reason: "same-nat", asker: { behindNat: true } });
  });

  it(...rfc("F-12", "C-6"), "when the target has fallen silent, or has never been there", async () => {
    const meeting = await new Meeting(6).gather();
    meeting.publisher.host.freeze(60_000);
    expect(await meeting.play()).toBe("NetStream.Connect.Failed");
    expect(meeting.row).toMatchObject({ outcome: "failed", reason: "target-silent" });
    const other = await new Meeting(7).gather();
    expect(await other.play("ab".repeat(32))).toBe("NetStream.Connect.Failed");
    expect(other.row).toMatchObject({ reason: "target-gone", target: { id: "ab".repeat(32), address: undefined } });
  });

  it(...rfc("F-12", "V-3"), "when the target's user does not consent", async () => {
    const meeting = await new Meeting(8).gather();
    meeting.cam.client = { onPeerConnect: () => false };
    expect(await meeting.play()).toBe("NetStream.Connect.Rejected");
    expect(meeting.row).toMatchObject({ outcome: "refused", reason: "consent" });
  });

  it(...rfc("F-12", "V-8"), "when either end has as many peers as it may", async () => {
    const full = await new Meeting(9).gather();
    full.publisher.nc.maxPeerConnections = 0;
    await full.play();
    expect(full.row).toMatchObject({ outcome: "refused", reason: "limit" });
    const self = await new Meeting(10).gather();
    self.viewer.nc.maxPeerConnections = 0;
    expect(await self.play()).toBe("NetStream.Connect.Failed");
    expect(self.row).toMatchObject({ outcome: "refused", reason: "limit", requests: 0 });
  });

  it(...rfc("F-12"), "when an application forbids it, or too many are asked for", async () => {
    const meeting = new Meeting(11);
    meeting.server.application("app", () => ({ onPeerLookup: () => false }));
    await meeting.gather();
    expect(await meeting.play()).toBe("NetStream.Connect.Failed");
    expect(meeting.row).toMatchObject({ outcome: "failed", reason: "denied" });
    const rates = { perTarget: { perSecond: 0, burst: 0 } };
    const hasty = await new Meeting(12, { introductionRates: rates }).gather();
    expect(await hasty.play()).toBe("NetStream.Connect.Failed");
    expect(hasty.row).toMatchObject({ outcome: "failed", reason: "rate" });
  });
});
