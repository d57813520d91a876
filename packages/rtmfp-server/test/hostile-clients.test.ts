/** Clients that do not play by the rules: a status or a count for each, and nobody else is disturbed. */
import {
  type AmfValue,
  type Command,
  decodeCommand,
  encodeCommand,
  encodeMessage,
  type MessageTree,
  MessageType,
} from "rtmfp-core/tc";
import { describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { ClientStreams } from "../src/client-streams.ts";
import { MAX_STREAMS } from "../src/limits.ts";
import type { StreamHost } from "../src/server-stream.ts";
import { SimServer } from "./support/sim.ts";
import type { TestClient } from "./support/test-client.ts";

/** A server with one client that does nothing wrong, and a check that it is served as before. */
async function world() {
  const sim = await new SimServer().listen();
  const honest = await sim.connect();
  const untroubled = async () => {
    expect((await sim.run(honest.call("createStream"))).name).toBe("_result");
    expect(honest.tree?.end).toBeUndefined();
    expect(honest.got.filter(({ kind }) => kind === "data")).toEqual([]);
    expect(sim.logged("application")).toEqual([]);
  };
  return { sim, untroubled };
}

/** Writes a command's payload as it is. */
function raw(client: TestClient, payload: readonly number[]): void {
  client.flow(0, "main").write(encodeMessage(MessageType.commandAmf0, 0, Uint8Array.from(payload)));
}

const text = (value: string): number[] => [2, 0, value.length, ...Buffer.from(value)];
const NUMBER_0 = [0, 0, 0, 0, 0, 0, 0, 0, 0];
const NULL = 5;

describe("commands before connect", () => {
  it("fail with a status where they ask for an answer, and connect works after them", async () => {
    const { sim, untroubled } = await world();
    const client = await sim.open();
    const tree = client.trees.open(0);
    const got: Command[] = [];
    tree.onMessage = (_streamId, message) => {
      if (message.type === MessageType.commandAmf0) got.push(decodeCommand(message));
    };
    const send = (name: string, transactionId: number, args: AmfValue[] = [], commandObject: AmfValue = null) =>
      tree.control.write(encodeCommand({ name, transactionId, commandObject, args }));
    const names = ["createStream", "deleteStream", "releaseStream", "relay", "FCPublish", "nothing", "_result", "play"];
    names.forEach((name, i) => void send(name, i + 10, [1]));
    send("createStream", 0);
    await sim.pass(1_000);
    const refused = names.filter((name) => name !== "_result");
    expect(got.map(({ name, args }) => [name, (args[0] as Record<string, unknown>)["description"]])).toEqual(
      refused.map((name) => ["_error", `${name}: not connected`]),
    );
    send("connect", 1, [], { app: "key" });
    await sim.pass(1_000);
    expect(got.at(-2)?.name === "_result" || got.at(-1)?.name === "_result").toBe(true);
    expect(sim.server.stats.clients).toBe(2);
    await untroubled();
  });

  it("of a stream, and its media, are refused by their flows: the stream does not exist", async () => {
    const { sim, untroubled } = await world();
    const client = await sim.connect();
    client.command(5, "publish", ["cam"]);
    client.media(6, "video", 0, [0x17, 1]);
    await sim.pass(1_000);
    expect(client.codes).toEqual([]);
    expect([5, 6, 7].map((id) => client.tree?.isRefused(id))).toEqual([true, true, false]);
    expect((await sim.run(client.call("createStream"))).args).toEqual([1]);
    await untroubled();
  });
});

describe("createStream a million times", () => {
  it(`gives ${MAX_STREAMS} streams and an error for each further one`, async () => {
    const { sim, untroubled } = await world();
    const client = await sim.connect();
    for (let i = 0; i < 4_000; i++) client.command(0, "createStream", [], 1_000 + i);
    await sim.world.runUntilAsync(() => client.commands("_error").length >= 4_000 - MAX_STREAMS, 60_000);
    expect(client.commands("_result").length).toBe(MAX_STREAMS + 1);
    expect(client.commands("_error").length).toBe(4_000 - MAX_STREAMS);
    await untroubled();
  });

  it("with a deleteStream for each keeps nothing, and gives each ID once", () => {
    const refused = new Set<number>();
    const tree: Partial<MessageTree> = {
      rejectStream: () => {},
      clearRefused: (id: number) => void refused.delete(id),
    };
    const streams = new ClientStreams({ tree } as StreamHost);
    let last = 0;
    for (let i = 1; i <= 1_000_000; i++) {
      last = streams.create();
      if (last !== i) break;
      // The client refuses the stream's flows, before or after it is deleted.
      refused.add(last);
      if (i % 2 === 0) streams.onRefused(last);
      streams.delete(last);
      if (i % 2 === 1) {
        refused.add(last);
        streams.onRefused(last);
      }
    }
    expect([last, streams.size, refused.size]).toEqual([1_000_000, 0, 0]);
  });
});

describe("hostile AMF", () => {
  it("is counted, whatever is wrong with it, and the client goes on", async () => {
    const { sim, untroubled } = await world();
    const client = await sim.connect();
    const call = [...text("broadcast"), ...NUMBER_0, NULL];
    const deep = Array.from({ length: 2_000 }, () => [3, 0, 1, 0x61]).flat();
    const malformed: number[][] = [
      [...call, ...deep],
      [...call, 0x0a, 0xff, 0xff, 0xff, 0xff],
      [...call, 0x08, 0xff, 0xff, 0xff, 0xff],
      [...call, 0x0c, 0xff, 0xff, 0xff, 0xff, 0x61],
      [...call, 0x07, 0xff, 0xff],
      [...call, 0x42],
      [2, 0xff, 0xff, 0x61],
      [3, 0, 0, 9],
      [],
    ];
    for (const payload of malformed) raw(client, payload);
    expect((await sim.run(client.call("createStream"))).name).toBe("_result");
    expect(client.commands("onRelay")).toEqual([]);
    await client.close();
    await sim.pass(1_000);
    expect(sim.server.stats.malformedMessages).toBe(malformed.length);
    await untroubled();
  });

  it("that has a meaning has that one: cycles are passed on as cycles, bytes that are no UTF-8 as U+FFFD", async () => {
    const { sim, untroubled } = await world();
    const client = await sim.connect("other");
    const cycle = [3, 0, 1, 0x61, 7, 0, 0, 0, 0, 9];
    raw(client, [...text("broadcast"), ...NUMBER_0, NULL, ...cycle, 2, 0, 2, 0xff, 0xfe]);
    const { args } = await sim.run(client.commandNamed("onRelay"));
    const [, object, string] = args as [AmfValue, Record<string, AmfValue>, string];
    expect(object["a"]).toBe(object);
    expect(string).toBe("\ufffd\ufffd");
    raw(client, [2, 0, 2, 0xff, 0xfe, 0, 0x40, 0x59, 0, 0, 0, 0, 0, 0]);
    const reply = await sim.run(client.commandNamed("_error"));
    expect(reply.args[0]).toMatchObject({ description: "Method not found (\ufffd\ufffd)." });
    await untroubled();
  });
});

describe("calls that old clients and encoders make", () => {
  it(
    ...rfc("O-1", "C-7"),
    "are answered where they ask for it, and cause neither a log line nor an error",
    async () => {
      const sim = await new SimServer().listen();
      const client = await sim.connect();
      const logged = sim.log.length;
      const calls: [string, ...AmfValue[]][] = [
        ["setPeerInfo", "10.0.0.1:1935"],
        ["releaseStream", "cam"],
        ["FCPublish", "cam"],
        ["FCUnpublish", "cam"],
        ["FCSubscribe", "cam"],
        ["FCUnsubscribe", "cam"],
        ["getStreamLength", "cam"],
        ["checkBandwidth"],
        ["_checkbw"],
        ["initStream", 1],
        ["deleteStream", 77],
        ["deleteStream", "x"],
        ["closeStream"],
      ];
      for (const [name, ...args] of calls) {
        const { name: answer, args: values } = await sim.run(client.call(name, ...args));
        expect([name, answer, values]).toEqual([name, "_result", [name === "getStreamLength" ? 0 : null]]);
      }
      const got = client.got.length;
      for (const [name, ...args] of calls) client.send(name, ...args);
      await sim.pass(1_000);
      expect(client.got.length).toBe(got);
      expect(sim.log.length).toBe(logged);
    },
  );
});
