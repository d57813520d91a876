import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { GroupSpecifier, NetConnection, NetGroup, NetStream, type StatusEvent } from "../../src/index.ts";
import { closing, connectTo, makeServer } from "../support/connections.ts";

const STREAMS = "G:0101020e6e00";
/** Of which the server, which knows no groups, is to tell the members. */
const BY_SERVER = "G:0101010c020e6e00";

/** Resolves with the next event of that kind. */
function next(nc: NetConnection, prefix: string): Promise<StatusEvent> {
  return new Promise((resolve) => {
    nc.on("status", (event) => {
      if (event.code.startsWith(prefix)) resolve(event);
    });
  });
}

async function serverless(): Promise<NetConnection> {
  const nc = closing(new NetConnection());
  await nc.connect("rtmfp:");
  return nc;
}

describe("NetGroup", () => {
  it(
    ...rfc("G-1"),
    "tells the NetConnection that it has joined, with the group, and later that it has left",
    async () => {
      const nc = await serverless();
      const joined = next(nc, "NetGroup.Connect.");
      const group = new NetGroup(nc, STREAMS);
      expect(() => group.addNeighbor("ed".repeat(32))).toThrow("is not joined yet: wait for its Connect.Success");
      expect(await joined).toMatchObject({ code: "NetGroup.Connect.Success", level: "status", group });
      expect([group.neighborCount, group.estimatedMemberCount, group.neighbors, group.streams]).toEqual([0, 1, [], []]);
      const left = next(nc, "NetGroup.Connect.Closed");
      group.close();
      group.close();
      expect(await left).toMatchObject({ group });
      expect(() => group.addMemberHint("ed".repeat(32))).toThrow("is closed: make another");
    },
  );

  it(...rfc("G-1"), "tells the NetConnection that the server does not let it in", async () => {
    const nc = await connectTo(await makeServer());
    const refused = next(nc, "NetGroup.Connect.");
    const group = new NetGroup(nc, BY_SERVER);
    expect(await refused).toMatchObject({ code: "NetGroup.Connect.Rejected", level: "error", group });
    const events: string[] = [];
    nc.on("status", ({ code }) => events.push(code));
    const stream = new NetStream(nc, BY_SERVER);
    await expect(stream.publish("cam")).rejects.toMatchObject({ code: "NetStream.Connect.Rejected" });
    await expect(stream.play("cam")).rejects.toMatchObject({ code: "NetStream.Connect.Rejected" });
    expect(events).toEqual(["NetStream.Connect.Rejected", "NetStream.Connect.Rejected"]);
    expect(nc.core.groups.hasNeighbours).toBe(false);
  });

  it(...rfc("G-9"), "fails where members have no sessions with each other", async () => {
    const nc = await serverless();
    const spec = new GroupSpecifier("n");
    spec.peerToPeerDisabled = true;
    const failed = next(nc, "NetGroup.Connect.");
    new NetGroup(nc, spec.toString());
    expect(await failed).toMatchObject({
      code: "NetGroup.Connect.Failed",
      description: expect.stringContaining("IP multicast"),
    });
  });

  it("leaves by its signal, and with its connection", async () => {
    const nc = await serverless();
    const controller = new AbortController();
    const closed = next(nc, "NetGroup.Connect.Closed");
    new NetGroup(nc, STREAMS, { signal: controller.signal });
    controller.abort();
    await closed;
    const events: string[] = [];
    new NetGroup(nc, STREAMS);
    const play = new NetStream(nc, STREAMS).play("cam");
    play.catch(() => {});
    await next(nc, "NetStream.Connect.Success");
    await new Promise((resolve) => setImmediate(resolve));
    nc.on("status", ({ code }) => events.push(code));
    await nc.close();
    await expect(play).rejects.toMatchObject({ code: "NetStream.Failed" });
    expect(new Set(events)).toEqual(
      new Set(["NetGroup.Connect.Closed", "NetStream.Connect.Closed", "NetConnection.Connect.Closed"]),
    );
    expect(events.at(-1)).toBe("NetConnection.Connect.Closed");
  });

  it("says in one line what is wrong with what it is given", async () => {
    const nc = await serverless();
    const cases: [() => unknown, RegExp][] = [
      [() => new NetGroup(new NetConnection(), STREAMS), /the NetConnection is not connected: await connect first/],
      [() => new NetStream(new NetConnection(), STREAMS), /the NetConnection is not connected/],
      [() => new NetGroup(nc, "room"), /"room" is not a groupspec: it does not begin with G:/],
      [() => new NetGroup(nc, "G:020e6e"), /its end marker 00 is missing/],
      [() => new NetStream(nc, "G:zz"), /after G: come pairs of hex digits/],
      [() => new NetStream(nc, "G:020e6e00"), /this groupspec has no streams: set multicastEnabled/],
      [() => new NetStream(nc, "room"), /expected a peer ID of 64 hex digits or a groupspec, got "room"/],
      [
        () => new NetGroup(nc, STREAMS).convertPeerIDToGroupAddress("7"),
        /expected a peer ID of 64 hex digits, got "7"/,
      ],
    ];
    for (const [make, line] of cases) {
      let error: unknown;
      try {
        make();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: "BAD_ARGUMENT", message: expect.stringMatching(line) });
    }
    const stream = new NetStream(nc, STREAMS);
    await expect(stream.publish("cam", "record")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    await expect(stream.publish("")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    await expect(stream.play("x".repeat(2_000))).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    await expect(stream.publish("cam")).resolves.toMatchObject({ code: "NetStream.Publish.Start" });
  });

  it(...rfc("G-3"), "spreads its streams as their settings say, in seconds", async () => {
    const nc = await serverless();
    const stream = new NetStream(nc, STREAMS);
    stream.multicastWindowDuration = 4;
    stream.multicastPushNeighborLimit = 2;
    stream.multicastAvailabilitySendToAll = true;
    await stream.publish("cam");
    stream.multicastFetchPeriod = 0.5;
    stream.multicastAvailabilityUpdatePeriod = 0.001;
    expect([
      stream.multicastWindowDuration,
      stream.multicastPushNeighborLimit,
      stream.multicastAvailabilitySendToAll,
      stream.multicastFetchPeriod,
      stream.multicastAvailabilityUpdatePeriod,
      stream.multicastRelayMarginDuration,
    ]).toEqual([4, 2, true, 0.5, 0.02, 2]);
    const wrong = stream as unknown as Record<string, unknown>;
    for (const [name, value] of [
      ["multicastWindowDuration", -1],
      ["multicastFetchPeriod", Number.NaN],
      ["multicastPushNeighborLimit", "4"],
      ["multicastAvailabilitySendToAll", 1],
    ] as const) {
      expect(() => {
        wrong[name] = value;
      }).toThrow(`${name}: expected`);
    }
  });
});
