import { encodeMessage, encodeUserControl, type MessageTree, MessageType } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { type NetConnection, NetStream, type StatusEvent } from "../src/index.ts";
import { collect, connectTo, expectSame, makeServer, ofKind, TAGS } from "./support/connections.ts";
import { makeScene } from "./support/scene.ts";

/** Alice publishes "cam" to peers; Bob is connected too. */
async function publishing(): Promise<{ alice: NetConnection; bob: NetConnection; cam: NetStream }> {
  const server = await makeServer();
  const [alice, bob] = [await connectTo(server), await connectTo(server)];
  const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
  await cam.publish("cam");
  return { alice, bob, cam };
}

describe("a stream between peers", () => {
  it(
    ...rfc("R7425-5.4.2-02", "R7425-5.4.1-01", "R7425-5.4.1-05", "V-2"),
    "carries a whole file, of which the server sees nothing",
    async () => {
      // In virtual time: a busy process spends the seconds for which room, and tags of the other kind, are waited for.
      const { world, server, alice, bob } = await makeScene(1, { latencyMs: 20 });
      const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
      expect(await cam.publish("cam")).toMatchObject({ code: "NetStream.Publish.Start" });
      const view = new NetStream(bob, alice.nearID);
      expect(await world.settle(view.play("cam"), 10_000)).toMatchObject({ code: "NetStream.Play.Start" });
      const result = cam.feed(TAGS, { pace: "none" }).finally(() => cam.close());
      expectSame(await world.settle(collect(view), 60_000), TAGS);
      expect(await result).toMatchObject({ tags: TAGS.length, delivered: TAGS.length, abandoned: 0 });
      expect(server.mediaMessages).toBe(0);
    },
  );

  it(...rfc("R7425-5.4-01", "R7425-5.4.1-03"), "shares one session with other streams of the same peer", async () => {
    const server = await makeServer();
    const [alice, bob] = [await connectTo(server), await connectTo(server)];
    const names = ["one", "two"];
    const cams = names.map(() => new NetStream(alice, NetStream.DIRECT_CONNECTIONS));
    const views = names.map(() => new NetStream(bob, alice.nearID));
    for (const [i, name] of names.entries()) {
      await cams[i]?.publish(name);
      await views[i]?.play(name);
      cams[i]?.writeTag({ type: "audio", timestamp: i, data: new Uint8Array([i]) });
      void cams[i]?.close();
    }
    const got = await Promise.all(views.map(collect));
    expect(got.map((tags) => tags.map((tag) => tag.timestamp))).toEqual([[0], [1]]);
    expect(bob.core.peers.count).toBe(1);
  });

  it(...rfc("V-3"), "is refused to a subscriber whom onPeerConnect does not want", async () => {
    const server = await makeServer();
    const [alice, bob] = [await connectTo(server), await connectTo(server)];
    const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
    const asked: string[] = [];
    cam.client = {
      onPeerConnect: (peer: { farID: string }) => {
        asked.push(peer.farID);
        return false;
      },
    };
    await cam.publish("cam");
    const events: string[] = [];
    bob.on("status", (event) => events.push(event.code));
    const view = new NetStream(bob, alice.nearID);
    await expect(view.play("cam")).rejects.toMatchObject({ code: "NetStream.Connect.Rejected" });
    expect(asked).toEqual([bob.nearID]);
    expect(events).toEqual(["NetStream.Connect.Success", "NetStream.Connect.Rejected"]);
    expect(cam.peerStreams).toEqual([]);
  });

  it("begins when the publisher does, if the viewer came first", async () => {
    const server = await makeServer();
    const [alice, bob] = [await connectTo(server), await connectTo(server)];
    const view = new NetStream(bob, alice.nearID);
    const playing = view.play("cam");
    const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
    await new Promise<void>((resolve) => {
      bob.on("status", ({ code }) => {
        if (code === "NetStream.Connect.Success") resolve();
      });
    });
    await cam.publish("cam");
    expect(await playing).toMatchObject({ code: "NetStream.Play.Start" });
  });

  for (const first of ["media", "StreamBegin"] as const) {
    it(
      ...rfc("R7425-5.4.2-04"),
      `begins with ${first}, on flows that its publisher opens and closes at will`,
      async () => {
        const server = await makeServer();
        const [alice, bob] = [await connectTo(server), await connectTo(server)];
        let streamTree: MessageTree | undefined;
        const audio = (timestamp: number): Uint8Array =>
          encodeMessage(MessageType.audio, timestamp, Uint8Array.of(0x2f, timestamp));
        alice.core.peers.publish("cam", {
          offer: (tree) => {
            streamTree = tree;
            if (first === "media") tree.openFlow(tree.streamId).write(audio(1));
            else tree.control.write(encodeUserControl({ event: "streamBegin", streamId: tree.streamId }));
          },
        });
        const view = new NetStream(bob, alice.nearID, { reorderMs: 0 });
        await view.play("cam");
        const got = collect(view);
        const tree = streamTree as MessageTree;
        for (const timestamp of [2, 3, 4]) {
          const flow = tree.openFlow(tree.streamId);
          flow.write(audio(timestamp));
          await flow.close();
        }
        void tree.close();
        expect((await got).map(({ timestamp }) => timestamp)).toEqual(first === "media" ? [1, 2, 3, 4] : [2, 3, 4]);
      },
    );
  }

  it("gives a late viewer metadata, codec configuration and the current group of pictures", async () => {
    const { alice, bob, cam } = await publishing();
    for (const tag of TAGS.slice(0, 10)) cam.writeTag(tag);
    const view = new NetStream(bob, alice.nearID);
    await view.play("cam");
    void cam.close();
    expectSame(await collect(view), TAGS.slice(0, 10));
  });

  it(...rfc("V-7"), "mirrors the nonces of both ends", async () => {
    const { alice, bob, cam } = await publishing();
    const view = new NetStream(bob, alice.nearID);
    await view.play("cam");
    const [peer] = cam.peerStreams;
    expect([peer?.farID, view.farID]).toEqual([bob.nearID, alice.nearID]);
    expect(view.nearNonce).toMatch(/^[0-9a-f]{64}$/);
    expect([peer?.nearNonce, peer?.farNonce]).toEqual([view.farNonce, view.nearNonce]);
  });

  it(...rfc("R7425-5.4.3-01", "R7425-5.4.3-02"), "ends at the publisher when the viewer leaves its loop", async () => {
    const { alice, bob, cam } = await publishing();
    const left = new Promise<string>((resolve) => {
      cam.on("peerLeft", ({ farID }) => resolve(farID));
    });
    const view = new NetStream(bob, alice.nearID);
    await view.play("cam");
    cam.writeTag({ type: "audio", timestamp: 0, data: new Uint8Array([1]) });
    for await (const tag of view) if (tag.timestamp === 0) break;
    expect(await left).toBe(bob.nearID);
    expect(cam.peerStreams).toEqual([]);
  });

  it(...rfc("V-8"), "is refused beyond maxPeerConnections, on either side", async () => {
    const server = await makeServer();
    const [alice, bob, carol] = [await connectTo(server), await connectTo(server), await connectTo(server)];
    const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
    await cam.publish("cam");
    alice.maxPeerConnections = 1;
    bob.maxPeerConnections = 0;
    await expect(new NetStream(bob, alice.nearID).play("cam")).rejects.toMatchObject({
      code: "NetStream.Connect.Failed",
      message: expect.stringContaining("maxPeerConnections"),
    });
    bob.maxPeerConnections = 8;
    await new NetStream(bob, alice.nearID).play("cam");
    await expect(new NetStream(carol, alice.nearID).play("cam")).rejects.toMatchObject({
      code: "NetStream.Connect.Rejected",
    });
    expect(cam.peerStreams.map((peer) => peer.farID)).toEqual([bob.nearID]);
  });

  it("is played by one peer eight times at most, undecided ones included, and again once one has ended", async () => {
    const server = await makeServer();
    const [alice, bob, carol] = [await connectTo(server), await connectTo(server), await connectTo(server)];
    const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
    const decide: ((consents: boolean) => void)[] = [];
    const consent = (): Promise<boolean> => new Promise((resolve) => decide.push(resolve));
    cam.client = { onPeerConnect: consent };
    await cam.publish("cam");
    const play = (by: typeof bob): { view: NetStream; outcome: Promise<string> } => {
      const view = new NetStream(by, alice.nearID);
      return {
        view,
        outcome: view.play("cam").then(
          ({ code }) => code,
          ({ code }) => code,
        ),
      };
    };
    const first = play(bob);
    await expect.poll(() => decide.length).toBe(1);
    const views = [first, ...Array.from({ length: 8 }, () => play(bob))];
    const refused = await Promise.race(views.map((each) => each.outcome.then(() => each)));
    expect(await refused.outcome).toBe("NetStream.Connect.Rejected");
    expect(decide.length).toBe(8);
    const other = play(carol);
    await expect.poll(() => decide.length).toBe(9);
    for (const yes of decide) yes(true);
    const outcomes = await Promise.all(
      [...views.filter((each) => each !== refused), other].map((each) => each.outcome),
    );
    expect(outcomes).toEqual(new Array(9).fill("NetStream.Play.Start"));
    expect(cam.peerStreams.length).toBe(9);
    await first.view.close();
    await expect.poll(() => cam.peerStreams.length).toBe(8);
    cam.client = { onPeerConnect: () => true };
    expect(await play(bob).outcome).toBe("NetStream.Play.Start");
  });

  it("lets 8 plays of each peer wait for a stream that is not published, and 64 in all", async () => {
    const server = await makeServer();
    const alice = await connectTo(server);
    alice.maxPeerConnections = 9;
    const peers = await Promise.all(Array.from({ length: 9 }, () => connectTo(server)));
    const refused = new Set<number>();
    const play = (peer: number): void => {
      new NetStream(peers[peer] as (typeof peers)[number], alice.nearID).play("cam").catch(() => refused.add(peer));
    };
    const waits = (count: number) => expect.poll(() => alice.core.peers.waiting.length, { timeout: 5_000 }).toBe(count);
    for (let peer = 0; peer < 8; peer++) {
      // The others then share the session of the first.
      play(peer);
      await waits(8 * peer + 1);
      for (let i = 1; i < 8; i++) play(peer);
      await waits(8 * peer + 8);
    }
    const waiting = new Set(alice.core.peers.waiting.map(({ farID }) => farID));
    expect(waiting).toEqual(new Set(peers.slice(0, 8).map(({ nearID }) => nearID)));
    play(8);
    await expect.poll(() => [...refused], { timeout: 5_000 }).toEqual([8]);
    await peers[7]?.close();
    await waits(56);
    play(0);
    await expect.poll(() => [...refused].includes(0), { timeout: 5_000 }).toBe(true);
    expect(alice.core.peers.waiting.length).toBe(56);
  });

  it(...rfc("AMB-65"), "fails in one line when no peer has the ID", async () => {
    const server = await makeServer();
    const bob = await connectTo(server, { timeoutMs: 2_000 });
    const view = new NetStream(bob, "01".repeat(32));
    const error = await view.play("cam").catch((reason) => reason);
    expect(error).toMatchObject({ code: "NetStream.Connect.Failed" });
    expect(error.message).toMatch(/^no answer from peer 010101010101… within 2 s: .*$/);
  });

  it("calls the subscribers' handlers by send, and only those exposed", async () => {
    const { alice, bob, cam } = await publishing();
    const view = new NetStream(bob, alice.nearID);
    const calls: unknown[][] = [];
    view.client = { onText: (...args: unknown[]) => calls.push(args) };
    await view.play("cam");
    cam.send("close");
    cam.send("toString");
    cam.send("onText", "hello", 7);
    void cam.close();
    expect((await collect(view)).length).toBe(3);
    expect(calls).toEqual([["hello", 7]]);
  });

  it("leaves out what the viewer does not want to receive", async () => {
    const { alice, bob, cam } = await publishing();
    const view = new NetStream(bob, alice.nearID);
    await view.play("cam");
    view.receiveVideo(false);
    const video = { type: "video", timestamp: 0, data: new Uint8Array([0x27, 1]) } as const;
    await expect.poll(() => cam.writeTag(video).done).toBe("abandoned");
    expect(await cam.writeTag({ type: "audio", timestamp: 0, data: new Uint8Array([1]) }).done).toBe("delivered");
    view.receiveVideo(true);
    const key = { type: "video", timestamp: 0, data: new Uint8Array([0x17, 1]) } as const;
    await expect.poll(() => cam.writeTag(key).done).toBe("delivered");
  });

  it("cannot be published twice under one name, until it is free again", async () => {
    const server = await makeServer();
    const alice = await connectTo(server);
    const [first, second] = [0, 1].map(() => new NetStream(alice, NetStream.DIRECT_CONNECTIONS));
    await first?.publish("cam");
    await expect(second?.publish("cam")).rejects.toMatchObject({ code: "NetStream.Publish.BadName" });
    await first?.publish(null);
    expect(await second?.publish("cam")).toMatchObject({ code: "NetStream.Publish.Start" });
  });
});

