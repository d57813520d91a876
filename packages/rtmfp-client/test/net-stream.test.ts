import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { decodeFlv, type FlvTag } from "rtmfp-core/flv";
import { afterEach, describe, expect } from "vitest";
import { it, rfc } from "../../../test/support/rfc.ts";
import { NetConnection, type NetConnectionOptions, NetStream } from "../src/index.ts";
import { MiniServer } from "./support/mini-server.ts";

const SAMPLE = fileURLToPath(new URL("../../../test/fixtures/sample-h264-aac.flv", import.meta.url));
const tags = decodeFlv(await readFile(SAMPLE));

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function makeServer(...args: Parameters<typeof MiniServer.open>): Promise<MiniServer> {
  const server = await MiniServer.open(...args);
  open.push(server);
  return server;
}

async function connect(server: MiniServer, options: NetConnectionOptions = {}): Promise<NetConnection> {
  const connection = new NetConnection(options);
  open.push(connection);
  await connection.connect(server.url);
  return connection;
}

/** Tags of one kind as comparable values. */
function kind(of: readonly FlvTag[], type: FlvTag["type"]): unknown[] {
  return of
    .filter((tag) => tag.type === type)
    .map(({ timestamp, data }) => [timestamp, Buffer.from(data).toString("base64")]);
}

async function collect(stream: NetStream): Promise<FlvTag[]> {
  const got: FlvTag[] = [];
  for await (const tag of stream) got.push(tag);
  return got;
}

function expectSame(got: readonly FlvTag[], sent: readonly FlvTag[]): void {
  for (const type of ["audio", "video", "data"] as const) expect(kind(got, type)).toEqual(kind(sent, type));
  const times = got.map((tag) => tag.timestamp);
  expect(times).toEqual([...times].sort((a, b) => a - b));
}

describe("a stream between peers", () => {
  it(...rfc("R7425-5.4.2-02", "R7425-5.4.1-01", "V-2"), "carries a whole file without the server", async () => {
    const server = await makeServer();
    const [alice, bob] = [await connect(server), await connect(server)];
    const cam = new NetStream(alice, NetStream.DIRECT_CONNECTIONS);
    await cam.publish("cam");
    const view = new NetStream(bob, alice.nearID);
    await view.play("cam");
    const result = cam.feed(tags, { pace: "none" }).finally(() => cam.close());
    const got = await collect(view);
    expectSame(got, tags);
    expect(await result).toMatchObject({ tags: tags.length, delivered: tags.length, abandoned: 0 });
    expect(server.mediaMessages).toBe(0);
  });
});

describe("a stream on the server", () => {
  it("carries a whole file to a player", async () => {
    const server = await makeServer();
    const [alice, bob] = [await connect(server), await connect(server)];
    const cam = new NetStream(alice);
    const view = new NetStream(bob);
    await view.play("cam");
    expect(await cam.publish("cam")).toMatchObject({ code: "NetStream.Publish.Start" });
    const result = cam.feed(tags, { pace: "none" }).finally(() => cam.close());
    const got = await collect(view);
    expect(kind(got, "video")).toEqual(kind(tags, "video"));
    expect(kind(got, "audio")).toEqual(kind(tags, "audio"));
    expect(await result).toMatchObject({ delivered: tags.length });
  });
});
