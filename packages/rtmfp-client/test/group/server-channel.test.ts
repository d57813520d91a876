import { defaultProvider } from "rtmfp-core/crypto";
import { encodeMember, groupIdOf } from "rtmfp-core/group";
import { fromHex, toHex } from "rtmfp-core/proto";
import type { MessageTree, TreeReceipt, TreeRecvFlow, TreeSendFlow } from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../../test/support/rfc.ts";
import { ServerChannel } from "../../src/group/server-channel.ts";

const PEER = "e7135a151f35f7f8baa84d06096faee1ec2d47383dc48a12e294e2c8c3b69d76";
const V2 = "G:027f02010101000103010c050e74657374011b";

/** A server connection that writes down what is sent, and whose answers a test gives. */
class FakeServer {
  readonly sent: string[] = [];
  readonly told: string[] = [];
  readonly farControl = {} as TreeRecvFlow;
  opened: { metadata: string; answers: unknown }[] = [];
  decide: (outcome: "delivered" | "abandoned") => void = () => {};
  isClosed = false;
  readonly flow = {
    write: (data: Uint8Array) => {
      this.sent.push(toHex(data));
      const done = new Promise<"delivered" | "abandoned">((resolve) => {
        this.decide = resolve;
      });
      return { done } as TreeReceipt;
    },
    close: async () => {
      this.isClosed = true;
    },
  } as unknown as TreeSendFlow;
  readonly tree = {
    farControl: this.farControl,
    session: {
      openFlow: (metadata: Uint8Array, { answers }: { answers: unknown }) => {
        this.opened.push({ metadata: toHex(metadata), answers });
        return this.flow;
      },
    },
  } as unknown as MessageTree;

  join(join: { groupId: Uint8Array } | { groupspec: string }): ServerChannel {
    return new ServerChannel(this.tree, join, {
      joined: () => this.told.push("joined"),
      failed: (why) => this.told.push(why),
      member: (peerId) => this.told.push(peerId),
    });
  }

  /** A flow of the server's, and what it makes of a message. */
  answer(answers: TreeSendFlow): { flow: TreeRecvFlow; say: (hex: string) => void } {
    const flow = { answers, onMessage: undefined, onEnd: undefined, accept: () => {} } as unknown as TreeRecvFlow;
    return { flow, say: (hex) => flow.onMessage?.(fromHex(hex), 0) };
  }
}

describe("a group's flow to the server", () => {
  it(...rfc("C-8", "G-7"), "joins by the hash of version 2 and by the text of version 1, as live peers do", () => {
    const groupId = groupIdOf(V2, (bytes) => defaultProvider().sha256(bytes));
    const [hashed, clear] = [new FakeServer(), new FakeServer()];
    hashed.join({ groupId });
    clear.join({ groupspec: "G:0101010c050e6f726632" });
    expect(hashed.opened).toEqual([{ metadata: "4743", answers: hashed.farControl }]);
    expect(hashed.sent).toEqual(["012115c3ab09fc9d3fd2fe3f4f82762c530b96f2eb1c49d9fe615f48f250545b731dc9"]);
    expect(clear.sent).toEqual([`011710${toHex(new TextEncoder().encode("G:0101010c050e6f726632"))}`]);
  });

  it(...rfc("G-1"), "has joined when the server has the join, unless it refuses the flow first", async () => {
    const [joined, refused, lost] = [new FakeServer(), new FakeServer(), new FakeServer()];
    for (const server of [joined, refused, lost]) server.join({ groupId: new Uint8Array(32) });
    joined.decide("delivered");
    refused.decide("delivered");
    refused.flow.onException?.(0);
    lost.decide("abandoned");
    await Promise.resolve();
    joined.flow.onException?.(0);
    expect([joined.told, refused.told, lost.told]).toEqual([["joined"], ["refused"], ["lost"]]);
  });

  it(...rfc("C-8"), "hears of members on the flow that answers it, until it is closed", () => {
    const server = new FakeServer();
    const channel = server.join({ groupId: new Uint8Array(32) });
    const stranger = server.answer({} as TreeSendFlow);
    expect(channel.take(stranger.flow)).toBe(false);
    const { flow, say } = server.answer(server.flow);
    expect(channel.take(flow)).toBe(true);
    for (const message of [toHex(encodeMember(PEER)), "0b00", "", "ff"]) say(message);
    expect(server.told).toEqual([PEER]);
    channel.close();
    say(toHex(encodeMember(PEER)));
    server.decide("delivered");
    expect([server.told, server.isClosed]).toEqual([[PEER], true]);
  });
});