describe("a stream on the server", () => {
  it(...rfc("R7425-5.3.5.1-01"), "carries a whole file to a player", async () => {
    // In virtual time: the server of this test passes on what comes without waiting for room, and a flow holds 1 MiB.
    const { world, alice, bob } = await makeScene(2, { latencyMs: 20 });
    const [cam, view] = [new NetStream(alice), new NetStream(bob)];
    await world.settle(view.play("cam"), 10_000);
    expect(await world.settle(cam.publish("cam"), 10_000)).toMatchObject({ code: "NetStream.Publish.Start" });
    const result = cam.feed(TAGS, { pace: "none" }).finally(() => cam.close());
    const got = await world.settle(collect(view), 60_000);
    for (const type of ["audio", "video"] as const) expect(ofKind(got, type)).toEqual(ofKind(TAGS, type));
    expect(await world.settle(result, 10_000)).toMatchObject({ delivered: TAGS.length });
    // The server of this test relays metadata as it came: wrapped for the server to keep.
    expect(Buffer.from(got[0]?.data ?? []).toString("latin1")).toContain("@setDataFrame");
  });

  it("rejects with the server's event: a name in use, a stream not found", async () => {
    const server = await makeServer();
    const [alice, bob] = [await connectTo(server), await connectTo(server)];
    await new NetStream(alice).publish("cam");
    const events: StatusEvent[] = [];
    const other = new NetStream(bob).on("status", (event) => events.push(event));
    await expect(other.publish("cam")).rejects.toMatchObject({ code: "NetStream.Publish.BadName" });
    expect(events.map(({ code, level }) => [code, level])).toEqual([["NetStream.Publish.BadName", "error"]]);
    await expect(new NetStream(bob).play("missing")).rejects.toMatchObject({ code: "NetStream.Play.StreamNotFound" });
  });

  it("ends with its connection", async () => {
    const server = await makeServer();
    const bob = await connectTo(server);
    const view = new NetStream(bob);
    await view.play("cam");
    const got = collect(view);
    await bob.close();
    expect(await got).toEqual([]);
    await expect(new NetStream(bob).play("cam")).rejects.toMatchObject({ code: "NetConnection.Connect.Closed" });
  });

  it("ends when its signal is aborted, and may begin anew after close", async () => {
    const server = await makeServer();
    const bob = await connectTo(server);
    const abort = new AbortController();
    const view = new NetStream(bob, null, { signal: abort.signal });
    await view.play("cam");
    const got = collect(view);
    abort.abort();
    expect(await got).toEqual([]);
    const again = new NetStream(bob);
    await again.play("cam");
    await again.close();
    expect(await again.play("cam")).toMatchObject({ code: "NetStream.Play.Start" });
  });
});
