import { NetStream, Responder } from "rtmfp-client";
import { PeerEndpoint, type SendFlow } from "rtmfp-core";
import { createFlashProfile, SERVER_IDENTITY } from "rtmfp-core/crypto";
import {
  type AmfValue,
  type Command,
  decodeCommand,
  decodeMessage,
  encodeAmf0,
  encodeCommand,
  encodeMessage,
  encodeMetadata,
  MessageType,
  statusInfo,
} from "rtmfp-core/tc";
import { SimWorld } from "rtmfp-core/testing";
import { describe, expect } from "vitest";
import { it } from "../support/rfc.ts";
import { makeClient, URL } from "./support.ts";

const bytes = (...parts: (number | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part])));
const u32 = (value: number): Uint8Array =>
  bytes((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
const repeat = (count: number, part: Uint8Array): Uint8Array => bytes(...new Array<Uint8Array>(count).fill(part));

/** Values that cannot be read; each begins with its AMF0 marker. */
const UNREADABLE: Readonly<Record<string, Uint8Array>> = {
  "arrays 1,000 deep": bytes(repeat(1_000, bytes(0x0a, u32(1))), 0x05),
  "objects 1,000 deep": repeat(1_000, bytes(0x03, 0, 1, 0x61)),
  "AMF3 arrays 1,000 deep": bytes(0x11, repeat(1_000, bytes(0x09, 0x03, 0x01)), 0x01),
  "an array of 2^32 - 1 elements": bytes(0x0a, u32(0xffffffff)),
  "a string of 4 GiB": bytes(0x0c, u32(0xffffffff), 0x61),
  "an AMF3 byte array of 256 MiB": bytes(0x11, 0x0c, 0xff, 0xff, 0xff, 0xff),
  "an AMF3 vector of 256 Mi doubles": bytes(0x11, 0x0f, 0xff, 0xff, 0xff, 0xff, 0),
  "a dictionary of 256 Mi entries": bytes(0x11, 0x11, 0xff, 0xff, 0xff, 0xff, 0),
  "a reference to nothing": bytes(0x07, 0xff, 0xff),
  "AMF3 traits of a class that reads itself": bytes(0x11, 0x0a, 0x07, 0x03, 0x78),
  "a marker that is none": bytes(0xee),
};
/** Values that mean something, odd as they are, and what they are read as. */
const ODD: readonly [string, Uint8Array, (value: never) => unknown, unknown][] = [
  ["bytes that are not UTF-8", bytes(0x02, 0, 4, 0x61, 0xff, 0xc0, 0x62), (text: string) => text, "a\ufffd\ufffdb"],
  ["an array inside itself", bytes(0x0a, u32(1), 0x07, 0, 0), (array: unknown[]) => array[0] === array, true],
  ["a date that is none", bytes(0x0b, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0, 0, 0), (date: Date) => date.getTime(), Number.NaN],
];

/** A command, or with type 18 a data message, whose last value is the given bytes. */
function message(type: number, head: readonly AmfValue[], value: Uint8Array): Uint8Array {
  return encodeMessage(type, 0, bytes(...head.map((part) => encodeAmf0(part)), value));
}

const command = (name: string, id: number, value: Uint8Array): Uint8Array =>
  message(MessageType.commandAmf0, [name, id, null], value);

/** A server that answers as it is told. */
function startOddServer(world: SimWorld, answer: (command: Command, back: SendFlow) => void): PeerEndpoint {
  const host = world.host("server", { addresses: ["198.51.100.1"] });
  world.name("server.test", ["198.51.100.1"]);
  const random = (length: number): Uint8Array => host.random(length);
  const profile = createFlashProfile({ identity: SERVER_IDENTITY, random });
  const endpoint = new PeerEndpoint(host.open([{ port: 1935 }]), { profile, random });
  endpoint.onFlow = (flow) => {
    let back: SendFlow | undefined;
    flow.onMessage = (data) => {
      const received = decodeMessage(data);
      if (received?.type !== MessageType.commandAmf0) return;
      back ??= flow.openReturn(encodeMetadata(flow.metadata[3] ?? 0));
      answer(decodeCommand(received), back);
    };
  };
  return endpoint;
}

function accept({ name, transactionId }: Command, back: SendFlow): void {
  const reply = (value: AmfValue): unknown =>
    back.write(encodeCommand({ name: "_result", transactionId, commandObject: null, args: [value] }));
  if (name === "connect") reply(statusInfo("NetConnection.Connect.Success", "", { objectEncoding: 0 }));
  else if (name === "createStream") reply(1);
  else if (name === "ping") reply("pong");
}

const ALL = Object.entries(UNREADABLE);

describe("a server that sends what cannot be read", () => {
  it("in answer to connect: the attempt ends in time, and says that there was an answer", async () => {
    for (const [what, value] of ALL) {
      const world = new SimWorld(1);
      const server = startOddServer(world, ({ transactionId }, back) => {
        for (let i = 0; i < 3; i++) back.write(command("_result", transactionId, value));
      });
      const { nc } = makeClient(world, "client", undefined, { timeoutMs: 4_000 });
      const error = await world.settle(nc.connect(URL), 5_000).catch((reason) => reason);
      expect([what, error.code, error.message]).toEqual([
        what,
        "NetConnection.Connect.Failed",
        "server.test did not answer the connect command within 4 s; 3 of its messages could not be read",
      ]);
      await world.settle(server.close(), 5_000);
      await world.runAsync(1_000);
      expect([what, world.step()]).toEqual([what, false]);
    }
  });

  it("in calls, events and answers: they are counted, and the connection goes on", async () => {
    const world = new SimWorld(2);
    const server = startOddServer(world, (received, back) => {
      accept(received, back);
      if (received.name !== "attack") return;
      for (const [, value] of ALL) {
        back.write(command("hello", 0, value));
        back.write(command("onStatus", 0, value));
        back.write(command("_result", received.transactionId, value));
      }
    });
    const { nc } = makeClient(world, "client");
    let calls = 0;
    const events: string[] = [];
    await world.settle(nc.connect(URL), 5_000);
    nc.client = { hello: () => calls++ };
    nc.on("status", ({ code }) => events.push(code));
    const attack = nc.call("attack", new Responder(null, null, { timeoutMs: 2_000 }));
    await expect(world.settle(attack, 5_000)).rejects.toMatchObject({
      code: "NetConnection.Call.Failed",
      message: 'the server did not answer "attack" within 2 s',
    });
    expect(await world.settle(nc.call("ping"), 5_000)).toBe("pong");
    expect([calls, events, nc.core.malformed]).toEqual([0, [], 3 * ALL.length]);
    await world.settle(Promise.all([nc.close(), server.close()]), 5_000);
  });

  it("in a stream: its media goes on", async () => {
    const world = new SimWorld(3);
    const server = startOddServer(world, (received, back) => {
      accept(received, back);
      if (received.name !== "play") return;
      const started = statusInfo("NetStream.Play.Start");
      back.write(encodeCommand({ name: "onStatus", transactionId: 0, commandObject: null, args: [started] }));
      for (const [, value] of ALL) {
        back.write(message(MessageType.dataAmf0, ["onMetaData"], value));
        back.write(command("onStatus", 0, value));
      }
      back.write(encodeMessage(MessageType.audio, 7, Uint8Array.of(0x2f, 1)));
    });
    const { nc } = makeClient(world, "client");
    await world.settle(nc.connect(URL), 5_000);
    const view = new NetStream(nc, null, { reorderMs: 0 });
    const told: unknown[] = [];
    view.client = { onMetaData: (data: unknown) => told.push(data) };
    await world.settle(view.play("cam"), 5_000);
    const kinds = new Set<string>();
    const read = async (): Promise<void> => {
      for await (const { type } of view) {
        kinds.add(type);
        if (type === "audio") break;
      }
    };
    await world.settle(read(), 5_000);
    expect([kinds.has("audio"), told, view.info.metaData]).toEqual([true, [], null]);
    expect(nc.connected).toBe(true);
    await world.settle(Promise.all([nc.close(), server.close()]), 5_000);
  });
});

describe("a server that sends odd values", () => {
  for (const [what, value, look, expected] of ODD)
    it(`has ${what} taken for what they are, as argument and reply`, async () => {
      const world = new SimWorld(4);
      const server = startOddServer(world, (received, back) => {
        accept(received, back);
        if (received.name === "odd") {
          back.write(command("hello", 0, value));
          back.write(command("_result", received.transactionId, value));
        }
      });
      const { nc } = makeClient(world, "client");
      await world.settle(nc.connect(URL), 5_000);
      const seen: unknown[] = [];
      nc.client = { hello: (argument: never) => seen.push(look(argument)) };
      seen.push(look((await world.settle(nc.call("odd"), 5_000)) as never));
      expect(seen).toEqual([expected, expected]);
      expect(nc.core.malformed).toBe(0);
      await world.settle(Promise.all([nc.close(), server.close()]), 5_000);
    });
});
