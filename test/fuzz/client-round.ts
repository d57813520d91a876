/**
 * One round against clients: those of a hostile server, or those whom hostile peers reach through an honest one. Then
 * everybody leaves, and the same clients must do on an honest server whatever they are asked to.
 */
import type { NetConnection, NetStream } from "rtmfp-client";
import { SERVER_IDENTITY } from "rtmfp-core/crypto";
import { APP_URL, Field } from "./field.ts";
import { Honest } from "./honest.ts";
import type { Hostile } from "./hostile.ts";
import { pick } from "./packets.ts";
import type { RoundResult } from "./round.ts";
import { approach, runRound } from "./server-round.ts";
import { HONEST } from "./wild-application.ts";

/** Runs round `number`. */
export function clientRound(seed: string, number: number): Promise<RoundResult> {
  const field = new Field(`fuzz ${seed} client ${number}`);
  return runRound(field, () => (number % 2 === 0 ? againstServer(field) : againstPeers(field)));
}

async function againstServer(field: Field): Promise<number> {
  const { prng, world } = field;
  const host = world.host("hostile server", { addresses: [EVIL.host], link: { latencyMs: 10 } });
  world.name("evil.test", [EVIL.host]);
  const hostile = field.addHostile(SERVER_IDENTITY, host, EVIL.port);
  for (let i = 1 + prng.int(3); i > 0; i--) field.addWild([EVIL_URL]).connect();
  for (let step = 0; step < STEPS; step++) {
    for (let i = prng.int(6); i > 0; i--) hostile.act();
    for (let i = prng.int(4); i > 0; i--) pick(prng, field.wild).act();
    if (prng.chance(0.1)) field.addNoise(EVIL);
    await world.runAsync(prng.chance(0.03) ? prng.int(15_000) : prng.int(60));
  }
  const sessions = hostile.endpoint.sessions.size;
  await endOf(field, [hostile]);
  const server = await field.startServer();
  await beUseful(field);
  await field.stopServer(server);
  return sessions;
}

async function againstPeers(field: Field): Promise<number> {
  const { prng, world } = field;
  const server = await field.startServer();
  const honest = new Honest(world, APP_URL, (name) => field.connection(name));
  await world.settle(honest.begin(true), 20_000);
  for (const { nearID } of honest.connections) field.known.words.push(nearID, nearID);
  for (let i = 1 + prng.int(3); i > 0; i--) field.addWild([APP_URL]).connect();
  for (let i = 1 + prng.int(3); i > 0; i--) field.addHostile();
  for (const hostile of field.hostiles) approach(field, hostile, false);
  for (let step = 0; step < STEPS; step++) {
    for (let i = prng.int(6); i > 0; i--) pick(prng, field.hostiles).act();
    for (let i = prng.int(4); i > 0; i--) pick(prng, field.wild).act();
    if (prng.chance(0.2)) honest.write();
    if (prng.chance(0.15)) approach(field, pick(prng, field.hostiles), true);
    await world.runAsync(prng.chance(0.03) ? prng.int(15_000) : prng.int(60));
  }
  const { sessions } = server.stats;
  await honest.check();
  await endOf(field, field.hostiles);
  await honest.end();
  await beUseful(field);
  await field.stopServer(server);
  return sessions;
}

/** Clients first: whatever hostile peers do, a close ends everything that was called. */
async function endOf(field: Field, hostiles: readonly Hostile[]): Promise<void> {
  const { world, watch, prng } = field;
  const hostileFirst = prng.chance(0.3);
  if (hostileFirst) for (const hostile of hostiles) await world.settle(hostile.end(), 1_000);
  for (const client of field.wild) client.close();
  await world.runAsync(CLOSING_MS);
  watch.check();
  for (const client of field.wild) {
    if (client.nc.connected) throw new Error("a client is connected though it was closed");
    client.closeStreams();
  }
  if (!hostileFirst) for (const hostile of hostiles) await world.settle(hostile.end(), 1_000);
  await world.runAsync(1_000);
  watch.check();
}

/** Each client connects, calls, publishes and plays, with the streams that it has. */
async function beUseful(field: Field): Promise<void> {
  const { world } = field;
  for (const { nc, streams } of field.wild) {
    await world.settle(serve(nc, streams), 30_000).catch((error) => {
      throw new Error(`a client is of no use afterwards: ${(error as Error).message}`);
    });
    await world.settle(nc.close(), 5_000);
  }
  if (field.hostiles.length === 0) field.checkSilence("a client");
}

async function serve(nc: NetConnection, streams: readonly NetStream[]): Promise<void> {
  await nc.connect(APP_URL, HONEST);
  if ((await nc.call("echo", null, "afterwards")) !== "afterwards") throw new Error("a call is answered wrongly");
  for (const [i, stream] of streams.entries()) {
    await stream.publish(`afterwards ${i}`).catch((error: Error) => {
      // Streams that were made to play from a peer, those disposed of, and those whose signal has come.
      if (!/cannot publish|is disposed of/.test(error.message) && error.name !== "AbortError") throw error;
    });
    await stream.close();
    if (stream.isPublishing) throw new Error("a stream publishes though it was closed");
  }
}

const EVIL = { host: "198.51.100.66", port: 1935 };
const EVIL_URL = "rtmfp://evil.test/app/room";
const STEPS = 150;
/** Longer than a close may take, shorter than any call waits for its answer. */
const CLOSING_MS = 5_000;
