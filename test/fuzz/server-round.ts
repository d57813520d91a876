/** One round against a server: hostile peers and wild clients by turns, honest ones beside them, then everybody leaves. */

import { uriEpd } from "rtmfp-core/crypto";
import type { Server } from "rtmfp-server";
import { APP_URL, Field, KEY_URL, SERVER } from "./field.ts";
import { Honest } from "./honest.ts";
import type { Hostile } from "./hostile.ts";
import { pick } from "./packets.ts";
import type { RoundResult } from "./round.ts";

/** Runs round `number`. */
export function serverRound(seed: string, number: number): Promise<RoundResult> {
  const field = new Field(`fuzz ${seed} server ${number}`);
  return runRound(field, async () => {
    const server = await field.startServer();
    const honest = new Honest(field.world, APP_URL, (name) => field.connection(name));
    await field.world.settle(honest.begin(false), 10_000);
    await attack(field, server, honest);
    const { sessions } = server.stats;
    await honest.check();
    await leave(field, server, honest);
    return sessions;
  });
}

/** Runs what gives the number of sessions at its height, and finds whatever went wrong. */
export async function runRound(field: Field, run: () => Promise<number>): Promise<RoundResult> {
  const { watch, hostiles, wild } = field;
  let failure: Error | undefined;
  let sessions = 0;
  watch.start();
  try {
    sessions = await run();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  await watch.stop();
  const sum = (of: (hostile: Hostile) => number): number => hostiles.reduce((total, one) => total + of(one), 0);
  return {
    inputs: sum(({ sent }) => sent) + watch.calls + field.serverWatch.calls + field.noise,
    replies: sum(({ received }) => received) + wild.reduce((total, { events }) => total + events, 0),
    sessions,
    flows: sum(({ flows }) => flows),
    failure: watch.wrong ?? field.serverWatch.wrong ?? failure,
  };
}

async function attack(field: Field, server: Server, honest: Honest): Promise<void> {
  const { prng, world, watch } = field;
  for (let i = 1 + prng.int(3); i > 0; i--) field.addHostile();
  for (let i = 1 + prng.int(2); i > 0; i--) field.addWild([APP_URL, KEY_URL]).connect();
  for (const hostile of field.hostiles) approach(field, hostile, false);
  for (let step = 0; step < STEPS; step++) {
    for (let i = prng.int(8); i > 0; i--) pick(prng, field.hostiles).act();
    for (let i = prng.int(4); i > 0; i--) pick(prng, field.wild).act();
    if (prng.chance(0.2)) field.application.act();
    if (prng.chance(0.2)) honest.write();
    if (prng.chance(0.1)) field.addNoise(SERVER);
    if (prng.chance(0.1)) approach(field, pick(prng, field.hostiles), prng.chance(0.5));
    if (prng.chance(0.05)) watch.call("Server.stats", () => server.stats);
    await world.runAsync(prng.chance(0.03) ? prng.int(15_000) : prng.int(60));
  }
}

/** A hostile peer opens a session with the server or, if it is to be introduced, with somebody else through it. */
export function approach({ prng, known, watch }: Field, hostile: Hostile, introduced: boolean): void {
  const [server] = hostile.endpoint.sessions;
  const url = pick(prng, [APP_URL, KEY_URL]);
  const peerId = pick(
    prng,
    known.words.filter((word) => /^[0-9a-f]{64}$/.test(word)),
  );
  watch.call("open a session", async () => {
    if (introduced && server !== undefined) {
      hostile.adopt(await hostile.endpoint.connect({ peerId, via: [server] }, { timeoutMs: 10_000 }));
      return;
    }
    // While there is one, connecting gives the same session again.
    if (prng.chance(0.5)) server?.abort();
    const session = await hostile.endpoint.connect(SERVER, { epd: uriEpd(url), timeoutMs: 10_000 });
    hostile.adopt(session);
    if (prng.chance(0.85)) hostile.greet(session, url);
  });
}

/** Everybody leaves, some without a word; the server must forget them all. */
async function leave(field: Field, server: Server, honest: Honest): Promise<void> {
  const { world, watch } = field;
  for (const client of field.wild) client.close();
  for (const hostile of field.hostiles) await world.settle(hostile.end(), 1_000);
  await honest.end();
  await world.runAsync(FORGETTING_MS);
  watch.check();
  for (const client of field.wild) client.closeStreams();
  await world.runAsync(1_000);
  const { sessions, clients } = server.stats;
  if (sessions > 0 || clients > 0) throw new Error(`${sessions} sessions and ${clients} clients are left`);
  field.application.check();
  field.checkSilence("the server");
  await field.stopServer(server);
}

const STEPS = 150;
/** By then a server has noticed that a peer fell silent, and sessions that closed have been forgotten. */
const FORGETTING_MS = 400_000;
