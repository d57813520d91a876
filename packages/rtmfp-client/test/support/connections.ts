import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decodeFlv, type FlvTag } from "rtmfp-core/flv";
import { afterEach, expect } from "vitest";
import { NetConnection, type NetConnectionOptions } from "../../src/index.ts";
import { type MiniOptions, MiniServer } from "./mini-server.ts";

/** Path of a real file. */
export const SAMPLE: string = fileURLToPath(new URL("../../../../test/fixtures/sample-h264-aac.flv", import.meta.url));
/** Its tags. */
export const TAGS: readonly FlvTag[] = decodeFlv(readFileSync(SAMPLE));

const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** Closes it after the test. */
export function closing<T extends { close(): Promise<unknown> }>(what: T): T {
  open.push(what);
  return what;
}

/** A server on loopback, for this test. */
export async function makeServer(options: MiniOptions = {}): Promise<MiniServer> {
  return closing(await MiniServer.open(options));
}

/** A connection to it, for this test. */
export async function connectTo(server: MiniServer, options: NetConnectionOptions = {}): Promise<NetConnection> {
  const connection = closing(new NetConnection(options));
  await connection.connect(server.url);
  return connection;
}

/** Tags of one kind as comparable values. */
export function ofKind(tags: readonly FlvTag[], type: FlvTag["type"]): string[] {
  return tags
    .filter((tag) => tag.type === type)
    .map(({ timestamp, data }) => `${timestamp} ${Buffer.from(data).toString("base64")}`);
}

/** Expects every tag of `sent`, each kind in its order, and all in the order of their timestamps. */
export function expectSame(got: readonly FlvTag[], sent: readonly FlvTag[]): void {
  for (const type of ["audio", "video", "data"] as const) expect(ofKind(got, type)).toEqual(ofKind(sent, type));
  const times = got.map((tag) => tag.timestamp);
  expect(times).toEqual([...times].sort((a, b) => a - b));
}

/** Everything that a stream yields. */
export async function collect(tags: AsyncIterable<FlvTag>): Promise<FlvTag[]> {
  const got: FlvTag[] = [];
  for await (const tag of tags) got.push(tag);
  return got;
}
